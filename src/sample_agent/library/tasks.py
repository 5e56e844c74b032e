"""What a worker does for the library: the analysis of a sample, from the queue's hand to the stored result."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from prometheus_client import Counter, Histogram
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.core.database import Database
from sample_agent.core.queue_runner import RetryLater, backoff
from sample_agent.core.storage import Storage
from sample_agent.engine.errors import AudioError
from sample_agent.library import attempts, jobs
from sample_agent.library.analyzer import Analyzed, Analyzer, AnalyzerUnavailable
from sample_agent.library.attempts import Attempt, LostLease, Wait
from sample_agent.library.drawings import keys_beside, store_drawings
from sample_agent.library.models import Analysis, ProcessingJob, Sample
from sample_agent.library.search import search_text
from sample_agent.library.wording import is_corrected, vibe_of

REPORT_SECONDS = 0.5
"""How often progress is written at most; what is done sooner never is."""

PERHAPS_NOT_THE_FILE = frozenset({"analysis-crashed"})
"""Engine errors that a system short of memory causes as well as a bad file: tried again before they are believed."""

JOB_SECONDS = Histogram(
    "job_duration_seconds",
    "Time from the claim of a job to the end of the attempt.",
    ["tier", "outcome"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300),
)
JOB_ATTEMPTS = Counter("job_attempts_total", "Attempts at jobs, by how they ended.", ["tier", "outcome"])

log = structlog.get_logger("jobs")


@dataclass(frozen=True)
class Tools:
    """What the tasks work with. `worker` is the name of this worker in the table of attempts."""

    database: Database
    storage: Storage
    analyzer: Analyzer
    worker: str
    max_attempts: int


@dataclass(frozen=True)
class End:
    """How an attempt ended, and when there has to be another."""

    outcome: str
    again_after: timedelta | None = None


async def analyze_sample(payload: dict[str, Any], tools: Tools) -> None:
    """Make an attempt at the job in `payload`. Raises RetryLater when there has to be another."""
    job_id, user_id = UUID(payload["job_id"]), UUID(payload["user_id"])
    async with tools.database.transaction(user_id) as session:
        attempt = await attempts.claim(session, job_id, worker=tools.worker, max_attempts=tools.max_attempts)
    if attempt is None:
        return
    if isinstance(attempt, Wait):
        raise RetryLater(attempt.delay, "not now")
    structlog.contextvars.bind_contextvars(job_id=str(job_id), attempt=attempt.number)
    started = time.perf_counter()
    end = End("error")
    try:
        end = await _carry_out(attempt, tools)
    except asyncio.CancelledError:
        end = await _hand_back(attempt, tools)
        raise
    finally:
        JOB_ATTEMPTS.labels(attempt.tier, end.outcome).inc()
        JOB_SECONDS.labels(attempt.tier, end.outcome).observe(time.perf_counter() - started)
        if end.outcome in {"failed", "lost", "cancelled"}:
            await _discard_unused_preview(attempt, tools)
    if end.again_after is not None:
        raise RetryLater(end.again_after, f"the attempt ended: {end.outcome}")


async def _carry_out(attempt: Attempt, tools: Tools) -> End:
    """Analyse and write down the result; how that went."""
    key = preview_key(attempt)
    try:
        analyzed = await _analyze(attempt, key, tools)
        await store_drawings(tools.storage, key, analyzed)
        async with tools.database.transaction(attempt.user_id) as session:
            sample, job = await attempts.hold(session, attempt)
            _enter(session, sample, analyzed, key)
            await attempts.complete(session, sample, job)
        return End("completed")
    except LostLease as error:
        return _abandoned(error)
    except Exception as error:
        try:
            async with tools.database.transaction(attempt.user_id) as session:
                return await _give_up(session, attempt, error)
        except LostLease as lost:
            return _abandoned(lost)


async def _give_up(session: AsyncSession, attempt: Attempt, error: Exception) -> End:
    """End an attempt that came to nothing: for good when the file is at fault, else to try again."""
    if isinstance(error, AnalyzerUnavailable):
        log.warning("nobody can analyse now", error=str(error))
        times = await attempts.wait_for_engine(session, attempt, str(error))
        return End("failed") if times is None else End("unavailable", backoff(times))
    if isinstance(error, AudioError) and (attempt.is_last or error.code not in PERHAPS_NOT_THE_FILE):
        await attempts.fail(session, attempt, error.code, error.message)
        return End("failed")
    # Whatever else it is, it lies with us and not with the file.
    log.warning("attempt failed", exc_info=error)
    again = await attempts.put_off(session, attempt, repr(error))
    return End("put-off", backoff(attempt.number)) if again else End("failed")


def _abandoned(error: LostLease) -> End:
    log.info("attempt abandoned", reason=str(error))
    return End("lost")


async def _analyze(attempt: Attempt, key: str, tools: Tools) -> Analyzed:
    """The analysis, with its progress shown. Stops with LostLease when the job is taken away meanwhile."""
    progress = _Progress()
    reporting = asyncio.create_task(progress.keep_reporting(attempt, tools.database))
    analysis = asyncio.create_task(
        tools.analyzer.analyze(attempt.file_key, key, progress.note, filename=attempt.filename)
    )
    try:
        await asyncio.wait({reporting, analysis}, return_when=asyncio.FIRST_COMPLETED)
        return analysis.result() if analysis.done() else _raised_by(reporting)
    finally:
        reporting.cancel()
        analysis.cancel()
        await asyncio.gather(reporting, analysis, return_exceptions=True)


def _raised_by(reporting: asyncio.Task[None]) -> Analyzed:
    reporting.result()
    raise RuntimeError("progress is reported until the analysis ends")


def _enter(session: AsyncSession, sample: Sample, analyzed: Analyzed, key: str) -> None:
    """Write what was found into the sample; what its owner corrected stays."""
    result = analyzed.result
    tempo, musical_key = result["tempo"], result["key"]
    session.add(
        Analysis(
            sample_id=sample.id,
            user_id=sample.user_id,
            engine_version=result["engine_version"],
            bpm=tempo["bpm"] if tempo else None,
            musical_key=musical_key["key"] if musical_key else None,
            spectral_centroid=result["spectral"]["centroid_hz"],
            result=result,
            peaks=analyzed.peaks,
        )
    )
    sample.engine_version = result["engine_version"]
    sample.duration = result["duration"]
    sample.sample_rate = result["sample_rate"]
    sample.channels = result["channels"]
    sample.loudness = result["loudness"]["integrated_lufs"]
    sample.detected_kind = result["kind"]["kind"]
    sample.detected_tempo = tempo["bpm"] if tempo else None
    sample.detected_key = musical_key["key"] if musical_key else None
    sample.waveform = analyzed.waveform_row
    sample.vibe = vibe_of(sample, result) if is_corrected(sample) else analyzed.vibe
    sample.preview_key = key
    sample.preview_size = analyzed.preview_size
    sample.preview_content_type = analyzed.preview_content_type
    sample.search_text = search_text(
        filename=sample.filename, name=sample.name, folder=sample.folder, tags=sample.tags, vibe=sample.vibe
    )


async def _hand_back(attempt: Attempt, tools: Tools) -> End:
    """The worker stops, or the job was called off."""
    try:
        async with tools.database.transaction(attempt.user_id) as session:
            await attempts.hand_back(session, attempt)
    except LostLease:
        return End("cancelled")
    return End("handed-back")


def preview_key(attempt: Attempt) -> str:
    """Where the preview of a sample lies. One for all attempts: the next replaces what a dead one left."""
    return f"previews/{attempt.user_id}/{attempt.sample_id}"


async def _discard_unused_preview(attempt: Attempt, tools: Tools) -> None:
    """Delete the preview and what is drawn beside it, unless the sample shows it or somebody is about to make it."""
    async with tools.database.transaction(attempt.user_id) as session:
        # With the sample's lock no other attempt can begin meanwhile.
        sample = await session.scalar(select(Sample).where(Sample.id == attempt.sample_id).with_for_update())
        if sample is not None:
            status = await session.scalar(select(ProcessingJob.status).where(ProcessingJob.id == sample.job_id))
            if sample.preview_key is not None or status in jobs.ACTIVE:
                return
        for key in keys_beside(preview_key(attempt)):
            await tools.storage.delete(key)


class _Progress:
    """Notes how far an analysis is, and writes it down now and then."""

    def __init__(self) -> None:
        self._latest = (0, "starting")
        self._changed = asyncio.Event()

    def note(self, progress: int, step: str) -> None:
        self._latest = (progress, step)
        self._changed.set()

    async def keep_reporting(self, attempt: Attempt, database: Database) -> None:
        """Report until cancelled. Raises LostLease."""
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            await self._changed.wait()
            self._changed.clear()
            async with database.transaction(attempt.user_id) as session:
                await attempts.report(session, attempt, *self._latest)
