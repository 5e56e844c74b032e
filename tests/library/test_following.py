"""Following jobs over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI

from tests.people import PASSWORD, Person
from tests.serving import serving
from tests.sounds import tone, wav


async def test_who_has_signed_out_is_told_nothing_more(alice: Person, app: FastAPI) -> None:
    token = {"Authorization": alice.http.headers["Authorization"]}
    again = await alice.http.post("/api/auth/login", json={"email": alice.email, "password": PASSWORD})
    async with (
        serving(app) as address,
        httpx.AsyncClient(base_url=f"http://{address}", timeout=30) as browser,
        browser.stream("GET", "/api/jobs/events", headers=token) as stream,
        asyncio.timeout(30),
    ):
        lines = stream.aiter_lines()
        await _until(lines, "event: snapshot")
        await alice.http.post("/api/auth/logout")
        alice.http.headers["Authorization"] = f"Bearer {again.json()['token']}"
        await alice.uploaded(wav(tone(345)))
        assert "event: job" not in [line async for line in lines]


async def _until(lines: AsyncIterator[str], wanted: str) -> None:
    while await anext(lines) != wanted:
        pass
