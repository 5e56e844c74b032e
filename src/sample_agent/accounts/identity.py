"""What a program needs to know who is calling, made once at start and kept at `app.state.identity`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request

from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.errors import SessionExpired, TokenInvalid
from sample_agent.accounts.hashes_in_use import HashesInUse
from sample_agent.accounts.key_uses import KeyUses
from sample_agent.accounts.live_keys import LiveKeys, looks_like_key
from sample_agent.accounts.live_sessions import LiveSessions
from sample_agent.accounts.passwords import Passwords, measured_passes
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.signing.access_tokens import AccessTokens
from sample_agent.accounts.signing.keys import Keys
from sample_agent.core.database import Database
from sample_agent.core.limits import Limits, make_limits
from sample_agent.core.settings import Settings


class Identity:
    """Tokens, passwords, live sessions, API keys and request limits of one process.

    `now` is the clock everything here goes by. A program puts one on `app.state.identity`; `CurrentUser` and the
    accounts routes find it there.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        keys: Keys,
        *,
        now: Callable[[], datetime] = utc_now,
        limits: Limits | None = None,
    ) -> None:
        self.settings = settings
        self.database = database
        self.keys = keys
        self.now = now
        self.hashes_in_use = HashesInUse(database)
        self.tokens = AccessTokens(
            keys, issuer=settings.public_url, seconds=settings.access_token_seconds, now=self._now
        )
        self.sessions = LiveSessions(database, settings.plan_for_new_accounts, now=self._now)
        self.api_keys = LiveKeys(database, settings.plan_for_new_accounts, self._now)
        self.key_uses = KeyUses(database, self._now)
        self.refresh_key = settings.signing_key_bytes()
        self.limits = limits or make_limits(settings.redis_url.get_secret_value() if settings.redis_url else None)

    @cached_property
    def passwords(self) -> Passwords:
        """Made at the first use, which takes a moment to measure; services that check no password never pay for it."""
        return Passwords(
            self.settings.password_hash_concurrency,
            scheme=self.settings.password_hash,
            passes=self.settings.password_hash_passes or measured_passes(),
        )

    async def authenticate(self, credential: str) -> Principal:
        """Who an access token or an API key stands for. Raises TokenExpired, TokenInvalid or SessionExpired."""
        if looks_like_key(credential):
            key_holder = await self.api_keys.principal(credential)
            if key_holder is None:
                raise TokenInvalid("This API key is unknown, revoked or expired.")
            return key_holder
        claims = self.tokens.verify(credential)
        principal = await self.sessions.principal(claims.session_id, claims.user_id)
        if principal is None:
            raise SessionExpired
        return principal

    async def still_holds(self, principal: Principal) -> bool:
        """Whether the session or the key that the person was recognised by is still good: for answers that go on."""
        if principal.session_id is not None:
            return await self.sessions.principal(principal.session_id, principal.user_id) is not None
        return principal.api_key_id is not None and await self.api_keys.is_live(principal.api_key_id)

    def _now(self) -> datetime:
        return self.now()


def identity_of(request: Request) -> Identity:
    """The identity of the running application."""
    identity: Identity = request.app.state.identity
    return identity


async def _of_app(request: Request) -> Identity:  # what is not `async` is sent to a thread
    return identity_of(request)


OfApp = Annotated[Identity, Depends(_of_app)]
"""The identity of the running application, as a parameter of a route."""
