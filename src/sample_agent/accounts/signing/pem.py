"""RSA keys as PEM."""

from __future__ import annotations

import re
import warnings

from joserfc.errors import SecurityWarning
from joserfc.jwk import RSAKey

BITS = 3072
_SHORTEST = 2048
_PUBLIC_PEM = re.compile(r"-----BEGIN (?:RSA )?PUBLIC KEY-----.+?-----END (?:RSA )?PUBLIC KEY-----", re.DOTALL)


class WeakKeyError(RuntimeError):
    """A key that was given is too short, or no RSA key."""


def new_private_pem() -> str:
    """A private key nobody had before."""
    return RSAKey.generate_key(BITS).as_pem(private=True).decode()


def rsa_key(pem: str | bytes) -> RSAKey:
    """The key in `pem`. Raises WeakKeyError when there is none, or a short one."""
    try:
        with warnings.catch_warnings(action="ignore", category=SecurityWarning):  # the length is judged below
            key = RSAKey.import_key(pem)
    except ValueError as error:
        raise WeakKeyError("A key for access tokens is not an RSA key in PEM form.") from error
    if key.raw_value.key_size < _SHORTEST:
        raise WeakKeyError(
            f"An RSA key for access tokens has {key.raw_value.key_size} bits; {_SHORTEST} are the least."
        )
    return key


def public_half(key: RSAKey) -> RSAKey:
    """The public key of a pair, without the private one."""
    return rsa_key(key.as_pem(private=False))


def public_keys(text: str) -> list[RSAKey]:
    """All public keys in a text; line breaks may be spelled `\\n`, as in variables of an environment."""
    return [rsa_key(pem) for pem in _PUBLIC_PEM.findall(text.replace("\\n", "\n"))]
