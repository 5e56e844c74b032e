"""Who belongs to an organization, and as what: the one check of everything that is shared with a team.

    await require_role(db, organization_id, principal.user_id, at_least=Role.ADMIN)

Whoever is no member learns nothing: an organization of others is answered like one that does not exist.
"""

from __future__ import annotations

from enum import Enum
from functools import total_ordering
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.errors import RoleTooLow
from sample_agent.accounts.organizations.models import Membership
from sample_agent.core.errors import NotFound


@total_ordering
class Role(Enum):
    """What somebody is in an organization: `Role.MEMBER < Role.ADMIN < Role.OWNER`."""

    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"

    def __lt__(self, other: Role) -> bool:
        ranks = list(Role)
        return ranks.index(self) < ranks.index(other)


_ROLE = select(Membership.role).where(
    Membership.organization_id == bindparam("organization_id"), Membership.user_id == bindparam("user_id")
)


async def role_of(db: AsyncSession, organization_id: UUID, user_id: UUID) -> Role | None:
    """What the person is in the organization now; None when they are no member or there is no such organization.

    `db` is a transaction of this person's own, or one of identity.
    """
    role = await db.scalar(_ROLE, {"organization_id": organization_id, "user_id": user_id})
    return None if role is None else Role(role)


async def require_role(db: AsyncSession, organization_id: UUID, user_id: UUID, at_least: Role = Role.MEMBER) -> Role:
    """What the person is in the organization, which is `at_least` what was asked for; see `role_of` for `db`.

    Raises NotFound when they are no member or there is no such organization, and RoleTooLow.
    """
    role = await role_of(db, organization_id, user_id)
    if role is None:
        raise no_such_organization()
    if role < at_least:
        raise RoleTooLow.below(at_least.value)
    return role


def no_such_organization() -> NotFound:
    """The answer to whoever is no member, whether or not there is such an organization."""
    return NotFound("There is no such organization.")
