"""Ending sessions as part of something larger, in its transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import SYSTEM, Action, Actor, Subject, record
from sample_agent.accounts.models import Session


async def end_sessions(
    db: AsyncSession,
    user_id: UUID,
    *,
    now: datetime,
    reason: str,
    only: UUID | None = None,
    keep: UUID | None = None,
    by: Actor = SYSTEM,
) -> list[UUID]:
    """End the living sessions of a person, or `only` one, or all but the one to `keep`; return the ids of the ended.

    What an administrator has begun from one of them, looking through somebody else's eyes, ends with it; it is none of
    the person's sessions, and not among what is returned.
    Their refresh tokens are refused from the commit on, their access tokens within a second on every process, and at
    once on this one when it calls `identity.sessions.forget` with each id after the commit. Recording it is left to
    whoever knows why it happened; but for the end of an impersonation, which is recorded as done `by` somebody in the
    log of the person who was looked at.
    """
    conditions = [Session.user_id == user_id]
    if only is not None:
        conditions.append(Session.id == only)
    if keep is not None:
        conditions.append(Session.id != keep)
    ended = [row.id for row in await _end(db, conditions, reason, now, by)]
    if ended:
        begun_there = Session.impersonator_session_id.in_(ended)
        await _end(db, [begun_there], "the administrator's own session ended", now, SYSTEM)
    return ended


async def end_impersonations_by(db: AsyncSession, administrator_id: UUID, *, now: datetime, reason: str) -> list[UUID]:
    """End whatever an administrator looks at through other people's eyes, record it, and return the ids."""
    theirs = Session.impersonator_id == administrator_id
    return [row.id for row in await _end(db, [theirs], reason, now, SYSTEM)]


async def _end(
    db: AsyncSession, conditions: list[ColumnElement[bool]], reason: str, now: datetime, by: Actor
) -> list[Row[UUID, UUID, UUID | None]]:
    living = select(Session.id, Session.user_id, Session.impersonator_id).where(
        *conditions, Session.revoked_at.is_(None), Session.expires_at > now
    )
    # In one order, so that two who end the same sessions wait for each other instead of both failing.
    ended = list(await db.execute(living.order_by(Session.id).with_for_update()))
    if ended:
        change = update(Session).where(Session.id.in_([row.id for row in ended]))
        await db.execute(change.values(revoked_at=now, revoked_reason=reason))
    for row in ended:
        if row.impersonator_id is not None:
            await record(
                db,
                Action.IMPERSONATION_ENDED,
                tenant_id=row.user_id,
                actor=by,
                subject=Subject("session", row.id),
                detail={"ended_at": now, "why": reason},
                now=now,
            )
    return ended
