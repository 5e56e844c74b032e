"""What happened in an organization, as its owner and administrators see it.

The log names people by their ids alone; who they are is looked up when it is read, so whoever is erased is nobody here
either. Where somebody was when they did something is theirs and is not shown to others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit.models import AuditContext, AuditEntry
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import ApiKey, User
from sample_agent.accounts.organizations.membership import Role, require_role
from sample_agent.accounts.organizations.models import Invitation


@dataclass(frozen=True)
class Named:
    """Somebody or something in an entry: what kind it is, its id, and its address when that is still known."""

    kind: str
    id: UUID | None
    email: str | None


@dataclass(frozen=True)
class Happened:
    """One entry."""

    id: UUID
    at: datetime
    action: str
    actor: Named
    subject: Named | None
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class HappenedPage:
    """Entries, newest first, and where the next ones begin; None when these are the last."""

    entries: list[Happened]
    next_cursor: str | None


async def happened(
    identity: Identity, user_id: UUID, organization_id: UUID, *, before: int | None, limit: int
) -> HappenedPage:
    """What happened, newest first, from before the entry at this position. For administrators."""
    async with identity.database.transaction(purpose="identity") as db:
        await require_role(db, organization_id, user_id, Role.ADMIN)
        page = (
            select(AuditEntry, AuditContext.detail)
            .outerjoin(AuditContext, AuditContext.entry_id == AuditEntry.id)
            .where(AuditEntry.tenant_id == organization_id)
            .order_by(AuditEntry.position.desc())
            .limit(limit + 1)
        )
        if before is not None:
            page = page.where(AuditEntry.position < before)
        rows = (await db.execute(page)).all()
        more, rows = len(rows) > limit, rows[:limit]
        addresses = await _addresses(db, [entry for entry, _ in rows])
    return HappenedPage(
        entries=[_happened(entry, detail, addresses) for entry, detail in rows],
        next_cursor=str(rows[-1][0].position) if more else None,
    )


async def _addresses(db: AsyncSession, entries: list[AuditEntry]) -> dict[UUID, str]:
    """The addresses of the people, the keys' owners and the invitations that entries name."""
    ids = {each for entry in entries for each in (entry.actor_id, entry.subject_id) if each is not None}
    people = await db.execute(select(User.id, User.email).where(User.id.in_(ids)))
    keys = await db.execute(
        select(ApiKey.id, User.email).join(User, User.id == ApiKey.user_id).where(ApiKey.id.in_(ids))
    )
    invitations = await db.execute(select(Invitation.id, Invitation.email).where(Invitation.id.in_(ids)))
    return {row.id: row.email for found in (people, keys, invitations) for row in found}


def _happened(entry: AuditEntry, detail: Mapping[str, Any] | None, addresses: Mapping[UUID, str]) -> Happened:
    return Happened(
        id=entry.id,
        at=entry.at,
        action=entry.action,
        actor=_actor(entry, addresses),
        subject=None
        if entry.subject_kind is None or entry.subject_id is None
        else Named(entry.subject_kind, entry.subject_id, addresses.get(entry.subject_id)),
        detail=detail or {},
    )


def _actor(entry: AuditEntry, addresses: Mapping[UUID, str]) -> Named:
    # Administrators of the installation act in its name.
    known = entry.actor_id if entry.actor_kind in ("user", "api-key") else None
    return Named(entry.actor_kind, known, addresses.get(known) if known else None)
