"""Ending sessions as part of something larger, in its transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.models import Session


async def end_sessions(
    db: AsyncSession,
    user_id: UUID,
    *,
    now: datetime,
    reason: str,
    only: UUID | None = None,
    keep: UUID | None = None,
) -> list[UUID]:
    """End the living sessions of a person, or `only` one, or all but the one to `keep`; return the ids of the ended.

    What an administrator has begun from one of them, looking through somebody else's eyes, ends with it.
    Their refresh tokens are refused from the commit on, their access tokens within a second on every process, and at
    once on this one when it calls `identity.sessions.forget` with each id after the commit. Recording it is left to
    whoever knows why it happened.
    """
    conditions: list[ColumnElement[bool]] = [
        Session.user_id == user_id,
        Session.revoked_at.is_(None),
        Session.expires_at > now,
    ]
    if only is not None:
        conditions.append(Session.id == only)
    if keep is not None:
        conditions.append(Session.id != keep)
    # In one order, so that two who end the same sessions wait for each other instead of both failing.
    living = list(await db.scalars(select(Session.id).where(*conditions).order_by(Session.id).with_for_update()))
    if not living:
        return []
    change = update(Session).where(Session.id.in_(living), Session.user_id == user_id)
    await db.execute(change.values(revoked_at=now, revoked_reason=reason))
    begun_there = await db.scalars(
        update(Session)
        .where(Session.impersonator_session_id.in_(living), Session.revoked_at.is_(None), Session.expires_at > now)
        .values(revoked_at=now, revoked_reason="the administrator's own session ended")
        .returning(Session.id)
    )
    return [*living, *begun_there]
