"""The caller of a route: who they are, whether they may do this, and their transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.client import client_of
from sample_agent.accounts.errors import (
    AdministratorsOnly,
    MissingScope,
    OnlyLooking,
    SecondFactorMissing,
    SessionRequired,
    StepUpRequired,
)
from sample_agent.accounts.identity import Identity, OfApp
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.scopes import Scope, scope_of
from sample_agent.core.database import database_of
from sample_agent.core.errors import Unauthenticated
from sample_agent.core.limits import Rule, limit

_bearer = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="The access token that sign-in answers with, or an API key."
)
BearerToken = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]

MEDIA = "media"
"""The tag of routes that answer with what is heard or seen, and not with data."""

MEDIA_TIMES = 10
"""How many times as often they may be asked for."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


async def current_user(request: Request, bearer: BearerToken, identity: OfApp) -> Principal:
    """Who makes the request, within their limits."""
    if bearer is None:
        raise Unauthenticated("This address needs an access token or an API key: `Authorization: Bearer …`.")
    principal = await identity.authenticate(bearer.credentials)
    structlog.contextvars.bind_contextvars(user_id=str(principal.user_id))
    await _limit(request, identity, principal)
    if principal.api_key_id is not None:
        identity.key_uses.note(principal.api_key_id, client_of(request))
    if principal.scopes is not None:
        _refuse_out_of_scope(request, principal)
    if principal.impersonator_id is not None and request.method not in _READING:
        raise OnlyLooking
    return principal


async def _limit(request: Request, identity: Identity, principal: Principal) -> None:
    """The limit an API key brings with it, and the one of its person, whom all their sessions and keys count for.

    Sounds and pictures are counted apart: who listens through a list asks for two a second.
    """
    if principal.api_key_id is not None and principal.requests_per_minute is not None:
        own = Rule("api-key", principal.requests_per_minute, 60)
        await limit(request, identity.limits, own, str(principal.api_key_id))
    amount = identity.settings.requests_per_minute_of_one
    is_media = MEDIA in request.scope["route"].tags
    everything = Rule("media", amount * MEDIA_TIMES, 60) if is_media else Rule("account", amount, 60)
    await limit(request, identity.limits, everything, str(principal.impersonator_id or principal.user_id))


def _refuse_out_of_scope(request: Request, principal: Principal) -> None:
    route = request.scope["route"]
    scope = key_scope(route.dependant, request.method, route.tags)
    if scope is None:
        raise SessionRequired
    if scope not in (principal.scopes or ()):
        raise MissingScope(f"This needs the scope `{scope}`.", extra={"scope": scope})


CurrentUser = Annotated[Principal, Depends(current_user)]
"""Whoever makes the request, by session or API key, as a parameter of a route. Answers 401 when there is nobody."""


async def _signed_in(principal: CurrentUser) -> Principal:
    if principal.session_id is None:
        raise SessionRequired
    return principal


SignedIn = Annotated[Principal, Depends(_signed_in)]
"""The person at a session of theirs: for what no API key may do. Answers 403 to a key."""


async def _freshly_signed_in(principal: SignedIn, identity: OfApp) -> Principal:
    if not _is_fresh(principal, identity):
        # It may have been renewed on another process a moment ago.
        assert principal.session_id is not None  # noqa: S101
        identity.sessions.forget(principal.session_id)
        asked_again = await identity.sessions.principal(principal.session_id, principal.user_id)
        if asked_again is None or not _is_fresh(asked_again, identity):
            raise StepUpRequired
        return asked_again
    return principal


def _is_fresh(principal: Principal, identity: Identity) -> bool:
    proved = principal.authenticated_at
    return proved is not None and identity.now() - proved <= timedelta(minutes=identity.settings.step_up_minutes)


FreshlySignedIn = Annotated[Principal, Depends(_freshly_signed_in)]
"""The person, who has proved themselves in the last minutes: for what is dangerous. Else answers 403, step up first."""


async def _administrator(principal: CurrentUser) -> Principal:
    if not principal.is_admin:
        raise AdministratorsOnly
    if not principal.second_factor:
        raise SecondFactorMissing
    return principal


Administrator = Annotated[Principal, Depends(_administrator)]
"""An administrator who has signed in with a second factor, or, while they have one, a key of theirs with an admin
scope."""


async def _sure_administrator(principal: Administrator, identity: OfApp) -> Principal:
    return principal if principal.session_id is None else await _freshly_signed_in(principal, identity)


SureAdministrator = Annotated[Principal, Depends(_sure_administrator)]
"""An administrator who has proved themselves in the last minutes, or a key of theirs, which cannot: for what changes
other people's accounts."""


async def _own_transaction(request: Request, user: CurrentUser) -> AsyncIterator[AsyncSession]:
    async with database_of(request).transaction(user.user_id) as session:
        yield session


OwnTransaction = Annotated[AsyncSession, Depends(_own_transaction, scope="function")]
"""The caller's transaction, seeing their rows and nothing else. Committed after the route function returns and before
the answer is sent, rolled back when it raises."""


def asks_for_caller(route: Dependant) -> bool:
    """Whether a route, of which its dependencies are given, finds out who is calling."""
    return current_user in _dependencies(route)


def key_scope(route: Dependant, method: str, tags: list[Any]) -> Scope | None:
    """The scope an API key needs at a route, of which its dependencies are given; None when no key will do."""
    dependencies = set(_dependencies(route))
    if current_user not in dependencies or _signed_in in dependencies:
        return None
    return scope_of(method, tags)


def _dependencies(route: Dependant) -> Iterator[Any]:
    for each in route.dependencies:
        yield each.call
        yield from _dependencies(each)
