"""Looking through somebody's eyes: a session of theirs that can change nothing, is short, and that they can see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select

from sample_agent.accounts import Client, Identity, Principal, plan_of
from sample_agent.accounts.audit import Action, Actor, Subject, record
from sample_agent.accounts.models import Session, User
from sample_agent.accounts.second_factor import has_second_factor
from sample_agent.accounts.sessions.ending import end_sessions
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
    """Open a session of a person for an administrator. Raises NotFound, OwnAccount and NotToBeImpersonated."""
    now, seconds = identity.now(), min(int(LASTS.total_seconds()), identity.tokens.seconds)
    async with identity.database.transaction(purpose="identity") as db:
        user = await db.scalar(select(User).where(User.id == user_id).with_for_update())
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
            expires_at=now + timedelta(seconds=seconds),
        )
        db.add(session)
        await db.flush()
        plan = await plan_of(db, user.id, identity.settings.plan_for_new_accounts)
        looking = (await db.scalars(select(User.email).where(User.id == principal.user_id))).one()
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
    token = identity.tokens.issue(user_id=user.id, session_id=session.id, email=user.email, tier=plan, seconds=seconds)
    log.info("impersonation began", user_id=str(user.id), administrator_id=str(principal.user_id))
    return Look(user, plan, second_factor, token, seconds, looking)


async def end(identity: Identity, impersonation: Principal, client: Client) -> None:
    """End the impersonation whose own access token asks for it. Harmless when it has ended."""
    session_id, now = impersonation.session_id, identity.now()
    assert session_id is not None  # noqa: S101
    async with identity.database.transaction(purpose="identity") as db:
        if await end_sessions(db, impersonation.user_id, now=now, reason="impersonation ended", only=session_id):
            await record(
                db,
                Action.IMPERSONATION_ENDED,
                tenant_id=impersonation.user_id,
                actor=Actor.of(impersonation, client),
                subject=Subject("session", session_id),
                now=now,
            )
    identity.sessions.forget(session_id)
    log.info("impersonation ended", user_id=str(impersonation.user_id))
