"""What one worker can do to one job: die at any moment, freeze and wake up, be told to stop, meet a deadly file."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from installation import Installation, Uploaded, until
from sqlalchemy import text

from sample_agent.billing import PLANS
from sample_agent.library import jobs

pytestmark = pytest.mark.faults

NEVER = 3600
"""A heartbeat so long that nobody can be taking over because of it."""


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A file that scripted workers wait for."""
    return tmp_path / "gate"


def open_gate(gate: Path) -> None:
    gate.touch()


async def until_processing(installation: Installation) -> None:
    await installation.until(lambda counts: counts.get("processing", 0) >= 1)


async def test_a_worker_killed_at_any_moment_leaves_one_result(installation: Installation) -> None:
    user = await installation.make_user()
    for moment in ("claimed", "stored", "written"):
        worker = installation.start_scripted_worker(f"die:{moment}", job_heartbeat_seconds=NEVER)
        upload = await installation.upload(user)
        assert worker.wait() == -signal.SIGKILL
        survivor = installation.start_scripted_worker("none", job_heartbeat_seconds=NEVER)
        await installation.until_all_ended()
        await installation.until_queue_is_empty()
        survivor.send(signal.SIGTERM)
        assert survivor.wait() == 0
        attempts = await installation.rows(
            "select outcome from job_attempts where job_id = :job order by id", job=upload.job_id
        )
        assert [row.outcome for row in attempts] == (["completed"] if moment == "written" else ["lost", "completed"])
        await installation.check_that_everything_happened_once([upload])
        await forget(installation, upload)


async def forget(installation: Installation, upload: Uploaded) -> None:
    for item in [item.key async for item in installation.storage.list()]:
        await installation.storage.delete(item)
    async with installation.database.transaction(upload.user_id) as session:
        await session.execute(text("delete from samples"))
        await session.execute(text("delete from usage_counters"))


async def test_a_frozen_worker_loses_its_job_and_writes_nothing_when_it_wakes_up(
    installation: Installation, gate: Path
) -> None:
    user = await installation.make_user()
    upload = await installation.upload(user)
    frozen = installation.start_scripted_worker("wait:stored", gate, worker_port=0)
    await until_processing(installation)
    frozen.send(signal.SIGSTOP)
    heir = installation.start_scripted_worker("none")
    await installation.until_all_ended()
    version = await installation.rows("select version, updated_at from samples")
    open_gate(gate)
    frozen.send(signal.SIGCONT)

    async def gave_up() -> bool:
        return "attempt abandoned" in frozen.printed()

    await until(gave_up)
    for worker in (frozen, heir):
        worker.send(signal.SIGTERM)
        assert worker.wait() == 0
    assert await installation.rows("select version, updated_at from samples") == version
    await installation.check_that_everything_happened_once([upload])


async def test_a_file_that_kills_every_worker_fails_with_a_reason(installation: Installation) -> None:
    user = await installation.make_user()
    upload = await installation.upload(user)
    for _ in range(installation.settings.job_max_attempts):
        assert installation.start_scripted_worker("die:claimed").wait() == -signal.SIGKILL
    installation.start_scripted_worker("die:claimed")
    await installation.until_all_ended()
    (job,) = await installation.rows("select * from processing_jobs")
    assert (job.status, job.error_code, job.attempt) == ("failed", "analysis-crashed", 3)
    assert "3 times" in job.error_message
    (sample,) = await installation.rows("select * from samples where id = :id", id=upload.sample_id)
    assert (sample.status, sample.error_message, sample.counted) == ("failed", job.error_message, False)
    assert [item.key async for item in installation.storage.list()] == [sample.file_key]


async def test_a_worker_told_to_stop_hands_back_and_another_takes_over_at_once(
    installation: Installation, gate: Path
) -> None:
    user = await installation.make_user()
    upload = await installation.upload(user)
    stopping = installation.start_scripted_worker("wait:claimed", gate, job_heartbeat_seconds=NEVER)
    await until_processing(installation)
    stopping.send(signal.SIGTERM)
    assert stopping.wait() == 0
    (job,) = await installation.rows("select * from processing_jobs")
    assert (job.status, job.lease, job.attempt) == ("pending", None, 0)
    installation.start_scripted_worker("none", job_heartbeat_seconds=NEVER)
    await installation.until_all_ended()
    await installation.check_that_everything_happened_once([upload])


async def test_a_worker_told_to_stop_finishes_what_it_can(installation: Installation, gate: Path) -> None:
    user = await installation.make_user()
    upload = await installation.upload(user)
    stopping = installation.start_scripted_worker("wait:claimed", gate, job_stop_seconds=60)
    await until_processing(installation)
    stopping.send(signal.SIGTERM)
    open_gate(gate)
    assert stopping.wait() == 0
    await installation.check_that_everything_happened_once([upload])


async def test_a_cancelled_job_stays_cancelled_through_the_death_of_its_worker(
    installation: Installation, gate: Path
) -> None:
    user = await installation.make_user()
    upload = await installation.upload(user)
    worker = installation.start_scripted_worker("wait:stored", gate)
    await until_processing(installation)
    worker.send(signal.SIGSTOP)
    async with installation.database.transaction(user) as session:
        await jobs.cancel(session, upload.job_id)
    open_gate(gate)
    worker.send(signal.SIGCONT)

    async def preview_is_gone() -> bool:
        return not [item.key async for item in installation.storage.list("previews")]

    await until(preview_is_gone)
    worker.kill()
    other = await installation.upload(user)
    installation.start_scripted_worker("none")
    await installation.until_all_ended()
    statuses = {row.id: row.status for row in await installation.rows("select id, status from processing_jobs")}
    assert statuses == {upload.job_id: "cancelled", other.job_id: "completed"}
    assert await installation.rows("select id from samples where waveform is not null") == [(other.sample_id,)]


async def test_a_free_job_starts_while_pro_users_never_stop_uploading(installation: Installation) -> None:
    pro_users = [await installation.make_user() for _ in range(4)]
    free_user = await installation.make_user()

    async def keep_busy(user: UUID) -> None:
        async def runs_dry() -> bool:
            waiting = "select id from processing_jobs where user_id = :user and status in ('pending', 'processing')"
            return len(await installation.rows(waiting, user=user)) < 12

        while True:
            await until(runs_dry)
            await installation.upload(user, plan=PLANS["pro"])

    async def free_job_is_done() -> bool:
        return bool(
            await installation.rows(
                "select id from processing_jobs where id = :id and status = 'completed'", id=free.job_id
            )
        )

    busy = [asyncio.create_task(keep_busy(user)) for user in pro_users]
    try:
        await installation.until(lambda counts: counts.get("pending", 0) >= 40)
        free = await installation.upload(free_user, plan=PLANS["free"])
        installation.start_scripted_worker("none")
        await until(free_job_is_done)
        waiting = await installation.rows("select tier from processing_jobs where status = 'pending'")
        assert "pro" in {row.tier for row in waiting}
    finally:
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


async def test_a_worker_shows_its_health_and_what_it_did(installation: Installation) -> None:
    upload = await installation.upload(await installation.make_user())
    installation.start_scripted_worker("none")
    await installation.until_all_ended()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{installation.settings.worker_port}") as http:
        for path in ("/healthz", "/readyz"):
            assert (await http.get(path)).status_code == 200
        metrics = (await http.get("/metrics")).text
    assert 'job_attempts_total{outcome="completed",tier="enterprise"} 1.0' in metrics
    assert 'jobs_active{status="pending",tier="free"} 0.0' in metrics
    await installation.check_that_everything_happened_once([upload])
