"""Uploads that meet something: their own twin in the trash, a promise that expired, a database that went away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from sample_agent.billing import quotas
from sample_agent.billing.models import UsageReservation
from sample_agent.core.database import Database
from sample_agent.library import service
from tests.conftest import SignUp
from tests.people import Person
from tests.sounds import tone, wav


async def my_id(person: Person) -> UUID:
    return UUID((await person.http.get("/api/auth/me")).json()["id"])


async def used_bytes(person: Person) -> int:
    used: int = (await person.http.get("/api/usage")).json()["storage"]["used_bytes"]
    return used


async def test_what_was_deleted_before_its_analysis_and_is_uploaded_again_is_analysed(alice: Person) -> None:
    content = wav(tone(340))
    sample_id = await alice.uploaded(content)
    await alice.http.delete(f"/api/samples/{sample_id}")
    again = (await alice.upload(content)).json()
    assert (again["sample_id"], again["duplicate"]) == (sample_id, True)
    assert (await alice.http.get(f"/api/jobs/{again['job_id']}")).json()["status"] == "pending"


async def test_an_upload_slower_than_its_reservation_is_still_counted(
    sign_up: SignUp, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await sign_up("free")
    owner, content, enter = await my_id(alice), wav(tone(341)), service.add_sample

    async def an_hour_later(session, **given):  # type: ignore[no-untyped-def]
        async with database.transaction(owner) as other:
            await other.execute(update(UsageReservation).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
        async with database.transaction(purpose="worker") as other:
            expired = await quotas.expired_reservations(other)
        async with database.transaction(owner) as other:
            for _, reservation in [each for each in expired if each[0] == owner]:
                await quotas.release(other, reservation)
        return await enter(session, **given)

    monkeypatch.setattr(service, "add_sample", an_hour_later)
    assert (await alice.upload(content)).status_code == 201
    assert await used_bytes(alice) == len(content)


async def test_a_sample_that_was_entered_keeps_its_file_although_the_answer_was_lost(
    alice: Person, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, enter = wav(tone(342)), service.add_sample

    async def commit_and_lose_the_connection(session, **given):  # type: ignore[no-untyped-def]
        await enter(session, **given)
        await session.commit()
        raise ConnectionResetError

    monkeypatch.setattr(service, "add_sample", commit_and_lose_the_connection)
    assert (await alice.upload(content)).status_code == 503
    [sample] = (await alice.http.get("/api/samples")).json()["samples"]
    assert (await alice.http.get(f"/api/samples/{sample['id']}/download")).content == content


async def test_two_analyses_asked_for_at_once_are_one(alice: Person) -> None:
    sample_id = await alice.uploaded(wav(tone(343)))
    job = (await alice.http.get("/api/jobs")).json()["jobs"][0]["id"]
    await alice.http.post(f"/api/jobs/{job}/cancel")
    asked = await asyncio.gather(*(alice.http.post(f"/api/samples/{sample_id}/analyze") for _ in range(4)))
    assert len({answer.json()["id"] for answer in asked}) == 1
