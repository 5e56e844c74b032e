"""People who are signed in, and what they prove themselves with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import orjson
import pyotp
from sqlalchemy import text

from sample_agent.accounts import create_user
from sample_agent.accounts.tasks import RECORD_REFUSAL, record_refusal
from tests.accounts.authenticator import Device
from tests.accounts.deployment import PASSWORD, PUBLIC_URL, Person, Service
from tests.conftest import PASSWORDS

FACTORS = "/api/account/factors"


@dataclass
class Member:
    """Somebody with an account, at a session of theirs."""

    service: Service
    person: Person
    id: UUID
    token: str = ""
    seed: str = ""
    recovery_codes: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        return self.person.email

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.person.browser.request(method, path, json=body, headers=headers)

    async def get(self, path: str) -> httpx.Response:
        return await self.call("GET", path)

    async def post(self, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        return await self.call("POST", path, body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.call("DELETE", path)

    async def factors(self) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.get(FACTORS)).json()
        return answer

    def code(self, *, steps: int = 0) -> str:
        """What the app shows, by the service's clock."""
        return pyotp.TOTP(self.seed).at(self.service.clock(), counter_offset=steps)

    def fresh_code(self) -> str:
        """A code that was never used: the clock goes on by one step first."""
        self.service.clock.ahead += timedelta(seconds=30)
        return self.code()

    async def add_app(self) -> httpx.Response:
        """Set up an authenticator app; the answer to its confirmation."""
        begun = await self.post(f"{FACTORS}/totp")
        assert begun.status_code == 200, begun.text
        self.seed = begun.json()["secret"]
        confirmed = await self.post(f"{FACTORS}/totp/confirm", {"code": self.code()})
        assert confirmed.status_code == 200, confirmed.text
        self.recovery_codes = tuple(confirmed.json()["recovery_codes"] or self.recovery_codes)
        return confirmed

    async def add_passkey(self, device: Device | None = None, name: str = "Laptop") -> Device:
        device = device or Device(PUBLIC_URL)
        begun = (await self.post(f"{FACTORS}/passkeys/options")).json()
        added = await self.post(
            f"{FACTORS}/passkeys",
            {"challenge": begun["challenge"], "credential": device.create(begun["options"]), "name": name},
        )
        assert added.status_code == 200, added.text
        self.recovery_codes = tuple(added.json()["recovery_codes"] or self.recovery_codes)
        return device

    async def begin_login(self) -> dict[str, Any]:
        """Send the password; the answer that asks for a second factor."""
        answer = await self.person.login(mode="body")
        assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-required"), answer.text
        asked: dict[str, Any] = answer.json()
        return asked

    async def finish_login(self, challenge: str, **proof: Any) -> httpx.Response:
        return await self.person.post(
            "/api/auth/login/second-factor", {"challenge": challenge, "mode": "body", **proof}
        )

    async def sign_in_again(self, **proof: Any) -> None:
        """Sign in with password and a second factor, and go on at that session."""
        asked = await self.begin_login()
        answer = await self.finish_login(asked["challenge"], **(proof or {"code": self.fresh_code()}))
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["token"]

    async def activity(self) -> list[tuple[str, dict[str, Any]]]:
        """What stands in the audit log of the account, the oldest first: action and detail."""
        async with self.service.database.transaction(purpose="identity") as db:
            rows = await db.execute(
                text(
                    "select action, detail from audit_entries join audit_contexts on entry_id = id"
                    " where audit_entries.tenant_id = :id order by position"
                ),
                {"id": self.id},
            )
            return [(row.action, row.detail) for row in rows]

    async def actions(self) -> list[str]:
        return [action for action, _ in await self.activity()]

    async def record_refusals(self) -> None:
        """Do the worker's part for refused sign-ins."""
        async with self.service.database.transaction(purpose="worker") as db:
            rows = await db.execute(
                text(
                    "delete from pgqueuer where entrypoint = :entrypoint"
                    " and convert_from(payload, 'utf8')::jsonb ->> 'user_id' = :id returning id, payload"
                ),
                {"entrypoint": RECORD_REFUSAL, "id": str(self.id)},
            )
            payloads = [orjson.loads(row.payload) for row in sorted(rows, key=lambda row: row.id)]
        for payload in payloads:
            await record_refusal(payload, self.service.database)

    async def mails(self) -> list[str]:
        """The subjects of the mails that came, the oldest first."""
        await self.service.deliver_mails(self.email)
        return [mail.subject for mail in self.service.mails_to(self.email)]


async def sign_in(service: Service, person: Person, *, admin: bool = False) -> Member:
    """Make an account for somebody and sign them in."""
    user_id = await create_user(
        service.database, PASSWORDS, email=person.email, password=person.password, is_admin=admin
    )
    member = Member(service, person, user_id)
    answer = await person.login(mode="body")
    assert answer.status_code == 200, answer.text
    member.token = answer.json()["token"]
    return member


__all__ = ["FACTORS", "PASSWORD", "Member", "sign_in"]
