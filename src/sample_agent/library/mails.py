"""The mails about somebody's library: not about security, so that whoever does not want them has none."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts import preferences_of
from sample_agent.accounts.mailing import Composed, Letter, MailResources, queue_mail
from sample_agent.accounts.models import User

SAMPLES_READY = "samples-ready"


async def tell_samples_ready(db: AsyncSession, user_id: UUID, *, samples: int, failed: int) -> None:
    """Mail that an import has been analysed, to whoever wants such mails."""
    preferences = await preferences_of(db, user_id)
    address = await db.scalar(select(User.email).where(User.id == user_id))
    if preferences.notification_email_enabled and address is not None:
        await queue_mail(db, SAMPLES_READY, to=address, user_id=user_id, data={"samples": samples, "failed": failed})


async def samples_ready(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """How many samples are ready, unless the person has changed their mind about such mails."""
    if letter.user_id is None or not (await preferences_of(db, letter.user_id)).notification_email_enabled:
        return None
    return SAMPLES_READY, {
        "samples": int(letter.data["samples"]),
        "failed": int(letter.data["failed"]),
        "link": f"{resources.public_url}/",
        "settings_link": f"{resources.public_url}/settings",
    }
