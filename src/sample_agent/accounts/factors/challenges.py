"""Challenges: what has to be answered once and soon, and not too often wrongly."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.errors import ChallengeExpired
from sample_agent.accounts.factors.models import Challenge
from sample_agent.accounts.models import User
from sample_agent.accounts.sessions.service import token_hash

Purpose = Literal["second-factor", "passkey-sign-in", "passkey-step-up", "new-passkey", "new-totp"]

LIFETIME = timedelta(minutes=5)
SETTING_UP = timedelta(minutes=15)
"""How long a new app may take: it has to be found, and the code to be read off."""
MOST_WRONG_ANSWERS = 5


async def open_challenge(
    db: AsyncSession,
    purpose: Purpose,
    now: datetime,
    *,
    user: User | None = None,
    expected: bytes | None = None,
    lifetime: timedelta = LIFETIME,
) -> str:
    """Write a challenge down and return the token that names it. With a `user`, nobody else can answer it."""
    token = secrets.token_urlsafe(32)
    db.add(
        Challenge(
            user_id=user.id if user else None,
            purpose=purpose,
            token_hash=token_hash(token),
            expected=expected,
            password_digest=_password_digest(user) if user else None,
            created_at=now,
            expires_at=now + lifetime,
        )
    )
    await db.flush()
    return token


async def open_one(db: AsyncSession, token: str, purpose: Purpose, now: datetime) -> Challenge:
    """The open challenge of this name, locked, so that answers to it take turns. Raises ChallengeExpired."""
    challenge = await db.scalar(
        select(Challenge)
        .where(
            Challenge.token_hash == token_hash(token),
            Challenge.purpose == purpose,
            Challenge.used_at.is_(None),
            Challenge.expires_at > now,
        )
        .with_for_update()
    )
    if challenge is None:
        raise ChallengeExpired
    return challenge


async def newest_open(db: AsyncSession, user_id: UUID, purpose: Purpose, now: datetime) -> Challenge:
    """The newest open challenge of somebody's, locked. Raises ChallengeExpired when there is none."""
    challenge = await db.scalar(
        select(Challenge)
        .where(
            Challenge.user_id == user_id,
            Challenge.purpose == purpose,
            Challenge.used_at.is_(None),
            Challenge.expires_at > now,
        )
        .order_by(Challenge.id.desc())
        .limit(1)
        .with_for_update()
    )
    if challenge is None:
        raise ChallengeExpired
    return challenge


async def close_all(db: AsyncSession, user_id: UUID, now: datetime, *purposes: Purpose) -> None:
    """Let no challenge of the person's be answered any longer; only those of some purposes when these are named."""
    change = update(Challenge).where(Challenge.user_id == user_id, Challenge.used_at.is_(None)).values(used_at=now)
    await db.execute(change.where(Challenge.purpose.in_(purposes)) if purposes else change)


def answered_by(challenge: Challenge, user: User) -> bool:
    """Whether the challenge was opened for this person, and their password is still the one it was then."""
    return challenge.user_id == user.id and challenge.password_digest == _password_digest(user)


def count_wrong_answer(challenge: Challenge, now: datetime) -> bool:
    """Count a wrong answer; whether it was the last one there may be."""
    challenge.wrong_answers += 1
    if challenge.wrong_answers >= MOST_WRONG_ANSWERS:
        challenge.used_at = now
    return challenge.used_at is not None


def _password_digest(user: User) -> bytes:
    return hashlib.sha256(user.password_hash.encode()).digest()
