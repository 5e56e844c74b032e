"""Use cases of getting an account: register, confirm the address, be made one by hand.

Whoever registers proves two things before there is an account: with the mailed link that the mailbox is theirs, and
with the password that the registration is. So nobody can plant a password of theirs in a stranger's account, and
nobody learns whether an address has one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit import OPERATOR, Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.clock import utc_now
from sample_agent.accounts.errors import EmailTaken, InvalidCredentials, OneTimeTokenSpent
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.models import Registration, User
from sample_agent.accounts.passwords import Passwords, refuse_common
from sample_agent.accounts.plans import set_plan
from sample_agent.accounts.registrations import hash_for_registration, registration_with, take_turn
from sample_agent.accounts.sessions import throttle
from sample_agent.accounts.sessions.service import SignIn, begin_session
from sample_agent.accounts.users.one_time_tokens import VERIFY_EMAIL, redeem, unspent, void_registration_tokens
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import PlanId

REGISTRATION_LIFETIME = timedelta(days=7)
MOST_REGISTRATIONS = 10
"""Of one address; a newer one takes the place of the oldest."""

log = structlog.get_logger("accounts")


async def register(
    identity: Identity, client: Client, *, email: str, password: str, first_name: str, last_name: str
) -> UUID:
    """Keep what somebody typed until they follow the mailed link, and return the id their account will have.

    The same happens for an address that has an account, whose owner the mail tells of it, and for one that has
    registrations of other people: the caller learns nothing, and disturbs nobody.
    """
    refuse_common(password, email=email)
    await throttle.before_mail(identity, client, to=email)
    password_hash = await hash_for_registration(identity, email=email, password=password)
    now = identity.now()
    registration = Registration(
        id=new_id(),
        email=email,
        password_hash=password_hash,
        first_name=first_name,
        last_name=last_name,
        created_at=now,
        expires_at=now + REGISTRATION_LIFETIME,
    )
    async with identity.database.transaction(purpose="identity") as db:
        await take_turn(db, email)
        db.add(registration)
        await db.flush()
        await _forget_oldest(db, email)
        await queue_mail(db, VERIFY_EMAIL, to=email)
    log.info("registration")
    return registration.id


async def resend_verification(identity: Identity, client: Client, *, email: str) -> None:
    """Send the mail of `register` again, if it has work to do. The caller does not learn whether it has."""
    await throttle.before_mail(identity, client, to=email)
    async with identity.database.transaction(purpose="identity") as db:
        await queue_mail(db, VERIFY_EMAIL, to=email)


async def verify_email(identity: Identity, *, token: str, password: str, client: Client) -> SignIn:
    """Make an account of the registration that has this password, of the address the token was mailed to; sign in.

    Raises OneTimeTokenSpent when the token is unknown, used or old, and InvalidCredentials when no registration of the
    address has this password; then the token stays good.
    """
    async with identity.database.transaction(purpose="identity") as db:
        mailed = await unspent(db, token, VERIFY_EMAIL, identity.now())
    if mailed is None or mailed.email is None:
        raise OneTimeTokenSpent
    async with throttle.attempt(identity, client, account=mailed.email):
        registration = await registration_with(identity, email=mailed.email, password=password)
        if registration is None:
            log.info("confirmation refused", reason="no registration with this password")
            raise InvalidCredentials("None of the registrations of this address has this password.")
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        await take_turn(db, mailed.email)
        if not await redeem(db, mailed, now):
            raise OneTimeTokenSpent
        user = await _make_user(db, registration, now)
        if user is None:
            raise OneTimeTokenSpent("This address has an account by now.")
        await forget_registrations(db, mailed.email, now)
        signed_in = await begin_session(db, identity, user, client)
        actor = Actor("user", user.id, client)
        await record(db, Action.ACCOUNT_CREATED, tenant_id=user.id, actor=actor, now=now)
        await record(db, Action.SIGNED_IN, tenant_id=user.id, actor=actor, now=now)
    log.info("account created", user_id=str(user.id))
    return signed_in


async def create_user(
    database: Database,
    passwords: Passwords,
    *,
    email: str,
    password: str,
    first_name: str = "",
    last_name: str = "",
    is_admin: bool = False,
    plan: PlanId | None = None,
) -> UUID:
    """Create a confirmed account for someone the operator vouches for; `email` as `stored_email` spells it.

    Raises EmailTaken, and PasswordTooCommon. Without a `plan` the account has the default one.
    """
    refuse_common(password, email=email)
    password_hash = await passwords.hash(password)
    statement = insert(User).values(
        id=new_id(),
        email=email,
        password_hash=password_hash,
        first_name=first_name,
        last_name=last_name,
        is_active=True,
        is_superuser=is_admin,
        email_verified_at=func.now(),
    )
    async with database.transaction(purpose="identity") as db:
        await take_turn(db, email)
        user_id: UUID | None = await db.scalar(
            statement.on_conflict_do_nothing(index_elements=[User.email]).returning(User.id)
        )
        if user_id is None:
            raise EmailTaken(f"There is an account with the address {email} already.")
        if plan is not None:
            await set_plan(db, user_id, plan)
        await forget_registrations(db, email, utc_now())
        await record(
            db,
            Action.ACCOUNT_CREATED,
            tenant_id=user_id,
            actor=OPERATOR,
            detail={"is_admin": is_admin, **({"plan": plan} if plan is not None else {})},
        )
    log.info("user created", user_id=str(user_id), is_admin=is_admin)
    return user_id


async def forget_registrations(db: AsyncSession, email: str, now: datetime) -> None:
    """Drop what waits for this address to be confirmed: it has an account now."""
    await db.execute(delete(Registration).where(Registration.email == email))
    await void_registration_tokens(db, email, now)


async def _forget_oldest(db: AsyncSession, email: str) -> None:
    newest = (
        select(Registration.id)
        .where(Registration.email == email)
        .order_by(Registration.id.desc())
        .limit(MOST_REGISTRATIONS)
    )
    await db.execute(
        delete(Registration)
        .where(Registration.email == email, Registration.id.not_in(newest))
        .execution_options(synchronize_session=False)
    )


async def _make_user(db: AsyncSession, registration: Registration, now: datetime) -> User | None:
    """The account; None when its address or the registration is gone to somebody else."""
    still_there = await db.scalar(
        select(Registration.id).where(Registration.id == registration.id, Registration.expires_at > now)
    )
    if still_there is None:
        return None
    statement = insert(User).values(
        id=registration.id,
        email=registration.email,
        password_hash=registration.password_hash,
        first_name=registration.first_name,
        last_name=registration.last_name,
        is_active=True,
        is_superuser=False,
        email_verified_at=now,
    )
    return await db.scalar(statement.on_conflict_do_nothing(index_elements=[User.email]).returning(User))
