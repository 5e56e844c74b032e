"""Jobs: one attempt at a time, one result, a place for everybody, and an end in every case."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import func, select, text, update

from sample_agent.accounts.models import User
from sample_agent.billing import PLANS, Plan, quotas
from sample_agent.core.database import Database
from sample_agent.core.errors import Conflict, NotFound
from sample_agent.core.identifiers import new_id
from sample_agent.core.queue_runner import Lane, RetryLater, run_tasks
from sample_agent.core.storage import Storage
from sample_agent.engine import ENGINE_VERSION, AudioError
from sample_agent.library import attempts, jobs, tasks, upkeep
from sample_agent.library.analyzer import Analyzed, AnalyzerUnavailable, OnProgress
from sample_agent.library.attempts import Attempt, LostLease, Wait
from sample_agent.library.drawings import keys_beside
from sample_agent.library.events import JobEvents
from sample_agent.library.models import Analysis, JobAttempt, ProcessingJob, Sample
from sample_agent.library.tasks import Tools

PATIENCE = 30
FREE, PRO = PLANS["free"], PLANS["pro"]
SIZE = 1000


# --- what the tests stand on ------------------------------------------------------------------------------------------


@dataclass
class ScriptedAnalyzer:
    """An analyzer that finds the same in every file, once `gate` is open, or raises what it is told to."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    order: list[str] = field(default_factory=list)
    storage: Storage | None = None

    async def analyze(
        self, file_key: str, preview_key: str, on_progress: OnProgress, *, filename: str = ""
    ) -> Analyzed:
        self.order.append(file_key)
        on_progress(40, "listening")
        self.begun.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        if self.storage is not None:
            await self.storage.put(preview_key, b"preview", "audio/flac")
        return FOUND


FOUND = Analyzed(
    result={
        "engine_version": ENGINE_VERSION,
        "tempo": {"bpm": 92.0, "confidence": 0.9, "alternatives": []},
        "key": {"key": "F#m", "camelot": "11A", "confidence": 0.8, "alternatives": []},
        "kind": {"kind": "loop", "confidence": 0.9},
        "loudness": {"integrated_lufs": -14.2, "true_peak_dbtp": -1.0, "sample_peak_dbfs": -1.2},
        "spectral": {"centroid_hz": 1500.0},
        "duration": 2.5,
        "sample_rate": 44100,
        "channels": 2,
    },
    waveform_row=bytes(128),
    peaks=bytes(4096),
    close_peaks=None,
    spectrogram=b"\x89PNG",
    preview_content_type="audio/flac",
    preview_size=7,
    vibe="dusty drum loop",
)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.local(tmp_path / "files", b"0" * 32, "")


@pytest.fixture
def analyzer(storage: Storage) -> ScriptedAnalyzer:
    return ScriptedAnalyzer(storage=storage)


@pytest.fixture
def tools(database: Database, storage: Storage, analyzer: ScriptedAnalyzer) -> Tools:
    return Tools(database, storage, analyzer, worker="test", max_attempts=3)


@pytest.fixture(autouse=True)
async def empty_queue(database: Database) -> None:
    """Nothing another test left may be taken by this one's workers."""
    async with database.transaction(purpose="worker") as session:
        await session.execute(text("delete from pgqueuer where entrypoint = :name"), {"name": jobs.ANALYZE_SAMPLE})
        await session.execute(
            update(ProcessingJob).where(ProcessingJob.status.in_(jobs.ACTIVE)).values(status="cancelled", lease=None)
        )


async def make_user(database: Database) -> UUID:
    user = User(id=new_id(), email=f"{new_id()}@example.com", password_hash="-")
    async with database.transaction(purpose="identity") as session:
        session.add(user)
    return user.id


async def upload(database: Database, user_id: UUID, plan: Plan = FREE) -> UUID:
    """A sample as an upload leaves it: stored, counted, with a job. Returns the job's id."""
    async with database.transaction(user_id) as session:
        reservation = await quotas.reserve(session, user_id, "storage", SIZE, limit=None)
        await quotas.commit(session, reservation, used=SIZE)
        identity = new_id()
        sample = Sample(
            id=identity,
            user_id=user_id,
            filename="a.wav",
            name="a",
            file_key=f"uploads/{identity}.wav",
            file_size=SIZE,
            sha256=identity.bytes * 2,
            format="wav",
            content_type="audio/wav",
        )
        session.add(sample)
        await session.flush()
        return (await jobs.create_job(session, sample, plan=plan)).id


async def the_job(database: Database, user_id: UUID, job_id: UUID) -> ProcessingJob:
    async with database.transaction(user_id) as session:
        return await jobs.get_job(session, job_id)


async def the_sample(database: Database, user_id: UUID, job_id: UUID) -> Sample:
    async with database.transaction(user_id) as session:
        return await session.get_one(Sample, (await jobs.get_job(session, job_id)).sample_id)


async def storage_used(database: Database, user_id: UUID) -> int:
    async with database.transaction(user_id) as session:
        return await quotas.used(session, user_id, "storage")


async def outcomes(database: Database, user_id: UUID, job_id: UUID) -> list[str | None]:
    async with database.transaction(user_id) as session:
        return list(
            await session.scalars(select(JobAttempt.outcome).where(JobAttempt.job_id == job_id).order_by(JobAttempt.id))
        )


async def results(database: Database, user_id: UUID) -> int:
    async with database.transaction(user_id) as session:
        return await session.scalar(select(func.count()).select_from(Analysis).where(Analysis.user_id == user_id)) or 0


async def queued(database: Database, *job_ids: UUID) -> int:
    async with database.transaction() as session:
        keys = [str(job_id) for job_id in job_ids]
        query = text("select count(*) from pgqueuer where dedupe_key = any(:keys) and status in ('queued', 'picked')")
        return await session.scalar(query, {"keys": keys}) or 0


async def claim(database: Database, user_id: UUID, job_id: UUID, max_attempts: int = 3) -> Attempt | Wait | None:
    async with database.transaction(user_id) as session:
        return await attempts.claim(session, job_id, worker="test", max_attempts=max_attempts)


async def begin(database: Database, user_id: UUID, job_id: UUID) -> Attempt:
    attempt = await claim(database, user_id, job_id)
    if isinstance(attempt, Wait):
        attempt = await claim(database, user_id, job_id)
    assert isinstance(attempt, Attempt)
    return attempt


async def finish(database: Database, attempt: Attempt) -> None:
    async with database.transaction(attempt.user_id) as session:
        sample, job = await attempts.hold(session, attempt)
        await attempts.complete(session, sample, job)


def payload(user_id: UUID, job_id: UUID) -> dict[str, Any]:
    return {"job_id": str(job_id), "user_id": str(user_id)}


@asynccontextmanager
async def worker(url: str, tools: Tools, *, concurrency: int = 4) -> AsyncIterator[None]:
    shutdown = asyncio.Event()

    async def analyze(payload: dict[str, Any]) -> None:
        await tasks.analyze_sample(payload, tools)

    running = asyncio.create_task(
        run_tasks(
            url,
            [Lane({jobs.ANALYZE_SAMPLE: analyze}, concurrency)],
            heartbeat=timedelta(seconds=60),
            shutdown=shutdown,
            grace=timedelta(0),
        )
    )
    try:
        yield
    finally:
        shutdown.set()
        await asyncio.wait_for(running, PATIENCE)


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await reached():  # noqa: ASYNC110 what is waited for happens in the database
            await asyncio.sleep(0.02)


async def until_ended(database: Database, user_id: UUID, *job_ids: UUID) -> None:
    async def ended() -> bool:
        async with database.transaction(user_id) as session:
            return not await session.scalar(
                select(func.count()).where(ProcessingJob.id.in_(job_ids), ProcessingJob.status.in_(jobs.ACTIVE))
            )

    await until(ended)


# --- asking for work --------------------------------------------------------------------------------------------------


async def test_a_job_and_its_task_are_kept_together_or_not_at_all(database: Database) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    assert await queued(database, job_id) == 1

    lost: list[UUID] = []

    async def upload_that_fails() -> None:
        async with database.transaction(user_id) as session:
            sample = await session.get_one(Sample, (await jobs.get_job(session, job_id)).sample_id)
            lost.append((await jobs.create_job(session, sample, plan=PRO)).id)
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await upload_that_fails()
    assert await queued(database, *lost) == 0
    with pytest.raises(NotFound):
        await the_job(database, user_id, lost[0])


async def test_a_job_says_when_it_should_be_done(database: Database) -> None:
    user_id = await make_user(database)
    job = await the_job(database, user_id, await upload(database, user_id))
    assert job.estimated_completion is not None
    assert job.estimated_completion > job.created_at


async def test_someone_elses_job_is_not_there(database: Database) -> None:
    owner, stranger = await make_user(database), await make_user(database)
    job_id = await upload(database, owner)
    for attempt in (jobs.get_job, jobs.cancel):
        async with database.transaction(stranger) as session:
            with pytest.raises(NotFound):
                await attempt(session, job_id)


async def test_a_user_has_as_many_tasks_in_the_queue_as_the_plan_allows_jobs_at_once(database: Database) -> None:
    user_id = await make_user(database)
    asked = [await upload(database, user_id) for _ in range(FREE.concurrent_jobs + 3)]
    assert await queued(database, *asked) == FREE.concurrent_jobs
    await finish(database, await begin(database, user_id, asked[0]))
    assert (await the_job(database, user_id, asked[FREE.concurrent_jobs])).enqueued_at is not None
    assert (await the_job(database, user_id, asked[FREE.concurrent_jobs + 1])).enqueued_at is None


# --- attempts ---------------------------------------------------------------------------------------------------------


async def test_an_attempt_ends_with_the_result_in_the_sample(database: Database, tools: Tools) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    tools.analyzer.gate.set()  # type: ignore[attr-defined]
    await tasks.analyze_sample(payload(user_id, job_id), tools)
    job, sample = await the_job(database, user_id, job_id), await the_sample(database, user_id, job_id)
    assert (job.status, job.progress, job.attempt, job.lease) == ("completed", 100, 1, None)
    assert (sample.status, sample.tempo, sample.key, sample.kind) == ("completed", 92.0, "F#m", "loop")
    assert (sample.duration, sample.loudness, sample.vibe) == (2.5, -14.2, "dusty drum loop")
    assert sample.preview_key is not None
    assert await tools.storage.read(sample.preview_key) == b"preview"
    assert "dusty" in sample.search_text
    assert await outcomes(database, user_id, job_id) == ["completed"]


async def test_what_the_owner_corrected_survives_another_analysis(database: Database, tools: Tools) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    async with database.transaction(user_id) as session:
        sample = await session.get_one(Sample, (await jobs.get_job(session, job_id)).sample_id)
        sample.corrected_tempo = 184.0
    tools.analyzer.gate.set()  # type: ignore[attr-defined]
    await tasks.analyze_sample(payload(user_id, job_id), tools)
    sample = await the_sample(database, user_id, job_id)
    assert (sample.tempo, sample.detected_tempo) == (184.0, 92.0)


async def test_a_job_handed_out_again_after_its_end_is_left_alone(
    database: Database, tools: Tools, analyzer: ScriptedAnalyzer
) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    analyzer.gate.set()
    for _ in range(2):
        await tasks.analyze_sample(payload(user_id, job_id), tools)
    assert len(analyzer.order) == 1
    assert await results(database, user_id) == 1


async def test_an_attempt_given_up_for_dead_can_write_nothing(database: Database) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    zombie = await begin(database, user_id, job_id)
    heir = await begin(database, user_id, job_id)
    for write in (
        finish(database, zombie),
        _in_transaction(database, zombie, lambda session: attempts.report(session, zombie, 50, "x")),
        _in_transaction(database, zombie, lambda session: attempts.fail(session, zombie, "x", "x")),
        _in_transaction(database, zombie, lambda session: attempts.hand_back(session, zombie)),
    ):
        with pytest.raises(LostLease):
            await write
    assert (await the_job(database, user_id, job_id)).lease == heir.lease
    await finish(database, heir)
    with pytest.raises(LostLease):
        await finish(database, zombie)
    assert await outcomes(database, user_id, job_id) == ["lost", "completed"]


async def _in_transaction(database: Database, attempt: Attempt, write: Callable[[Any], Awaitable[Any]]) -> None:
    async with database.transaction(attempt.user_id) as session:
        await write(session)


async def test_a_job_whose_worker_always_dies_fails_after_its_attempts_with_a_reason(database: Database) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    for _ in range(3):
        await begin(database, user_id, job_id)
    assert await claim(database, user_id, job_id) is None
    job, sample = await the_job(database, user_id, job_id), await the_sample(database, user_id, job_id)
    assert (job.status, job.error_code, sample.status) == ("failed", "analysis-crashed", "failed")
    assert "3 times" in (job.error_message or "")
    assert await outcomes(database, user_id, job_id) == ["lost", "lost", "lost"]


async def test_a_job_that_lost_two_workers_waits_before_it_meets_a_third(database: Database) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    for _ in range(2):
        assert isinstance(await claim(database, user_id, job_id), Attempt)
    assert isinstance(await claim(database, user_id, job_id), Wait)
    assert (await the_job(database, user_id, job_id)).status == "pending"
    assert isinstance(await claim(database, user_id, job_id), Attempt)


async def test_a_bad_file_fails_at_once_and_costs_no_storage(
    database: Database, tools: Tools, analyzer: ScriptedAnalyzer
) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    analyzer.error = AudioError("corrupt-audio", "The file ends in the middle of a header.")
    analyzer.gate.set()
    await tasks.analyze_sample(payload(user_id, job_id), tools)
    job, sample = await the_job(database, user_id, job_id), await the_sample(database, user_id, job_id)
    assert (job.status, job.attempt, job.error_code) == ("failed", 1, "corrupt-audio")
    assert (sample.status, sample.error_message) == ("failed", "The file ends in the middle of a header.")
    assert (sample.counted, await storage_used(database, user_id)) == (False, 0)


async def test_a_file_that_is_analysed_after_all_counts_once(
    database: Database, tools: Tools, analyzer: ScriptedAnalyzer
) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    analyzer.gate.set()
    analyzer.error = AudioError("analysis-timeout", "The file took too long.")
    await tasks.analyze_sample(payload(user_id, job_id), tools)
    analyzer.error = None
    async with database.transaction(user_id) as session:
        await jobs.retry(session, job_id, plan=FREE)
    await tasks.analyze_sample(payload(user_id, job_id), tools)
    sample = await the_sample(database, user_id, job_id)
    assert (sample.status, sample.counted, sample.error_code) == ("completed", True, None)
    assert await storage_used(database, user_id) == SIZE


async def test_trouble_that_is_not_the_files_fault_is_tried_again_and_explained_in_the_end(
    database: Database, tools: Tools, analyzer: ScriptedAnalyzer
) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    analyzer.error = ArithmeticError("a defect of ours")
    analyzer.gate.set()
    for number in (1, 2):
        with pytest.raises(RetryLater):
            await tasks.analyze_sample(payload(user_id, job_id), tools)
        job = await the_job(database, user_id, job_id)
        assert (job.status, job.attempt) == ("pending", number)
    await tasks.analyze_sample(payload(user_id, job_id), tools)
    job = await the_job(database, user_id, job_id)
    assert (job.status, job.error_code) == ("failed", "analysis-failed")
    assert await outcomes(database, user_id, job_id) == ["error", "error", "failed"]


async def test_a_crash_of_the_decoder_is_believed_when_it_happens_every_time(
    database: Database, tools: Tools, analyzer: ScriptedAnalyzer
) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    analyzer.error = AudioError("analysis-crashed", "The file crashed its decoder.")
    analyzer.gate.set()
    for _ in range(2):
        with pytest.raises(RetryLater):
            await tasks.analyze_sample(payload(user_id, job_id), tools)
    await tasks.analyze_sample(payload(user_id, job_id), tools)
    job = await the_job(database, user_id, job_id)
    assert (job.status, job.attempt, job.error_message) == ("failed", 3, "The file crashed its decoder.")


async def test_a_job_waits_for_an_engine_that_is_away_and_loses_no_attempt(
    database: Database, tools: Tools, analyzer: ScriptedAnalyzer
) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    analyzer.error = AnalyzerUnavailable("the engine does not answer")
    analyzer.gate.set()
    for _ in range(tools.max_attempts + 2):
        with pytest.raises(RetryLater):
            await tasks.analyze_sample(payload(user_id, job_id), tools)
    job = await the_job(database, user_id, job_id)
    assert (job.status, job.attempt) == ("pending", 0)
    analyzer.error = None
    await tasks.analyze_sample(payload(user_id, job_id), tools)
    assert (await the_job(database, user_id, job_id)).status == "completed"


async def test_a_job_that_waited_a_day_for_an_engine_fails(
    database: Database, tools: Tools, analyzer: ScriptedAnalyzer
) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    async with database.transaction(user_id) as session:
        job = await jobs.get_job(session, job_id)
        job.enqueued_at = job.created_at - attempts.MAX_WAIT
    analyzer.error = AnalyzerUnavailable("the engine does not answer")
    analyzer.gate.set()
    await tasks.analyze_sample(payload(user_id, job_id), tools)
    job = await the_job(database, user_id, job_id)
    assert (job.status, job.error_code) == ("failed", "analysis-unavailable")


async def test_a_failed_second_analysis_leaves_the_first_result_in_place(
    database: Database, tools: Tools, analyzer: ScriptedAnalyzer
) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    analyzer.gate.set()
    await tasks.analyze_sample(payload(user_id, job_id), tools)
    async with database.transaction(user_id) as session:
        sample = await session.get_one(Sample, (await jobs.get_job(session, job_id)).sample_id)
        again = (await jobs.create_job(session, sample, plan=FREE)).id
    analyzer.error = AudioError("analysis-timeout", "The file took too long.")
    await tasks.analyze_sample(payload(user_id, again), tools)
    assert (await the_job(database, user_id, again)).status == "failed"
    sample = await the_sample(database, user_id, again)
    assert (sample.status, sample.tempo, sample.counted) == ("completed", 92.0, True)
    assert await tools.storage.head(sample.preview_key or "") is not None


async def test_an_attempt_handed_back_does_not_count(database: Database) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    attempt = await begin(database, user_id, job_id)
    async with database.transaction(user_id) as session:
        await attempts.hand_back(session, attempt)
    job = await the_job(database, user_id, job_id)
    assert (job.status, job.attempt, job.lease) == ("pending", 0, None)
    assert await outcomes(database, user_id, job_id) == ["handed-back"]


# --- calling off and asking again -------------------------------------------------------------------------------------


async def test_cancel_is_final(database: Database) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    attempt = await begin(database, user_id, job_id)
    async with database.transaction(user_id) as session:
        await jobs.cancel(session, job_id)
    with pytest.raises(LostLease):
        await finish(database, attempt)
    assert await claim(database, user_id, job_id) is None
    assert (await the_job(database, user_id, job_id)).status == "cancelled"
    assert await queued(database, job_id) == 0
    assert (await the_sample(database, user_id, job_id)).error_code == "cancelled"


async def test_cancelling_a_running_job_stops_its_analysis_and_leaves_no_preview(
    database: Database, app_url: str, tools: Tools, analyzer: ScriptedAnalyzer, storage: Storage
) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    async with worker(app_url, tools):
        await asyncio.wait_for(analyzer.begun.wait(), PATIENCE)
        sample = await the_sample(database, user_id, job_id)
        key = f"previews/{user_id}/{sample.id}"
        for beside in keys_beside(key):
            await storage.put(beside, b"half", "audio/flac")
        async with database.transaction(user_id) as session:
            await jobs.cancel(session, job_id)

        async def discarded() -> bool:
            return [stored async for stored in storage.list("previews")] == []

        await until(discarded)
    assert await outcomes(database, user_id, job_id) == ["cancelled"]


async def test_cancelling_makes_room_for_the_users_next_job(database: Database) -> None:
    user_id = await make_user(database)
    asked = [await upload(database, user_id) for _ in range(FREE.concurrent_jobs + 1)]
    async with database.transaction(user_id) as session:
        await jobs.cancel(session, asked[0])
    assert await queued(database, asked[-1]) == 1


async def test_a_job_that_ended_cannot_be_cancelled(database: Database) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    await finish(database, await begin(database, user_id, job_id))
    async with database.transaction(user_id) as session:
        with pytest.raises(Conflict):
            await jobs.cancel(session, job_id)


async def test_a_cancelled_job_can_be_tried_again_with_all_its_attempts(database: Database) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    await begin(database, user_id, job_id)
    async with database.transaction(user_id) as session:
        await jobs.cancel(session, job_id)
    async with database.transaction(user_id) as session:
        job = await jobs.retry(session, job_id, plan=FREE)
    assert (job.status, job.attempt, job.error_code) == ("pending", 0, None)
    assert await queued(database, job_id) == 1
    await finish(database, await begin(database, user_id, job_id))
    assert (await the_sample(database, user_id, job_id)).status == "completed"


async def test_a_completed_job_cannot_be_tried_again(database: Database) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    await finish(database, await begin(database, user_id, job_id))
    async with database.transaction(user_id) as session:
        with pytest.raises(Conflict):
            await jobs.retry(session, job_id, plan=FREE)


# --- fairness ---------------------------------------------------------------------------------------------------------


async def test_a_user_without_a_free_place_waits_and_loses_no_attempt(database: Database) -> None:
    user_id = await make_user(database)
    asked = [await upload(database, user_id, PRO) for _ in range(FREE.concurrent_jobs + 1)]
    async with database.transaction(user_id) as session:
        await session.execute(update(ProcessingJob).values(tier="free"))
    for job_id in asked[:-1]:
        await begin(database, user_id, job_id)
    assert isinstance(await claim(database, user_id, asked[-1]), Wait)
    assert (await the_job(database, user_id, asked[-1])).attempt == 0


async def test_two_workers_never_run_more_of_a_users_jobs_than_the_plan_allows(
    database: Database, app_url: str, tools: Tools, analyzer: ScriptedAnalyzer
) -> None:
    user_id = await make_user(database)
    analyzer.gate.set()
    asked = [await upload(database, user_id) for _ in range(30)]
    async with worker(app_url, tools), worker(app_url, tools):
        await until_ended(database, user_id, *asked)
    async with database.transaction(user_id) as session:
        most = await session.scalar(
            text("""
            select max(running) from (
                select sum(step) over (order by at, step) as running from (
                    select started_at as at, 1 as step from job_attempts where user_id = :user
                    union all select ended_at, -1 from job_attempts where user_id = :user
                ) steps
            ) counted"""),
            {"user": user_id},
        )
    assert most == FREE.concurrent_jobs
    assert await results(database, user_id) == 30


async def test_a_free_job_that_has_waited_runs_before_pro_jobs_that_came_later(
    database: Database, app_url: str, tools: Tools, analyzer: ScriptedAnalyzer
) -> None:
    free_user = await make_user(database)
    free_job = await upload(database, free_user)
    pro_users = [await make_user(database) for _ in range(3)]
    pro_jobs = [(user, await upload(database, user, PRO)) for user in pro_users for _ in range(4)]
    async with database.transaction() as session:
        await session.execute(
            text("update pgqueuer set created = created - interval '1 h' where dedupe_key = :key"),
            {"key": str(free_job)},
        )
    await upkeep.age_tasks(database, timedelta(minutes=1))
    analyzer.gate.set()
    async with worker(app_url, tools, concurrency=2):
        await until_ended(database, free_user, free_job)
        for user, job in pro_jobs:
            await until_ended(database, user, job)
    free_sample = await the_sample(database, free_user, free_job)
    assert free_sample.file_key in analyzer.order[:2]


async def test_ageing_never_lifts_a_job_above_the_best_plan(database: Database) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    async with database.transaction() as session:
        await session.execute(text("update pgqueuer set created = created - interval '1 year'"))
    await upkeep.age_tasks(database, timedelta(minutes=1))
    async with database.transaction() as session:
        query = text("select priority from pgqueuer where dedupe_key = :key")
        assert await session.scalar(query, {"key": str(job_id)}) == PRO.queue_priority


# --- repair -----------------------------------------------------------------------------------------------------------


async def test_a_job_that_lost_its_task_gets_a_new_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "REPAIR_GRACE", timedelta(0))
    user_id = await make_user(database)
    waiting, running = await upload(database, user_id), await upload(database, user_id)
    await begin(database, user_id, running)
    async with database.transaction() as session:
        await session.execute(text("delete from pgqueuer"))
    assert await upkeep.repair_jobs(database) == 2
    assert await queued(database, waiting, running) == 2
    assert await upkeep.repair_jobs(database) == 0


async def test_a_job_nobody_put_into_the_queue_enters_it(database: Database) -> None:
    user_id = await make_user(database)
    job_id = await upload(database, user_id)
    async with database.transaction(user_id) as session:
        await session.execute(update(ProcessingJob).values(enqueued_at=None))
        await session.execute(text("delete from pgqueuer where dedupe_key = :key"), {"key": str(job_id)})
    await upkeep.repair_jobs(database)
    assert await queued(database, job_id) == 1


# --- live events ------------------------------------------------------------------------------------------------------


async def test_a_follower_gets_a_snapshot_then_every_change_of_his_own_jobs(database: Database, app_url: str) -> None:
    user_id, stranger = await make_user(database), await make_user(database)
    job_id = await upload(database, user_id)
    async with JobEvents(app_url, database) as events:
        stream = events.subscribe(user_id)
        name, data = await _next(stream)
        assert name == "snapshot"
        assert [job["id"] for job in orjson.loads(data)["jobs"]] == [str(job_id)]
        await _until_listening(database)
        await upload(database, stranger)
        await finish(database, await begin(database, user_id, job_id))
        seen = []
        while "completed" not in seen:
            name, data = await _next(stream)
            if name == "job":
                job = orjson.loads(data)
                assert job["id"] == str(job_id)
                seen.append(job["status"])
        assert seen == ["processing", "completed"]
        await stream.aclose()  # type: ignore[attr-defined]


async def test_a_follower_that_was_cut_off_gets_a_fresh_snapshot(database: Database, app_url: str) -> None:
    user_id = await make_user(database)
    async with JobEvents(app_url, database) as events:
        stream = events.subscribe(user_id)
        assert (await _next(stream))[0] == "snapshot"
        await _until_listening(database)
        job_id = await upload(database, user_id)
        async with database.transaction() as session:
            await session.execute(
                text("select pg_terminate_backend(pid) from pg_stat_activity where application_name = :name"),
                {"name": "sample-agent-events"},
            )
        while True:
            name, data = await _next(stream)
            if name == "snapshot":
                break
        assert [job["id"] for job in orjson.loads(data)["jobs"]] == [str(job_id)]
        await stream.aclose()  # type: ignore[attr-defined]


async def _next(stream: AsyncIterator[tuple[str, str]]) -> tuple[str, str]:
    return await asyncio.wait_for(anext(stream), PATIENCE)


async def _until_listening(database: Database) -> None:
    async def listening() -> bool:
        async with database.transaction() as session:
            query = text(
                "select count(*) from pg_stat_activity where application_name = :name and query ilike 'listen%'"
            )
            return bool(await session.scalar(query, {"name": "sample-agent-events"}))

    await until(listening)
