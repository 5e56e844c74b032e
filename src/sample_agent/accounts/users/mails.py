"""The mails to people about their accounts: what each says when it is due."""

from __future__ import annotations

from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.mailing import Composed, Letter, MailResources
from sample_agent.accounts.models import Registration, User
from sample_agent.accounts.users.one_time_tokens import LIFETIMES, VERIFY_EMAIL, put_in_force


async def verify_email(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """The link that confirms an address; to the address of an account, that there is one."""
    owner = await db.scalar(select(User).where(User.email == letter.to))
    if owner is not None:
        return ("already-registered", {"link": f"{resources.public_url}/login"}) if owner.is_active else None
    now = resources.now()
    waiting = select(Registration.id).where(Registration.email == letter.to, Registration.expires_at > now)
    if await db.scalar(waiting.limit(1)) is None:
        return None
    token = await put_in_force(db, resources.signing_key, letter.id, VERIFY_EMAIL, now, email=letter.to)
    if token is None:
        return None
    link = f"{resources.public_url}/verify-email?{urlencode({'token': token[0]})}"
    return "verify-email", {"link": link, "hours": int(LIFETIMES[VERIFY_EMAIL].total_seconds() // 3600)}
