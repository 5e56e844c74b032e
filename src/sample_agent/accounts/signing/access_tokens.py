"""Access tokens: RS256 JSON Web Tokens, issued and verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

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


class _WithHeaders(Protocol):
    def headers(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Claims:
    """What a verified access token says about its bearer."""

    user_id: UUID
    session_id: UUID


class AccessTokens:
    """Issues and verifies the access tokens of one deployment, named by its public URL."""

    def __init__(self, keys: Keys, *, issuer: str, seconds: int, now: Callable[[], datetime]) -> None:
        self.seconds = seconds
        self._keys = keys
        self._issuer = issuer
        self._now = now
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

    def issue(self, *, user_id: UUID, session_id: UUID, email: str, tier: str) -> str:
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
            "exp": issued + self.seconds,
        }
        header = {"alg": "RS256", "kid": key.thumbprint()}
        return jwt.encode(header, claims, key, algorithms=_ALGORITHMS)

    def verify(self, token: str) -> Claims:
        """Check signature, issuer, audience, type and time. Raises TokenExpired or TokenInvalid."""
        if len(token) > _LONGEST:
            raise TokenInvalid
        try:
            claims = jwt.decode(token, self._key_named_in, algorithms=_ALGORITHMS).claims
            self._expected.validate(claims)
            return Claims(UUID(claims["sub"]), UUID(claims["sid"]))
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
