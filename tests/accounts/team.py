"""People in an organization: what its tests begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from sample_agent.accounts.client import Client
from sample_agent.accounts.models import User
from sample_agent.accounts.sessions.service import begin_session
from sample_agent.core.identifiers import new_id
from tests.accounts.deployment import PUBLIC_URL, Service, fresh_address, link_token

ORGANIZATIONS = "/api/organizations"
UNUSABLE = "!"
"""The password hash of people who never type one."""


@dataclass(frozen=True)
class Maker:
    """Somebody with an account, signed in at one process of the service."""

    id: str
    email: str
    token: str
    http: httpx.AsyncClient

    async def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.http.request(method, path, json=body, **more)

    async def got(self, path: str, **params: Any) -> Any:
        answer = await self.http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def organizes(self, name: str = "Night shift") -> str:
        """Make an organization and return its address."""
        answer = await self.send("POST", ORGANIZATIONS, {"name": name})
        assert answer.status_code == 201, answer.text
        return f"{ORGANIZATIONS}/{answer.json()['id']}"

    async def invites(self, organization: str, email: str, role: str = "member") -> dict[str, Any]:
        answer = await self.send("POST", f"{organization}/invitations", {"email": email, "role": role})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def accepts(self, invitation: dict[str, Any]) -> None:
        answer = await self.send("POST", f"/api/invitations/{invitation['id']}/accept")
        assert answer.status_code == 200, answer.text

    async def roles(self, organization: str) -> dict[str, str]:
        """What everybody is, by their addresses."""
        return {each["email"]: each["role"] for each in (await self.got(f"{organization}/members"))["members"]}


@asynccontextmanager
async def maker(service: Service, email: str | None = None) -> AsyncIterator[Maker]:
    """Somebody new, signed in."""
    client = Client(user_agent="a browser", ip_address="192.0.2.7")
    async with service.database.transaction(purpose="identity") as db:
        user = User(
            id=new_id(),
            email=email or fresh_address(),
            password_hash=UNUSABLE,
            first_name="",
            last_name="",
            email_verified_at=service.clock(),
        )
        db.add(user)
        await db.flush()
        sign_in = await begin_session(db, service.identity, user, client)
    async with at(service, str(user.id), user.email, sign_in.access_token) as somebody:
        yield somebody


@asynccontextmanager
async def at(service: Service, user_id: str, email: str, token: str) -> AsyncIterator[Maker]:
    """Somebody at this process with a token they have."""
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False, client=("192.0.2.7", 50000))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as http:
        yield Maker(user_id, email, token, http)


@dataclass(frozen=True)
class Team:
    """An organization with one of each."""

    service: Service
    address: str
    owner: Maker
    admin: Maker
    member: Maker
    stranger: Maker

    @property
    def id(self) -> UUID:
        return UUID(self.address.rsplit("/", 1)[1])

    def who(self, role: str) -> Maker:
        found: Maker = getattr(self, role)
        return found

    def seat(self, somebody: Maker) -> str:
        return f"{self.address}/members/{somebody.id}"

    async def actions(self) -> list[str]:
        """What happened, oldest first."""
        entries = (await self.owner.got(f"{self.address}/activity"))["entries"]
        return [entry["action"].removeprefix("organization.") for entry in reversed(entries)]

    async def mails_to(self, somebody: Maker) -> list[tuple[str, str]]:
        """Subject and text of what is sent to them."""
        await self.service.deliver_mails(somebody.email)
        return [(mail.subject, mail.text) for mail in self.service.mails_to(somebody.email)]


async def mailed_invitation(service: Service, email: str) -> str:
    """Deliver what is due to the address, and return the token in the newest link."""
    await service.deliver_mails(email)
    return link_token(service.mails_to(email)[-1])
