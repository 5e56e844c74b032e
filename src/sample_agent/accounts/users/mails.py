"""The mails to people about their accounts: what each says when it is due."""

from __future__ import annotations

from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.mailing import Composed, Letter, MailResources
from sample_agent.accounts.models import User
from sample_agent.accounts.users.one_time_tokens import LIFETIME, VERIFY_EMAIL, put_in_force


async def verify_email(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """The link that confirms an address, or to a confirmed address that it has an account."""
    user = await db.scalar(select(User).where(User.email == letter.to).with_for_update())
    if user is None or not user.is_active:
        return None
    if user.email_verified_at is not None:
        return "already-registered", {"link": f"{resources.public_url}/login"}
    token = await put_in_force(db, resources.signing_key, letter.id, user.id, VERIFY_EMAIL, resources.now())
    if token is None:
        return None
    link = f"{resources.public_url}/verify-email?{urlencode({'token': token})}"
    return "verify-email", {"link": link, "hours": int(LIFETIME.total_seconds() // 3600)}
