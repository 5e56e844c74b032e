"""What people prefer, and what follows from it in their library."""

from __future__ import annotations

from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from sample_agent.accounts import set_plan
from sample_agent.accounts.mail_log import MailRecord
from sample_agent.accounts.models import User
from sample_agent.core.database import Database
from sample_agent.core.settings import Settings
from sample_agent.library import jobs
from sample_agent.library.models import ProcessingJob
from sample_agent.library.upkeep import repair_jobs
from tests.conftest import SignUp
from tests.people import PASSWORD, Person
from tests.serving import working
from tests.sounds import tone, wav

PREFERENCES = "/api/account/preferences"
AS_IT_COMES = {
    "auto_analyze_enabled": True,
    "selected_model": "qwen/qwen3-7b-it",
    "notification_email_enabled": True,
}


async def _prefer(person: Person, **changes: object) -> None:
    answer = await person.http.put(PREFERENCES, json={**AS_IT_COMES, **changes})
    assert answer.status_code == 200, answer.text


async def _id_of(person: Person, database: Database) -> UUID:
    async with database.transaction(purpose="identity") as db:
        return (await db.scalars(select(User.id).where(User.email == person.email))).one()


async def test_everything_is_as_it_comes_until_somebody_says_otherwise(alice: Person, bob: Person) -> None:
    answer = await alice.http.get(PREFERENCES)
    assert answer.headers["cache-control"] == "no-store"
    shown = answer.json()
    assert {name: shown[name] for name in AS_IT_COMES} == AS_IT_COMES
    await _prefer(alice, notification_email_enabled=False)
    await _prefer(alice, auto_analyze_enabled=False, notification_email_enabled=False)
    kept = (await alice.http.get(PREFERENCES)).json()
    assert (kept["auto_analyze_enabled"], kept["notification_email_enabled"]) == (False, False)
    assert (await bob.http.get(PREFERENCES)).json()["auto_analyze_enabled"] is True


async def test_the_large_model_is_for_plans_that_include_it(sign_up: SignUp, database: Database) -> None:
    free, pro = await sign_up("free"), await sign_up("pro")
    large = next(m["id"] for m in (await free.http.get(PREFERENCES)).json()["models"] if not m["included"])
    refused = await free.http.put(PREFERENCES, json={**AS_IT_COMES, "selected_model": large})
    assert refused.status_code == 403
    assert (refused.json()["code"], refused.json()["plan"]) == ("model-not-included", "pro")
    await _prefer(pro, selected_model=large)
    assert (await pro.http.get(PREFERENCES)).json()["selected_model"] == large


async def test_who_leaves_the_plan_falls_back_to_the_small_model(sign_up: SignUp, database: Database) -> None:
    person = await sign_up("pro")
    await _prefer(person, selected_model="qwen/qwen3-235b")
    async with database.transaction(purpose="identity") as db:
        user_id = (await db.scalars(select(User.id).where(User.email == person.email))).one()
        await set_plan(db, user_id, "free")
    signed_in = await person.http.post("/api/auth/login", json={"email": person.email, "password": PASSWORD})
    person.http.headers["Authorization"] = f"Bearer {signed_in.json()['token']}"  # a new session knows no old plan
    assert (await person.http.get(PREFERENCES)).json()["selected_model"] == AS_IT_COMES["selected_model"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"selected_model": "no/such-model"},
        {"selected_model": ""},
        {"auto_analyze_enabled": None},
        {"unknown": True},
    ],
)
async def test_what_nobody_can_prefer_is_refused(alice: Person, wrong: dict[str, object]) -> None:
    refused = await alice.http.put(PREFERENCES, json={**AS_IT_COMES, **wrong})
    assert refused.status_code == 422
    assert refused.json()["code"] == "validation-failed"


async def test_without_automatic_analysis_a_sample_waits_until_it_is_asked_for(
    app: FastAPI, settings: Settings, alice: Person, database: Database
) -> None:
    await _prefer(alice, auto_analyze_enabled=False)
    uploaded = (await alice.upload(wav(tone()))).json()
    sample_id = uploaded["sample_id"]
    assert (uploaded["status"], uploaded["deferred"], uploaded["estimated_completion"]) == ("pending", True, None)
    detail = (await alice.http.get(f"/api/samples/{sample_id}")).json()
    assert (detail["status"], detail["deferred"], detail["job"]["step"]) == ("pending", True, "deferred")
    assert (await alice.http.get("/api/samples")).json()["samples"][0]["deferred"] is True

    await repair_jobs(database)
    async with working(settings):
        # Another sample that is asked for runs to its end, and the deferred one still waits.
        other = await alice.uploaded(wav(tone(220.0)), "other.wav")
        assert (await alice.http.post(f"/api/samples/{other}/analyze")).status_code == 202
        assert (await alice.analysed(other))["status"] == "completed"
        await repair_jobs(database)
        untouched = (await alice.http.get(f"/api/samples/{sample_id}")).json()
        assert (untouched["status"], untouched["job"]["attempt"]) == ("pending", 0)

        asked = await alice.http.post(f"/api/samples/{sample_id}/analyze")
        assert asked.json()["id"] == detail["job"]["id"]
        assert asked.json()["step"] != "deferred"
        analysed = await alice.analysed(sample_id)
    assert (analysed["status"], analysed["deferred"]) == ("completed", False)


async def test_a_sample_that_comes_back_from_the_trash_still_waits(alice: Person) -> None:
    await _prefer(alice, auto_analyze_enabled=False)
    sample_id = await alice.uploaded(wav(tone()))
    assert (await alice.http.delete(f"/api/samples/{sample_id}")).status_code == 204
    restored = (await alice.http.post(f"/api/samples/{sample_id}/restore")).json()
    assert (restored["status"], restored["deferred"]) == ("pending", True)


async def test_deferred_jobs_hold_no_place_and_are_not_among_those_under_way(alice: Person, database: Database) -> None:
    await _prefer(alice, auto_analyze_enabled=False)
    for number in range(3):
        await alice.uploaded(wav(tone(300.0 + number)), f"{number}.wav")
    user_id = await _id_of(alice, database)
    async with database.transaction(user_id) as db:
        assert await jobs.active_jobs(db, user_id) == []
        assert await db.scalar(select(ProcessingJob.id).where(ProcessingJob.enqueued_at.is_not(None))) is None


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_long_import_is_told_of_once_and_only_to_who_wants_such_mails(
    alice: Person, database: Database, monkeypatch: pytest.MonkeyPatch, settings: Settings, wanted: bool
) -> None:
    monkeypatch.setattr(jobs, "RUN_WORTH_A_MAIL", 3)
    await _prefer(alice, notification_email_enabled=wanted)
    samples = [await alice.uploaded(wav(tone(200.0 + number)), f"{number}.wav") for number in range(3)]
    user_id = await _id_of(alice, database)
    async with database.transaction(user_id) as db:
        runs = set(await db.scalars(select(ProcessingJob.run_id).where(ProcessingJob.user_id == user_id)))
        assert len(runs) == 1
        # As if the run had begun three minutes earlier: when it did stands in its id.
        began = runs.pop()
        assert began is not None
        earlier = UUID(int=began.int - (180_000 << 80))
        await db.execute(update(ProcessingJob).where(ProcessingJob.user_id == user_id).values(run_id=earlier))
    async with working(settings):
        for sample_id in samples:
            await alice.analysed(sample_id)
        # One more sample afterwards is a run of its own, and none to be told of.
        await alice.analysed(await alice.uploaded(wav(tone(900.0)), "late.wav"))
    async with database.transaction(purpose="identity") as db:
        told = list(await db.scalars(select(MailRecord.mail).where(MailRecord.user_id == user_id)))
    assert told.count("samples-ready") == (1 if wanted else 0)
