"""Sealing: secrets that have to be read again are stored so that a copy of the database shows nothing of them.

AES-256-GCM under a key that HKDF-SHA256 derives from one of the installation's sealing keys, another for each purpose.
What a secret is about is authenticated with it, so that a sealed secret cannot be put into somebody else's row.

An installation has one or several sealing keys: the first seals, all of them open. Which one it was stands in the seal.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x02"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12

KEY_ID_AT = slice(len(_VERSION), len(_VERSION) + _KEY_ID_BYTES)
"""Where the id of its key stands in a seal."""


class BrokenSeal(Exception):
    """It was not sealed with one of these keys for this purpose and this owner, or was changed since."""


def seal(keys: Sequence[bytes], plaintext: bytes, *, purpose: str, about: bytes) -> bytes:
    """Encrypt `plaintext` under the first of `keys`. `purpose` separates kinds of secrets; `about` names what this one
    belongs to, as an id does.

    The result is a version byte, the key's id, a random nonce of 12 bytes, and the ciphertext with its tag of 16 bytes.
    """
    head, nonce = _VERSION + key_id(keys[0]), secrets.token_bytes(_NONCE_BYTES)
    return head + nonce + AESGCM(derived_key(keys[0], purpose)).encrypt(nonce, plaintext, head + about)


def unseal(keys: Sequence[bytes], sealed: bytes, *, purpose: str, about: bytes) -> bytes:
    """What was sealed. Raises BrokenSeal."""
    head, rest = sealed[: KEY_ID_AT.stop], sealed[KEY_ID_AT.stop :]
    nonce, ciphertext = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
    if head[: len(_VERSION)] != _VERSION or len(nonce) < _NONCE_BYTES:
        raise BrokenSeal("This is not sealed in a way we know.")
    for key in keys:
        if key_id(key) == sealed[KEY_ID_AT]:
            try:
                return AESGCM(derived_key(key, purpose)).decrypt(nonce, ciphertext, head + about)
            except InvalidTag:
                raise BrokenSeal("The seal does not open with its key, or was changed.") from None
    raise BrokenSeal("There is no key for this seal any more.")


def key_id(key: bytes) -> bytes:
    """What a key is called in the seals made with it; it tells nothing about the key."""
    return derived_key(key, "key-id")[:_KEY_ID_BYTES]


@lru_cache(maxsize=64)
def derived_key(key: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose; it tells nothing about `key`, nor about the key of another purpose."""
    return HKDF(SHA256(), 32, salt=None, info=b"sample-agent\0" + purpose.encode()).derive(key)
