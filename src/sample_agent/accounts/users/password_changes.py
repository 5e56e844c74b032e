"""Use cases of a new password: with a mailed link by whoever forgot the old one, and by whoever knows it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import OneTimeTokenSpent, SessionExpired, WrongProof
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.models import User
from sample_agent.accounts.passwords import refuse_common
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.sessions import throttle
from sample_agent.accounts.sessions.ending import end_sessions
from sample_agent.accounts.users.mails import PASSWORD_CHANGED
from sample_agent.accounts.users.one_time_tokens import RESET_PASSWORD, redeem, unspent
from sample_agent.accounts.users.origin import origin
from sample_agent.core.identifiers import new_id

log = structlog.get_logger("accounts")


async def forgot_password(identity: Identity, *, email: str, client: Client) -> None:
    """Mail a link that sets a new password, if there is an account. The caller does not learn whether there is."""
    await throttle.before_mail(identity, client, to=email)
    data = {**origin(client, identity.now()), "client": {"ip": client.ip_address, "agent": client.user_agent}}
    async with identity.database.transaction(purpose="identity") as db:
        await queue_mail(db, RESET_PASSWORD, to=email, data=data)


async def reset_password(identity: Identity, *, token: str, password: str, client: Client) -> None:
    """Set a new password with the token from the mail, and end all sessions.

    Raises OneTimeTokenSpent when the token is unknown, used, old, or older than a change of password or address; and
    PasswordTooCommon, which leaves it good. Second factors stay: a mailbox alone does not open an account with one.
    """
    async with identity.database.transaction(purpose="identity") as db:
        mailed = await unspent(db, token, RESET_PASSWORD, identity.now())
    if mailed is None or mailed.user_id is None:
        raise OneTimeTokenSpent
    refuse_common(password, email=mailed.email or "")
    password_hash = await identity.passwords.hash(password)
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user = await db.get(User, mailed.user_id, with_for_update=True)
        if user is None or not user.is_active or user.email != mailed.email:
            raise OneTimeTokenSpent
        if not await redeem(db, mailed, now, user=user):
            raise OneTimeTokenSpent
        ended = await _set_password(db, user, password_hash, client, now, keep=None)
        await record(
            db,
            Action.PASSWORD_RESET,
            tenant_id=user.id,
            actor=Actor("user", user.id, client),
            detail={"sessions_ended": len(ended)},
            now=now,
        )
    identity.sessions.forget(*ended)
    log.info("password reset", user_id=str(user.id))


async def change_password(
    identity: Identity, principal: Principal, *, current_password: str, new_password: str, client: Client
) -> None:
    """Set a new password by whoever knows the present one, and end all their other sessions.

    Raises WrongProof when they do not know it, and PasswordTooCommon.
    """
    refuse_common(new_password, email=principal.email, field="new_password")
    known_hash = await prove_password(identity, principal, client, current_password, field="current_password")
    password_hash = await identity.passwords.hash(new_password)
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user = await db.get(User, principal.user_id, with_for_update=True)
        if user is None or user.password_hash != known_hash:  # changed meanwhile
            raise WrongProof("current_password")
        ended = await _set_password(db, user, password_hash, client, now, keep=principal.session_id)
        await record(
            db,
            Action.PASSWORD_CHANGED,
            tenant_id=user.id,
            actor=Actor.of(principal, client),
            detail={"sessions_ended": len(ended)},
            now=now,
        )
    identity.sessions.forget(*ended)
    log.info("password changed", user_id=str(user.id))


async def prove_password(identity: Identity, principal: Principal, client: Client, password: str, *, field: str) -> str:
    """The stored hash of the person's password, which they have just proved to know.

    Raises WrongProof, and RateLimited when too many have failed.
    """
    async with identity.database.transaction(purpose="identity") as db:
        user = await db.get(User, principal.user_id)
    if user is None or not user.is_active:
        raise SessionExpired
    async with throttle.attempt(identity, client, account=user.email, session=principal.session_id):
        right, _ = await identity.passwords.check(password, user.password_hash)
        if not right:
            log.info("password not proved", user_id=str(user.id))
            raise WrongProof(field)
    return user.password_hash


async def _set_password(
    db: AsyncSession, user: User, password_hash: str, client: Client, now: datetime, *, keep: UUID | None
) -> list[UUID]:
    """Store it, which outdates the links that were asked for before it, tell the person, and end their sessions, whose
    ids it returns."""
    user.password_hash, user.credentials_id = password_hash, new_id()
    ended = await end_sessions(db, user.id, now=now, reason="password changed", keep=keep)
    await queue_mail(db, PASSWORD_CHANGED, to=user.email, user_id=user.id, data=origin(client, now))
    return ended
