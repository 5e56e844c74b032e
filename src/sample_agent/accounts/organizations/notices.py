"""Asking for the mails that tell members what was changed for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.models import User

INVITATION = "organization-invitation"
JOINED = "organization-joined"
REMOVED = "organization-removed"
ROLE_CHANGED = "organization-role-changed"
TRANSFERRED = "organization-transferred"
DELETED = "organization-deleted"


async def tell(db: AsyncSession, user_id: UUID, mail: str, **data: Any) -> None:
    """Mail somebody who has an account."""
    await tell_all(db, [user_id], mail, data)


async def tell_all(db: AsyncSession, user_ids: list[UUID], mail: str, data: Mapping[str, Any]) -> None:
    """Mail several people who have accounts, each on their own."""
    people = await db.execute(select(User.id, User.email).where(User.id.in_(user_ids)).order_by(User.id))
    for user_id, email in people.all():
        await queue_mail(db, mail, to=email, user_id=user_id, data=data)
