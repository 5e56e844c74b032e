"""What keeps the queue fair and complete: ageing, repair of what was lost, clearing out what is over.

Every worker does it; an advisory lock lets one at a time, and each action is harmless when done twice.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import bindparam, delete, func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.tasks import forget_expired
from sample_agent.billing import PLANS, quotas
from sample_agent.core.database import Database
from sample_agent.core.settings import Settings
from sample_agent.core.storage import Storage
from sample_agent.library import jobs
from sample_agent.library.loose_files import sweep_loose_files
from sample_agent.library.models import IdempotencyKey, ProcessingJob
from sample_agent.library.orphans import sweep_orphans
from sample_agent.library.trash import purge_trash

TOP_PRIORITY = max(plan.queue_priority for plan in PLANS.values())
IDEMPOTENCY_KEY_LIFETIME = timedelta(hours=24)
QUEUE_LOG_LIFETIME = timedelta(days=7)
HELD_TASK_LIFETIME = timedelta(days=30)
PURGE_SECONDS = 3600
FIRST_SWEEP_SECONDS = 3600
"""Not at once: who has just restored an old database may still be fetching the rest of it."""
SWEEP_SECONDS = 6 * 3600
ORPHAN_AGE = timedelta(hours=12)
LOOSE_FILE_AGE = timedelta(days=7)
"""Longer than a run of the largest library waits for its workers."""
REPAIR_GRACE = timedelta(seconds=5)

QUEUE_DEPTH = Gauge("jobs_active", "Jobs that wait or run, by plan.", ["tier", "status"])

REPAIRED = Counter("jobs_repaired_total", "Active jobs found without a task in the queue; above 0 is a defect.")

_UPKEEP = 7243
_TRY_LOCK = select(func.pg_try_advisory_xact_lock(_UPKEEP, bindparam("kind")))

log = structlog.get_logger("upkeep")


async def keep_up(database: Database, storage: Storage, settings: Settings) -> None:
    """Do all upkeep now and then, until cancelled."""
    seconds = min(5.0, settings.job_ageing_seconds / 4, settings.job_heartbeat_seconds)
    next_purge = time.monotonic()
    next_sweep = time.monotonic() + FIRST_SWEEP_SECONDS
    while True:
        try:
            await age_tasks(database, timedelta(seconds=settings.job_ageing_seconds))
            await repair_jobs(database)
            await measure_depth(database)
            if time.monotonic() >= next_purge:
                await purge(database, settings)
                next_purge = time.monotonic() + PURGE_SECONDS
            if time.monotonic() >= next_sweep:
                await sweep(database, storage)
                next_sweep = time.monotonic() + SWEEP_SECONDS
        except Exception as error:  # the house is kept whatever one round meets
            log.warning("upkeep failed, will be tried again", exc_info=not isinstance(error, SQLAlchemyError | OSError))
        await asyncio.sleep(seconds)


async def age_tasks(database: Database, top_after: timedelta) -> None:
    """Raise the priority of what waits: after `top_after` a job of any plan stands in line with those of the best.

    From then on the older goes first, so that no number of Pro jobs keeps a Free one waiting for ever.
    """
    async with database.transaction(purpose="worker") as session:
        if await _alone(session, 1):
            await session.execute(
                _AGE, {"entrypoint": jobs.ANALYZE_SAMPLE, "top": TOP_PRIORITY, "seconds": top_after.total_seconds()}
            )


async def repair_jobs(database: Database) -> int:
    """Give every active job that lost its task a new one, and fill places that stayed free; how many were mended."""
    async with database.transaction(purpose="worker") as session:
        if not await _alone(session, 2):
            return 0
        lost = list(await session.execute(_WITHOUT_TASK, {"grace": REPAIR_GRACE}))
        waiting = {row.user_id: row.tier for row in await session.execute(_WAITING)}
    for row in lost:
        async with database.transaction(row.user_id) as session:
            job = await session.scalar(select(ProcessingJob).where(ProcessingJob.id == row.id).with_for_update())
            if job is not None and job.status in jobs.ACTIVE and job.enqueued_at is not None:
                await jobs.put_in_queue(session, job)
                REPAIRED.inc()
                log.warning("job had no task", job_id=str(job.id), status=job.status)
    for user_id, tier in waiting.items():
        async with database.transaction(user_id) as session:
            await jobs.fill_places(session, user_id, PLANS[tier])
    return len(lost)


async def measure_depth(database: Database) -> None:
    """Set the gauge of active jobs."""
    async with database.transaction(purpose="worker") as session:
        found = await session.execute(
            select(ProcessingJob.tier, ProcessingJob.status, func.count())
            .where(ProcessingJob.status.in_(jobs.ACTIVE), ProcessingJob.step != jobs.DEFERRED)
            .group_by(ProcessingJob.tier, ProcessingJob.status)
        )
        counts: dict[tuple[str, str], int] = {(tier, status): count for tier, status, count in found}
    for tier in PLANS:
        for status in jobs.ACTIVE:
            QUEUE_DEPTH.labels(tier, status).set(counts.get((tier, status), 0))


async def purge(database: Database, settings: Settings) -> None:
    """Clear out what is over: old trash, ended sessions, unsettled reservations, kept answers, the queue's records."""
    async with database.transaction(purpose="worker") as session:
        if not await _alone(session, 3):
            return
        expired = await quotas.expired_reservations(session)
        await session.execute(
            delete(IdempotencyKey).where(IdempotencyKey.created_at < datetime.now(UTC) - IDEMPOTENCY_KEY_LIFETIME)
        )
        await session.execute(_CLEAR_QUEUE_LOG, {"age": QUEUE_LOG_LIFETIME})
        await session.execute(_CLEAR_HELD_TASKS, {"age": HELD_TASK_LIFETIME})
    for user_id, reservation in expired:
        async with database.transaction(user_id) as session:
            await quotas.release(session, reservation)
    await forget_expired(database)
    purged = await purge_trash(database, older_than=timedelta(days=settings.trash_days))
    if purged or expired:
        log.info("purged", samples=purged, reservations=len(expired))


async def sweep(database: Database, storage: Storage) -> None:
    """Clear out of storage what processes that died left there."""
    orphans = await sweep_orphans(database, storage, older_than=ORPHAN_AGE)
    loose = await sweep_loose_files(storage, older_than=LOOSE_FILE_AGE)
    unfinished = await storage.sweep_unfinished(ORPHAN_AGE)
    if orphans or loose or unfinished:
        log.info("swept", orphans=orphans, loose_files=loose, unfinished=unfinished)


async def _alone(session: AsyncSession, kind: int) -> bool:
    return bool(await session.scalar(_TRY_LOCK, {"kind": kind}))


_AGE = text("""
update pgqueuer
   set priority = aged.priority
  from (select id, least(:top, floor(extract(epoch from now() - created) / :seconds * :top))::int as priority
          from pgqueuer
         where entrypoint = :entrypoint and status = 'queued' and priority < :top
           for update skip locked) aged
 where aged.id = pgqueuer.id and aged.priority > pgqueuer.priority
""")

_WITHOUT_TASK = text("""
select id, user_id
  from processing_jobs job
 where status in ('pending', 'processing') and enqueued_at < now() - cast(:grace as interval)
   and not exists (select from pgqueuer task
                    where task.dedupe_key = job.id::text and task.status in ('queued', 'picked'))
 limit 500
""")

_WAITING = text("""
select user_id, (array_agg(tier order by created_at desc))[1] as tier
  from processing_jobs
 where status in ('pending', 'processing') and step <> 'deferred'
 group by user_id
having count(*) filter (where enqueued_at is null) > 0 and count(*) filter (where enqueued_at is not null) = 0
 limit 500
""")

_CLEAR_QUEUE_LOG = text("delete from pgqueuer_log where created < now() - cast(:age as interval)")
_CLEAR_HELD_TASKS = text("delete from pgqueuer where status = 'failed' and updated < now() - cast(:age as interval)")
