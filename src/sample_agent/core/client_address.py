"""Where a request comes from, as far as that can be known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from fastapi import Request

from sample_agent.core.settings import Settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNKNOWN = "unknown"


def client_address(request: Request, settings: Settings) -> str:
    """The address of whoever sent the request; `unknown` when the transport has none.

    Anybody can write `X-Forwarded-For`. It is read only when the peer is in `trusted_proxies`, and then from the right:
    each trusted proxy vouches for the entry before its own, and the first that is no trusted proxy is the client.
    """
    peer = _parse(request.client.host) if request.client else None
    if peer is None:
        return UNKNOWN
    return str(_behind_proxies(peer, request.headers.getlist("x-forwarded-for"), settings.trusted_proxies))


def limit_key(address: str) -> str:
    """What limits count an address under: itself, or the /64 of IPv6, which is what one customer has at least."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return str(parsed or address)


def _behind_proxies(peer: Address, forwarded: Iterable[str], trusted: Sequence[Network]) -> Address:
    entries = [entry for header in forwarded for entry in header.split(",")]
    address = peer
    while entries and any(address in network for network in trusted):
        before = _parse(entries.pop())
        if before is None:  # not an address: the proxy that wrote it is as far as we can see
            break
        address = before
    return address


def _parse(text: str) -> Address | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
