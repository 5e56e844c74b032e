"""API keys at every route: each scope opens what the description says it does, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from sqlalchemy import select, update

from sample_agent.accounts.live_keys import key_hash, new_key
from sample_agent.accounts.models import ApiKey, Authenticator, User
from sample_agent.accounts.scopes import SCOPES, Scope
from sample_agent.apps.accounts import create_accounts_app
from sample_agent.apps.library import create_library_app
from sample_agent.core.identifiers import new_id
from tests.contract.household import Household, client
from tests.contract.operations import DESCRIPTION, KIND_OF, OPERATIONS, STREAMS, Operation
from tests.people import new_email

answered = {name: each for name, each in OPERATIONS.items() if each.name not in STREAMS}
open_to_keys = {name: each for name, each in answered.items() if each.scope is not None}
for_people = {name: each for name, each in answered.items() if each.needs_sign_in and each.scope is None}

ABOUT_THE_TOKEN_ITSELF = {
    "POST /api/auth/refresh": (401, "session-expired"),
    "DELETE /api/admin/impersonation": (409, "not-impersonating"),
}
"""What does something to the very token that is sent, and how it answers to a key, which is no such token."""

IDS = {kind: uuid4() for kind in KIND_OF.values()}
"""Ids of nothing: whoever gets as far as looking for it has been let in."""


@dataclass(frozen=True)
class Holder:
    """An administrator, whose keys could do everything there is a scope for."""

    http: httpx.AsyncClient
    only: dict[Scope, str] = field(default_factory=dict)
    """A key with nothing but this scope."""
    all_but: dict[Scope, str] = field(default_factory=dict)
    """A key with every scope but this one."""

    async def send(self, operation: Operation, key: str) -> httpx.Response:
        request = operation.request(IDS)
        headers = {**request.pop("headers", {}), "Authorization": f"Bearer {key}"}
        return await self.http.request(**request, headers=headers)


@pytest_asyncio.fixture(scope="module")
async def holder(household: Household) -> AsyncIterator[Holder]:
    user = await _administrator(household)
    async with client(household.app) as http:
        holder = Holder(http)
        for scope in SCOPES:
            holder.only[scope] = await _key(household, user, scope)
            holder.all_but[scope] = await _key(household, user, *(each for each in SCOPES if each != scope))
        yield holder


@pytest.mark.parametrize("operation", open_to_keys.values(), ids=open_to_keys)
async def test_a_key_needs_exactly_the_scope_that_is_described(holder: Holder, operation: Operation) -> None:
    scope: Scope = operation.scope  # type: ignore[assignment]
    let_in = await holder.send(operation, holder.only[scope])
    assert let_in.status_code not in (401, 403), let_in.text
    refused = await holder.send(operation, holder.all_but[scope])
    assert (refused.status_code, refused.json()["code"]) == (403, "missing-scope")
    assert refused.json()["scope"] == scope


@pytest.mark.parametrize("operation", for_people.values(), ids=for_people)
async def test_what_is_for_people_is_closed_to_keys(holder: Holder, operation: Operation) -> None:
    for scope in SCOPES:
        refused = await holder.send(operation, holder.only[scope])
        expected = ABOUT_THE_TOKEN_ITSELF.get(str(operation), (403, "session-required"))
        assert (refused.status_code, refused.json()["code"]) == expected


def test_every_scope_opens_something() -> None:
    assert {each.scope for each in OPERATIONS.values()} - {None} == set(SCOPES)


def test_the_description_tells_keys_from_tokens() -> None:
    schemes = DESCRIPTION["components"]["securitySchemes"]
    assert set(schemes) == {"HTTPBearer", "ApiKey"}
    for operation in OPERATIONS.values():
        named = [name for each in operation.description.get("security", []) for name in each]
        assert named == (["HTTPBearer", "ApiKey"] if operation.scope else ["HTTPBearer"] if named else [])


async def test_a_scope_of_administrators_is_worth_nothing_once_its_holder_is_none(household: Household) -> None:
    user = await _administrator(household)
    key = await _key(household, user, "admin:read")
    async with client(household.app) as http:
        http.headers["Authorization"] = f"Bearer {key}"
        assert (await http.get("/api/admin/users")).status_code == 200
        async with household.app.state.database.transaction(purpose="identity") as db:
            await db.execute(update(User).where(User.id == user.id).values(is_superuser=False))
        household.app.state.identity.api_keys.forget(await _id_of(household, key))
        refused = await http.get("/api/admin/users")
    assert (refused.status_code, refused.json()["code"]) == (403, "administrators-only")


async def test_one_key_opens_both_apis_when_they_are_two_programs(household: Household) -> None:
    key = await _key(household, await _administrator(household), "library:read", "usage:read")
    for make, path in ((create_library_app, "/api/samples"), (create_accounts_app, "/api/usage")):
        app = make(household.settings)
        async with LifespanManager(app), client(app) as http:
            http.headers["Authorization"] = f"Bearer {key}"
            assert (await http.get(path)).status_code == 200


async def _id_of(household: Household, key: str) -> UUID:
    async with household.app.state.database.transaction(purpose="identity") as db:
        found: UUID = (await db.scalars(select(ApiKey.id).where(ApiKey.key_hash == key_hash(key)))).one()
    return found


async def _administrator(household: Household) -> User:
    user = User(id=new_id(), email=new_email(), password_hash="", email_verified_at=datetime.now(UTC))
    user.is_superuser = True
    async with household.app.state.database.transaction(purpose="identity") as db:
        db.add(user)
        await db.flush()
        db.add(Authenticator(user_id=user.id, sealed_seed=b""))
    return user


async def _key(household: Household, user: User, *scopes: Scope) -> str:
    key = new_key()
    row = ApiKey(id=new_id(), user_id=user.id, name="", key_hash=key_hash(key), hint=key[-4:], scopes=list(scopes))
    async with household.app.state.database.transaction(user.id) as db:
        db.add(row)
    return key
