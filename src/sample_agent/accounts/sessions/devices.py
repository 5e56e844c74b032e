"""Devices an account has been signed in on before, told by a cookie that only this service can write.

Somebody who guesses passwords from elsewhere is then counted apart from the owner, and cannot lock them out. The cookie
is a random id, and for each of the last accounts a mark: a MAC over account and id. Nothing is stored, and the cookie
proves nothing but that a sign-in has succeeded here.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import timedelta

KEPT_FOR = timedelta(days=180)
MOST_ACCOUNTS = 8
"""People who share a browser; beyond that it forgets whose last sign-in is the longest ago."""

_COOKIE = re.compile(rf"[\w-]{{22}}(\.[\w-]{{22}}){{1,{MOST_ACCOUNTS}}}", re.ASCII)


def known_device(key: bytes, cookie: str, account: str) -> str | None:
    """The id of the device, when `cookie` is ours and `account` has been signed in to with it."""
    if not _COOKIE.fullmatch(cookie):
        return None
    device, *marks = cookie.split(".")
    expected = _mark(key, device, account)
    return device if any(secrets.compare_digest(mark, expected) for mark in marks) else None


def remembered(key: bytes, cookie: str, account: str) -> str:
    """The cookie of a device where `account` has just been signed in to; `cookie` is what it had before."""
    device, *marks = cookie.split(".") if _COOKIE.fullmatch(cookie) else [_text(secrets.token_bytes(16))]
    mark = _mark(key, device, account)
    others = [each for each in marks if each != mark]
    return ".".join([device, mark, *others][: MOST_ACCOUNTS + 1])


def _mark(key: bytes, device: str, account: str) -> str:
    return _text(hmac.digest(key, b"device\0" + device.encode() + b"\0" + account.encode(), "sha256")[:16])


def _text(sixteen_bytes: bytes) -> str:
    return base64.urlsafe_b64encode(sixteen_bytes).rstrip(b"=").decode()
