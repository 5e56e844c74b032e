"""Rows that are held until the end of a transaction, so that what is decided about them stays true."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.errors import OrganizationLimitReached
from sample_agent.accounts.organizations.membership import Role, no_such_organization, require_role
from sample_agent.accounts.organizations.models import Membership, Organization

MOST_ORGANIZATIONS = 20
"""How many one person can belong to."""


async def hold_organization(db: AsyncSession, organization_id: UUID) -> Organization | None:
    """The organization, whose members and invitations change only here until the transaction ends."""
    return await db.get(Organization, organization_id, with_for_update=True, populate_existing=True)


async def hold_as(
    db: AsyncSession, organization_id: UUID, user_id: UUID, at_least: Role = Role.MEMBER
) -> tuple[Organization, Role]:
    """The organization, held, and what the person is in it. Raises NotFound and RoleTooLow as `require_role` does."""
    await require_role(db, organization_id, user_id, at_least)  # no stranger makes others wait
    organization = await hold_organization(db, organization_id)
    if organization is None:
        raise no_such_organization()
    return organization, await require_role(db, organization_id, user_id, at_least)


async def refuse_one_too_many(db: AsyncSession, user_id: UUID) -> None:
    """Raise OrganizationLimitReached when the person, who is held, belongs to as many as anybody can."""
    belongs_to = await db.scalar(select(func.count()).select_from(Membership).where(Membership.user_id == user_id))
    if (belongs_to or 0) >= MOST_ORGANIZATIONS:
        raise OrganizationLimitReached(
            f"Nobody can belong to more than {MOST_ORGANIZATIONS} organizations.", extra={"limit": MOST_ORGANIZATIONS}
        )
