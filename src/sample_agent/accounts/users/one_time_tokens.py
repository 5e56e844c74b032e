"""The tokens in mailed links: each works once, for a while, and only as long as what it is about stays as it was.

A token is computed from its id and the signing key, so it lies nowhere but in the mail, and a mail that has to be sent
a second time after a failure carries the same link.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.models import User
from sample_agent.accounts.registrations import take_turn
from sample_agent.accounts.sessions.service import token_hash
from sample_agent.accounts.users.models import OneTimeToken

Purpose = Literal["verify-email", "reset-password", "confirm-email", "undo-email-change"]
VERIFY_EMAIL: Purpose = "verify-email"
RESET_PASSWORD: Purpose = "reset-password"  # noqa: S105
CONFIRM_EMAIL: Purpose = "confirm-email"
UNDO_EMAIL_CHANGE: Purpose = "undo-email-change"

LIFETIMES: dict[Purpose, timedelta] = {
    VERIFY_EMAIL: timedelta(hours=24),
    RESET_PASSWORD: timedelta(minutes=30),
    CONFIRM_EMAIL: timedelta(hours=24),
    UNDO_EMAIL_CHANGE: timedelta(days=7),
}

_ONE_AT_A_TIME = frozenset({RESET_PASSWORD, CONFIRM_EMAIL})
"""Links of these purposes end when a newer one is mailed. Not so those of a registration, lest a stranger who registers
over an address ends its owner's link; nor those that undo, lest a second change of address ends the way back from the
first."""

_UNTIL_A_CHANGE = frozenset({RESET_PASSWORD, CONFIRM_EMAIL})
"""Links of these purposes end with a change of password or address, whether they were mailed before it or still wait to
be. Not so those that undo: whoever changes both does not close the way back with that."""


@dataclass(frozen=True)
class InForce:
    """A token that can be used, and whether this is the first time it is sent."""

    text: str = field(repr=False)
    is_new: bool


def one_time_token(key: bytes, token_id: UUID) -> str:
    """The token of this id; only who holds the key can compute it."""
    digest = hmac.digest(key, b"one-time\0" + token_id.bytes, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def put_in_force(
    db: AsyncSession,
    key: bytes,
    token_id: UUID,
    purpose: Purpose,
    now: datetime,
    *,
    email: str,
    user: User | None = None,
) -> InForce | None:
    """Make a token valid and return it; None when it was used, a newer one took its place, or it is outdated.

    `email` is the address it concerns, and `user` whose account, where there is one.
    """
    await take_turn(db, str(user.id if user else email))
    token = one_time_token(key, token_id)
    known = await db.get(OneTimeToken, token_id)
    if known is not None:
        return InForce(token, is_new=False) if known.used_at is None else None
    if user is not None and _is_outdated(token_id, purpose, user):
        return None
    if purpose in _ONE_AT_A_TIME and user is not None:
        newer = select(OneTimeToken.id).where(
            OneTimeToken.user_id == user.id, OneTimeToken.purpose == purpose, OneTimeToken.id > token_id
        )
        if await db.scalar(newer.limit(1)) is not None:
            return None
        await void_tokens(db, user.id, {purpose}, now)
    db.add(
        OneTimeToken(
            id=token_id,
            user_id=user.id if user else None,
            email=email,
            purpose=purpose,
            token_hash=token_hash(token),
            created_at=now,
            expires_at=now + LIFETIMES[purpose],
        )
    )
    await db.flush()
    return InForce(token, is_new=True)


async def unspent(db: AsyncSession, token: str, purpose: Purpose, now: datetime) -> OneTimeToken | None:
    """The token as it is kept; None when it is unknown, used, replaced or too old."""
    return await db.scalar(
        select(OneTimeToken).where(
            OneTimeToken.token_hash == token_hash(token),
            OneTimeToken.purpose == purpose,
            OneTimeToken.used_at.is_(None),
            OneTimeToken.expires_at > now,
        )
    )


async def redeem(db: AsyncSession, token: OneTimeToken, now: datetime, *, user: User | None = None) -> bool:
    """Use up a token that was `unspent`; False when somebody was faster, or it is outdated.

    `user` is whose account it concerns, where there is one, locked: so nothing gets between this and what follows.
    """
    if user is not None and _is_outdated(token.id, token.purpose, user):
        return False
    used = await db.scalar(
        update(OneTimeToken)
        .where(OneTimeToken.id == token.id, OneTimeToken.used_at.is_(None))
        .values(used_at=now)
        .returning(OneTimeToken.id)
    )
    return used is not None


async def void_tokens(
    db: AsyncSession, user_id: UUID, purposes: Collection[Purpose], now: datetime, *, newer_than: UUID | None = None
) -> None:
    """Let no link of these purposes that was mailed to this person work any longer."""
    change = update(OneTimeToken).where(
        OneTimeToken.user_id == user_id, OneTimeToken.purpose.in_(purposes), OneTimeToken.used_at.is_(None)
    )
    if newer_than is not None:
        change = change.where(OneTimeToken.id > newer_than)
    await db.execute(change.values(used_at=now))


async def void_registration_tokens(db: AsyncSession, email: str, now: datetime) -> None:
    """Let no link work any longer that was to confirm a registration of this address."""
    await db.execute(
        update(OneTimeToken)
        .where(OneTimeToken.email == email, OneTimeToken.purpose == VERIFY_EMAIL, OneTimeToken.used_at.is_(None))
        .values(used_at=now)
    )


def _is_outdated(token_id: UUID, purpose: str, user: User) -> bool:
    """Whether it was asked for before the last change of what it is about."""
    return purpose in _UNTIL_A_CHANGE and user.credentials_id is not None and token_id < user.credentials_id
