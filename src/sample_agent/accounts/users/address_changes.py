"""Use cases of another e-mail address: ask for it, confirm it from the new mailbox, take it back from the old one."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import EmailTaken, OneTimeTokenSpent, SameEmail, WrongProof
from sample_agent.accounts.holding import hold_person
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.models import User
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.registrations import take_turn
from sample_agent.accounts.sessions import throttle
from sample_agent.accounts.sessions.ending import end_sessions
from sample_agent.accounts.users.mails import EMAIL_RESTORED
from sample_agent.accounts.users.models import OneTimeToken
from sample_agent.accounts.users.one_time_tokens import (
    CONFIRM_EMAIL,
    UNDO_EMAIL_CHANGE,
    Purpose,
    redeem,
    unspent,
    void_tokens,
)
from sample_agent.accounts.users.origin import origin
from sample_agent.accounts.users.password_changes import prove_password
from sample_agent.accounts.users.sign_up import forget_registrations
from sample_agent.core.identifiers import new_id

log = structlog.get_logger("accounts")


async def ask_for_email(identity: Identity, principal: Principal, *, email: str, password: str, client: Client) -> None:
    """Mail a link to the new address that puts it in the place of the present one.

    Raises WrongProof, and SameEmail. Whether the address has an account already only its mailbox learns.
    """
    if email == principal.email:
        raise SameEmail(errors=[{"loc": ["body", "email"], "msg": SameEmail.title}])
    known_hash = await prove_password(identity, principal, client, password, field="password")
    await throttle.before_mail(identity, client, to=email)
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        if (await hold_person(db, principal.user_id)).password_hash != known_hash:  # changed meanwhile
            raise WrongProof("password")
        await queue_mail(db, CONFIRM_EMAIL, to=email, user_id=principal.user_id)
        await record(
            db,
            Action.EMAIL_CHANGE_ASKED,
            tenant_id=principal.user_id,
            actor=Actor.of(principal, client),
            detail={"to": email},
            now=now,
        )
    log.info("change of address asked for", user_id=str(principal.user_id))


async def confirm_email(identity: Identity, *, token: str, client: Client) -> None:
    """Put the new address in the place of the present one, which is mailed a way back.

    Raises OneTimeTokenSpent, and EmailTaken when the address has become another account's meanwhile.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user, mailed = await _user_of(db, token, CONFIRM_EMAIL, now)
        old = user.email
        await _put_in_place(db, user, mailed, now)
        await queue_mail(db, UNDO_EMAIL_CHANGE, to=old, user_id=user.id, data=origin(client, now))
        await record(
            db,
            Action.EMAIL_CHANGED,
            tenant_id=user.id,
            actor=Actor("user", user.id, client),
            detail={"from": old, "to": user.email},
            now=now,
        )
    log.info("address changed", user_id=str(user.id))


async def undo_email_change(identity: Identity, *, token: str, client: Client) -> None:
    """Put the old address back, end all sessions, and mail it a link that sets a new password.

    Every later change is undone with it, so nobody can go forward again by undoing one of those. Raises
    OneTimeTokenSpent, and EmailTaken when the old address has become another account's meanwhile.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user, mailed = await _user_of(db, token, UNDO_EMAIL_CHANGE, now)
        later = user.email
        await _put_in_place(db, user, mailed, now)
        await void_tokens(db, user.id, {UNDO_EMAIL_CHANGE}, now, newer_than=mailed.id)
        ended = await end_sessions(db, user.id, now=now, reason="change of address undone")
        await queue_mail(db, EMAIL_RESTORED, to=user.email, user_id=user.id)
        await record(
            db,
            Action.EMAIL_CHANGE_UNDONE,
            tenant_id=user.id,
            actor=Actor("user", user.id, client),
            detail={"from": later, "to": user.email, "sessions_ended": len(ended)},
            now=now,
        )
    identity.sessions.forget(*ended)
    log.info("change of address undone", user_id=str(user.id))


async def _user_of(db: AsyncSession, token: str, purpose: Purpose, now: datetime) -> tuple[User, OneTimeToken]:
    """Whose token it is, locked, and the token, used up; both addresses' turns are taken."""
    mailed = await unspent(db, token, purpose, now)
    if mailed is None or mailed.user_id is None or mailed.email is None:
        raise OneTimeTokenSpent
    await take_turn(db, mailed.email)
    user = await db.get(User, mailed.user_id, with_for_update=True)
    if user is None or not user.is_active or not await redeem(db, mailed, now, user=user):
        raise OneTimeTokenSpent
    return user, mailed


async def _put_in_place(db: AsyncSession, user: User, mailed: OneTimeToken, now: datetime) -> None:
    assert mailed.email is not None  # noqa: S101
    if await db.scalar(select(User.id).where(User.email == mailed.email, User.id != user.id)) is not None:
        raise EmailTaken
    user.email, user.email_verified_at, user.mail_refused_at = mailed.email, now, None
    user.credentials_id = new_id()
    await forget_registrations(db, mailed.email, now)
