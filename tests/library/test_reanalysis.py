"""Bringing a whole library to a newer version of the engine."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from sample_agent.apps.wiring import make_storage
from sample_agent.billing import PLANS
from sample_agent.cli.reanalyze import reanalyze_everything
from sample_agent.core.database import Database
from sample_agent.core.settings import Settings
from sample_agent.engine import ENGINE_VERSION
from sample_agent.library import attempts, reanalysis
from sample_agent.library.models import Sample
from tests.people import Person
from tests.serving import working
from tests.sounds import tone, wav


async def library_of(person: Person, database: Database, *pitches: int) -> list[str]:
    """Analysed samples that look as if an older engine had done it. Needs a worker."""
    ids = [await person.uploaded(wav(tone(pitch)), f"{pitch}.wav") for pitch in pitches]
    for sample_id in ids:
        assert (await person.analysed(sample_id))["status"] == "completed"
    async with database.transaction(purpose="worker") as session:
        await session.execute(update(Sample).where(Sample.id.in_(map(UUID, ids))).values(engine_version="0"))
    return ids


async def state(person: Person) -> dict[str, Any]:
    response = await person.http.get("/api/reanalysis")
    response.raise_for_status()
    found: dict[str, Any] = response.json()
    return found


async def finished(person: Person) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found = await state(person)
            if not found["latest"]["active"]:
                return found
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("worker")
async def test_outdated_samples_are_analysed_again_and_corrections_stay(alice: Person, database: Database) -> None:
    first, *_ = await library_of(alice, database, 220, 330, 440)
    await alice.http.patch(f"/api/samples/{first}", json={"tempo": 97.0})
    before = await state(alice)
    started = await alice.http.post("/api/reanalysis")
    assert started.status_code == 202
    after = await finished(alice)
    assert (before["outdated"], before["latest"]) == (3, None)
    assert (after["outdated"], after["engine_version"]) == (0, ENGINE_VERSION)
    assert {name: after["latest"][name] for name in ("total", "done", "failed", "cancelled")} == {
        "total": 3,
        "done": 3,
        "failed": 0,
        "cancelled": False,
    }
    detail = await alice.analysed(first)
    assert (detail["tempo"], detail["corrected"]) == (97.0, ["tempo"])
    assert detail["analysis"]["engine_version"] == ENGINE_VERSION


async def test_a_library_stays_usable_while_it_waits(alice: Person, database: Database, settings: Settings) -> None:
    async with working(settings):
        ids = await library_of(alice, database, 221, 331)
    await alice.http.post("/api/reanalysis")
    listed = (await alice.http.get("/api/samples")).json()["samples"]
    assert {sample["status"] for sample in listed} == {"completed"}
    assert (await alice.http.get(f"/api/samples/{ids[0]}/preview")).status_code == 200


async def test_a_sample_stays_usable_while_it_is_analysed_again(
    alice: Person, database: Database, settings: Settings
) -> None:
    async with working(settings):
        (sample_id,) = await library_of(alice, database, 226)
    await alice.http.post("/api/reanalysis")
    user_id = UUID((await alice.http.get("/api/auth/me")).json()["id"])
    (job,) = (await alice.http.get("/api/jobs", params={"status": "pending"})).json()["jobs"]
    async with database.transaction(user_id) as session:
        await attempts.claim(session, UUID(job["id"]), worker="somebody", max_attempts=3)
    assert (await alice.http.get(f"/api/jobs/{job['id']}")).json()["status"] == "processing"
    assert (await alice.http.get(f"/api/samples/{sample_id}")).json()["status"] == "completed"


async def test_what_is_asked_for_meanwhile_goes_first(sign_up: Any, database: Database, settings: Settings) -> None:
    person = await sign_up("free")
    async with working(settings):
        await library_of(person, database, *range(200, 208))
    await person.http.post("/api/reanalysis")
    urgent = await person.uploaded(wav(tone(555)), "urgent.wav")
    async with working(settings):
        await person.analysed(urgent)
        assert (await finished(person))["latest"]["done"] == 8
    jobs = (await person.http.get("/api/jobs")).json()["jobs"]
    analysed = {job["sample_id"]: job["completed_at"] for job in reversed(jobs)}
    in_order = sorted(analysed, key=lambda sample_id: analysed[sample_id])
    # Behind those that had a place already, and perhaps those that run beside it.
    assert in_order.index(urgent) < 2 * PLANS["free"].concurrent_jobs


async def test_it_can_be_called_off_and_begun_again(alice: Person, database: Database, settings: Settings) -> None:
    async with working(settings):
        await library_of(alice, database, 222, 332, 442)
    await alice.http.post("/api/reanalysis")
    cancelled = (await alice.http.post("/api/reanalysis/cancel")).json()
    assert (cancelled["active"], cancelled["cancelled"], cancelled["done"]) == (False, True, 3)
    assert (await state(alice))["outdated"] == 3
    listed = (await alice.http.get("/api/samples")).json()["samples"]
    assert {sample["status"] for sample in listed} == {"completed"}
    assert (await alice.http.post("/api/reanalysis/cancel")).json()["code"] == "job-ended"
    await alice.http.post("/api/reanalysis")
    async with working(settings):
        assert (await finished(alice))["outdated"] == 0


async def test_asking_twice_starts_it_once(alice: Person, database: Database, settings: Settings) -> None:
    async with working(settings):
        await library_of(alice, database, 223, 333)
    answers = await asyncio.gather(*(alice.http.post("/api/reanalysis") for _ in range(5)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await alice.http.get("/api/jobs", params={"status": "pending"})).json()["jobs"]) == 2


async def test_a_sample_that_cannot_be_analysed_again_keeps_what_it_has_until_the_next_version(
    alice: Person, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with working(settings):
        _, bad = await library_of(alice, database, 227, 334)
    async with database.transaction(purpose="worker") as session:
        key = await session.scalar(select(Sample.file_key).where(Sample.id == UUID(bad)))
    assert key is not None
    await make_storage(settings, links_from="").put(key, b"no audio any more", "audio/wav")
    await alice.http.post("/api/reanalysis")
    async with working(settings):
        after = await finished(alice)
    assert (after["outdated"], after["latest"]["failed"]) == (0, 1)
    sample = (await alice.http.get(f"/api/samples/{bad}")).json()
    assert sample["status"] == "completed"
    assert sample["analysis"] is not None
    assert (await alice.http.post("/api/reanalysis")).json()["code"] == "nothing-outdated"
    monkeypatch.setattr(reanalysis, "ENGINE_VERSION", "next")
    # The one that was analysed is outdated, too, then.
    assert (await state(alice))["outdated"] == 2


async def test_nothing_to_do_is_said(alice: Person) -> None:
    response = await alice.http.post("/api/reanalysis")
    assert (response.status_code, response.json()["code"]) == (409, "nothing-outdated")
    assert (await alice.http.post("/api/reanalysis/cancel")).status_code == 404


async def test_an_operator_renews_every_library(
    app: FastAPI, alice: Person, bob: Person, database: Database, settings: Settings
) -> None:
    async with working(settings):
        await library_of(alice, database, 224)
        await library_of(bob, database, 225)
    started = await reanalyze_everything(database, settings)
    assert started.samples >= 2
    async with working(settings):
        for person in (alice, bob):
            assert (await finished(person))["outdated"] == 0
