"""Use cases of accounts: register, confirm the address, create a user by hand."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert

from sample_agent.accounts.errors import EmailTaken, OneTimeTokenSpent
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.models import User
from sample_agent.accounts.passwords import Passwords, refuse_common
from sample_agent.accounts.plans import set_plan
from sample_agent.accounts.users.one_time_tokens import VERIFY_EMAIL, redeem, void_tokens
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import PlanId

log = structlog.get_logger("accounts")


async def register(identity: Identity, *, email: str, password: str, first_name: str, last_name: str) -> UUID:
    """Create an account that waits for its address to be confirmed, and return its id.

    For an address that has a confirmed account nothing changes, and the mail tells its owner. One that was never
    confirmed is overwritten, so that nobody can reserve a stranger's address with a password of their own. Then the id
    is nobody's. In every case the same statements run and the same work is queued: the caller learns nothing.
    """
    refuse_common(password, email=email)
    password_hash = await identity.passwords.hash(password)
    now, proposed_id = identity.now(), new_id()
    draft = insert(User).values(
        id=proposed_id,
        email=email,
        password_hash=password_hash,
        first_name=first_name,
        last_name=last_name,
        is_active=True,
        is_superuser=False,
    )
    upsert = draft.on_conflict_do_update(
        index_elements=[User.email],
        set_={
            "password_hash": draft.excluded.password_hash,
            "first_name": draft.excluded.first_name,
            "last_name": draft.excluded.last_name,
            "updated_at": now,
        },
        where=User.email_verified_at.is_(None),
    ).returning(User.id)
    async with identity.database.transaction(purpose="identity") as db:
        row = (await db.execute(upsert)).one_or_none()
        await void_tokens(db, row.id if row else proposed_id, now)
        await queue_mail(db, VERIFY_EMAIL, to=email)
    log.info("registration", outcome="taken" if row is None else "created" if row.id == proposed_id else "overwritten")
    return proposed_id


async def resend_verification(identity: Identity, *, email: str) -> None:
    """Send the mail of `register` again, if there is such an account. The caller does not learn whether there is."""
    async with identity.database.transaction(purpose="identity") as db:
        await queue_mail(db, VERIFY_EMAIL, to=email)


async def verify_email(identity: Identity, *, token: str) -> None:
    """Confirm the address a token was mailed to. Raises OneTimeTokenSpent when it is unknown, used, replaced or old."""
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user_id = await redeem(db, token, VERIFY_EMAIL, now)
        if user_id is None:
            raise OneTimeTokenSpent
        await db.execute(
            update(User).where(User.id == user_id, User.email_verified_at.is_(None)).values(email_verified_at=now)
        )
    log.info("e-mail address confirmed", user_id=str(user_id))


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
        user_id: UUID | None = await db.scalar(
            statement.on_conflict_do_nothing(index_elements=[User.email]).returning(User.id)
        )
        if user_id is None:
            raise EmailTaken(f"There is an account with the address {email} already.")
        if plan is not None:
            await set_plan(db, user_id, plan)
    log.info("user created", user_id=str(user_id), is_admin=is_admin)
    return user_id
