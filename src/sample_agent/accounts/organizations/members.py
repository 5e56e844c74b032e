"""Use cases of members: list them, change what they are, remove one, leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, case, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts import audit
from sample_agent.accounts.audit import Action, Actor, Subject
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import OrganizationNeedsOwner, RoleTooLow
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import User
from sample_agent.accounts.organizations import notices
from sample_agent.accounts.organizations.holding import hold_as
from sample_agent.accounts.organizations.membership import Role, require_role, role_of
from sample_agent.accounts.organizations.models import Invitation, Membership, Organization
from sample_agent.accounts.principal import Principal
from sample_agent.core.errors import NotFound

_HIGHEST_FIRST = case({role.value: -rank for rank, role in enumerate(Role)}, value=Membership.role)


@dataclass(frozen=True)
class Member:
    """Somebody who belongs to an organization."""

    user_id: UUID
    email: str
    first_name: str
    last_name: str
    avatar_url: str | None
    role: Role
    joined_at: datetime


async def list_members(identity: Identity, user_id: UUID, organization_id: UUID) -> list[Member]:
    """Everybody who belongs to it: the owner, administrators, members; each by when they joined. For members."""
    async with identity.database.transaction(purpose="identity") as db:
        await require_role(db, organization_id, user_id)
        rows = await db.execute(
            _members_of(organization_id).order_by(_HIGHEST_FIRST, Membership.joined_at, Membership.user_id)
        )
        return [_member(row) for row in rows]


async def change_role(
    identity: Identity, principal: Principal, client: Client, organization_id: UUID, member_id: UUID, *, role: Role
) -> Member:
    """Make a member an administrator, or the other way round; `role` is not the owner's, which is transferred.

    Administrators raise members and nothing else; everybody may step down, except the owner.
    Raises NotFound, RoleTooLow, and OrganizationNeedsOwner.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        organization, own = await hold_as(db, organization_id, principal.user_id)
        before = await _role_that_may_be_changed(db, organization, principal.user_id, own, member_id)
        if role > own:
            raise RoleTooLow.below(role.value)
        if role is not before:
            await db.execute(
                update(Membership)
                .where(Membership.organization_id == organization_id, Membership.user_id == member_id)
                .values(role=role.value)
            )
        row = (await db.execute(_members_of(organization_id).where(Membership.user_id == member_id))).one()
        if role is not before:
            withdrawn = await withdraw_made_by(db, organization_id, member_id, now) if role < Role.ADMIN else 0
            if member_id != principal.user_id:
                told = {"organization": organization.name, "at": now.isoformat()}
                await notices.tell(db, member_id, notices.ROLE_CHANGED, role=role.value, **told)
            await audit.record(
                db,
                Action.MEMBER_ROLE_CHANGED,
                tenant_id=organization_id,
                actor=Actor.of(principal, client),
                subject=Subject("user", member_id),
                detail={
                    "email": row.email,
                    "before": before.value,
                    "after": role.value,
                    "invitations_withdrawn": withdrawn,
                },
                now=now,
            )
        return _member(row)


async def remove_member(
    identity: Identity, principal: Principal, client: Client, organization_id: UUID, member_id: UUID
) -> None:
    """End somebody's membership, or one's own. Their next request is a stranger's.

    Raises NotFound, RoleTooLow, and OrganizationNeedsOwner.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        organization, own = await hold_as(db, organization_id, principal.user_id)
        role = await _role_that_may_be_changed(db, organization, principal.user_id, own, member_id)
        leaving = member_id == principal.user_id
        email = await db.scalar(select(User.email).where(User.id == member_id))
        withdrawn = await end_membership(db, organization_id, member_id, now)
        if not leaving:
            told = {"organization": organization.name, "at": now.isoformat()}
            await notices.tell(db, member_id, notices.REMOVED, **told)
        await audit.record(
            db,
            Action.MEMBER_LEFT if leaving else Action.MEMBER_REMOVED,
            tenant_id=organization_id,
            actor=Actor.of(principal, client),
            subject=Subject("user", member_id),
            detail={"email": email, "role": role.value, "invitations_withdrawn": withdrawn},
            now=now,
        )


async def end_membership(db: AsyncSession, organization_id: UUID, member_id: UUID, now: datetime) -> int:
    """Take somebody out of an organization that is held; returns how many of their invitations died with it."""
    await db.execute(
        delete(Membership).where(Membership.organization_id == organization_id, Membership.user_id == member_id)
    )
    return await withdraw_made_by(db, organization_id, member_id, now)


async def withdraw_made_by(db: AsyncSession, organization_id: UUID, user_id: UUID, now: datetime) -> int:
    """Withdraw the open invitations of somebody who may no longer invite; returns how many there were."""
    withdrawn = await db.scalars(
        update(Invitation)
        .where(
            Invitation.organization_id == organization_id,
            Invitation.user_id == user_id,
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
        .returning(Invitation.id)
    )
    return len(withdrawn.all())


async def _role_that_may_be_changed(
    db: AsyncSession, organization: Organization, user_id: UUID, own: Role, member_id: UUID
) -> Role:
    """What the member is, if the person may change it: administrators that of whoever is below, everybody their own."""
    if member_id == user_id:
        if own is Role.OWNER:
            raise needs_owner([(organization.id, organization.name)])
        return own
    if own < Role.ADMIN:
        raise RoleTooLow.below(Role.ADMIN.value)
    role = await role_of(db, organization.id, member_id)
    if role is None:
        raise NotFound("There is no such member.")
    if role >= own:
        raise RoleTooLow.below(Role.OWNER.value)
    return role


def needs_owner(organizations: list[tuple[UUID, str]]) -> OrganizationNeedsOwner:
    """That these, by id and name, would be left without an owner."""
    named = [{"id": str(organization_id), "name": name} for organization_id, name in organizations]
    return OrganizationNeedsOwner("You are the owner.", extra={"organizations": named})


def _members_of(organization_id: UUID) -> Select[UUID, str, str, str, str | None, str, datetime]:
    return (
        select(
            User.id,
            User.email,
            User.first_name,
            User.last_name,
            User.avatar_url,
            Membership.role,
            Membership.joined_at,
        )
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organization_id == organization_id)
    )


def _member(row: Row[UUID, str, str, str, str | None, str, datetime]) -> Member:
    return Member(row.id, row.email, row.first_name, row.last_name, row.avatar_url, Role(row.role), row.joined_at)
