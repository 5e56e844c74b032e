"""What a browser and an address are called in lists and mails.

The names are ours and few: a user agent is whatever somebody sent, and none of its words may end up in a mail. Where an
address lies on the map is not looked up; there is no such database on this machine, and asking one elsewhere would tell
it who signs in here.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

UNKNOWN = "Unknown device"

Place = Literal["this computer", "private network"]

# The first that occurs counts: nearly every browser also says that it is Chrome, and Chrome that it is Safari.
_PROGRAMS = (
    (("Edg/", "EdgA/", "EdgiOS/"), "Edge"),
    (("OPR/", "OPiOS/", "OPT/"), "Opera"),
    (("Vivaldi/",), "Vivaldi"),
    (("SamsungBrowser/",), "Samsung Internet"),
    (("DuckDuckGo/", "Ddg/"), "DuckDuckGo"),
    (("Firefox/", "FxiOS/"), "Firefox"),
    (("Chrome/", "CriOS/", "HeadlessChrome/", "Chromium/"), "Chrome"),
    (("Safari/", "AppleWebKit/"), "Safari"),
    (("curl/",), "curl"),
    (("Wget/",), "Wget"),
    (("python-httpx/", "python-requests/", "aiohttp/", "Python-urllib/"), "Python"),
    (("PostmanRuntime/",), "Postman"),
    (("Go-http-client/",), "Go"),
    (("okhttp/",), "Android app"),
    (("undici", "node"), "Node.js"),
)
_SYSTEMS = (
    (("Android",), "Android"),
    (("iPhone",), "iPhone"),
    (("iPad",), "iPad"),
    (("CrOS",), "ChromeOS"),
    (("Windows",), "Windows"),
    (("Macintosh", "Mac OS X", "Darwin"), "Mac"),
    (("Linux", "X11"), "Linux"),
)


def device_label(user_agent: str) -> str:
    """The program and the system of a user agent, as in "Chrome on Windows"; `UNKNOWN` when it says neither."""
    program, system = _first(_PROGRAMS, user_agent), _first(_SYSTEMS, user_agent)
    if program and system:
        return f"{program} on {system}"
    return program or system or UNKNOWN


def place_of(address: str) -> Place | None:
    """Where an address is, as far as the address itself tells; None for one on the internet, or none at all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    if parsed.is_loopback:
        return "this computer"
    return "private network" if parsed.is_private or parsed.is_link_local else None


def neighbourhood(address: str) -> str:
    """The network that one home or office has to itself: /24 of IPv4, /64 of IPv6. Addresses change within it."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(IPv6Network((parsed, 64), strict=False))
        parsed = parsed.ipv4_mapped
    return str(IPv4Network((parsed, 24), strict=False))


def _first(table: tuple[tuple[tuple[str, ...], str], ...], user_agent: str) -> str | None:
    return next((name for marks, name in table if any(mark in user_agent for mark in marks)), None)
