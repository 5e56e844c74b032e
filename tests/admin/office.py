"""Administrators at work, and the people they look after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from sample_agent.accounts import create_user
from sample_agent.accounts.models import Authenticator
from sample_agent.core.database import Database
from tests.accounts.deployment import PASSWORD, Person, Service, fresh_address


@dataclass
class Signed:
    """Somebody with an account, signed in."""

    id: UUID
    person: Person
    token: str
    refresh_token: str

    @property
    def email(self) -> str:
        return self.person.email

    async def get(self, path: str, token: str | None = None, **params: Any) -> httpx.Response:
        return await self.request("GET", path, token, params=params)

    async def request(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return await self.person.browser.request(method, path, headers=headers, **more)

    async def is_signed_in(self) -> bool:
        return (await self.get("/api/auth/me")).status_code == 200


async def sign_in(
    service: Service, visitor: Person, *, admin: bool = False, second_factor: bool | None = None
) -> Signed:
    """Make an account for the visitor and sign in; an administrator has a second factor unless told otherwise."""
    user_id = await create_user(
        service.database, service.identity.passwords, email=visitor.email, password=PASSWORD, is_admin=admin
    )
    answer = await visitor.login(mode="body")
    assert answer.status_code == 200, answer.text
    if admin if second_factor is None else second_factor:
        await with_second_factor(service.database, user_id)
    return Signed(user_id, visitor, answer.json()["token"], answer.json()["refresh_token"])


async def with_second_factor(database: Database, user_id: UUID) -> None:
    """As if a second factor had been part of signing in; how that is done is tested elsewhere."""
    async with database.transaction(purpose="identity") as db:
        await db.execute(text("update sessions set second_factor = true where user_id = :id"), {"id": user_id})


async def set_up_app(database: Database, user_id: UUID) -> None:
    """As if the person had set up an authenticator app; how that is done is tested elsewhere."""
    async with database.transaction(purpose="identity") as db:
        db.add(Authenticator(user_id=user_id, sealed_seed=b""))


async def entries(service: Service, tenant_id: UUID) -> list[Any]:
    """What stands in the log of a person after it says that the account was made, oldest first."""
    async with service.database.transaction(purpose="identity") as db:
        rows = await db.execute(
            text(
                "select e.*, c.detail, c.ip_address from audit_entries e"
                " left join audit_contexts c on c.entry_id = e.id"
                " where e.tenant_id = :tenant order by e.position"
            ),
            {"tenant": tenant_id},
        )
        return [each for each in rows if each.action != "account.created"]


async def actions(service: Service, tenant_id: UUID) -> list[str]:
    return [each.action for each in await entries(service, tenant_id)]


__all__ = ["Signed", "actions", "entries", "fresh_address", "set_up_app", "sign_in", "with_second_factor"]
