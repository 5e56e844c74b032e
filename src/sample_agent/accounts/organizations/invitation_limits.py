"""How many invitations may be mailed: nobody can flood a mailbox with ours, or send to lists of addresses.

What was mailed is counted from the logs of mails and of what happened, which stay when an organization is deleted.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import Action
from sample_agent.accounts.audit.models import AuditEntry
from sample_agent.accounts.mail_log import MailRecord
from sample_agent.accounts.organizations import notices
from sample_agent.core.errors import RateLimited
from sample_agent.core.settings import Settings

MOST_A_DAY = 50
"""Invitations of one person in 24 hours, to all their organizations together."""


async def refuse_too_many_mails(db: AsyncSession, settings: Settings, user_id: UUID, email: str, now: datetime) -> None:
    """Raise RateLimited when the person, who is held, has invited too many, or the address was invited too often.

    The second is about invitations of everybody; it tells nothing of whether there is an account.
    """
    by_person = select(AuditEntry.at.label("at")).where(
        AuditEntry.action == Action.MEMBER_INVITED.value, AuditEntry.actor_id == user_id
    )
    await _refuse(db, by_person, MOST_A_DAY, timedelta(days=1), now)
    to_address = select(MailRecord.created_at.label("at")).where(
        MailRecord.email == email, MailRecord.mail == notices.INVITATION
    )
    await _refuse(db, to_address, settings.mails_per_hour, timedelta(hours=1), now)


async def _refuse(db: AsyncSession, times: Select[datetime], amount: int, period: timedelta, now: datetime) -> None:
    if not amount:
        return
    at = times.selected_columns.at
    last_that_counts = await db.scalar(times.where(at > now - period).order_by(at.desc()).offset(amount - 1).limit(1))
    if last_that_counts is not None:
        wait = (last_that_counts + period - now).total_seconds()
        raise RateLimited("Too many invitations in a short time.", retry_after=max(1, ceil(wait)))
