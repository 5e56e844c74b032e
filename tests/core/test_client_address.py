"""Whose address a request has."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import Request
from pydantic import ValidationError

from sample_agent.core.client_address import client_address, limit_key
from sample_agent.core.settings import Settings


def request(peer: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return Request({"type": "http", "headers": headers, "client": (peer, 4711) if peer else None})


def settings(*proxies: str) -> Settings:
    return Settings(_env_file=None, data_dir=Path("/nowhere"), trusted_proxies=",".join(proxies))


def test_nobody_is_believed_about_an_address_unless_told() -> None:
    assert client_address(request("203.0.113.9", "10.0.0.1"), settings()) == "203.0.113.9"
    assert client_address(request("203.0.113.9", "10.0.0.1"), settings("192.0.2.0/24")) == "203.0.113.9"


def test_a_trusted_proxy_tells_the_client() -> None:
    assert client_address(request("192.0.2.1", "203.0.113.9"), settings("192.0.2.0/24")) == "203.0.113.9"


@pytest.mark.parametrize(
    "forwarded",
    [("6.6.6.6, 203.0.113.9, 192.0.2.8",), ("6.6.6.6", "203.0.113.9,192.0.2.8"), ("192.0.2.5, 203.0.113.9",)],
)
def test_what_the_client_wrote_itself_is_left_of_what_counts(forwarded: tuple[str, ...]) -> None:
    assert client_address(request("192.0.2.1", *forwarded), settings("192.0.2.0/24")) == "203.0.113.9"


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("garbage", "192.0.2.1"),
        ("", "192.0.2.1"),
        ("192.0.2.2", "192.0.2.2"),
    ],
)
def test_entries_are_read_as_proxies_write_them(entry: str, address: str) -> None:
    assert client_address(request("192.0.2.1", entry), settings("192.0.2.0/24")) == address


def test_a_transport_without_addresses_has_one_unknown_client() -> None:
    assert client_address(request(None, "203.0.113.9"), settings("0.0.0.0/0")) == "unknown"


def test_limits_count_an_ipv6_customer_as_one() -> None:
    assert limit_key("2001:db8:1:2:3:4:5:6") == limit_key("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert limit_key("2001:db8:1:3::1") != limit_key("2001:db8:1:2::1")
    assert limit_key("203.0.113.9") == limit_key("::ffff:203.0.113.9") == "203.0.113.9"
    assert limit_key("unknown") == "unknown"


@pytest.mark.parametrize("given", ["10.0.0.1/8", "proxy.internal", "10.0.0.0/33"])
def test_what_is_no_network_is_refused_by_its_name(given: str) -> None:
    with pytest.raises(ValidationError, match="trusted_proxies"):
        settings(given)
