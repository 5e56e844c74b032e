"""Access tokens: RS256 JSON Web Tokens, issued and verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol
from uuid import UUID

from cachetools import LRUCache
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import RSAKey
from joserfc.jwt import JWTClaimsRegistry

from sample_agent.accounts.errors import TokenExpired, TokenInvalid
from sample_agent.accounts.signing.keys import Keys
from sample_agent.core.identifiers import new_id

AUDIENCE = "sample-agent"
_ALGORITHMS = ["RS256"]
_CLOCK_SKEW_SECONDS = 30
_LONGEST = 8192
_SIGNATURES_KNOWN = 10_000
"""About 5 MB."""


class _WithHeaders(Protocol):
    def headers(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Claims:
    """What a verified access token says about its bearer."""

    user_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class _Signed:
    """A token whose signature and claims were good, for as long as its key is ours and its time is not over."""

    claims: Claims
    key_id: str
    expires: int


class AccessTokens:
    """Issues and verifies the access tokens of one deployment, named by its public URL."""

    def __init__(self, keys: Keys, *, issuer: str, seconds: int, now: Callable[[], datetime]) -> None:
        self.seconds = seconds
        self._keys = keys
        self._issuer = issuer
        self._now = now
        self._known: LRUCache[bytes, _Signed] = LRUCache(_SIGNATURES_KNOWN)
        self._expected = JWTClaimsRegistry(
            now=self._timestamp,
            leeway=_CLOCK_SKEW_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": AUDIENCE},
            typ={"essential": True, "value": "access"},
            sub={"essential": True},
            sid={"essential": True},
            jti={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        )

    def issue(self, *, user_id: UUID, session_id: UUID, email: str, tier: str, seconds: int | None = None) -> str:
        """A token that is good for `seconds`, or as long as any."""
        key = self._keys.private
        if key is None:
            raise RuntimeError("this service has no key to sign access tokens with")
        issued = self._timestamp()
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": str(new_id()),
            "typ": "access",
            "email": email,
            "tier": tier,
            "verified": True,
            "iat": issued,
            "exp": issued + (self.seconds if seconds is None else seconds),
        }
        header = {"alg": "RS256", "kid": key.thumbprint()}
        return jwt.encode(header, claims, key, algorithms=_ALGORITHMS)

    def verify(self, token: str) -> Claims:
        """Check signature, issuer, audience, type and time. Raises TokenExpired or TokenInvalid.

        Of a token that was here before only what can have changed is checked: whether its key is still ours, and the
        time.
        """
        if len(token) > _LONGEST:
            raise TokenInvalid
        digest = sha256(token.encode(errors="surrogatepass")).digest()
        known = self._known.get(digest)
        if known is None:
            known = self._known[digest] = self._verified(token)
        if known.key_id not in self._keys.public:
            raise TokenInvalid
        if known.expires < self._timestamp() - _CLOCK_SKEW_SECONDS:
            raise TokenExpired
        return known.claims

    def _verified(self, token: str) -> _Signed:
        try:
            decoded = jwt.decode(token, self._key_named_in, algorithms=_ALGORITHMS)
            claims = decoded.claims
            self._expected.validate(claims)
            return _Signed(
                Claims(UUID(claims["sub"]), UUID(claims["sid"])), str(decoded.header["kid"]), int(claims["exp"])
            )
        except ExpiredTokenError:
            raise TokenExpired from None
        except (JoseError, ValueError, TypeError, AttributeError):
            raise TokenInvalid from None

    def _key_named_in(self, token: _WithHeaders) -> RSAKey:
        key = self._keys.public.get(str(token.headers().get("kid")))
        if key is None:
            raise InvalidKeyIdError("no key of this service")
        return key

    def _timestamp(self) -> int:
        return int(self._now().timestamp())
