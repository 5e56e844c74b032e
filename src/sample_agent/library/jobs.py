"""Jobs as their owner sees them: ask for one, look at it, call it off, ask again.

A job's row is the truth; the queue only says which jobs a worker may take now. Each user has as many places in the
queue as the plan allows jobs at once, and the next job of a user enters when one of the places becomes free. So one
person's thousand files never stand in front of another person's single one.

Every change of a job is announced on `CHANNEL` with the transaction that makes it. Rows are locked in the order
sample, job, usage counter, places.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
from sqlalchemy import Select, bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.billing import PLANS, Plan
from sample_agent.core.database import own_row, served_by
from sample_agent.core.errors import Conflict, NotFound
from sample_agent.core.identifiers import made_at, new_id
from sample_agent.core.queue import enqueue, withdraw
from sample_agent.core.settings import PlanId
from sample_agent.library.mails import tell_samples_ready
from sample_agent.library.models import JobAttempt, ProcessingJob, Sample
from sample_agent.library.schemas import Failure, Job, JobStatus

ANALYZE_SAMPLE = "analyze-sample"
CHANNEL = "job_events"
ACTIVE = ("pending", "processing")
DEFERRED = "deferred"
"""The step of a pending job that waits for its owner to ask for it."""

_PLACES = 7242
"""The class of the advisory locks under which a user's places are counted and given away."""
_LOCK_PLACES = select(func.pg_advisory_xact_lock(_PLACES, func.hashtext(bindparam("user_id"))))
_ANNOUNCE = select(func.pg_notify(CHANNEL, bindparam("event")))
_GUESSED_SECONDS = 2.0
RUN_WORTH_A_MAIL, LONG_RUN = 25, timedelta(minutes=2)
"""From how many samples and what time on a run is one whose owner does not sit and watch."""


class JobEnded(Conflict):
    """The job has ended already, so there is nothing to call off."""

    code, title = "job-ended", "The job has ended"
    next_step = "Look at the job's result."


class JobNotRepeatable(Conflict):
    """Only a job that failed or was cancelled can be tried again, and only while its sample is in the library."""

    code, title = "job-not-repeatable", "The job cannot be tried again"
    next_step = "Ask for a new analysis of the sample instead."


async def create_job(session: AsyncSession, sample: Sample, *, plan: Plan, deferred: bool = False) -> ProcessingJob:
    """Ask for work on a sample. The job, its place in the queue and whatever else `session` does are kept together.

    A `deferred` job stays where it is until `start` is called for it.
    """
    job = ProcessingJob(user_id=sample.user_id, sample_id=sample.id, tier=plan.id)
    session.add(job)
    await session.flush()
    sample.job_id = job.id
    if deferred:
        job.step = DEFERRED
        return job
    return await _wait_in_line(session, job, plan)


async def start(session: AsyncSession, job: ProcessingJob, *, plan: Plan) -> ProcessingJob:
    """Let a deferred job wait in line like any other; nothing happens when it does already.

    The caller holds the sample's row.
    """
    await session.refresh(job, with_for_update=True)
    if job.status != "pending" or job.step != DEFERRED:
        return job
    job.tier, job.step = plan.id, "waiting"
    return await _wait_in_line(session, job, plan)


async def _wait_in_line(session: AsyncSession, job: ProcessingJob, plan: Plan) -> ProcessingJob:
    job.estimated_completion = await _estimate(session, job.user_id)
    await _join_run(session, job)
    await fill_places(session, job.user_id, plan)
    await announce(session, job)
    return job


async def get_job(session: AsyncSession, job_id: UUID) -> ProcessingJob:
    """The caller's job; raises NotFound when it is missing or someone else's."""
    job = await own_row(session, ProcessingJob, job_id)
    if job is None:
        raise NotFound("There is no such job.")
    return job


async def list_jobs(
    session: AsyncSession, *, status: JobStatus | None = None, limit: int = 100
) -> Sequence[ProcessingJob]:
    """The caller's jobs, newest first."""
    query = select(ProcessingJob).where(ProcessingJob.user_id == served_by(session))
    if status is not None:
        query = query.where(ProcessingJob.status == status)
    newest_first = query.order_by(ProcessingJob.created_at.desc(), ProcessingJob.id.desc())
    return (await session.scalars(newest_first.limit(limit))).all()


async def active_jobs(session: AsyncSession, user_id: UUID, limit: int = 1000) -> Sequence[ProcessingJob]:
    """What waits or runs for a user, in the order of asking; a whole library's renewal is told of elsewhere."""
    query = select(ProcessingJob).where(
        ProcessingJob.user_id == user_id,
        ProcessingJob.status.in_(ACTIVE),
        ProcessingJob.step != DEFERRED,
        ProcessingJob.reanalysis_id.is_(None),
    )
    return (await session.scalars(query.order_by(ProcessingJob.created_at, ProcessingJob.id).limit(limit))).all()


async def retry(session: AsyncSession, job_id: UUID, *, plan: Plan) -> ProcessingJob:
    """Try a failed or cancelled job again, with all its attempts. One that is under way already is the answer."""
    sample, job = await _lock(session, job_id)
    if job.status in ACTIVE:
        return await start(session, job, plan=plan)
    if job.status == "completed":
        raise JobNotRepeatable("The job was completed.")
    if sample.deleted_at is not None:
        raise JobNotRepeatable("The sample is in the trash.")
    if sample.job_id != job.id and await _is_active(session, sample.job_id):
        raise JobNotRepeatable("A newer job works on this sample.")
    job.status, job.tier, job.attempt, job.lease = "pending", plan.id, 0, None
    job.progress, job.step = 0, "waiting"
    job.error_code = job.error_message = job.enqueued_at = job.started_at = job.completed_at = None
    sample.job_id = job.id
    sample.status = "pending"
    sample.error_code = sample.error_message = None
    sample.version += 1
    return await _wait_in_line(session, job, plan)


async def cancel(session: AsyncSession, job_id: UUID) -> ProcessingJob:
    """Call a job off for good: from this transaction on, none of its attempts can write a result."""
    sample, job = await _lock(session, job_id)
    if job.status == "cancelled":
        return job
    if job.status not in ACTIVE:
        raise JobEnded(f"The job is {job.status}.")
    await _call_off(session, job)
    if sample.waveform is not None:
        sample.status = "completed"
    else:
        sample.status = "failed"
        sample.error_code, sample.error_message = "cancelled", "The analysis was cancelled."
    sample.version += 1
    return job


async def cancel_if_active(session: AsyncSession, job_id: UUID) -> None:
    """Call a job off because its sample goes away; the sample stays as it was before it was worked on."""
    try:
        sample, job = await _lock(session, job_id)
    except NotFound:
        return
    if job.status in ACTIVE:
        await _call_off(session, job)
        sample.status = "completed" if sample.waveform is not None else "pending"


def shown(job: ProcessingJob) -> Job:
    """A job as it goes over the wire."""
    return Job.model_construct(
        id=job.id,
        sample_id=job.sample_id,
        kind=job.kind,
        status=job.status,
        progress=job.progress,
        step=job.step,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        error=Failure(code=job.error_code, message=job.error_message or "") if job.error_code else None,
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=job.completed_at,
        estimated_completion=job.estimated_completion,
    )


def plan_of(job: ProcessingJob) -> Plan:
    """The plan a job was asked for under."""
    tier: PlanId = job.tier  # type: ignore[assignment]
    return PLANS[tier]


async def announce(session: AsyncSession, job: ProcessingJob) -> None:
    """Tell everyone who follows this user's jobs how this one stands, once the transaction commits."""
    event = {"user_id": job.user_id, "job": shown(job).model_dump()}
    await session.execute(_ANNOUNCE, {"event": orjson.dumps(event, default=str).decode()})


async def lock_places(session: AsyncSession, user_id: UUID) -> None:
    """Be the only one who counts or gives away a user's places until the transaction ends.

    A statement of its own: inside the statement that counts, the count would be older than the lock.
    """
    await session.execute(_LOCK_PLACES, {"user_id": str(user_id)})


async def fill_places(session: AsyncSession, user_id: UUID, plan: Plan) -> None:
    """Put the user's oldest waiting jobs into the queue, as many as there are free places."""
    await lock_places(session, user_id)
    taken = await session.scalar(
        select(func.count()).where(
            ProcessingJob.user_id == user_id, ProcessingJob.status.in_(ACTIVE), ProcessingJob.enqueued_at.is_not(None)
        )
    )
    free = plan.concurrent_jobs - (taken or 0)
    if free <= 0:
        return
    waiting = await session.scalars(
        select(ProcessingJob)
        .where(
            ProcessingJob.user_id == user_id,
            ProcessingJob.status == "pending",
            ProcessingJob.step != DEFERRED,
            ProcessingJob.enqueued_at.is_(None),
        )
        # What somebody asked for goes before the renewal of a whole library.
        .order_by(ProcessingJob.reanalysis_id.is_not(None), ProcessingJob.created_at, ProcessingJob.id)
        .limit(free)
        .with_for_update(skip_locked=True)
    )
    for job in waiting.all():
        await put_in_queue(session, job)


async def put_in_queue(session: AsyncSession, job: ProcessingJob) -> None:
    """Let workers take the job. Nothing happens when they may already."""
    job.enqueued_at = datetime.now(UTC)
    await enqueue(
        session,
        ANALYZE_SAMPLE,
        {"job_id": str(job.id), "user_id": str(job.user_id)},
        priority=plan_of(job).queue_priority,
        dedupe_key=str(job.id),
    )


async def end_attempt(session: AsyncSession, job: ProcessingJob, outcome: str, error: str | None = None) -> None:
    """Write down how the attempt at `job` that is still open ended; when none is, nothing happens."""
    await session.execute(
        update(JobAttempt)
        .where(JobAttempt.job_id == job.id, JobAttempt.ended_at.is_(None))
        .values(ended_at=func.now(), outcome=outcome, error=error)
        .execution_options(synchronize_session=False)
    )


async def end(session: AsyncSession, job: ProcessingJob, status: JobStatus) -> None:
    """Bring a job to a terminal state, and let the user's next one have its place."""
    job.status, job.lease, job.completed_at = status, None, datetime.now(UTC)
    await announce(session, job)
    await fill_places(session, job.user_id, plan_of(job))
    await _end_run(session, job)


async def _call_off(session: AsyncSession, job: ProcessingJob) -> None:
    await end_attempt(session, job, "cancelled")
    await withdraw(session, str(job.id))
    job.step = "cancelled"
    await end(session, job, "cancelled")


async def deferred_among(session: AsyncSession, job_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these jobs of the caller's are deferred."""
    if not job_ids:
        return set()
    deferred = select(ProcessingJob.id).where(
        ProcessingJob.user_id == served_by(session),
        ProcessingJob.id.in_(job_ids),
        ProcessingJob.status == "pending",
        ProcessingJob.step == DEFERRED,
    )
    return set(await session.scalars(deferred))


async def _join_run(session: AsyncSession, job: ProcessingJob) -> None:
    """Make a job part of the run under way, or the first of a new one. A run lasts until nothing waits or runs."""
    await lock_places(session, job.user_id)
    under_way = _of_runs(job.user_id).where(ProcessingJob.id != job.id)
    job.run_id = await session.scalar(under_way.order_by(ProcessingJob.created_at).limit(1)) or new_id()
    await session.flush()


async def _end_run(session: AsyncSession, job: ProcessingJob) -> None:
    """When nothing of the run of `job` is left, have its owner told, if it was long enough to have gone away."""
    await session.flush()
    if job.run_id is None or await session.scalar(_of_runs(job.user_id).limit(1)) is not None:
        return
    since = made_at(job.run_id)
    ended = ProcessingJob.status.in_(("completed", "failed"))
    analysed, failed = (
        await session.execute(
            select(
                func.count(ProcessingJob.sample_id.distinct()).filter(ended),
                func.count(ProcessingJob.sample_id.distinct()).filter(ProcessingJob.status == "failed"),
            ).where(ProcessingJob.user_id == job.user_id, ProcessingJob.run_id == job.run_id)
        )
    ).one()
    if analysed >= RUN_WORTH_A_MAIL and datetime.now(UTC) - since >= LONG_RUN:
        await tell_samples_ready(session, job.user_id, samples=analysed, failed=failed)


def _of_runs(user_id: UUID) -> Select[UUID | None]:
    """The runs of a user's jobs that wait or run. The caller holds the user's places."""
    return select(ProcessingJob.run_id).where(
        ProcessingJob.user_id == user_id, ProcessingJob.status.in_(ACTIVE), ProcessingJob.run_id.is_not(None)
    )


async def _lock(session: AsyncSession, job_id: UUID) -> tuple[Sample, ProcessingJob]:
    job = await get_job(session, job_id)
    sample = await session.scalar(select(Sample).where(Sample.id == job.sample_id).with_for_update())
    if sample is None:
        raise NotFound("There is no such job.")
    await session.refresh(job, with_for_update=True)
    return sample, job


async def _is_active(session: AsyncSession, job_id: UUID | None) -> bool:
    if job_id is None:
        return False
    return (await session.scalar(select(ProcessingJob.status).where(ProcessingJob.id == job_id))) in ACTIVE


# By Little's law what leaves the system per second is what is in it divided by how long each stays.
_LOAD = text("""
select (select count(*) from pgqueuer where entrypoint = :entrypoint and status in ('queued', 'picked')) as queued,
       (select count(*) from pgqueuer where entrypoint = :entrypoint and status = 'picked') as running,
       (select count(*) from processing_jobs
         where user_id = :user_id and status = 'pending' and enqueued_at is null and step <> 'deferred') as waiting,
       (select extract(epoch from avg(ended.created - begun.created))
          from (select job_id, created from pgqueuer_log
                 where entrypoint = :entrypoint and status = 'successful' and created > now() - interval '1 hour'
                 order by created desc limit 20) ended
          cross join lateral (select created from pgqueuer_log
                               where job_id = ended.job_id and status = 'picked'
                               order by created desc limit 1) begun) as seconds_each
""")


async def _estimate(session: AsyncSession, user_id: UUID) -> datetime:
    """When a job asked for now should be done, from what waits now and how long the latest ones took."""
    load = (await session.execute(_LOAD, {"entrypoint": ANALYZE_SAMPLE, "user_id": user_id})).one()
    each = _GUESSED_SECONDS if load.seconds_each is None else float(load.seconds_each)
    rounds = (load.queued + load.waiting) / max(load.running, 1) + 1
    return datetime.now(UTC) + timedelta(seconds=rounds * each)
