"""Taking out of the audit log what tells of somebody who is erased. The entries stay, and the chains with them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit.models import AuditContext, AuditEntry

ELSEWHERE = "contexts_elsewhere"
"""The field in the details of `data.erased` that names the entries whose contexts went although the entries themselves
do not name the person: verification excuses those and no others."""


async def erase_contexts(db: AsyncSession, user_id: UUID, address: str) -> list[UUID]:
    """Delete where the person's acts came from and what they were in detail, in whoever's log they stand.

    Returns the entries that name the person nowhere but in their details; whoever records the erasure puts them
    under `ELSEWHERE`. `address` in lower case.
    """
    naming = select(AuditEntry.id).where(or_(AuditEntry.actor_id == user_id, AuditEntry.subject_id == user_id))
    await _delete(db, AuditContext.tenant_id == user_id, AuditContext.entry_id.in_(naming))
    told = func.lower(cast(AuditContext.detail, Text))
    return await _delete(db, func.strpos(told, address) > 0, func.strpos(told, str(user_id)) > 0)


async def _delete(db: AsyncSession, *either: ColumnElement[bool]) -> list[UUID]:
    gone: Sequence[UUID] = (
        await db.scalars(
            delete(AuditContext)
            .where(or_(*either))
            .returning(AuditContext.entry_id)
            .execution_options(synchronize_session=False)
        )
    ).all()
    return sorted(gone)
