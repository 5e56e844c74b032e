"""Making a copy of somebody's data: a worker's task, begun anew when a worker dies over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, update

from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.models import User
from sample_agent.accounts.privacy.archive import archive
from sample_agent.accounts.privacy.exports import UNDER_WAY
from sample_agent.accounts.privacy.mails import DATA_EXPORT_READY
from sample_agent.accounts.privacy.models import DataExport
from sample_agent.accounts.privacy.own_data import EXPORTS
from sample_agent.accounts.privacy.portions import Portion
from sample_agent.core.database import Database
from sample_agent.core.storage import PART_BYTES, Storage

MOST_ATTEMPTS = 5
KEPT = timedelta(days=7)
"""How long an archive can be downloaded."""

REPORT_SECONDS = 2.0
_MOST_PARTS = 9_000
_GAVE_UP = "The copy could not be made. Nothing of yours is lost; ask for another one, or tell the operator."

log = structlog.get_logger("privacy")


@dataclass(frozen=True)
class ExportTools:
    """What making copies takes. `space` is this process's scratch space."""

    database: Database
    storage: Storage
    portions: Sequence[Portion]
    space: Path
    now: Callable[[], datetime] = utc_now


class _Gone(Exception):
    """Nobody waits for the copy any more: the account is being erased."""


async def export_data(payload: Mapping[str, Any], tools: ExportTools) -> None:
    """Make the copy in `payload` and mail that it is ready. Raises whatever went wrong while another try is left."""
    export_id, user_id = UUID(payload["export_id"]), UUID(payload["user_id"])
    attempt = await _begin(tools, export_id, user_id)
    if attempt is None:
        return
    key = f"{EXPORTS}/{user_id}/{export_id}.zip"
    try:
        size = await _store(tools, export_id, user_id, key)
        await _complete(tools, export_id, user_id, key, size)
    except _Gone:
        await tools.storage.delete(key)
    except asyncio.CancelledError:
        await _note(tools, export_id, user_id, status="pending", attempts=DataExport.attempts - 1)
        raise
    except Exception as error:
        if attempt < MOST_ATTEMPTS:
            raise
        log.exception("a copy of somebody's data could not be made", export_id=str(export_id))
        await tools.storage.delete(key)
        await _note(tools, export_id, user_id, status="failed", error=_GAVE_UP, completed_at=tools.now())
        del error


async def _begin(tools: ExportTools, export_id: UUID, user_id: UUID) -> int | None:
    """Which attempt begins; None when there is nothing to do, or so many workers died that it is given up."""
    async with tools.database.transaction(user_id) as db:
        export = await db.get(DataExport, export_id, with_for_update=True)
        if export is None or export.status not in UNDER_WAY:
            return None
        if export.attempts >= MOST_ATTEMPTS:
            export.status, export.error, export.completed_at = "failed", _GAVE_UP, tools.now()
            return None
        export.status, export.progress, export.attempts = "processing", 0, export.attempts + 1
        return export.attempts


async def _store(tools: ExportTools, export_id: UUID, user_id: UUID, key: str) -> int:
    """Put the archive into storage and return its size, with the progress shown meanwhile. Raises _Gone."""
    total = sum([await portion.bytes_of(tools.database, user_id) for portion in tools.portions])
    progress = _Progress(total)
    content = archive(
        tools.database,
        tools.storage,
        tools.portions,
        user_id,
        space=tools.space,
        made_at=tools.now(),
        advance=progress.advance,
    )
    # In a bucket the number of parts is limited, so that their size has to go with the whole.
    part_bytes = max(PART_BYTES, -(-2 * total // _MOST_PARTS))
    storing = asyncio.ensure_future(tools.storage.put(key, content, "application/zip", part_bytes=part_bytes))
    reporting = asyncio.ensure_future(_report(tools, export_id, user_id, progress))
    try:
        await asyncio.wait({storing, reporting}, return_when=asyncio.FIRST_COMPLETED)
        if not storing.done():
            reporting.result()
            raise RuntimeError("progress is reported until the archive is stored")
        return storing.result().size
    finally:
        for task in (storing, reporting):
            task.cancel()
        await asyncio.gather(storing, reporting, return_exceptions=True)
        await content.aclose()


async def _report(tools: ExportTools, export_id: UUID, user_id: UUID, progress: _Progress) -> None:
    while True:
        await asyncio.sleep(REPORT_SECONDS)
        await _note(tools, export_id, user_id, progress=progress.percent)


async def _note(tools: ExportTools, export_id: UUID, user_id: UUID, **values: Any) -> None:
    change = update(DataExport).where(DataExport.id == export_id, DataExport.status == "processing").values(**values)
    async with tools.database.transaction(user_id) as db:
        if await db.scalar(change.returning(DataExport.id)) is None:
            raise _Gone


async def _complete(tools: ExportTools, export_id: UUID, user_id: UUID, key: str, size: int) -> None:
    """Let the copy be downloaded from now on, and mail that; copies made before are taken away."""
    now = tools.now()
    async with tools.database.transaction(user_id) as db:
        address = await db.scalar(select(User.email).where(User.id == user_id).with_for_update(key_share=True))
        export = await db.get(DataExport, export_id, with_for_update=True)
        if address is None or export is None or export.status != "processing":
            raise _Gone
        export.status, export.progress, export.file_key, export.file_size = "completed", 100, key, size
        export.completed_at, export.expires_at = now, now + KEPT
        older = list(
            await db.scalars(
                select(DataExport).where(
                    DataExport.user_id == user_id, DataExport.id != export_id, DataExport.status == "completed"
                )
            )
        )
        for each in older:
            each.expires_at = now
        await queue_mail(db, DATA_EXPORT_READY, to=address, user_id=user_id, data={"export_id": str(export_id)})
    log.info("a copy of somebody's data is ready", bytes=size)


@dataclass
class _Progress:
    """How much of the files is in the archive."""

    total: int
    done: int = field(default=0, init=False)

    def advance(self, size: int) -> None:
        self.done += size

    @property
    def percent(self) -> int:
        return min(99, 100 * self.done // self.total) if self.total else 0
