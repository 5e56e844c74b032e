"""What is kept up about people's data: archives whose time is over, erasures that are due."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, or_, select

from sample_agent.accounts.privacy.erasure import ErasureTools, erase_due, sweep_lately_erased
from sample_agent.accounts.privacy.exports import UNDER_WAY, queue_export
from sample_agent.accounts.privacy.models import DataExport
from sample_agent.accounts.privacy.own_data import EXPORTS
from sample_agent.core.rounds import every

ROUND_SECONDS = 3600
_ROWS_KEPT = timedelta(days=90)

log = structlog.get_logger("privacy")


async def keep_promises(tools: ErasureTools) -> None:
    """Do all of it every hour, until cancelled."""
    await every(ROUND_SECONDS, lambda: one_round(tools), log, "upkeep of people's data failed, will be tried again")


async def one_round(tools: ErasureTools) -> None:
    """Erase who is due, delete archives that are over, and see to copies that nobody makes."""
    erased = await erase_due(tools)
    late = await sweep_lately_erased(tools)
    archives = await expire_exports(tools)
    await revive_exports(tools)
    if erased or late or archives:
        log.info("people's data was kept up", erased=erased, late_objects=late, archives=archives)


async def expire_exports(tools: ErasureTools) -> int:
    """Delete the archives whose time is over, and what failed tries left; how many archives."""
    now = tools.now()
    over = select(DataExport.user_id, DataExport.id).where(
        DataExport.file_key.is_not(None), or_(DataExport.expires_at <= now, DataExport.status == "failed")
    )
    async with tools.database.transaction(purpose="identity") as db:
        await db.execute(delete(DataExport).where(DataExport.expires_at < now - _ROWS_KEPT))
        found = [(row.user_id, row.id) for row in await db.execute(over)]
    for user_id, export_id in found:
        # The object first: a row without its object can be expired again, an object without a row is lost from sight.
        await tools.storage.delete(_key(user_id, export_id))
        async with tools.database.transaction(user_id) as db:
            export = await db.get(DataExport, export_id, with_for_update=True)
            if export is not None:
                export.status, export.file_key = "expired" if export.status == "completed" else export.status, None
    return len(found)


async def revive_exports(tools: ErasureTools) -> None:
    """Queue every copy that is under way; those whose task is in the queue stay as they are."""
    async with tools.database.transaction(purpose="identity") as db:
        for export in await db.scalars(select(DataExport).where(DataExport.status.in_(UNDER_WAY))):
            await queue_export(db, export)


def _key(user_id: UUID, export_id: UUID) -> str:
    return f"{EXPORTS}/{user_id}/{export_id}.zip"
