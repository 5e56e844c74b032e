"""Attempts at a job, as workers make them.

An attempt begins with a lease. Only the holder of the job's current lease can report progress or end the job; whoever
was given up for dead, or called off, finds the lease gone and writes nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.billing import Plan, quotas
from sample_agent.core.identifiers import new_id
from sample_agent.core.queue_runner import backoff
from sample_agent.library import jobs
from sample_agent.library.models import JobAttempt, ProcessingJob, Sample

MAX_ERROR_CHARACTERS = 500
MAX_WAIT = timedelta(days=1)
"""How long a job waits for an engine or a storage that does not answer."""


class LostLease(Exception):
    """This attempt no longer has the right to write: another began, or the job was called off."""


@dataclass(frozen=True)
class Wait:
    """No attempt can begin now; come back after `delay`."""

    delay: timedelta


@dataclass(frozen=True)
class Attempt:
    """The right to work on a job, and what is needed for it."""

    job_id: UUID
    user_id: UUID
    sample_id: UUID
    tier: str
    number: int
    max_attempts: int
    lease: UUID
    file_key: str
    filename: str

    @property
    def is_last(self) -> bool:
        return self.number >= self.max_attempts


async def claim(session: AsyncSession, job_id: UUID, *, worker: str, max_attempts: int) -> Attempt | Wait | None:
    """Begin an attempt at a job whose task the queue just handed to this worker; None when there is nothing to do.

    That it was handed out says that no living worker has it, so an attempt still open is over. A job that used up its
    attempts fails. One that lost two workers has to wait a random while: jobs that were lost together, because one of
    them is deadly, would otherwise die together again until all are blamed.
    """
    sample_id = await session.scalar(select(ProcessingJob.sample_id).where(ProcessingJob.id == job_id))
    sample = await _locked_sample(session, sample_id) if sample_id else None
    job = await session.scalar(select(ProcessingJob).where(ProcessingJob.id == job_id).with_for_update())
    if job is None or sample is None or job.status not in jobs.ACTIVE:
        return None
    was_lost = job.status == "processing"
    await jobs.end_attempt(session, job, "lost", "the worker stopped without a word")
    job.max_attempts = max_attempts
    if job.attempt >= max_attempts:
        await _fail(session, sample, job, "analysis-crashed", _gave_up(job.attempt))
        return None
    if was_lost and job.attempt > 1:
        await _back_to_waiting(session, job)
        return Wait(backoff(job.attempt))
    if not await _has_place(session, job):
        return Wait(timedelta(seconds=random.uniform(0.5, 1.5)))  # noqa: S311
    lease = uuid4()
    job.status, job.lease, job.attempt = "processing", lease, job.attempt + 1
    job.progress, job.step, job.started_at = 0, "starting", func.now()
    if sample.status != "completed":  # else it has all it needs, and a whole library's renewal is under way
        sample.status = "processing"
    session.add(JobAttempt(id=new_id(), job_id=job.id, user_id=job.user_id, number=job.attempt, worker=worker[:128]))
    await session.flush()
    await session.refresh(job)
    await jobs.announce(session, job)
    return Attempt(
        job_id=job.id,
        user_id=job.user_id,
        sample_id=sample.id,
        tier=job.tier,
        number=job.attempt,
        max_attempts=job.max_attempts,
        lease=lease,
        file_key=sample.file_key,
        filename=sample.filename,
    )


async def report(session: AsyncSession, attempt: Attempt, progress: int, step: str) -> None:
    """Show how far an attempt is, in per cent. Raises LostLease."""
    job = await _leased_job(session, attempt)
    job.progress, job.step = max(job.progress, min(progress, 99)), step[:32]
    await jobs.announce(session, job)


async def hold(session: AsyncSession, attempt: Attempt) -> tuple[Sample, ProcessingJob]:
    """Lock sample and job until the transaction ends, to write the attempt's result. Raises LostLease."""
    sample = await _locked_sample(session, attempt.sample_id)
    if sample is None:
        raise LostLease("the sample is gone")
    return sample, await _leased_job(session, attempt)


async def complete(session: AsyncSession, sample: Sample, job: ProcessingJob) -> None:
    """End a job that `hold` gave with success; the sample's bytes count from now on if they had stopped to."""
    sample.status = "completed"
    sample.error_code = sample.error_message = None
    sample.version += 1
    job.progress, job.step = 100, "done"
    job.error_code = job.error_message = None
    if not sample.counted:
        sample.counted = True
        reservation = await quotas.reserve(session, sample.user_id, "storage", sample.file_size, limit=None)
        await quotas.commit(session, reservation, used=sample.file_size)
    await jobs.end_attempt(session, job, "completed")
    await jobs.end(session, job, "completed")


async def fail(session: AsyncSession, attempt: Attempt, code: str, message: str) -> None:
    """End a job without success; `message` is for its owner. Raises LostLease."""
    sample, job = await hold(session, attempt)
    await _fail(session, sample, job, code, message)


async def put_off(session: AsyncSession, attempt: Attempt, error: str) -> bool:
    """Give an attempt up for a reason that lies with us, to make another one later; whether there will be one.

    After the last attempt the job fails instead. Raises LostLease.
    """
    sample, job = await hold(session, attempt)
    if attempt.is_last:
        await _fail(session, sample, job, "analysis-failed", _gave_up(attempt.number), error)
        return False
    await jobs.end_attempt(session, job, "error", error[:MAX_ERROR_CHARACTERS])
    await _back_to_waiting(session, job)
    return True


async def wait_for_engine(session: AsyncSession, attempt: Attempt, error: str) -> int | None:
    """Give an attempt up because nobody could look at the file; it does not count. How often that happened so far.

    None when the job has waited for `MAX_WAIT` and fails instead. Raises LostLease.
    """
    sample, job = await hold(session, attempt)
    if job.enqueued_at is not None and datetime.now(UTC) - job.enqueued_at > MAX_WAIT:
        message = "The analysis was not available for a whole day. The file is kept; you can try again."
        await _fail(session, sample, job, "analysis-unavailable", message, error)
        return None
    await jobs.end_attempt(session, job, "unavailable", error[:MAX_ERROR_CHARACTERS])
    job.attempt -= 1
    await _back_to_waiting(session, job)
    return await session.scalar(
        select(func.count()).where(JobAttempt.job_id == job.id, JobAttempt.outcome == "unavailable")
    )


async def hand_back(session: AsyncSession, attempt: Attempt) -> None:
    """End an attempt because the worker has to stop; it does not count. Raises LostLease."""
    _, job = await hold(session, attempt)
    await jobs.end_attempt(session, job, "handed-back")
    job.attempt -= 1
    await _back_to_waiting(session, job)


async def _back_to_waiting(session: AsyncSession, job: ProcessingJob) -> None:
    job.status, job.lease, job.progress, job.step = "pending", None, 0, "waiting"
    await jobs.announce(session, job)


async def _fail(
    session: AsyncSession, sample: Sample, job: ProcessingJob, code: str, message: str, cause: str | None = None
) -> None:
    message = message[:MAX_ERROR_CHARACTERS]
    job.error_code, job.error_message, job.step = code, message, "failed"
    if sample.waveform is not None:  # an earlier result stands
        sample.status = "completed"
    else:
        sample.status, sample.error_code, sample.error_message = "failed", code, message
        if sample.counted and await _is_free_of_charge(session, sample, jobs.plan_of(job)):
            sample.counted = False
            await quotas.give_back(session, sample.user_id, "storage", sample.file_size)
    sample.version += 1
    await jobs.end_attempt(session, job, "failed", (cause or message)[:MAX_ERROR_CHARACTERS])
    await jobs.end(session, job, "failed")


async def _is_free_of_charge(session: AsyncSession, sample: Sample, plan: Plan) -> bool:
    """Whether a file that cannot be analysed costs nothing. It does when such files would fill a plan of their own.

    Without that end, bytes of any kind behind the head of an audio file could be kept without limit.
    """
    free = await session.scalar(
        select(func.coalesce(func.sum(Sample.file_size), 0)).where(
            Sample.user_id == sample.user_id, Sample.counted.is_(False)
        )
    )
    return plan.storage_bytes is None or (free or 0) + sample.file_size <= plan.storage_bytes


async def _has_place(session: AsyncSession, job: ProcessingJob) -> bool:
    """Whether the plan allows the owner of `job` one more job at the same time."""
    await jobs.lock_places(session, job.user_id)
    running = await session.scalar(
        select(func.count()).where(
            ProcessingJob.user_id == job.user_id, ProcessingJob.status == "processing", ProcessingJob.id != job.id
        )
    )
    return (running or 0) < jobs.plan_of(job).concurrent_jobs


async def _locked_sample(session: AsyncSession, sample_id: UUID) -> Sample | None:
    sample: Sample | None = await session.scalar(select(Sample).where(Sample.id == sample_id).with_for_update())
    return sample


async def _leased_job(session: AsyncSession, attempt: Attempt) -> ProcessingJob:
    job: ProcessingJob | None = await session.scalar(
        select(ProcessingJob)
        .where(
            ProcessingJob.id == attempt.job_id,
            ProcessingJob.lease == attempt.lease,
            ProcessingJob.status == "processing",
        )
        .with_for_update()
    )
    if job is None:
        raise LostLease(f"attempt {attempt.number} lost its lease")
    return job


def _gave_up(attempts: int) -> str:
    times = "once" if attempts == 1 else f"{attempts} times"
    return f"The analysis stopped unexpectedly {times}, so it was given up. The file is kept; you can try again."
