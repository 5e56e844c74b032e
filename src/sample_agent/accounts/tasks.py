"""Background work of identity: the mails with one-time links, and forgetting what has expired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.models import OneTimeToken, Session, User
from sample_agent.accounts.one_time_tokens import LIFETIME, VERIFY_EMAIL, put_in_force
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.mail import Mail, Mailer, MailRefused, render
from sample_agent.core.queue import enqueue

SEND_MAIL = "send-mail"
"""The entry point of `send_mail` in the queue."""

MAILS = Path(__file__).parent / "mails"
_EXPIRED_KEPT = timedelta(days=7)
_UNCONFIRMED_KEPT = timedelta(days=30)

log = structlog.get_logger("accounts")


@dataclass(frozen=True)
class MailResources:
    """What sending mails needs. `signing_key` is `Settings.signing_key_bytes()`."""

    database: Database
    mailer: Mailer
    public_url: str
    signing_key: bytes
    now: Callable[[], datetime] = utc_now


async def request_verification_mail(db: AsyncSession, email: str) -> None:
    """Queue the mail that `send_mail` composes. Neither the link nor its token is in the queue."""
    await enqueue(db, SEND_MAIL, {"mail": VERIFY_EMAIL, "to": email, "token_id": str(new_id())})


async def send_mail(payload: Mapping[str, Any], resources: MailResources) -> None:
    """Send what a registration asked for: the confirmation link, or to a confirmed address that it has an account.

    For an address without an account nothing is sent. Raises MailNotSent when it is worth trying again.
    """
    if payload["mail"] != VERIFY_EMAIL:
        raise ValueError(f"there is no mail of the name {payload['mail']!r}")
    address = str(payload["to"])
    composed = await _compose(address, UUID(payload["token_id"]), resources)
    if composed is None:
        return
    template, context = composed
    subject, text, html = render(MAILS, template, **context)
    try:
        await resources.mailer.send(Mail(address, subject, text, html))
    except MailRefused as error:
        log.warning("mail refused", mail=template, error=str(error))
    else:
        log.info("mail sent", mail=template)


async def forget_expired(database: Database, now: Callable[[], datetime] = utc_now) -> None:
    """Delete sessions and tokens that ended a week ago, and accounts whose address nobody confirmed in a month."""
    ended = now() - _EXPIRED_KEPT
    async with database.transaction(purpose="identity") as db:
        await db.execute(delete(Session).where(Session.expires_at < ended))
        await db.execute(delete(OneTimeToken).where(OneTimeToken.expires_at < ended))
        await db.execute(
            delete(User).where(User.email_verified_at.is_(None), User.updated_at < now() - _UNCONFIRMED_KEPT)
        )


async def _compose(address: str, token_id: UUID, resources: MailResources) -> tuple[str, dict[str, Any]] | None:
    """The template and what goes into it: never anything a stranger typed, lest we send their words for them."""
    async with resources.database.transaction(purpose="identity") as db:
        user = await db.scalar(select(User).where(User.email == address).with_for_update())
        if user is None or not user.is_active:
            return None
        if user.email_verified_at is not None:
            return "already-registered", {"link": f"{resources.public_url}/login"}
        token = await put_in_force(db, resources.signing_key, token_id, user.id, VERIFY_EMAIL, resources.now())
    if token is None:
        return None
    link = f"{resources.public_url}/verify-email?{urlencode({'token': token})}"
    return "verify-email", {"link": link, "hours": int(LIFETIME.total_seconds() // 3600)}
