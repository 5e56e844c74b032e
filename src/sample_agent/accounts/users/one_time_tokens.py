"""The tokens in mailed links: each works once, for a while, and only until a newer one is sent.

A token is computed from its id and the signing key, so it lies nowhere but in the mail, and a mail that has to be sent
a second time after a failure carries the same link.
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.sessions.service import token_hash
from sample_agent.accounts.users.models import OneTimeToken

Purpose = Literal["verify-email"]
VERIFY_EMAIL: Purpose = "verify-email"
LIFETIME = timedelta(hours=24)


def one_time_token(key: bytes, token_id: UUID) -> str:
    """The token of this id; only who holds the key can compute it."""
    digest = hmac.digest(key, b"one-time\0" + token_id.bytes, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def put_in_force(
    db: AsyncSession, key: bytes, token_id: UUID, user_id: UUID, purpose: Purpose, now: datetime
) -> str | None:
    """Make this the one valid token of its user and purpose and return it; None when a newer one is, or it was used.

    The caller holds the user's row, so that two of these take turns.
    """
    newest = await db.scalar(
        select(OneTimeToken)
        .where(OneTimeToken.user_id == user_id, OneTimeToken.purpose == purpose, OneTimeToken.id >= token_id)
        .order_by(OneTimeToken.id.desc())
        .limit(1)
    )
    token = one_time_token(key, token_id)
    if newest is not None:
        return token if newest.id == token_id and newest.used_at is None else None
    await void_tokens(db, user_id, now)
    db.add(
        OneTimeToken(
            id=token_id,
            user_id=user_id,
            purpose=purpose,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return token


async def redeem(db: AsyncSession, token: str, purpose: Purpose, now: datetime) -> UUID | None:
    """Use the token up and return whose it is; None when it is unknown, used, replaced or too old."""
    user_id: UUID | None = await db.scalar(
        update(OneTimeToken)
        .where(
            OneTimeToken.token_hash == token_hash(token),
            OneTimeToken.purpose == purpose,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now,
        )
        .values(used_at=now)
        .returning(OneTimeToken.user_id)
    )
    return user_id


async def void_tokens(db: AsyncSession, user_id: UUID, now: datetime) -> None:
    """Let no link mailed before work any longer: a newer one, or a new password, has taken its place."""
    await db.execute(
        update(OneTimeToken).where(OneTimeToken.user_id == user_id, OneTimeToken.used_at.is_(None)).values(used_at=now)
    )
