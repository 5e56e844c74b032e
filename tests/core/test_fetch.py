"""Fetching from addresses that others choose: real servers on this machine, some of them ill-mannered."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sample_agent.core import fetch
from sample_agent.core.errors import Problem
from sample_agent.core.fetch import (
    FetchedFileTooLarge,
    FetchFailed,
    FetchUnreachable,
    UrlNotAllowed,
    allowed_address,
    fetch_to,
    send_file,
)

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A TCP server on 127.0.0.1 that holds one conversation per connection; yields its port."""
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            conversations.discard(task)
            writer.close()

    listening = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for task in list(conversations):
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        await listening.wait_closed()


def saying(answer: bytes, heard: list[bytes] | None = None) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if heard is not None:
            heard.append(request)
        writer.write(answer)
        await writer.drain()

    return talk


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def forever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"\0" * 65536)
        await writer.drain()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"\0")
        await writer.drain()
        await asyncio.sleep(0.01)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.Event().wait()


async def never_asked(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} was looked up")


def leading_to(*addresses: str) -> fetch.Resolver:
    async def resolver(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolver


@asynccontextmanager
async def failing(kind: type[Problem], tmp_path: Path) -> AsyncIterator[None]:
    """The block ends in this problem and leaves no file."""
    with pytest.raises(kind):
        yield
    assert_empty(tmp_path)


def assert_empty(folder: Path) -> None:
    assert list(folder.iterdir()) == []


async def fetched(
    url: str,
    tmp_path: Path,
    *allowed: str,
    max_bytes: int = 10_000_000,
    max_seconds: float = 20,
    resolver: fetch.Resolver = fetch.resolve,
) -> bytes:
    destination = tmp_path / "fetched"
    await fetch_to(
        url,
        destination,
        allowed_hosts=allowed,
        max_bytes=max_bytes,
        max_seconds=max_seconds,
        resolver=resolver,
    )
    return destination.read_bytes()


async def test_a_file_from_a_listed_host_arrives_whole(tmp_path: Path) -> None:
    body = bytes(range(256)) * 5000
    heard: list[bytes] = []
    async with server(saying(ok(body), heard)) as port:
        assert await fetched(f"http://127.0.0.1:{port}/a.wav?sig=1%2F2", tmp_path, f"127.0.0.1:{port}") == body
    assert heard[0].startswith(b"GET /a.wav?sig=1%2F2 HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{port}\r\n".encode() in heard[0].lower()
    assert b"accept-encoding: identity" in heard[0].lower()


async def test_a_chunked_answer_arrives_whole(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    async with server(saying(answer)) as port:
        assert await fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}") == b"abcde"


@pytest.mark.parametrize(
    "url",
    [
        "http://{host}/",
        "http://127.0.0.1/",
        "http://127.0.0.1:1/",
        "http://localhost:{port}/",
        "http://[::1]:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://2130706433:{port}/",
        "http://0x7f000001:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://127.1:{port}/",
        "http://0:{port}/",
        "http://127.0.0.1.:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://storage.example@127.0.0.1:{port}/",
        "http://storage.example:secret@127.0.0.1:{port}/",
        "http://user:secret@storage.example/",
        "http://storage.example\\@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}\\.storage.example/",
        "http://storage.example.evil.example/",
        "http://evil.example/?storage.example",
        "http://evil.example/storage.example:80",
        "http://storage.example:8080/",
        "https://storage.example:80/",
        "http://storage.example\r\nX-Injected: 1/",
        "http://storage.example /",
        "http://\u0455torage.example/",
        "http:///etc/passwd",
        "http:127.0.0.1",
        "//storage.example/a.wav",
        "storage.example/a.wav",
        "file:///etc/passwd",
        "ftp://storage.example/a.wav",
        "gopher://storage.example/",
        "data:audio/wav;base64,UklGRg==",
        "http://[::1",
        "http://storage.example:99999/",
        "",
    ],
)
async def test_only_listed_hosts_are_asked_and_no_other_is_even_looked_up(url: str, tmp_path: Path) -> None:
    heard: list[bytes] = []
    async with server(saying(ok(b"secret"), heard)) as port, failing(UrlNotAllowed, tmp_path):
        url = url.replace("{port}", str(port)).replace("{host}", f"127.0.0.1:{port}")
        await fetched(url, tmp_path, "storage.example", resolver=never_asked)
    assert heard == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "240.0.0.1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::7f00:1",
        "2002:a9fe:a9fe::1",
        "2002:7f00:1::",
        "not-an-address",
    ],
)
def test_a_listed_name_may_not_lead_to_this_machine_or_to_a_metadata_service(address: str) -> None:
    assert not allowed_address(address, loopback=False)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.7", "192.168.1.9", "172.16.0.1", "fd12:3456::1", "93.184.216.34", "2606:4700::1", "::ffff:10.0.0.7"],
)
def test_a_listed_name_may_lead_to_a_private_or_a_public_address(address: str) -> None:
    assert allowed_address(address, loopback=False)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "0.0.0.0", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254"]
)
def test_listing_an_address_does_not_open_link_local_or_metadata(address: str) -> None:
    assert not allowed_address(address, loopback=True)


async def test_a_listed_name_that_resolves_to_the_metadata_service_is_refused(tmp_path: Path) -> None:
    async with failing(UrlNotAllowed, tmp_path):
        await fetched("http://storage.example/", tmp_path, "storage.example", resolver=leading_to("169.254.169.254"))


async def test_a_metadata_address_stays_closed_even_when_listed(tmp_path: Path) -> None:
    async with failing(UrlNotAllowed, tmp_path):
        await fetched("http://169.254.169.254/latest/", tmp_path, "169.254.169.254")


async def test_one_forbidden_address_among_good_ones_is_enough_to_refuse(tmp_path: Path) -> None:
    heard: list[bytes] = []
    async with server(saying(ok(b"secret"), heard)) as port, failing(UrlNotAllowed, tmp_path):
        entry = f"localhost:{port}"
        mixed = leading_to("127.0.0.1", "169.254.169.254")
        await fetched(f"http://{entry}/", tmp_path, entry, resolver=mixed)
    assert heard == []


async def test_a_listed_name_that_is_not_localhost_does_not_lead_to_this_machine(tmp_path: Path) -> None:
    heard: list[bytes] = []
    async with server(saying(ok(b"secret"), heard)) as port, failing(UrlNotAllowed, tmp_path):
        entry = f"storage.example:{port}"
        await fetched(f"http://{entry}/", tmp_path, entry, resolver=leading_to("127.0.0.1"))
    assert heard == []


async def test_a_name_is_looked_up_once_and_the_checked_address_is_the_one_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    # The system knows no such name: if anyone but our resolver were asked, nothing would arrive.
    monkeypatch.setattr(fetch, "_names_loopback", lambda host: True)
    async with server(saying(ok(b"audio"))) as port:
        entry = f"rebinding.invalid:{port}"
        assert await fetched(f"http://{entry}/", tmp_path, entry, resolver=rebinding) == b"audio"
    assert asked == ["rebinding.invalid"]


async def test_the_next_address_is_tried_when_the_first_does_not_answer(tmp_path: Path) -> None:
    async with server(saying(ok(b"audio"))) as port:
        entry = f"localhost:{port}"
        both = leading_to("127.0.0.2", "127.0.0.1")
        assert await fetched(f"http://{entry}/", tmp_path, entry, resolver=both) == b"audio"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int, tmp_path: Path) -> None:
    heard: list[bytes] = []
    async with server(saying(ok(b"secret"), heard)) as inner:
        answer = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{inner}/\r\nContent-Length: 0\r\n\r\n"
        async with server(saying(answer.encode())) as port, failing(FetchFailed, tmp_path):
            await fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}", f"127.0.0.1:{inner}")
    assert heard == []


@pytest.mark.parametrize(
    ("status", "kind"), [(403, FetchFailed), (404, FetchFailed), (500, FetchUnreachable), (503, FetchUnreachable)]
)
async def test_an_answer_that_is_not_the_file_is_a_failure(status: int, kind: type[Problem], tmp_path: Path) -> None:
    answer = f"HTTP/1.1 {status} Sorry\r\nContent-Length: 3\r\n\r\nabc".encode()
    async with server(saying(answer)) as port, failing(kind, tmp_path):
        await fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}")


async def test_an_endless_stream_is_cut_at_the_limit(tmp_path: Path) -> None:
    async with server(forever) as port, failing(FetchedFileTooLarge, tmp_path):
        await fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}", max_bytes=3_000_000)


async def test_an_announced_length_over_the_limit_is_refused(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3000001\r\n\r\n"
    async with server(saying(answer)) as port, failing(FetchedFileTooLarge, tmp_path):
        await fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}", max_bytes=3_000_000)


async def test_a_file_of_exactly_the_limit_is_taken(tmp_path: Path) -> None:
    async with server(saying(ok(b"x" * 1000))) as port:
        assert len(await fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}", max_bytes=1000)) == 1000


@pytest.mark.parametrize("talk", [dripping, silent])
async def test_a_server_that_takes_for_ever_is_given_up(talk: Talk, tmp_path: Path) -> None:
    async with server(talk) as port, failing(FetchUnreachable, tmp_path):
        await fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}", max_seconds=0.3)


async def test_a_name_server_that_takes_for_ever_is_given_up(tmp_path: Path) -> None:
    async def slow(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    async with failing(FetchUnreachable, tmp_path):
        await fetched("http://storage.example/", tmp_path, "storage.example", max_seconds=0.1, resolver=slow)


async def test_an_answer_that_breaks_off_is_a_failure(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"
    async with server(saying(answer)) as port, failing(FetchUnreachable, tmp_path):
        await fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}")


async def test_an_answer_that_is_not_http_is_a_failure(tmp_path: Path) -> None:
    async with server(saying(b"SSH-2.0-OpenSSH_9.2\r\n")) as port, failing(FetchUnreachable, tmp_path):
        await fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}")


async def test_a_compressed_answer_is_refused_instead_of_unpacked(tmp_path: Path) -> None:
    async with server(saying(ok(b"\x1f\x8b", "Content-Encoding: gzip"))) as port, failing(FetchFailed, tmp_path):
        await fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}")


async def test_a_host_that_refuses_the_connection_is_unreachable(tmp_path: Path) -> None:
    async with server(silent) as port:
        pass
    async with failing(FetchUnreachable, tmp_path):
        await fetched(f"http://127.0.0.1:{port}/", tmp_path, f"127.0.0.1:{port}")


async def test_a_name_that_does_not_exist_is_unreachable(tmp_path: Path) -> None:
    async with failing(FetchUnreachable, tmp_path):
        await fetched("http://no-such-host.invalid/", tmp_path, "no-such-host.invalid")


async def test_proxies_of_the_environment_are_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []
    async with server(saying(ok(b"from the proxy"), heard)) as proxy, server(saying(ok(b"straight"))) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert await fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}") == b"straight"
    assert heard == []


async def test_cancelling_leaves_no_file(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 1_000_000)
        await writer.drain()
        arrived.set()
        await asyncio.Event().wait()

    async with server(talk) as port:
        download = asyncio.ensure_future(fetched(f"http://localhost:{port}/", tmp_path, f"localhost:{port}"))
        await arrived.wait()
        download.cancel()
        with pytest.raises(asyncio.CancelledError):
            await download
    assert_empty(tmp_path)


async def test_https_checks_the_certificate_against_the_name_though_it_connects_to_the_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = tmp_path / "certificate.pem"
    serving = certificate_for("localhost", certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(fetch, "_certificates", lambda: trusting)
    folder = tmp_path / "downloads"
    folder.mkdir()
    heard: list[bytes] = []
    async with server(saying(ok(b"audio"), heard), serving) as port:
        there = leading_to("127.0.0.1")
        url = f"https://localhost:{port}/"
        assert await fetched(url, folder, f"localhost:{port}", resolver=there) == b"audio"
        (folder / "fetched").unlink()
        async with failing(FetchUnreachable, folder):
            await fetched(f"https://127.0.0.1:{port}/", folder, f"127.0.0.1:{port}", resolver=there)
    assert f"host: localhost:{port}\r\n".encode() in heard[0].lower()
    assert len(heard) == 1


async def test_a_file_is_sent_with_its_length_and_replaces_nothing(tmp_path: Path) -> None:
    body = bytes(range(256)) * 3000
    (tmp_path / "preview").write_bytes(body)
    received: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append((await reader.readuntil(b"\r\n\r\n")).lower())
        received.append(await reader.readexactly(len(body)))
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with server(talk) as port:
        await send_file(
            f"http://localhost:{port}/x?sig=1",
            tmp_path / "preview",
            content_type="audio/flac",
            allowed_hosts=[f"localhost:{port}"],
            max_seconds=20,
        )
    assert received[0].startswith(b"put /x?sig=1 ")
    assert received[1] == body
    for header in (b"content-type: audio/flac", b"if-none-match: *", b"content-length: 768000"):
        assert header in received[0]
    assert b"transfer-encoding" not in received[0]


async def test_a_file_is_sent_to_listed_hosts_only(tmp_path: Path) -> None:
    (tmp_path / "preview").write_bytes(b"x")
    with pytest.raises(UrlNotAllowed):
        await send_file(
            "http://169.254.169.254/",
            tmp_path / "preview",
            content_type="audio/flac",
            allowed_hosts=["storage.example"],
            max_seconds=20,
            resolver=never_asked,
        )


def certificate_for(name: str, path: Path) -> ssl.SSLContext:
    """A server's context with a self-signed certificate for `name`, which is written to `path`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = path.with_suffix(".key")
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, secret)
    return context
