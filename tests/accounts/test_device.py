"""What browsers and addresses are called."""

from __future__ import annotations

import pytest

from sample_agent.accounts.device import device_label, neighbourhood, place_of

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36", "Chrome on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", "Edge on Windows"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} HeadlessChrome/142.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "Firefox on Linux"),
        (f"Mozilla/5.0 (Linux; Android 14; SM-S918B) {_WEBKIT} Chrome/142.0 Mobile Safari/537.36", "Chrome on Android"),
        (f"Mozilla/5.0 (Linux; Android 14) {_WEBKIT} SamsungBrowser/29.0 Chrome/136.0", "Samsung Internet on Android"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Version/18.5 Safari/605.1.15", "Safari on Mac"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) CriOS/142.0 Mobile/15E148", "Chrome on iPhone"),
        ("Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) Version/18.5 Safari/604.1", "Safari on iPad"),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
        ("curl/8.14.1", "curl"),
        ("python-httpx/0.28.1", "Python"),
        ("", "Unknown device"),
        ("<b>You won!</b> https://evil.example", "Unknown device"),
    ],
)
def test_a_device_is_called_by_its_browser_and_its_system(user_agent: str, label: str) -> None:
    assert device_label(user_agent) == label


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("127.0.0.1", "this computer"),
        ("::1", "this computer"),
        ("::ffff:127.0.0.1", "this computer"),
        ("192.168.1.20", "private network"),
        ("fd00::17", "private network"),
        ("fe80::1", "private network"),
        ("93.184.216.34", None),
        ("2606:4700::6810:84e5", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_an_address_tells_whether_it_is_near(address: str, place: str | None) -> None:
    assert place_of(address) == place


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("93.184.216.34", "93.184.216.200", True),
        ("93.184.216.34", "93.184.217.34", False),
        ("::ffff:93.184.216.34", "93.184.216.35", True),
        ("2606:4700:1:2::1", "2606:4700:1:2:ffff::9", True),
        ("2606:4700:1:2::1", "2606:4700:1:3::1", False),
        ("unknown", "unknown", True),
    ],
)
def test_addresses_of_one_household_are_neighbours(one: str, other: str, same: bool) -> None:
    assert (neighbourhood(one) == neighbourhood(other)) is same
