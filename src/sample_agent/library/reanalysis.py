"""Bringing a library to the engine's present version: a job for every sample that an older one has analysed.

Samples keep what they have until there is something better, corrections stay for ever, and whatever their owner asks
for meanwhile goes first. A sample that the present version could not analyse keeps what an earlier one found, and is
offered again with the next version.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.billing import Plan
from sample_agent.core.database import served_by
from sample_agent.core.errors import Conflict, NotFound
from sample_agent.core.identifiers import new_id
from sample_agent.engine import ENGINE_VERSION
from sample_agent.library import jobs, schemas
from sample_agent.library.models import ProcessingJob, Reanalysis, Sample

KIND = "reanalyze"

_STARTING = 7244
"""The class of the advisory locks under which a user's renewal is started."""
_LOCK_STARTING = select(func.pg_advisory_xact_lock(_STARTING, func.hashtext(bindparam("user_id"))))


class NothingOutdated(Conflict):
    """Every sample was analysed by the present version of the engine."""

    code, title = "nothing-outdated", "There is nothing to analyse again"
    next_step = "Ask for a new analysis of a single sample if you doubt its result."


async def state(session: AsyncSession) -> schemas.ReanalysisState:
    """How many of the caller's samples are outdated, and how the latest renewal stands."""
    latest = await _latest(session)
    standing = await shown(session, latest) if latest is not None else None
    # Counted last: what a renewal that has ended did is in it.
    outdated = await session.scalar(select(func.count()).where(_outdated(served_by(session))))
    return schemas.ReanalysisState(engine_version=ENGINE_VERSION, outdated=outdated or 0, latest=standing)


async def start(session: AsyncSession, user_id: UUID, plan: Plan) -> Reanalysis:
    """Analyse all outdated samples of a user again. A renewal that is under way already is the answer.

    Raises NothingOutdated.
    """
    await session.execute(_LOCK_STARTING, {"user_id": str(user_id)})
    latest = await _latest(session)
    if latest is not None and await _active_jobs(session, latest):
        return latest
    waiting = exists().where(ProcessingJob.sample_id == Sample.id, ProcessingJob.status.in_(jobs.ACTIVE))
    outdated = select(Sample.id).where(_outdated(user_id), ~waiting).order_by(Sample.id).with_for_update()
    samples = (await session.scalars(outdated)).all()
    if not samples:
        raise NothingOutdated
    reanalysis = Reanalysis(id=new_id(), user_id=user_id, engine_version=ENGINE_VERSION, total=len(samples))
    session.add(reanalysis)
    await session.flush()
    await _create_jobs(session, reanalysis, samples, plan)
    await jobs.fill_places(session, user_id, plan)
    await session.refresh(reanalysis)
    return reanalysis


async def cancel(session: AsyncSession) -> Reanalysis:
    """Call off what is left of the caller's renewal; what was analysed stays. Raises NotFound, `jobs.JobEnded`."""
    latest = await _latest(session)
    if latest is None:
        raise NotFound("This library was never analysed again.")
    if not await _active_jobs(session, latest):
        raise jobs.JobEnded("Everything has been analysed already.")
    latest.cancelled_at = datetime.now(UTC)
    # First those that nobody works on, so that none of them moves up into a place that becomes free below.
    await session.execute(
        update(ProcessingJob)
        .where(
            ProcessingJob.reanalysis_id == latest.id,
            ProcessingJob.status == "pending",
            ProcessingJob.enqueued_at.is_(None),
        )
        .values(status="cancelled", step="cancelled", completed_at=func.now())
        .execution_options(synchronize_session=False)
    )
    for job_id in await _active_jobs(session, latest):
        await jobs.cancel(session, job_id)
    return latest


async def shown(session: AsyncSession, reanalysis: Reanalysis) -> schemas.Reanalysis:
    """A renewal as it goes over the wire."""
    by_status = select(ProcessingJob.status, func.count()).where(ProcessingJob.reanalysis_id == reanalysis.id)
    counts: dict[str, int] = dict((await session.execute(by_status.group_by(ProcessingJob.status))).all())
    left = sum(counts.get(status, 0) for status in jobs.ACTIVE)
    return schemas.Reanalysis(
        id=reanalysis.id,
        engine_version=reanalysis.engine_version,
        total=reanalysis.total,
        done=reanalysis.total - left,
        failed=counts.get("failed", 0),
        active=left > 0,
        cancelled=reanalysis.cancelled_at is not None,
        created_at=reanalysis.created_at,
    )


async def outdated_libraries(session: AsyncSession) -> Sequence[UUID]:
    """Whose libraries hold outdated samples; for the operator, in a transaction with the purpose "worker"."""
    return (await session.scalars(select(Sample.user_id).where(_is_outdated()).distinct())).all()


def _outdated(user_id: UUID) -> ColumnElement[bool]:
    return and_(Sample.user_id == user_id, _is_outdated())


def _is_outdated() -> ColumnElement[bool]:
    """Analysed by another version, and not given up by the present one: that nobody could look does not count."""
    given_up = exists().where(
        ProcessingJob.sample_id == Sample.id,
        ProcessingJob.status == "failed",
        ProcessingJob.error_code != "analysis-unavailable",
        ProcessingJob.reanalysis_id == Reanalysis.id,
        Reanalysis.engine_version == ENGINE_VERSION,
    )
    return and_(
        Sample.deleted_at.is_(None),
        Sample.engine_version.is_not(None),
        Sample.engine_version != ENGINE_VERSION,
        ~given_up,
    )


async def _latest(session: AsyncSession) -> Reanalysis | None:
    newest = select(Reanalysis).where(Reanalysis.user_id == served_by(session)).order_by(Reanalysis.created_at.desc())
    latest: Reanalysis | None = await session.scalar(newest.limit(1))
    return latest


async def _active_jobs(session: AsyncSession, reanalysis: Reanalysis) -> Sequence[UUID]:
    of_it = select(ProcessingJob.id).where(ProcessingJob.reanalysis_id == reanalysis.id)
    return (await session.scalars(of_it.where(ProcessingJob.status.in_(jobs.ACTIVE)))).all()


async def _create_jobs(session: AsyncSession, reanalysis: Reanalysis, samples: Sequence[UUID], plan: Plan) -> None:
    rows = [
        {
            "id": new_id(),
            "user_id": reanalysis.user_id,
            "sample_id": sample_id,
            "kind": KIND,
            "tier": plan.id,
            "reanalysis_id": reanalysis.id,
        }
        for sample_id in samples
    ]
    await session.execute(insert(ProcessingJob), rows)
    await session.execute(
        update(Sample)
        .where(Sample.id == ProcessingJob.sample_id, ProcessingJob.reanalysis_id == reanalysis.id)
        .values(job_id=ProcessingJob.id)
        .execution_options(synchronize_session=False)
    )
