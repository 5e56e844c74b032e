"""Background work of identity: its mails, and forgetting what has expired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select

from sample_agent.accounts.api_keys import mails as api_key_mails
from sample_agent.accounts.api_keys.upkeep import forget_ended_keys, remind_of_old_keys
from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.factors import mails as factor_mails
from sample_agent.accounts.factors.models import Challenge
from sample_agent.accounts.mail_log import MailRecord
from sample_agent.accounts.mailing import SEND_MAIL, Composer, MailResources, send_mail
from sample_agent.accounts.models import RefreshToken, Registration, Session
from sample_agent.accounts.organizations import mails as organization_mails
from sample_agent.accounts.organizations.models import Invitation
from sample_agent.accounts.privacy import mails as privacy_mails
from sample_agent.accounts.sessions import mails as session_mails
from sample_agent.accounts.sessions.recognition import KNOWN_FOR
from sample_agent.accounts.sign_in.refusals import RECORD_REFUSAL, record_refusal
from sample_agent.accounts.users import mails as user_mails
from sample_agent.accounts.users.models import OneTimeToken
from sample_agent.accounts.users.one_time_tokens import CONFIRM_EMAIL, RESET_PASSWORD, UNDO_EMAIL_CHANGE, VERIFY_EMAIL
from sample_agent.core.database import Database

COMPOSERS: Mapping[str, Composer] = {
    VERIFY_EMAIL: user_mails.verify_email,
    RESET_PASSWORD: user_mails.reset_password,
    CONFIRM_EMAIL: user_mails.confirm_email,
    UNDO_EMAIL_CHANGE: user_mails.undo_email_change,
    user_mails.PASSWORD_CHANGED: user_mails.password_changed,
    user_mails.EMAIL_RESTORED: user_mails.email_restored,
    session_mails.NEW_SIGN_IN: session_mails.new_sign_in,
    session_mails.TOKEN_REUSED: session_mails.token_reused,
    factor_mails.FACTOR_NOTICE: factor_mails.factor_notice,
    factor_mails.SECOND_FACTOR_GUESSED: factor_mails.factor_notice,
    api_key_mails.API_KEY_CREATED: api_key_mails.api_key_created,
    api_key_mails.API_KEY_OLD: api_key_mails.api_key_old,
    **organization_mails.COMPOSERS,
    privacy_mails.DATA_EXPORT_READY: privacy_mails.data_export_ready,
    privacy_mails.DELETION_ASKED: privacy_mails.deletion_asked,
    privacy_mails.ACCOUNT_KEPT: privacy_mails.account_kept,
}
"""Who composes which mail."""

_EXPIRED_KEPT = timedelta(days=7)
_MAIL_LOG_KEPT = timedelta(days=90)

__all__ = [
    "COMPOSERS",
    "RECORD_REFUSAL",
    "SEND_MAIL",
    "MailResources",
    "forget_expired",
    "record_refusal",
    "send_mail",
]


async def forget_expired(database: Database, now: Callable[[], datetime] = utc_now) -> None:
    """Delete tokens that ended a week ago, registrations nobody confirmed, sessions and mails of long ago."""
    ended = now() - _EXPIRED_KEPT
    async with database.transaction(purpose="identity") as db:
        over = select(Session.id).where(or_(Session.expires_at < ended, Session.revoked_at < ended))
        await db.execute(delete(RefreshToken).where(RefreshToken.session_id.in_(over)))
        await db.execute(delete(Session).where(Session.expires_at < ended, Session.last_used_at < now() - KNOWN_FOR))
        await db.execute(delete(OneTimeToken).where(OneTimeToken.expires_at < ended))
        await db.execute(delete(Invitation).where(Invitation.expires_at < ended))
        await db.execute(delete(Challenge).where(Challenge.expires_at < now()))
        await db.execute(delete(Registration).where(Registration.expires_at < now()))
        await db.execute(delete(MailRecord).where(MailRecord.created_at < now() - _MAIL_LOG_KEPT))
        await forget_ended_keys(db, now())
        await remind_of_old_keys(db, now())
