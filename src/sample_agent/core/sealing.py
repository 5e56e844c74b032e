"""Sealing: secrets that have to be read again are stored so that a copy of the database shows nothing of them.

AES-256-GCM under a key that HKDF-SHA256 derives from the installation's signing key, another one for each purpose. What
a secret is about is authenticated with it, so that a sealed secret cannot be put into somebody else's row.
"""

from __future__ import annotations

import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE_BYTES = 12


class BrokenSeal(Exception):
    """It was not sealed with this key for this purpose and this owner, or was changed since."""


def seal(key: bytes, plaintext: bytes, *, purpose: str, about: bytes) -> bytes:
    """Encrypt `plaintext`. `purpose` separates kinds of secrets; `about` names what this one belongs to, as an id does.

    The result is a version byte, a random nonce of 12 bytes, and the ciphertext with its tag of 16 bytes.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(derived_key(key, purpose)).encrypt(nonce, plaintext, _VERSION + about)


def unseal(key: bytes, sealed: bytes, *, purpose: str, about: bytes) -> bytes:
    """What was sealed. Raises BrokenSeal."""
    nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if sealed[:1] != _VERSION or len(nonce) < _NONCE_BYTES:
        raise BrokenSeal("This is not sealed in a way we know.")
    try:
        return AESGCM(derived_key(key, purpose)).decrypt(nonce, ciphertext, _VERSION + about)
    except InvalidTag:
        raise BrokenSeal("The seal does not open with this key, or was changed.") from None


@lru_cache(maxsize=64)
def derived_key(key: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose; it tells nothing about `key`, nor about the key of another purpose."""
    return HKDF(SHA256(), 32, salt=None, info=b"sample-agent\0" + purpose.encode()).derive(key)
