"""That everybody's log says when an impersonation was over, also when nobody ended it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import exists, select

from sample_agent.accounts.audit import SYSTEM, Action, Subject, record
from sample_agent.accounts.audit.models import AuditEntry
from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.models import Session
from sample_agent.core.database import Database
from sample_agent.core.rounds import every

ROUND_SECONDS = 60

_RECORDED = exists().where(
    AuditEntry.tenant_id == Session.user_id,
    AuditEntry.action == Action.IMPERSONATION_ENDED.value,
    AuditEntry.subject_id == Session.id,
)

log = structlog.get_logger("admin")


async def watch_impersonations(database: Database) -> None:
    """Record every minute which are over, until cancelled."""
    await every(ROUND_SECONDS, lambda: record_ended(database), log, "ended impersonations were not recorded")


async def record_ended(database: Database, now: Callable[[], datetime] = utc_now) -> int:
    """Record each impersonation whose time ran out and whose end stands in no log yet; how many there were.

    Whatever else ends one records that itself.
    """
    ran_out = Session.impersonator_id.is_not(None), Session.revoked_at.is_(None), Session.expires_at <= now()
    async with database.transaction(purpose="identity") as db:
        sessions = (await db.scalars(select(Session.id).where(*ran_out, ~_RECORDED))).all()
    recorded = [await _record_end(database, session_id, now()) for session_id in sessions]
    return sum(recorded)


async def _record_end(database: Database, session_id: UUID, now: datetime) -> bool:
    async with database.transaction(purpose="identity") as db:
        session = await db.get(Session, session_id, with_for_update={"skip_locked": True})
        # Asked again, now that nobody else can be about it.
        if session is None or await db.scalar(select(_RECORDED).where(Session.id == session_id)):
            return False
        await record(
            db,
            Action.IMPERSONATION_ENDED,
            tenant_id=session.user_id,
            actor=SYSTEM,
            subject=Subject("session", session_id),
            detail={"ended_at": session.expires_at, "why": "the time was over"},
            now=now,
        )
    return True
