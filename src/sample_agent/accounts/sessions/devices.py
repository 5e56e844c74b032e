"""Devices an account has been signed in on before, told by a cookie that only this service can write.

Somebody who guesses passwords from elsewhere is then counted apart from the owner, and cannot lock them out. The cookie
is a random id, and for each of the last accounts two marks, MACs over this id and a name: the address, under which
attempts to sign in are counted, and what the credentials go by, which change with password and address, so that whoever
was shut out by that comes back as a stranger. Nothing is stored, and the cookie proves nothing but that a sign-in has
succeeded here.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import timedelta

from sample_agent.accounts.models import User

KEPT_FOR = timedelta(days=180)
MOST_ACCOUNTS = 8
"""People who share a browser; beyond that it forgets whose last sign-in is the longest ago."""

_MOST_MARKS = 2 * MOST_ACCOUNTS
_COOKIE = re.compile(rf"[\w-]{{22}}(\.[\w-]{{22}}){{1,{_MOST_MARKS}}}", re.ASCII)


def known_device(key: bytes, cookie: str, address: str) -> str | None:
    """The id of the device, when `cookie` is ours and an account with this address has been signed in to with it."""
    return _marked(key, cookie, address)


def is_known_device(key: bytes, cookie: str, user: User) -> bool:
    """Whether the account has been signed in to with it since its password and its address are what they are."""
    return _marked(key, cookie, _credentials(user)) is not None


def remembered(key: bytes, cookie: str, user: User) -> str:
    """The cookie of a device where this account has just been signed in to; `cookie` is what it had before."""
    device, *marks = cookie.split(".") if _COOKIE.fullmatch(cookie) else [_text(secrets.token_bytes(16))]
    own = [_mark(key, device, name) for name in (user.email, _credentials(user))]
    others = [each for each in marks if each not in own]
    return ".".join([device, *own, *others][: 1 + _MOST_MARKS])


def _credentials(user: User) -> str:
    """A name of the account's password and address as they are now; no address looks like it."""
    return str(user.credentials_id or user.id)


def _marked(key: bytes, cookie: str, name: str) -> str | None:
    """The id of the device, when `cookie` is ours and has the mark of this name."""
    if not _COOKIE.fullmatch(cookie):
        return None
    device, *marks = cookie.split(".")
    expected = _mark(key, device, name)
    return device if any(secrets.compare_digest(mark, expected) for mark in marks) else None


def _mark(key: bytes, device: str, name: str) -> str:
    return _text(hmac.digest(key, b"device\0" + device.encode() + b"\0" + name.encode(), "sha256")[:16])


def _text(sixteen_bytes: bytes) -> str:
    return base64.urlsafe_b64encode(sixteen_bytes).rstrip(b"=").decode()
