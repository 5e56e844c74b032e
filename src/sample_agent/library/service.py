"""What can be done with samples: add, look at, change, delete, restore, analyse again."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from posixpath import splitext
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts import preferences_of
from sample_agent.billing import Plan, quotas
from sample_agent.core.database import own_row
from sample_agent.core.errors import NotFound
from sample_agent.library import jobs
from sample_agent.library.keys import CAMELOT
from sample_agent.library.models import Analysis, Collection, CollectionSample, ProcessingJob, Sample
from sample_agent.library.schemas import (
    CollectionRef,
    Correctable,
    SampleChange,
    SampleDetail,
    Upload,
    Waveform,
)
from sample_agent.library.search import ListedSample, search_text
from sample_agent.library.upload import ReceivedFile
from sample_agent.library.wording import vibe_of

POINTS_AT_HAND, MOST_POINTS = 2048, 16_384
"""Points of the outline that every analysis has, and of the one to look closer at."""


@dataclass(frozen=True)
class Added:
    """The outcome of adding a file. `stored` says whether the new object is the one that is kept."""

    upload: Upload
    stored: bool


async def add_sample(
    session: AsyncSession,
    *,
    sample_id: UUID,
    user_id: UUID,
    plan: Plan,
    file: ReceivedFile,
    folder: str,
    tags: Sequence[str],
    reservation: UUID,
) -> Added:
    """Enter a stored file into the library and enqueue its analysis, both or neither.

    The same bytes are kept once: when the caller has them already, that sample answers (out of the trash if it was
    there) and the new object is not kept.
    """
    name = _name_in(file.filename)
    entered = await session.execute(
        insert(Sample)
        .values(
            id=sample_id,
            user_id=user_id,
            filename=file.filename,
            name=name,
            folder=folder,
            tags=list(tags),
            favourite=False,
            file_key=file.key,
            file_size=file.size,
            sha256=file.sha256,
            format=file.format,
            content_type=file.content_type,
            status="pending",
            version=1,
            search_text=search_text(filename=file.filename, name=name, folder=folder, tags=list(tags), vibe=None),
        )
        .on_conflict_do_nothing(index_elements=[Sample.user_id, Sample.sha256])
        .returning(Sample.id)
    )
    if entered.scalar_one_or_none() is None:
        twin = (
            await session.execute(
                select(Sample).where(Sample.user_id == user_id, Sample.sha256 == file.sha256).with_for_update()
            )
        ).scalar_one()
        await quotas.release(session, reservation)
        if twin.deleted_at is not None:
            await restore_sample(session, twin, plan)
        return Added(_upload(twin, None, duplicate=True), stored=False)
    if not await quotas.commit(session, reservation, used=file.size):  # it took so long that the promise expired
        renewed = await quotas.reserve(session, user_id, "storage", file.size, limit=plan.storage_bytes)
        await quotas.commit(session, renewed, used=file.size)
    sample = await session.get_one(Sample, sample_id)
    deferred = await _deferred(session, user_id)
    job = await jobs.create_job(session, sample, plan=plan, deferred=deferred)
    return Added(_upload(sample, job.estimated_completion, duplicate=False, deferred=deferred), stored=True)


async def get_sample(
    session: AsyncSession, sample_id: UUID, *, deleted: bool | None = False, lock: bool = False
) -> Sample:
    """The caller's sample; raises NotFound when it is missing, someone else's, or (unless asked for) in the trash.

    With `lock`, to be changed: whoever else would change it, a worker too, waits for the end of the transaction.
    """
    sample = await own_row(session, Sample, sample_id, lock=lock)
    if sample is None or (deleted is not None and deleted != (sample.deleted_at is not None)):
        raise NotFound("There is no such sample.")
    return sample


async def describe_sample(session: AsyncSession, sample: Sample) -> SampleDetail:
    """Everything there is to say about a sample."""
    analysis = await latest_analysis(session, sample.id)
    collections = await session.execute(
        select(Collection.id, Collection.name)
        .join(CollectionSample, CollectionSample.collection_id == Collection.id)
        .where(CollectionSample.sample_id == sample.id)
        .order_by(func.lower(Collection.name))
    )
    job = await session.get(ProcessingJob, sample.job_id) if sample.job_id else None
    return SampleDetail(
        **summarize(sample, deferred=job is not None and job.status == "pending" and job.step == jobs.DEFERRED),
        analysis=analysis.result if analysis else None,
        collections=[CollectionRef(id=row.id, name=row.name) for row in collections],
        job=jobs.shown(job) if job else None,
    )


async def change_sample(session: AsyncSession, sample: Sample, change: SampleChange) -> None:
    """Apply the fields that were sent; what the owner says about tempo, key and kind stands until they take it back."""
    sent = change.model_fields_set
    for name in ("tempo", "key", "kind"):
        if name in sent:
            setattr(sample, f"corrected_{name}", getattr(change, name))
    if sent & {"tempo", "key", "kind"} and (analysis := await latest_analysis(session, sample.id)):
        sample.vibe = vibe_of(sample, analysis.result)
    if "name" in sent:
        sample.name = change.name or _name_in(sample.filename)
    if "tags" in sent:
        sample.tags = list(dict.fromkeys(change.tags or []))
    if "favourite" in sent:
        sample.favourite = bool(change.favourite)
    sample.search_text = search_text(
        filename=sample.filename, name=sample.name, folder=sample.folder, tags=sample.tags, vibe=sample.vibe
    )
    sample.version += 1
    await session.flush()
    await session.refresh(sample)


async def delete_sample(session: AsyncSession, sample: Sample) -> None:
    """Put a sample into the trash; a job still working on it is called off."""
    sample.deleted_at = datetime.now(UTC)
    sample.version += 1
    if sample.job_id is not None:
        await jobs.cancel_if_active(session, sample.job_id)


async def restore_sample(session: AsyncSession, sample: Sample, plan: Plan) -> None:
    """Take a sample out of the trash, and analyse it if that had been called off."""
    sample.deleted_at = None
    sample.version += 1
    if sample.status in ("pending", "processing"):
        await jobs.create_job(session, sample, plan=plan, deferred=await _deferred(session, sample.user_id))


async def analyze_again(session: AsyncSession, sample: Sample, plan: Plan) -> ProcessingJob:
    """Enqueue a new analysis; corrections stay as they are. A job already on its way is the answer."""
    if sample.job_id is not None:
        running = await session.get(ProcessingJob, sample.job_id)
        if running is not None and running.status in ("pending", "processing"):
            return await jobs.start(session, running, plan=plan)
    sample.status = "pending"
    sample.error_code = sample.error_message = None
    sample.version += 1
    return await jobs.create_job(session, sample, plan=plan)


async def _deferred(session: AsyncSession, user_id: UUID) -> bool:
    """Whether what this person adds waits until they ask for its analysis."""
    return not (await preferences_of(session, user_id)).auto_analyze_enabled


async def latest_analysis(session: AsyncSession, sample_id: UUID) -> Analysis | None:
    """The newest result for a sample, or None while there is none."""
    found: Analysis | None = await session.scalar(
        select(Analysis).where(Analysis.sample_id == sample_id).order_by(Analysis.created_at.desc()).limit(1)
    )
    return found


def peaks_to_waveform(peaks: bytes, points: int) -> Waveform:
    """The stored peaks (all minima, then all maxima, signed 8-bit) reduced to `points` parts, as levels -1 to 1."""
    minima, maxima = np.frombuffer(peaks, dtype=np.int8).reshape(2, -1).astype(np.float32) / 127
    points = min(points, minima.size)
    edges = np.linspace(0, minima.size, points, endpoint=False).astype(int)
    return Waveform(
        points=points,
        channels=1,
        minimum=np.minimum.reduceat(minima, edges).round(4).tolist(),
        maximum=np.maximum.reduceat(maxima, edges).round(4).tolist(),
    )


def summarize(sample: Sample | ListedSample, *, deferred: bool) -> dict[str, Any]:
    """A sample as it stands in a list: the fields of `SampleSummary`, as values that JSON knows."""
    return {
        "id": str(sample.id),
        "filename": sample.filename,
        "name": sample.name,
        "folder": sample.folder,
        "status": sample.status,
        "deferred": deferred,
        "kind": sample.kind,
        "tempo": _rounded(sample.tempo, 2),
        "key": sample.key,
        "camelot": CAMELOT.get(sample.key or ""),
        "duration": _rounded(sample.duration, 4),
        "size_bytes": sample.file_size,
        "format": sample.format,
        "sample_rate": sample.sample_rate,
        "channels": sample.channels,
        "loudness": _rounded(sample.loudness, 1),
        "favourite": sample.favourite,
        "tags": sample.tags,
        "vibe": sample.vibe,
        "waveform": base64.b64encode(sample.waveform).decode() if sample.waveform else None,
        "corrected": _corrected(sample),
        "error": {"code": sample.error_code, "message": sample.error_message or ""} if sample.error_code else None,
        "created_at": sample.created_at,
        "deleted_at": sample.deleted_at,
        "job_id": str(sample.job_id) if sample.job_id else None,
        "version": sample.version,
    }


def _corrected(sample: Sample | ListedSample) -> list[Correctable]:
    said: dict[Correctable, bool] = {
        "tempo": sample.corrected_tempo is not None,
        "key": sample.corrected_key is not None,
        "kind": sample.corrected_kind is not None,
        "name": sample.name != _name_in(sample.filename),
    }
    return [field for field, by_owner in said.items() if by_owner]


def _name_in(filename: str) -> str:
    """What a sample is called until its owner says otherwise: the file's name without its extension."""
    return splitext(filename)[0]


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _upload(sample: Sample, estimated: datetime | None, *, duplicate: bool, deferred: bool = False) -> Upload:
    return Upload.model_construct(
        sample_id=sample.id,
        job_id=sample.job_id,
        status=sample.status,
        filename=sample.filename,
        estimated_completion=estimated,
        duplicate=duplicate,
        deferred=deferred,
    )
