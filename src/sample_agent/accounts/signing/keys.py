"""The keys access tokens are signed with, and those they are verified with.

One key signs. All keys known to a service verify, so that a key can be replaced without signing anybody out.

Where they come from: the signing key from JWT_PRIVATE_KEY, or from the keys folder, where a pair is made in development
and `sample-agent keys rotate` replaces it. A service that only verifies needs JWT_PUBLIC_KEY, or the same keys folder.
The folder is looked at again every few seconds: a running service follows a rotation by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from joserfc.jwk import RSAKey

from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.signing.key_files import GRACE, KeyFiles
from sample_agent.accounts.signing.pem import WeakKeyError, public_half, public_keys, rsa_key
from sample_agent.core.settings import MissingSecretError, Settings

LOOKED_AT_EVERY = timedelta(seconds=2)
"""How often the folder is looked at, at most; tokens that name keys nobody knows do not make it more often."""

__all__ = ["KeySet", "Keys", "WeakKeyError", "key_files", "load_keys"]

log = structlog.get_logger("accounts")


@dataclass(frozen=True)
class KeySet:
    """The keys of one moment. `public` is by key id, the current one first."""

    private: RSAKey | None
    public: dict[str, RSAKey]


class Keys:
    """The keys of a deployment, as they are now.

    `read` yields them, and `state` something that changes when they have to be read again; when that fails, the ones
    that were known stay.
    """

    def __init__(
        self, read: Callable[[], KeySet], state: Callable[[], object], *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._read = read
        self._state = state
        self._now = now
        self._looked_at = now()
        self._seen = state()
        self._known = read()

    @property
    def private(self) -> RSAKey | None:
        """The key that signs; None in a service that only verifies."""
        return self._current_set().private

    @property
    def public(self) -> dict[str, RSAKey]:
        """The keys that verify, by key id, the current one first."""
        return self._current_set().public

    @property
    def current(self) -> RSAKey:
        """The public key of the pair that signs."""
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
        """The public keys as PEM, one after another, the current one first."""
        return "".join(key.as_pem(private=False).decode() for key in self.public.values())

    def _current_set(self) -> KeySet:
        now = self._now()
        if abs(now - self._looked_at) >= LOOKED_AT_EVERY:
            self._looked_at = now
            try:
                seen = self._state()
                if seen != self._seen:
                    self._known, self._seen = self._read(), seen
                    log.info("keys for access tokens read again", key_ids=list(self._known.public))
            except (OSError, RuntimeError) as error:
                log.warning("keys for access tokens could not be read again", error=str(error))
        return self._known


def load_keys(settings: Settings, *, signing: bool = True, now: Callable[[], datetime] = utc_now) -> Keys:
    """The keys of this deployment. `signing=False` for a service that has no business with the private key.

    Raises MissingSecretError in production when there is none, WeakKeyError when one is unsuitable.
    """
    files = key_files(settings)
    return Keys(lambda: _read(settings, files, now, signing=signing), lambda: files.state(now()), now=now)


def key_files(settings: Settings) -> KeyFiles:
    """The keys folder of this deployment. A predecessor stays for a while longer than its tokens."""
    return KeyFiles(settings.keys_dir, kept_for=timedelta(seconds=settings.access_token_seconds) + GRACE)


def _read(settings: Settings, files: KeyFiles, now: Callable[[], datetime], *, signing: bool) -> KeySet:
    """The keys of this moment; read anew when somebody moves files meanwhile."""
    while True:
        given = public_keys(settings.jwt_public_key)
        if not signing and (given or files.is_published()):
            private, first = None, given
        else:
            private = _private_key(settings, files, now(), or_else="JWT_PRIVATE_KEY" if signing else "JWT_PUBLIC_KEY")
            first = [public_half(private), *given]
        before = files.state(now())
        public = {key.thumbprint(): key for key in [*first, *files.public_keys()]}
        if files.state(now()) == before:
            return KeySet(private if signing else None, public)


def _private_key(settings: Settings, files: KeyFiles, now: datetime, *, or_else: str) -> RSAKey:
    if settings.jwt_private_key is not None:
        return rsa_key(settings.jwt_private_key.get_secret_value().replace("\\n", "\n"))
    if not files.exists():
        if not settings.development:
            raise MissingSecretError(or_else)
        files.create_if_missing()
    key = files.signing_key(now)
    try:
        files.settle(now)
    except OSError as error:  # a folder that only the operator may change: `sample-agent keys` does it then
        log.warning("the keys folder could not be put in order", error=str(error))
    return key
