"""What a program needs to know who is calling, made once at start and kept at `app.state.identity`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.errors import SessionExpired
from sample_agent.accounts.keys import Keys
from sample_agent.accounts.passwords import Passwords
from sample_agent.accounts.principal import LiveSessions, Principal
from sample_agent.accounts.tokens import AccessTokens
from sample_agent.core.database import Database
from sample_agent.core.errors import Unauthenticated
from sample_agent.core.settings import Settings


class Identity:
    """Tokens, passwords and live sessions of one process.

    `now` is the clock everything here goes by. A program puts one on `app.state.identity`; `CurrentUser` and the
    accounts routes find it there.
    """

    def __init__(
        self, settings: Settings, database: Database, keys: Keys, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.settings = settings
        self.database = database
        self.keys = keys
        self.now = now
        self.passwords = Passwords(settings.password_hash_concurrency)
        self.tokens = AccessTokens(
            keys, issuer=settings.public_url, seconds=settings.access_token_seconds, now=self._now
        )
        self.sessions = LiveSessions(database, settings.plan_for_new_accounts)
        self.refresh_key = settings.signing_key_bytes()

    async def authenticate(self, access_token: str) -> Principal:
        """The person an access token stands for. Raises TokenExpired, TokenInvalid or SessionExpired."""
        claims = self.tokens.verify(access_token)
        principal = await self.sessions.principal(claims.session_id, claims.user_id)
        if principal is None:
            raise SessionExpired
        return principal

    def _now(self) -> datetime:
        return self.now()


def identity_of(request: Request) -> Identity:
    """The identity of the running application."""
    identity: Identity = request.app.state.identity
    return identity


_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="The access token that sign-in answers with.")
BearerToken = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def _current_user(request: Request, bearer: BearerToken) -> Principal:
    if bearer is None:
        raise Unauthenticated("This address needs an access token: `Authorization: Bearer …`.")
    principal = await identity_of(request).authenticate(bearer.credentials)
    structlog.contextvars.bind_contextvars(user_id=str(principal.user_id))
    return principal


CurrentUser = Annotated[Principal, Depends(_current_user)]
"""The signed-in person, as a parameter of a route. Answers 401 when there is none."""
