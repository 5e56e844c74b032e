"""What happens to API keys without anybody asking: reminders that they are old, and forgetting those that ended."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.api_keys.mails import API_KEY_OLD
from sample_agent.accounts.api_keys.service import OLD_AFTER
from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.models import ApiKey, User

ENDED_KEPT = timedelta(days=30)
_AT_ONCE = 500


async def remind_of_old_keys(db: AsyncSession, now: datetime) -> None:
    """Ask for a mail to everybody who has keys that are due to be rotated: once for each key, one mail for all."""
    due = (
        select(ApiKey.id)
        .join(User, User.id == ApiKey.user_id)
        .where(ApiKey.created_at <= now - OLD_AFTER, ApiKey.reminded_at.is_(None))
        .where(ApiKey.revoked_at.is_(None), ApiKey.replaced_by.is_(None))
        .where(or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
        .where(User.is_active, User.delete_after.is_(None))
        .order_by(ApiKey.id)
        .limit(_AT_ONCE)
        .with_for_update(of=ApiKey, skip_locked=True)
    )
    ids = (await db.scalars(due)).all()
    reminded = await db.execute(
        update(ApiKey)
        .where(ApiKey.id.in_(ids), User.id == ApiKey.user_id)
        .values(reminded_at=now)
        .returning(ApiKey.id, ApiKey.user_id, User.email)
        .execution_options(synchronize_session=False)
    )
    keys: dict[tuple[UUID, str], list[str]] = defaultdict(list)
    for row in reminded:
        keys[row.user_id, row.email].append(str(row.id))
    for (user_id, email), key_ids in keys.items():
        await queue_mail(db, API_KEY_OLD, to=email, user_id=user_id, data={"key_ids": key_ids})


async def forget_ended_keys(db: AsyncSession, now: datetime) -> None:
    """Delete the keys that were revoked or expired a month ago; the audit log remembers them."""
    ended = now - ENDED_KEPT
    await db.execute(delete(ApiKey).where(or_(ApiKey.revoked_at < ended, ApiKey.expires_at < ended)))
