"""What happened in an organization, as its owner and administrators see it.

Whoever acted is named by their address as long as they belong to the organization; whom something was done to, by the
address they had then. So nobody learns the new address of somebody who left. Where people were when they did something
is theirs and is not shown to others.
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
from sample_agent.accounts.organizations.models import Membership


@dataclass(frozen=True)
class Named:
    """Somebody or something in an entry: what kind it is, its id, and its address when that is known here."""

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
        addresses = await _addresses(db, organization_id, [entry for entry, _ in rows])
    return HappenedPage(
        entries=[_happened(entry, detail, addresses) for entry, detail in rows],
        next_cursor=str(rows[-1][0].position) if more else None,
    )


async def _addresses(db: AsyncSession, organization_id: UUID, entries: list[AuditEntry]) -> dict[UUID, str]:
    """The addresses of those who acted and are members, by their own ids and by those of their keys."""
    ids = {entry.actor_id for entry in entries if entry.actor_id is not None}
    members = (
        select(User.id, User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization_id)
        .subquery()
    )
    people = await db.execute(select(members.c.id, members.c.email).where(members.c.id.in_(ids)))
    keys = await db.execute(
        select(ApiKey.id, members.c.email).join(members, members.c.id == ApiKey.user_id).where(ApiKey.id.in_(ids))
    )
    return {row.id: row.email for found in (people, keys) for row in found}


def _happened(entry: AuditEntry, detail: Mapping[str, Any] | None, addresses: Mapping[UUID, str]) -> Happened:
    rest = dict(detail or {})
    email = rest.pop("email", None)
    return Happened(
        id=entry.id,
        at=entry.at,
        action=entry.action,
        actor=_actor(entry, addresses),
        subject=None if entry.subject_kind is None else Named(entry.subject_kind, entry.subject_id, email),
        detail=rest,
    )


def _actor(entry: AuditEntry, addresses: Mapping[UUID, str]) -> Named:
    # Administrators of the installation act in its name.
    known = entry.actor_id if entry.actor_kind in ("user", "api-key") else None
    return Named(entry.actor_kind, known, addresses.get(known) if known else None)
