"""People, held until the end of a transaction, so that what is decided about them stays true."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.errors import SessionExpired
from sample_agent.accounts.models import User


async def hold_person(db: AsyncSession, user_id: UUID) -> User:
    """The person, as they are until the transaction ends. Raises SessionExpired when they are no more.

    Take it before any organization.
    """
    # Not the lock of somebody about to delete the row: others may go on referring to it.
    user = await db.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if user is None:
        raise SessionExpired
    return user
