"""Objects without a sample: what is left when a process dies between storage and database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from sample_agent.core.database import Database
from sample_agent.core.identifiers import made_at
from sample_agent.core.storage import Storage
from sample_agent.library.models import Sample

FOLDERS = ("uploads", "previews")
_OF_A_SAMPLE = re.compile(r"(?:uploads|previews)/([0-9a-f-]{36})/([0-9a-f-]{36})(?:\..*)?")
_ASKED_AT_ONCE = 1000


class Owned(NamedTuple):
    """Whose object it is, and of which sample, as its key says."""

    user_id: UUID
    sample_id: UUID


async def sweep_orphans(database: Database, storage: Storage, *, older_than: timedelta) -> int:
    """Delete the objects of samples that are not in the database, trash included; how many there were.

    A sample's row follows its file within moments, so one that was begun longer ago than `older_than` and has no row
    will never have one. When it was begun stands in its id. Whoever has no sample at all in this database is left
    alone: a worker that was pointed at the wrong database must not empty the storage of the right one.
    """
    begun_before = datetime.now(UTC) - older_than
    swept = 0
    keys: dict[str, Owned] = {}
    for folder in FOLDERS:
        async for stored in storage.list(folder):
            owned = _read(stored.key)
            if owned is not None and made_at(owned.sample_id) < begun_before:
                keys[stored.key] = owned
            if len(keys) == _ASKED_AT_ONCE:
                swept += await _delete_unknown(database, storage, keys)
                keys = {}
    return swept + await _delete_unknown(database, storage, keys)


async def _delete_unknown(database: Database, storage: Storage, keys: dict[str, Owned]) -> int:
    users, samples = {owned.user_id for owned in keys.values()}, {owned.sample_id for owned in keys.values()}
    async with database.transaction(purpose="worker") as session:
        ours = set(await session.scalars(select(Sample.user_id).where(Sample.user_id.in_(users)).distinct()))
        known = set(await session.scalars(select(Sample.id).where(Sample.id.in_(samples))))
    orphans = [key for key, owned in keys.items() if owned.user_id in ours and owned.sample_id not in known]
    for key in orphans:
        await storage.delete(key)
    return len(orphans)


def _read(key: str) -> Owned | None:
    match = _OF_A_SAMPLE.fullmatch(key)
    try:
        return Owned(UUID(match[1]), UUID(match[2])) if match else None
    except ValueError:
        return None
