"""Whoever deletes their account: what has to be settled before, and leaving everything behind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from sample_agent.accounts import audit
from sample_agent.accounts.audit import SYSTEM, Action, Actor, Subject
from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.holding import hold_person
from sample_agent.accounts.models import User
from sample_agent.accounts.organizations import notices
from sample_agent.accounts.organizations.members import end_membership, needs_owner
from sample_agent.accounts.organizations.membership import Role
from sample_agent.accounts.organizations.models import Invitation, Membership, Organization
from sample_agent.accounts.organizations.service import hand_over


@dataclass(frozen=True)
class Owned:
    """An organization that somebody owns and others belong to."""

    id: UUID
    name: str
    members: int
    """The owner included."""


async def owned_with_others(db: AsyncSession, user_id: UUID) -> list[Owned]:
    """The organizations that would be left without an owner if this person went, in a transaction of identity."""
    own = aliased(Membership)
    rows = await db.execute(
        select(Organization.id, Organization.name, func.count().label("members"))
        .join(own, own.organization_id == Organization.id)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(own.user_id == user_id, own.role == Role.OWNER.value)
        .group_by(Organization.id, Organization.name)
        .having(func.count() > 1)
        .order_by(Organization.name, Organization.id)
    )
    return [Owned(row.id, row.name, row.members) for row in rows]


async def refuse_while_needed(db: AsyncSession, user_id: UUID) -> None:
    """Raise OrganizationNeedsOwner, which names them, while there are such organizations."""
    owned = await owned_with_others(db, user_id)
    if owned:
        raise needs_owner([(each.id, each.name) for each in owned])


async def leave_all(db: AsyncSession, user_id: UUID, *, actor: Actor = SYSTEM, now: datetime | None = None) -> None:
    """Take somebody who is about to be erased out of every organization, in a transaction of identity.

    An organization of theirs alone is deleted. `refuse_while_needed` was asked when they decided to go, and an erasure
    is not put off: what they have come to own with others since goes to whoever was an administrator for longest, or
    else a member. Their address is taken out of all invitations. Takes hold of the person first.
    """
    now = now or utc_now()
    person = await hold_person(db, user_id)
    organizations = await db.scalars(
        select(Organization)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user_id)
        .order_by(Organization.id)
        .with_for_update(of=Organization)
    )
    for organization in organizations.all():
        await _leave(db, organization, user_id, actor, now)
    await db.execute(delete(Invitation).where((Invitation.email == person.email) | (Invitation.user_id == user_id)))


async def _leave(db: AsyncSession, organization: Organization, user_id: UUID, actor: Actor, now: datetime) -> None:
    organization_id, name = organization.id, organization.name
    memberships = await db.execute(
        select(Membership.user_id, Membership.role, User.is_active, User.delete_after)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organization_id == organization_id)
        .order_by(
            User.is_active.desc(),
            User.delete_after.is_not(None),
            Membership.role != Role.ADMIN.value,
            Membership.joined_at,
            Membership.user_id,
        )
    )
    roles = {row.user_id: Role(row.role) for row in memberships}
    own = roles.pop(user_id)
    if not roles:
        await db.execute(delete(Organization).where(Organization.id == organization_id))
        await audit.record(
            db,
            Action.ORGANIZATION_DELETED,
            tenant_id=organization_id,
            actor=actor,
            now=now,
        )
        return
    if own is Role.OWNER:
        successor_id = next(iter(roles))
        await hand_over(db, organization_id, owner_id=user_id, successor_id=successor_id)
        await notices.tell(
            db,
            successor_id,
            notices.ROLE_CHANGED,
            organization=name,
            role=Role.OWNER.value,
            at=now.isoformat(),
        )
        await audit.record(
            db,
            Action.OWNERSHIP_TRANSFERRED,
            tenant_id=organization_id,
            actor=actor,
            subject=Subject("user", successor_id),
            now=now,
        )
    await end_membership(db, organization_id, user_id, now)
    await audit.record(
        db,
        Action.MEMBER_LEFT,
        tenant_id=organization_id,
        actor=actor,
        subject=Subject("user", user_id),
        detail={"role": own.value},
        now=now,
    )
