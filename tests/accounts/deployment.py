"""An accounts service on the shared database, a clock that can be set forward, and the mails it sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
from fastapi import FastAPI
from sqlalchemy import text

from sample_agent.accounts import CurrentUser, Identity, Keys, router
from sample_agent.accounts.tasks import COMPOSERS, SEND_MAIL, MailResources, send_mail
from sample_agent.core.database import Database, answer_lost_database_with_503
from sample_agent.core.http import create_app
from sample_agent.core.identifiers import new_id
from sample_agent.core.limits import make_limits
from sample_agent.core.mail import OutboxMailer, StoredMail, read_outbox
from sample_agent.core.settings import Settings

PUBLIC_URL = "https://samples.example"
PASSWORD = "four bars of nothing"


@dataclass
class Clock:
    """Real time, plus what it was set forward by."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Person:
    """Someone at a browser of their own."""

    browser: httpx.AsyncClient
    email: str
    password: str = PASSWORD
    user_agent: str = ""

    async def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        return await self.browser.post(path, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    async def register(self, **changes: Any) -> httpx.Response:
        return await self.post("/api/auth/register", {"email": self.email, "password": self.password, **changes})

    async def login(self, **changes: Any) -> httpx.Response:
        return await self.post("/api/auth/login", {"email": self.email, "password": self.password, **changes})

    async def confirm(self, token: str, **changes: Any) -> httpx.Response:
        return await self.post(
            "/api/auth/verify-email", {"token": token, "password": self.password, "mode": "body", **changes}
        )

    async def refresh_by_cookie(self) -> httpx.Response:
        return await self.post("/api/auth/refresh", X_Requested_With="sample-agent", Sec_Fetch_Site="same-origin")

    async def refresh(self, token: str) -> httpx.Response:
        return await self.post("/api/auth/refresh", {"refresh_token": token})

    async def me(self, token: str) -> httpx.Response:
        return await self.browser.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})


@dataclass
class Service:
    """One process of the accounts API, and the worker that sends its mails."""

    settings: Settings
    database: Database
    keys: Keys
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        redis_url = self.settings.redis_url.get_secret_value() if self.settings.redis_url else None
        limits = make_limits(redis_url, clock=lambda: self.clock().timestamp(), answer_seconds=30)
        self.identity = Identity(self.settings, self.database, self.keys, now=self.clock, limits=limits)
        self.app = _application(self.settings, self.database, self.identity)
        self.mail_resources = MailResources(
            self.database,
            OutboxMailer(self.settings.outbox_dir),
            self.settings.public_url,
            self.settings.signing_key_bytes(),
            COMPOSERS,
            self.clock,
        )

    @asynccontextmanager
    async def visitor(
        self, email: str | None = None, *, address: str = "127.0.0.1", **changes: Any
    ) -> AsyncIterator[Person]:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 50000))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as browser:
            yield Person(browser, email or fresh_address(), **changes)
        # What is noted beside the requests would outlive the database otherwise.
        await self.identity.sessions.settled()
        await self.identity.key_uses.settled()

    async def deliver_mails(self, address: str) -> list[dict[str, Any]]:
        """Do the worker's part for one address and return the payloads that were queued."""
        payloads = await self.take_queued_mails(address)
        for payload in payloads:
            await send_mail(payload, self.mail_resources)
        return payloads

    async def take_queued_mails(self, address: str) -> list[dict[str, Any]]:
        async with self.database.transaction(purpose="worker") as session:
            rows = await session.execute(
                text(
                    "delete from pgqueuer where entrypoint = :entrypoint"
                    " and convert_from(payload, 'utf8')::jsonb ->> 'to' = :to returning id, payload"
                ),
                {"entrypoint": SEND_MAIL, "to": address},
            )
            return [orjson.loads(row.payload) for row in sorted(rows, key=lambda row: row.id)]

    def mails_to(self, address: str) -> list[StoredMail]:
        """The mails sent to an address, oldest first."""
        return [mail for mail in reversed(read_outbox(Path(self.settings.outbox_dir))) if mail.to == address]

    async def confirm(self, person: Person) -> str:
        """Follow the link in the newest mail and return its token."""
        token = await self.mailed_token(person)
        answer = await person.confirm(token)
        assert answer.status_code == 200, answer.text
        return token

    async def member(self, person: Person) -> dict[str, Any]:
        """Register and confirm; the answer, which signs in, in body mode."""
        assert (await person.register()).status_code == 201
        answer = await person.confirm(await self.mailed_token(person))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def mailed_token(self, person: Person) -> str:
        """Deliver the mails that are due and return the token in the newest link."""
        await self.deliver_mails(person.email)
        return link_token(self.mails_to(person.email)[-1])


def fresh_address() -> str:
    return f"maker-{new_id().hex}@example.com"


def link_token(mail: StoredMail) -> str:
    link = next(word for word in mail.text.split() if word.startswith(f"{PUBLIC_URL}/") and "?token=" in word)
    return parse_qs(urlsplit(link).query)["token"][0]


def _application(settings: Settings, database: Database, identity: Identity) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield

    app = create_app("accounts", public_url=settings.public_url, lifespan=lifespan)
    app.state.settings, app.state.database, app.state.identity = settings, database, identity
    answer_lost_database_with_503(app)
    app.include_router(router)

    @app.get("/api/whoami")
    async def whoami(principal: CurrentUser) -> dict[str, str | bool]:
        return {"tier": principal.tier, "is_admin": principal.is_admin, "email": principal.email}

    return app
