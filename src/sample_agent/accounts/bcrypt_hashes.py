"""Bcrypt hashes, for installations that ask for them and for accounts that come from somewhere else.

Bcrypt reads 72 bytes of a password and no more. Our own hashes give it a digest of the whole password instead, and say
so with a prefix; those without it are verified as whoever made them did, by the first 72 bytes.
"""

# ruff: noqa: A002 (the library these fit into names its arguments so)

from __future__ import annotations

import base64
import hmac
import re

import bcrypt
from pwdlib.hashers.base import HasherProtocol

ROUNDS = 12

_PREFIX = "$bcrypt-sha256"
_PLAIN = re.compile(r"\$2[aby]\$(\d{2})\$[./A-Za-z0-9]{53}")
_OURS = re.compile(re.escape(_PREFIX) + r"(\$2b\$\d{2}\$[./A-Za-z0-9]{22})[./A-Za-z0-9]{31}")
_READ = 72
_ALPHABET = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
)


class BcryptOfDigest(HasherProtocol):
    """`$bcrypt-sha256$2b$…`: bcrypt of the password's HMAC-SHA-256 under the salt, so that every character counts."""

    @classmethod
    def identify(cls, hash: str | bytes) -> bool:
        return _OURS.fullmatch(_text(hash)) is not None

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Hash with `salt`, 16 bytes; without one with a random one."""
        prefix = bcrypt.gensalt(ROUNDS) if salt is None else b"$2b$%02d$%s" % (ROUNDS, _encoded(salt))
        return _PREFIX + bcrypt.hashpw(_digest(password, prefix), prefix).decode()

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        ours = _OURS.fullmatch(_text(hash))
        if ours is None:
            return False
        return bcrypt.checkpw(_digest(password, ours[1].encode()), _text(hash).removeprefix(_PREFIX).encode())

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        return not _text(hash).startswith(f"{_PREFIX}$2b${ROUNDS:02d}$")


class PlainBcrypt(HasherProtocol):
    """`$2a$`, `$2b$` and `$2y$` as other programs make them; only verified, and replaced at the next sign-in."""

    @classmethod
    def identify(cls, hash: str | bytes) -> bool:
        return _PLAIN.fullmatch(_text(hash)) is not None

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        raise NotImplementedError("plain bcrypt cuts passwords off; no new hash is made with it")

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        return bcrypt.checkpw(_bytes(password)[:_READ], _bytes(hash))

    def check_needs_rehash(self, hash: str | bytes) -> bool:
        return True


def _digest(password: str | bytes, salt: bytes) -> bytes:
    """44 characters without a zero byte. Under the salt, so that a stolen list of plain digests is of no use here."""
    return base64.b64encode(hmac.digest(salt, _bytes(password), "sha256"))


def _encoded(salt: bytes) -> bytes:
    """Bcrypt's own kind of base64."""
    return base64.b64encode(salt).rstrip(b"=").translate(_ALPHABET)


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("ascii", "replace")
