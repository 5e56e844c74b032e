"""Deleting for good: rows first, together with a task that deletes their objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.billing import quotas
from sample_agent.core.database import Database
from sample_agent.core.queue import enqueue
from sample_agent.core.storage import Storage
from sample_agent.library.drawings import keys_beside
from sample_agent.library.models import Sample

DELETE_OBJECTS = "delete-objects"


async def empty_trash(session: AsyncSession, user_id: UUID, *, deleted_before: datetime | None = None) -> int:
    """Delete the samples of one user's trash for good; their objects follow once this transaction is committed."""
    condition = Sample.deleted_at.is_not(None) if deleted_before is None else Sample.deleted_at < deleted_before
    gone = (
        await session.execute(
            delete(Sample)
            .where(Sample.user_id == user_id, condition)
            .returning(Sample.file_key, Sample.preview_key, Sample.file_size, Sample.counted)
        )
    ).all()
    if gone:
        await quotas.give_back(session, user_id, "storage", sum(row.file_size for row in gone if row.counted))
        keys = [key for row in gone for key in _keys_of(row.file_key, row.preview_key)]
        await enqueue(session, DELETE_OBJECTS, {"keys": keys})
    return len(gone)


def _keys_of(file_key: str, preview_key: str | None) -> Sequence[str]:
    return (file_key, *keys_beside(preview_key)) if preview_key else (file_key,)


async def purge_trash(database: Database, *, older_than: timedelta) -> int:
    """Empty every user's trash of what has lain there longer than `older_than`."""
    before = datetime.now(UTC) - older_than
    async with database.transaction(purpose="worker") as session:
        owners = list(await session.scalars(select(Sample.user_id).where(Sample.deleted_at < before).distinct()))
    purged = 0
    for owner in owners:
        async with database.transaction(owner) as session:
            purged += await empty_trash(session, owner, deleted_before=before)
    return purged


async def delete_objects(payload: dict[str, Any], storage: Storage) -> None:
    """Delete stored objects; one that is already gone is fine."""
    keys: Sequence[str] = payload["keys"]
    for key in keys:
        await storage.delete(key)
