"""That an installation keeps an administrator who can act."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.errors import LastAdministrator
from sample_agent.accounts.models import User


async def hold_with_administrators(db: AsyncSession, user_id: UUID, *, block_references: bool = False) -> User | None:
    """The person's row and those of all administrators, held to the end of the transaction: two who are about to go
    take turns. `block_references`: rows that refer to them wait, too."""
    rows = await db.scalars(
        select(User)
        .where(or_(User.id == user_id, User.is_superuser))
        .order_by(User.id)
        .with_for_update(key_share=not block_references)
        .execution_options(populate_existing=True)
    )
    return next((each for each in rows.all() if each.id == user_id), None)


async def refuse_last_administrator(db: AsyncSession, user: User) -> None:
    """Raise LastAdministrator when nobody else could act as one."""
    others = select(User.id).where(User.is_superuser, User.is_active, User.delete_after.is_(None), User.id != user.id)
    if user.is_superuser and await db.scalar(others.limit(1)) is None:
        raise LastAdministrator
