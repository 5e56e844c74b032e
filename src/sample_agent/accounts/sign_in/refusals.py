"""Refused sign-ins in the audit log: told of, and never so often that they bury everything else.

Anybody can have a sign-in refused, as often as limits allow, and what is in the log stays there. So an account's log
gets at most one entry a minute, with the number of refusals since the one before; what is left over is told by the next
sign-in that succeeds.

A refusal is queued and not written at once: the same happens whether or not there is such an account, so that the time
an answer takes tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.models import User
from sample_agent.accounts.sign_in.models import RefusedSignIns
from sample_agent.core.database import Database
from sample_agent.core.queue import enqueue

RECORD_REFUSAL = "record-refused-sign-in"
"""The entry point of `record_refusal` in the queue."""

ONCE_IN = timedelta(minutes=1)
"""How often an account's log gets an entry about refusals."""


async def note_refusal(db: AsyncSession, user_id: UUID | None, reason: str, client: Client, now: datetime) -> None:
    """Have a refused sign-in recorded, if there is such an account; the same work is done if there is none."""
    payload = {
        "user_id": str(user_id) if user_id else None,
        "reason": reason,
        "at": now.isoformat(),
        "ip_address": client.ip_address,
        "user_agent": client.user_agent,
    }
    await enqueue(db, RECORD_REFUSAL, payload)


async def record_refusal(payload: Mapping[str, Any], database: Database) -> None:
    """Count a refusal, and write it into the account's log unless one was written less than a minute before it."""
    if payload["user_id"] is None:
        return
    user_id, at = UUID(payload["user_id"]), datetime.fromisoformat(payload["at"])
    async with database.transaction(purpose="identity") as db:
        if (
            await db.scalar(select(User.id).where(User.id == user_id).with_for_update(read=True, key_share=True))
            is None
        ):
            return
        counted = insert(RefusedSignIns).values(user_id=user_id, unrecorded=1)
        refused = (
            await db.execute(
                counted.on_conflict_do_update(
                    index_elements=[RefusedSignIns.user_id], set_={"unrecorded": RefusedSignIns.unrecorded + 1}
                ).returning(RefusedSignIns.unrecorded, RefusedSignIns.recorded_at)
            )
        ).one()
        if refused.recorded_at is not None and abs(at - refused.recorded_at) < ONCE_IN:
            return
        await db.execute(
            update(RefusedSignIns).where(RefusedSignIns.user_id == user_id).values(unrecorded=0, recorded_at=at)
        )
        await record(
            db,
            Action.SIGN_IN_REFUSED,
            tenant_id=user_id,
            actor=Actor("user", None, Client(payload["user_agent"], payload["ip_address"])),
            detail={"reason": payload["reason"], "count": refused.unrecorded},
            now=at,
        )


async def take_refusals(db: AsyncSession, user_id: UUID) -> int:
    """How many refusals no entry has told of yet; the entry that is about to be written does."""
    left = await db.scalar(
        delete(RefusedSignIns).where(RefusedSignIns.user_id == user_id).returning(RefusedSignIns.unrecorded)
    )
    return left or 0
