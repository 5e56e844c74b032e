"""A program that is told to stop first writes down what it has noted beside the requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI
from sqlalchemy import text

from sample_agent.accounts import create_user
from sample_agent.accounts.live_sessions import NOTED_EVERY
from sample_agent.accounts.passwords import Passwords
from sample_agent.apps.accounts import create_accounts_app
from sample_agent.apps.everything import create_everything
from sample_agent.apps.library import create_library_app
from sample_agent.core.database import Database
from sample_agent.core.settings import Settings
from tests.accounts.deployment import PASSWORD, fresh_address


@pytest.mark.parametrize(
    ("create", "path"),
    [
        (create_accounts_app, "/api/auth/me"),
        (create_library_app, "/api/samples"),
        (create_everything, "/api/samples"),
    ],
)
async def test_the_last_use_of_a_session_is_written_before_a_program_ends(
    settings: Settings, database: Database, create: Callable[[Settings], FastAPI], path: str
) -> None:
    email = fresh_address()
    await create_user(database, Passwords(concurrency=1), email=email, password=PASSWORD)
    async with LifespanManager(create_accounts_app(settings)) as accounts:
        token = (await _browse(accounts.app, "POST", "/api/auth/login", email=email)).json()["token"]
    async with database.transaction(purpose="identity") as db:
        session = {"token_of": email, "ago": NOTED_EVERY + timedelta(minutes=1)}
        of_theirs = "user_id = (select id from users where email = :token_of)"
        await db.execute(
            text(f"update sessions set last_used_at = now() - cast(:ago as interval) where {of_theirs}"), session
        )
    async with LifespanManager(create(settings)) as running:
        assert (await _browse(running.app, "GET", path, token=token)).status_code == 200
    async with database.transaction(purpose="identity") as db:
        noted = await db.scalar(
            text(f"select last_used_at > now() - interval '1 minute' from sessions where {of_theirs}"),
            {"token_of": email},
        )
    assert noted is True


async def _browse(app: object, method: str, path: str, *, email: str = "", token: str = "") -> httpx.Response:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as browser:
        body = {"email": email, "password": PASSWORD, "mode": "body"} if email else None
        return await browser.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
