"""Mails: asked for in the transaction that makes them necessary, composed and sent by a worker, and each one logged.

What is queued holds no secret. Whoever asks names the mail and whom it goes to; when the worker gets to it, the
composer of that mail looks up what it says and makes the link in it, or finds it needless by now.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.mail_log import MailRecord
from sample_agent.accounts.models import User
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.mail import InvalidMail, Mail, Mailer, MailNotSent, MailRefused, render
from sample_agent.core.queue import MAX_TRIES, enqueue

SEND_MAIL = "send-mail"
"""The entry point of `send_mail` in the queue."""

MAILS = Path(__file__).parent / "mails"

_DONE = frozenset({"sent", "refused"})

log = structlog.get_logger("accounts")


@dataclass(frozen=True)
class Letter:
    """A mail that is due: `id` is the same on every try, so that what is derived from it is, too."""

    id: UUID
    to: str
    user_id: UUID | None
    data: Mapping[str, Any]


@dataclass(frozen=True)
class MailResources:
    """What sending mails needs. `signing_key` is `Settings.signing_key_bytes()`."""

    database: Database
    mailer: Mailer
    public_url: str
    signing_key: bytes
    composers: Mapping[str, Composer] = field(default_factory=dict)
    now: Callable[[], datetime] = utc_now


Composed = tuple[str, dict[str, Any]]
"""The name of a template and what goes into it: never anything a stranger typed, lest we send their words for them."""

Composer = Callable[[AsyncSession, Letter, MailResources], Awaitable[Composed | None]]
"""Composes a mail in a transaction of its own; None when it is needless by now."""


async def queue_mail(
    db: AsyncSession, mail: str, *, to: str, user_id: UUID | None = None, data: Mapping[str, Any] | None = None
) -> UUID:
    """Ask for a mail; it is sent if the transaction of `db` commits. `data` is JSON without secrets."""
    mail_id = new_id()
    db.add(MailRecord(id=mail_id, user_id=user_id, email=to, mail=mail))
    await db.flush()
    payload = {"mail": mail, "id": str(mail_id), "to": to, "user_id": str(user_id) if user_id else None}
    await enqueue(db, SEND_MAIL, {**payload, "data": dict(data or {})})
    return mail_id


async def send_mail(payload: Mapping[str, Any], resources: MailResources) -> None:
    """Compose and send what was asked for, and log what became of it.

    Raises MailNotSent when it is worth trying again. A task that is done again after its mail was taken does nothing.
    """
    letter = Letter(
        UUID(payload["id"]), payload["to"], UUID(payload["user_id"]) if payload["user_id"] else None, payload["data"]
    )
    compose = resources.composers[payload["mail"]]
    async with resources.database.transaction(purpose="identity") as db:
        status = await db.scalar(select(MailRecord.status).where(MailRecord.id == letter.id))
        composed = await compose(db, letter, resources) if status not in _DONE else None
    if status in _DONE:
        return
    if composed is None:
        await _note(resources, letter, status="needless")
        return
    template, context = composed
    subject, text, html = render(MAILS, template, **context)
    try:
        await resources.mailer.send(Mail(letter.to, subject, text, html))
    except (MailRefused, InvalidMail) as error:
        log.warning("mail refused", mail=template, error=str(error))
        await _note(resources, letter, status="refused", error=str(error))
    except MailNotSent as error:
        await _note(resources, letter, status="queued", error=str(error))
        raise
    else:
        log.info("mail sent", mail=template)
        await _note(resources, letter, status="sent", sent_at=resources.now())


async def _note(resources: MailResources, letter: Letter, *, status: str, **values: Any) -> None:
    """Log an attempt. That an address takes no mails stands with the account whose it is, until it takes one."""
    reached: Any = (
        case((MailRecord.attempts + 1 >= MAX_TRIES, "failed"), else_=status) if status == "queued" else status
    )
    async with resources.database.transaction(purpose="identity") as db:
        await db.execute(
            update(MailRecord)
            .where(MailRecord.id == letter.id)
            .values(attempts=MailRecord.attempts + 1, status=reached, **values)
        )
        change = update(User).where(User.email == letter.to)
        if status == "refused":
            await db.execute(change.values(mail_refused_at=resources.now()))
        if status == "sent":
            await db.execute(change.where(User.mail_refused_at.is_not(None)).values(mail_refused_at=None))
