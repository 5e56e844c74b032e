"""Fetching a file from an address that someone else chose, and sending one there, without being sent astray.

The rule of the allow-list, which only the operator writes:

- An entry is `name` (the default port of http or https) or `name:port`. Everything else is refused before any name is
  looked up, and so is a URL with a user name, of another scheme, or with characters that URL readers disagree about.
- A listed name may resolve to a private address (10/8, 192.168/16, fc00::/7 …): object stores live there.
- It may resolve to this machine only if the entry says so: `localhost` or a loopback address itself.
- No entry opens link-local, unspecified, multicast or reserved addresses, nor those where clouds serve credentials.
- A name is resolved once, all its addresses are checked, and the connection goes to a checked address and nowhere else.
  Redirects are not followed, proxies of the environment not asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from pathlib import Path

import anyio
import httpx
import structlog

from sample_agent.core.errors import Problem

log = structlog.get_logger("fetch")

BLOCK_BYTES = 256 * 1024
CONNECT_SECONDS = 10.0

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[list[str]]]
"""From a host name and a port to addresses in numbers; raises `OSError` when there are none."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Where clouds hand out credentials, outside of the link-local block: AWS over IPv6, Azure, Alibaba, Oracle.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "168.63.129.16", "100.100.100.200", "192.0.0.192")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class UrlNotAllowed(Problem):
    """The engine fetches audio only from hosts that its operator has listed, over http or https.

    Addresses of this machine, of its neighbours on the link and of cloud metadata services are never fetched.
    """

    status, code, title = 422, "url-not-allowed", "This address is not fetched"
    next_step = (
        "Use a signed URL of the library's storage, or have its host added to `SAMPLE_AGENT_ENGINE_ALLOWED_HOSTS`."
    )


class FetchFailed(Problem):
    """The address was asked, and answered with something else than the file: gone, forbidden, or a redirect."""

    status, code, title = 422, "fetch-failed", "The file could not be fetched"
    next_step = "Check that the URL is still valid and leads straight to the file; signed URLs expire."


class SendFailed(Problem):
    """The address that was to take a result refused it: the link has expired, or was used before."""

    status, code, title = 422, "send-failed", "The result could not be delivered"
    next_step = "Check that the URL is a valid pre-signed PUT for something that is not there yet."


class FetchUnreachable(Problem):
    """The address could not be reached, broke off, failed on its side, or took too long."""

    status, code, title = 502, "fetch-unreachable", "The address does not answer"
    next_step = "Try again later."


class FetchedFileTooLarge(Problem):
    """The file behind the address is larger than the engine takes."""

    status, code, title = 413, "fetched-file-too-large", "The file is too large"
    next_step = "Trim or compress the file."


async def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def fetch_to(
    url: str,
    destination: Path,
    *,
    allowed_hosts: Collection[str],
    max_bytes: int,
    max_seconds: float,
    resolver: Resolver = resolve,
) -> None:
    """Download `url` into the file `destination`, which is removed again when anything goes wrong.

    Args:
        allowed_hosts: the operator's list; see the rule above.
        max_bytes: more than that and the download stops, whatever the server said the length would be.
        max_seconds: for everything together, from looking up the name to the last byte.

    Raises:
        UrlNotAllowed, FetchFailed, FetchUnreachable, FetchedFileTooLarge
    """
    with _whole_or_absent(destination):
        async with _exchange("GET", url, None, {}, allowed_hosts, max_seconds, resolver) as response:
            _check_answer(response, FetchFailed)
            await _write(response, destination, max_bytes)


async def send_file(
    url: str,
    source: Path,
    *,
    content_type: str,
    allowed_hosts: Collection[str],
    max_seconds: float,
    resolver: Resolver = resolve,
) -> int:
    """PUT the file `source` to `url`, to create what is not there yet and never to replace; how many bytes that were.

    Raises:
        UrlNotAllowed, SendFailed, FetchUnreachable
    """
    size = (await anyio.Path(source).stat()).st_size
    headers = {"Content-Type": content_type, "Content-Length": str(size), "If-None-Match": "*"}
    async with _exchange("PUT", url, _blocks(source), headers, allowed_hosts, max_seconds, resolver) as response:
        _check_answer(response, SendFailed)
    return size


def check_url(url: str, allowed_hosts: Collection[str]) -> httpx.URL:
    """`url` as it will be asked for; raises `UrlNotAllowed` when the list does not cover it. Looks up no name."""
    # Backslashes, white space and control characters are where URL readers differ.
    if any(character <= " " or character in "\\\x7f" for character in url):
        raise UrlNotAllowed("The URL has characters in it that no URL has.")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise UrlNotAllowed("This is not a URL.") from error
    if parsed.scheme not in _DEFAULT_PORTS:
        raise UrlNotAllowed("Only http and https addresses are fetched.")
    if parsed.userinfo:
        raise UrlNotAllowed("A URL with a user name or a password in it is not fetched.")
    if not parsed.host or not _covering_entry(parsed, allowed_hosts):
        raise UrlNotAllowed(f"The host {_authority(parsed)!r} is not one of those the engine may fetch from.")
    return parsed


def allowed_address(address: str, *, loopback: bool) -> bool:
    """Whether to connect to an address that an allow-listed name resolved to (`loopback`: or was written as)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.scope_id is not None:
        return False
    return all(_allowed_ip(each, loopback) for each in (ip, *_embedded(ip)))


def _allowed_ip(ip: IpAddress, loopback: bool) -> bool:
    if ip in _METADATA or ip.is_link_local or ip.is_unspecified or ip.is_multicast:
        return False
    if ip.is_loopback:
        return loopback
    if ip in ipaddress.ip_network("0.0.0.0/8"):
        return False
    # Python calls the prefixes of translated addresses reserved; what counts is the address inside.
    return not ip.is_reserved or bool(_embedded(ip))


def _embedded(ip: IpAddress) -> tuple[ipaddress.IPv4Address, ...]:
    """The IPv4 addresses an IPv6 address leads to: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ()
    found: list[ipaddress.IPv4Address | None] = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64 or (int(ip) >> 32 == 0 and int(ip) > 1):
        found.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return tuple(each for each in found if each is not None)


def _authority(url: httpx.URL) -> str:
    host = f"[{url.host}]" if ":" in url.host else url.host
    return host if url.port is None else f"{host}:{url.port}"


def _covering_entry(url: httpx.URL, allowed_hosts: Collection[str]) -> bool:
    wanted = (url.host.lower(), url.port or _DEFAULT_PORTS[url.scheme])
    return any(_entry(entry, url.scheme) == wanted for entry in allowed_hosts)


def _entry(entry: str, scheme: str) -> tuple[str, int] | None:
    try:
        read = httpx.URL(f"{scheme}://{entry}")
    except (httpx.InvalidURL, ValueError):
        return None
    return read.host.lower(), read.port or _DEFAULT_PORTS[scheme]


def _names_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@functools.lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class _CheckedTransport(httpx.AsyncBaseTransport):
    """Connects to addresses it has checked itself, so that a second answer of the name service changes nothing."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._http = httpx.AsyncHTTPTransport(verify=_certificates(), trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name, url = request.url.host, request.url
        # The `Host` header stands already; the certificate has to be the name's and not the number's.
        request.extensions = {**request.extensions, "sni_hostname": name}
        addresses = await self._addresses(url)
        for position, address in enumerate(addresses, start=1):
            request.url = url.copy_with(host=address)
            try:
                return await self._http.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if position == len(addresses):
                    raise
        raise httpx.ConnectError(f"{name} has no address", request=request)

    async def _addresses(self, url: httpx.URL) -> list[str]:
        try:
            found = await self._resolver(url.host, url.port or _DEFAULT_PORTS[url.scheme])
        except OSError as error:
            raise httpx.ConnectError(f"{url.host} cannot be found") from error
        if not all(allowed_address(address, loopback=_names_loopback(url.host)) for address in found):
            log.warning("refused address", host=url.host, addresses=found)
            raise UrlNotAllowed(f"The host {url.host!r} leads to an address that is never fetched from.")
        return found

    async def aclose(self) -> None:
        await self._http.aclose()


@contextlib.asynccontextmanager
async def _exchange(
    method: str,
    url: str,
    content: AsyncIterator[bytes] | None,
    headers: dict[str, str],
    allowed_hosts: Collection[str],
    max_seconds: float,
    resolver: Resolver,
) -> AsyncIterator[httpx.Response]:
    """One request and its answer; every way to fail comes out as one of this module's problems."""
    checked = check_url(url, allowed_hosts)
    try:
        async with (
            asyncio.timeout(max_seconds),
            httpx.AsyncClient(
                transport=_CheckedTransport(resolver),
                follow_redirects=False,
                trust_env=False,
                timeout=httpx.Timeout(max_seconds, connect=min(max_seconds, CONNECT_SECONDS)),
            ) as client,
            client.stream(
                method, checked, content=content, headers={"Accept-Encoding": "identity", **headers}
            ) as response,
        ):
            yield response
    except TimeoutError as error:
        raise FetchUnreachable(f"{checked.host} took longer than {max_seconds:g} seconds.") from error
    except httpx.HTTPError as error:
        log.info("fetch failed", host=checked.host, error=repr(error))
        raise FetchUnreachable(f"{checked.host} could not be reached, or broke off.") from error


def _check_answer(response: httpx.Response, refusal: type[Problem]) -> None:
    status = response.status_code
    if status >= 500 or status == 429:
        raise FetchUnreachable(f"{response.request.extensions['sni_hostname']} answered with status {status}.")
    if response.is_redirect:
        raise refusal("The address leads on to another one; redirects are not followed.")
    if not response.is_success:
        raise refusal(f"The address answered with status {status}.")


@contextlib.contextmanager
def _whole_or_absent(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


async def _write(response: httpx.Response, destination: Path, max_bytes: int) -> None:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise FetchFailed("The address sends the file compressed, which was not asked for.")
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    received = 0
    with destination.open("wb") as opened:  # not in a thread: what one has opened is lost at a cancellation
        file = anyio.wrap_file(opened)
        async for block in response.aiter_raw(BLOCK_BYTES):
            received += len(block)
            if received > max_bytes:
                raise _too_large(max_bytes)
            await file.write(block)


def _too_large(max_bytes: int) -> FetchedFileTooLarge:
    return FetchedFileTooLarge(f"The file is larger than {max_bytes // 1_000_000} MB.")


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as opened:  # not in a thread: what one has opened is lost at a cancellation
        file = anyio.wrap_file(opened)
        while block := await file.read(BLOCK_BYTES):
            yield block
