"""Background work of identity: its mails, and forgetting what has expired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete

from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.factors.models import Challenge
from sample_agent.accounts.mail_log import MailRecord
from sample_agent.accounts.mailing import SEND_MAIL, Composer, MailResources, send_mail
from sample_agent.accounts.models import Registration, Session, User
from sample_agent.accounts.users import mails as user_mails
from sample_agent.accounts.users.models import OneTimeToken
from sample_agent.accounts.users.one_time_tokens import VERIFY_EMAIL
from sample_agent.core.database import Database

COMPOSERS: Mapping[str, Composer] = {
    VERIFY_EMAIL: user_mails.verify_email,
}
"""Who composes which mail."""

_EXPIRED_KEPT = timedelta(days=7)
_UNCONFIRMED_KEPT = timedelta(days=30)
_MAIL_LOG_KEPT = timedelta(days=90)

__all__ = ["COMPOSERS", "SEND_MAIL", "MailResources", "forget_expired", "send_mail"]


async def forget_expired(database: Database, now: Callable[[], datetime] = utc_now) -> None:
    """Delete sessions and tokens that ended a week ago, registrations nobody confirmed, and old entries of mails."""
    ended = now() - _EXPIRED_KEPT
    async with database.transaction(purpose="identity") as db:
        await db.execute(delete(Session).where(Session.expires_at < ended))
        await db.execute(delete(OneTimeToken).where(OneTimeToken.expires_at < ended))
        await db.execute(delete(Challenge).where(Challenge.expires_at < ended))
        await db.execute(delete(Registration).where(Registration.expires_at < now()))
        await db.execute(delete(MailRecord).where(MailRecord.created_at < now() - _MAIL_LOG_KEPT))
        await db.execute(
            delete(User).where(User.email_verified_at.is_(None), User.updated_at < now() - _UNCONFIRMED_KEPT)
        )
