"""The keys access tokens are signed with, and those they are verified with.

One key signs. All keys known to a service verify, so a key can be replaced without signing anybody out: keep the old
public key beside the new pair as `jwt-<anything>.pem` in the keys folder (or append it to JWT_PUBLIC_KEY) until the
last token it signed has expired.

Where they come from: the signing key from JWT_PRIVATE_KEY or `jwt-private.pem` in the keys folder, which is created in
development. A service that only verifies needs JWT_PUBLIC_KEY, or the same keys folder.
"""

from __future__ import annotations

import re
import secrets
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.errors import SecurityWarning
from joserfc.jwk import RSAKey

from sample_agent.core.settings import MissingSecretError, Settings, read_or_create_secret

BITS = 3072
_PRIVATE_FILE, _PUBLIC_FILE = "jwt-private.pem", "jwt-public.pem"
_PUBLIC_PEM = re.compile(r"-----BEGIN (?:RSA )?PUBLIC KEY-----.+?-----END (?:RSA )?PUBLIC KEY-----", re.DOTALL)


class WeakKeyError(RuntimeError):
    """A key that was given is too short, or no RSA key."""


@dataclass(frozen=True)
class Keys:
    """`private` signs and is absent in services that only verify; `public` verify, by key id, the current one first."""

    private: RSAKey | None
    public: dict[str, RSAKey]

    @property
    def current(self) -> RSAKey:
        return next(iter(self.public.values()))

    def jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set (RFC 7517)."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": "RS256"}
                for kid, key in self.public.items()
            ]
        }

    def pem(self) -> str:
        """The current public key as PEM."""
        return self.current.as_pem(private=False).decode()


def load_keys(settings: Settings, *, signing: bool = True) -> Keys:
    """The keys of this deployment. `signing=False` for a service that has no business with the private key.

    Raises MissingSecretError in production when there is none, WeakKeyError when one is unsuitable.
    """
    given = _public_keys(settings.jwt_public_key)
    if not signing and (given or (settings.keys_dir / _PUBLIC_FILE).exists()):
        return Keys(None, _by_id([*given, *_kept_public_keys(settings.keys_dir)]))
    private = _private_key(settings, or_else="JWT_PRIVATE_KEY" if signing else "JWT_PUBLIC_KEY")
    public = _rsa_key(private.as_pem(private=False))
    return Keys(private if signing else None, _by_id([public, *given, *_kept_public_keys(settings.keys_dir)]))


def _private_key(settings: Settings, *, or_else: str) -> RSAKey:
    if settings.jwt_private_key is not None:
        return _rsa_key(settings.jwt_private_key.get_secret_value().replace("\\n", "\n"))
    path = settings.keys_dir / _PRIVATE_FILE
    if not settings.development and not path.exists():
        raise MissingSecretError(or_else)
    key = _rsa_key(read_or_create_secret(path, _new_private_pem))
    _publish(settings.keys_dir / _PUBLIC_FILE, key.as_pem(private=False))
    return key


def _new_private_pem() -> str:
    return RSAKey.generate_key(BITS).as_pem(private=True).decode()


def _publish(path: Path, pem: bytes) -> None:
    if path.exists() and path.read_bytes() == pem:
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_bytes(pem)
    draft.chmod(0o644)
    draft.replace(path)


def _kept_public_keys(folder: Path) -> list[RSAKey]:
    kept = sorted(folder.glob("jwt-*.pem")) if folder.is_dir() else []
    return [key for path in kept if path.name != _PRIVATE_FILE for key in _public_keys(path.read_text())]


def _public_keys(text: str) -> list[RSAKey]:
    return [_rsa_key(pem) for pem in _PUBLIC_PEM.findall(text.replace("\\n", "\n"))]


def _rsa_key(pem: str | bytes) -> RSAKey:
    try:
        with warnings.catch_warnings(action="ignore", category=SecurityWarning):  # the length is judged below
            key = RSAKey.import_key(pem)
    except ValueError as error:
        raise WeakKeyError("A key for access tokens is not an RSA key in PEM form.") from error
    if key.raw_value.key_size < 2048:
        raise WeakKeyError(f"An RSA key for access tokens has {key.raw_value.key_size} bits; 2048 are the least.")
    return key


def _by_id(keys: list[RSAKey]) -> dict[str, RSAKey]:
    return {key.thumbprint(): key for key in keys}
