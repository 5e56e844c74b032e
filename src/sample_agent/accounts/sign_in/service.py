"""Signing in: a password, and where the account asks for it a second factor."""

from __future__ import annotations

import structlog
from sqlalchemy import select

from sample_agent.accounts.audit import Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import AccountDisabled, EmailNotVerified, InvalidCredentials
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.models import User
from sample_agent.accounts.sessions.service import SignIn, begin_session

log = structlog.get_logger("accounts")


async def login(identity: Identity, *, email: str, password: str, client: Client) -> SignIn:
    """Begin a session.

    Raises InvalidCredentials, after the same time, for a wrong password and for an unknown address; EmailNotVerified
    and AccountDisabled only to someone who knows the password.
    """
    async with identity.database.transaction(purpose="identity") as db:
        user = await db.scalar(select(User).where(User.email == email))
    # Between two transactions, so that a queue of waiting hashes does not hold connections.
    right, new_hash = await identity.passwords.check(password, user.password_hash if user else None)
    if user is None or not right:
        log.info("sign-in refused", reason="credentials", user_id=str(user.id) if user else None)
        raise InvalidCredentials
    async with identity.database.transaction(purpose="identity") as db:
        user = await db.scalar(
            select(User).where(User.id == user.id, User.password_hash == user.password_hash).with_for_update()
        )
        if user is None:  # the password was changed meanwhile
            raise InvalidCredentials
        if not user.is_active:
            log.info("sign-in refused", reason="switched off", user_id=str(user.id))
            raise AccountDisabled
        if user.email_verified_at is None:
            log.info("sign-in refused", reason="address not confirmed", user_id=str(user.id))
            raise EmailNotVerified
        if new_hash is not None:
            user.password_hash = new_hash
        signed_in = await begin_session(db, identity, user, client)
        await record(db, Action.SIGNED_IN, tenant_id=user.id, actor=Actor("user", user.id, client), now=identity.now())
    log.info("signed in", user_id=str(user.id))
    return signed_in
