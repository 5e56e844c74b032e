"""Looking through somebody's eyes: a session of theirs that can change nothing, is short, and that they can see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts import Client, Identity, Principal, plan_of
from sample_agent.accounts.audit import Action, Subject, record
from sample_agent.accounts.errors import AdministratorsOnly, SecondFactorMissing, SessionExpired
from sample_agent.accounts.models import Session, User
from sample_agent.accounts.second_factor import has_second_factor
from sample_agent.admin.actor import administrator
from sample_agent.admin.errors import NotToBeImpersonated, OwnAccount
from sample_agent.core.errors import NotFound
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import PlanId

LASTS = timedelta(minutes=15)
"""At most: no longer than any access token."""

_NEVER = datetime.fromtimestamp(0, UTC)
"""When the person behind such a session proved themselves to it."""

log = structlog.get_logger("admin")


@dataclass(frozen=True)
class Look:
    """An impersonation that has begun."""

    user: User
    plan: PlanId
    second_factor: bool
    access_token: str
    expires_in: int
    administrator: str
    """The e-mail address of whoever looks."""


async def begin(identity: Identity, principal: Principal, user_id: UUID, *, reason: str, client: Client) -> Look:
    """Open a session of a person for an administrator; it lasts no longer than the one they are at.

    Raises NotFound, OwnAccount and NotToBeImpersonated, and whatever administrators are refused with who have just lost
    their session or their rights.
    """
    now = identity.now()
    async with identity.database.transaction(purpose="identity") as db:
        user, looking, theirs = await _held(db, principal, user_id, now)
        if user is None:
            raise NotFound
        if user.id == principal.user_id:
            raise OwnAccount
        if user.is_superuser or not user.is_active:
            raise NotToBeImpersonated(
                "Administrators are not impersonated." if user.is_superuser else "The account is suspended."
            )
        # The person sees this session in their list: that it is an administrator's, and not where they sit.
        session = Session(
            id=new_id(),
            user_id=user.id,
            created_at=now,
            last_used_at=now,
            authenticated_at=_NEVER,
            impersonator_id=principal.user_id,
            impersonator_session_id=principal.session_id,
            expires_at=min(now + LASTS, now + timedelta(seconds=identity.tokens.seconds), theirs.expires_at),
        )
        db.add(session)
        await db.flush()
        plan = await plan_of(db, user.id, identity.settings.plan_for_new_accounts)
        second_factor = bool(await db.scalar(select(has_second_factor(user.id))))
        await record(
            db,
            Action.IMPERSONATION_BEGAN,
            tenant_id=user.id,
            actor=administrator(principal, client),
            subject=Subject("session", session.id),
            detail={"reason": reason, "expires_at": session.expires_at},
            now=now,
        )
    seconds = int((session.expires_at - now).total_seconds())
    token = identity.tokens.issue(user_id=user.id, session_id=session.id, email=user.email, tier=plan, seconds=seconds)
    log.info("impersonation began", user_id=str(user.id), administrator_id=str(principal.user_id))
    return Look(user, plan, second_factor, token, seconds, looking.email)


async def _held(
    db: AsyncSession, principal: Principal, user_id: UUID, now: datetime
) -> tuple[User | None, User, Session]:
    """The person, the administrator and the session the administrator is at, held as they are until the transaction
    ends: what the request was let in by may be a second old.

    Whoever takes rights away locks people first, by id, and sessions after them; so does this. A session that is not
    refreshed in time has no good access token for days before that, so nothing has to be held for it.
    """
    ids = (principal.user_id, user_id)
    people = await db.scalars(select(User).where(User.id.in_(ids)).order_by(User.id).with_for_update(read=True))
    held = {each.id: each for each in people}
    session = await db.scalar(select(Session).where(Session.id == principal.session_id).with_for_update(read=True))
    looking = held.get(principal.user_id)
    if session is None or session.revoked_at is not None or session.expires_at <= now:
        raise SessionExpired
    if looking is None or not looking.is_active:
        raise SessionExpired
    if not looking.is_superuser:
        raise AdministratorsOnly
    if not session.second_factor:
        raise SecondFactorMissing
    return held.get(user_id), looking, session
