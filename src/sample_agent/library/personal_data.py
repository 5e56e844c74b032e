"""What the library keeps of a person, for a copy of their data and for its erasure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.privacy.portions import OwnFile, Part, Portion, Row, table_part
from sample_agent.billing.models import UsageCounter
from sample_agent.core.database import Database
from sample_agent.library.models import (
    Analysis,
    Collection,
    CollectionSample,
    JobAttempt,
    ProcessingJob,
    Reanalysis,
    Sample,
)
from sample_agent.library.orphans import FOLDERS

_SAMPLES_AT_ONCE = 200


async def _collections(db: AsyncSession, user_id: UUID) -> AsyncIterator[Row]:
    samples = func.array_agg(aggregate_order_by(CollectionSample.sample_id, CollectionSample.position))
    found = (
        select(
            Collection.id,
            Collection.name,
            Collection.description,
            Collection.created_at,
            Collection.updated_at,
            samples.filter(CollectionSample.sample_id.is_not(None)).label("samples"),
        )
        .outerjoin(CollectionSample, CollectionSample.collection_id == Collection.id)
        .where(Collection.user_id == user_id)
        .group_by(Collection.id)
        .order_by(Collection.id)
    )
    async for row in await db.stream(found.execution_options(yield_per=_SAMPLES_AT_ONCE)):
        yield {**row._mapping, "samples": row.samples or []}


PARTS = (
    table_part(
        "library/samples",
        "Your samples with their names, tags and corrections; those in the trash have `deleted_at`.",
        Sample,
        leave_out=("file_key", "preview_key", "waveform", "search_text", "job_id"),
    ),
    table_part("library/analyses", "What was found in your samples.", Analysis, leave_out=("peaks",)),
    Part(
        "library/collections",
        "Your collections and the samples in them, in order.",
        _collections,
        ("collections", "collection_samples"),
    ),
    table_part("library/jobs", "The analyses you asked for.", ProcessingJob, leave_out=("lease", "run_id")),
    table_part("library/attempts", "How often each analysis was tried.", JobAttempt, leave_out=("worker",)),
    table_part("library/renewals", "When your whole library was analysed anew.", Reanalysis),
    table_part("usage", "What you use of your plan.", UsageCounter),
)


async def _originals(database: Database, user_id: UUID) -> AsyncIterator[OwnFile]:
    """The files as they were uploaded, in the folders they came from, the trash's too."""
    columns = (Sample.id, Sample.file_key, Sample.file_size, Sample.folder, Sample.filename)
    page = select(*columns).where(Sample.user_id == user_id).order_by(Sample.id).limit(_SAMPLES_AT_ONCE)
    last: UUID | None = None
    while True:
        async with database.transaction(user_id) as db:
            rows = (await db.execute(page if last is None else page.where(Sample.id > last))).all()
        for row in rows:
            yield OwnFile(row.file_key, row.file_size, f"audio/{row.folder}/{row.filename}")
        if len(rows) < _SAMPLES_AT_ONCE:
            return
        last = rows[-1].id


async def _bytes_of(database: Database, user_id: UUID) -> int:
    async with database.transaction(user_id) as db:
        total = await db.scalar(select(func.sum(Sample.file_size)).where(Sample.user_id == user_id))
    return int(total or 0)


async def _erase(database: Database, user_id: UUID) -> Mapping[str, int]:
    """Delete the samples, some at a time; what hangs on them goes with them."""
    some = select(Sample.id).where(Sample.user_id == user_id).limit(_SAMPLES_AT_ONCE)
    erased = 0
    while True:
        async with database.transaction(user_id) as db:
            gone = list(await db.scalars(delete(Sample).where(Sample.id.in_(some)).returning(Sample.id)))
        erased += len(gone)
        if not gone:
            return {"samples": erased}


LIBRARY_DATA = Portion(PARTS, FOLDERS, _originals, _bytes_of, _erase)
