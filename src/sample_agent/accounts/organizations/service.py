"""Use cases of organizations: make, show, rename, transfer, delete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts import audit
from sample_agent.accounts.audit import Action, Actor, Subject
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import ConfirmationMismatch
from sample_agent.accounts.holding import hold_person
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import User
from sample_agent.accounts.organizations import notices
from sample_agent.accounts.organizations.holding import hold_as, refuse_one_too_many
from sample_agent.accounts.organizations.membership import Role, no_such_organization, require_role
from sample_agent.accounts.organizations.models import Membership, Organization
from sample_agent.accounts.principal import Principal
from sample_agent.core.errors import Conflict, NotFound
from sample_agent.core.identifiers import new_id


@dataclass(frozen=True)
class OrganizationSeen:
    """An organization as one of its members sees it."""

    id: UUID
    name: str
    role: Role
    members: int
    created_at: datetime


async def create(identity: Identity, principal: Principal, client: Client, *, name: str) -> OrganizationSeen:
    """Make an organization that the person owns. Raises OrganizationLimitReached."""
    now, organization_id = identity.now(), new_id()
    async with identity.database.transaction(purpose="identity") as db:
        await hold_person(db, principal.user_id)
        await refuse_one_too_many(db, principal.user_id)
        db.add(Organization(id=organization_id, name=name, created_at=now, updated_at=now))
        await db.flush()
        db.add(
            Membership(organization_id=organization_id, user_id=principal.user_id, role=Role.OWNER.value, joined_at=now)
        )
        await audit.record(
            db,
            Action.ORGANIZATION_CREATED,
            tenant_id=organization_id,
            actor=Actor.of(principal, client),
            detail={"name": name},
            now=now,
        )
    return OrganizationSeen(organization_id, name, Role.OWNER, 1, now)


async def of_person(identity: Identity, user_id: UUID) -> list[OrganizationSeen]:
    """The organizations the person belongs to, by name."""
    async with identity.database.transaction(purpose="identity") as db:
        rows = await db.execute(_seen_by(user_id).order_by(func.lower(Organization.name), Organization.id))
        return [_seen(row) for row in rows]


async def show(identity: Identity, user_id: UUID, organization_id: UUID) -> OrganizationSeen:
    """One organization the person belongs to. Raises NotFound."""
    async with identity.database.transaction(purpose="identity") as db:
        return await _show(db, user_id, organization_id)


async def rename(
    identity: Identity, principal: Principal, client: Client, organization_id: UUID, *, name: str
) -> OrganizationSeen:
    """Give it another name. For administrators."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        organization, _ = await hold_as(db, organization_id, principal.user_id, Role.ADMIN)
        before = organization.name
        if name != before:
            organization.name, organization.updated_at = name, now
            await audit.record(
                db,
                Action.ORGANIZATION_RENAMED,
                tenant_id=organization_id,
                actor=Actor.of(principal, client),
                detail={"before": before, "after": name},
                now=now,
            )
        await db.flush()
        return await _show(db, principal.user_id, organization_id)


async def transfer(
    identity: Identity, principal: Principal, client: Client, organization_id: UUID, *, to: UUID
) -> OrganizationSeen:
    """Make another member the owner; whoever was it becomes an administrator. For the owner.

    Raises NotFound when `to` is no member, and Conflict when they are the owner or cannot act as one.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        organization, _ = await hold_as(db, organization_id, principal.user_id, Role.OWNER)
        if to == principal.user_id:
            raise Conflict("You are the owner already.")
        successor = await db.scalar(
            select(User)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.organization_id == organization_id, User.id == to)
        )
        if successor is None:
            raise NotFound("There is no such member.")
        if not successor.is_active or successor.delete_after is not None:
            raise Conflict("This member's account cannot be used at the moment.")
        await hand_over(db, organization_id, owner_id=principal.user_id, successor_id=to)
        told = {"organization": organization.name, "at": now.isoformat()}
        await notices.tell(db, to, notices.ROLE_CHANGED, role=Role.OWNER.value, **told)
        await notices.tell(db, principal.user_id, notices.TRANSFERRED, ip_address=client.ip_address, **told)
        await audit.record(
            db,
            Action.OWNERSHIP_TRANSFERRED,
            tenant_id=organization_id,
            actor=Actor.of(principal, client),
            subject=Subject("user", to),
            detail={"email": successor.email},
            now=now,
        )
        return await _show(db, principal.user_id, organization_id)


async def hand_over(db: AsyncSession, organization_id: UUID, *, owner_id: UUID, successor_id: UUID) -> None:
    """Let two members of an organization that is held change places: there is never a second owner."""
    for user_id, role in ((owner_id, Role.ADMIN), (successor_id, Role.OWNER)):
        await db.execute(
            update(Membership)
            .where(Membership.organization_id == organization_id, Membership.user_id == user_id)
            .values(role=role.value)
        )


async def delete_organization(
    identity: Identity, principal: Principal, client: Client, organization_id: UUID, *, typed_name: str
) -> None:
    """Delete it with all memberships and invitations, and tell the members. For the owner.

    Raises ConfirmationMismatch unless its name was typed as it is.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        organization, _ = await hold_as(db, organization_id, principal.user_id, Role.OWNER)
        name = organization.name
        if typed_name != name:
            raise ConfirmationMismatch(errors=[{"loc": ["body", "name"], "msg": "This is not its name."}])
        others = await db.scalars(
            select(Membership.user_id).where(
                Membership.organization_id == organization_id, Membership.user_id != principal.user_id
            )
        )
        told = {"organization": name, "at": now.isoformat()}
        await notices.tell_all(db, list(others), notices.DELETED, told)
        await db.execute(delete(Organization).where(Organization.id == organization_id))
        await audit.record(
            db,
            Action.ORGANIZATION_DELETED,
            tenant_id=organization_id,
            actor=Actor.of(principal, client),
            detail={"name": name},
            now=now,
        )


def _seen_by(user_id: UUID) -> Select[UUID, str, datetime, str, int]:
    everybody = (
        select(func.count())
        .select_from(Membership)
        .where(Membership.organization_id == Organization.id)
        .correlate(Organization)
        .scalar_subquery()
    )
    own = select(Membership.organization_id, Membership.role).where(Membership.user_id == user_id).subquery()
    return select(
        Organization.id, Organization.name, Organization.created_at, own.c.role, everybody.label("members")
    ).join(own, own.c.organization_id == Organization.id)


async def _show(db: AsyncSession, user_id: UUID, organization_id: UUID) -> OrganizationSeen:
    await require_role(db, organization_id, user_id)
    row = (await db.execute(_seen_by(user_id).where(Organization.id == organization_id))).one_or_none()
    if row is None:
        raise no_such_organization()
    return _seen(row)


def _seen(row: Row[UUID, str, datetime, str, int]) -> OrganizationSeen:
    return OrganizationSeen(row.id, row.name, Role(row.role), row.members, row.created_at)
