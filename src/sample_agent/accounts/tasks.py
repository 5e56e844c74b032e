"""Background work of identity: the mails with one-time links, and forgetting what has expired."""

from __future__ import annotations

import base64
import hmac
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

from sample_agent.accounts.identity import utc_now
from sample_agent.accounts.models import OneTimeToken, Session, User
from sample_agent.accounts.service import VERIFY_EMAIL, void_tokens
from sample_agent.accounts.sessions import token_hash
from sample_agent.core.database import Database
from sample_agent.core.mail import Mail, Mailer, MailRefused, render

MAILS = Path(__file__).parent / "mails"
VERIFICATION_LIFETIME = timedelta(hours=24)
EXPIRED_KEPT = timedelta(days=7)
UNCONFIRMED_KEPT = timedelta(days=30)

log = structlog.get_logger("accounts")


@dataclass(frozen=True)
class MailResources:
    """What sending mails needs. `signing_key` is `Settings.signing_key_bytes()`."""

    database: Database
    mailer: Mailer
    public_url: str
    signing_key: bytes
    now: Callable[[], datetime] = utc_now


async def send_mail(payload: Mapping[str, Any], resources: MailResources) -> None:
    """Send the mail a registration asked for: the confirmation link, or to a confirmed address that it has an account.

    For an address without an account nothing is sent. The link's token is computed from its id and the signing key,
    so that it lies nowhere but in the mail, and a second try after a failure sends the same link.
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
    ended = now() - EXPIRED_KEPT
    async with database.transaction(purpose="identity") as db:
        await db.execute(delete(Session).where(Session.expires_at < ended))
        await db.execute(delete(OneTimeToken).where(OneTimeToken.expires_at < ended))
        await db.execute(
            delete(User).where(User.email_verified_at.is_(None), User.updated_at < now() - UNCONFIRMED_KEPT)
        )


async def _compose(address: str, token_id: UUID, resources: MailResources) -> tuple[str, dict[str, Any]] | None:
    async with resources.database.transaction(purpose="identity") as db:
        user = await db.scalar(select(User).where(User.email == address).with_for_update())
        if user is None or not user.is_active:
            return None
        if user.email_verified_at is not None:
            return "already-registered", {"link": f"{resources.public_url}/login"}
        token = one_time_token(resources.signing_key, token_id)
        if not await _put_in_force(db, user, token_id, token, resources.now()):
            return None
    link = f"{resources.public_url}/verify-email?{urlencode({'token': token})}"
    return "verify-email", {"link": link, "hours": int(VERIFICATION_LIFETIME.total_seconds() // 3600)}


async def _put_in_force(db: AsyncSession, user: User, token_id: UUID, token: str, now: datetime) -> bool:
    """Make this the one token that confirms the address; False when it was used or a newer one has taken its place."""
    newest = await db.scalar(
        select(OneTimeToken)
        .where(OneTimeToken.user_id == user.id, OneTimeToken.purpose == VERIFY_EMAIL, OneTimeToken.id >= token_id)
        .order_by(OneTimeToken.id.desc())
        .limit(1)
    )
    if newest is not None:
        return newest.id == token_id and newest.used_at is None
    await void_tokens(db, user.id, now)
    db.add(
        OneTimeToken(
            id=token_id,
            user_id=user.id,
            purpose=VERIFY_EMAIL,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=now + VERIFICATION_LIFETIME,
        )
    )
    return True


def one_time_token(key: bytes, token_id: UUID) -> str:
    """The token of this id: to be computed by whoever holds the key, and by nobody else."""
    digest = hmac.digest(key, b"one-time\0" + token_id.bytes, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
