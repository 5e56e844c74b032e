"""What is done to other people's accounts, by an administrator or by an operator at the command line.

Each function is one transaction and records what it did in the person's own log. It returns the sessions it ended, for
the caller's process to forget; other processes notice within a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts import plan_of, set_plan
from sample_agent.accounts.administrators import hold_with_administrators, refuse_last_administrator
from sample_agent.accounts.audit import Action, Actor, record
from sample_agent.accounts.client import Client
from sample_agent.accounts.factors.mails import tell_of_factors
from sample_agent.accounts.factors.models import Challenge, RecoveryCode
from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.models import Authenticator, Passkey, User
from sample_agent.accounts.organizations.departure import refuse_while_needed
from sample_agent.accounts.privacy.deletion import GRACE
from sample_agent.accounts.privacy.mails import DELETION_ASKED
from sample_agent.accounts.sessions.ending import end_impersonations_by, end_sessions
from sample_agent.admin.errors import OwnAccount
from sample_agent.core.database import Database
from sample_agent.core.errors import NotFound
from sample_agent.core.settings import PlanId

log = structlog.get_logger("admin")

Ended = list[UUID]
"""Sessions that were ended."""


@dataclass(frozen=True)
class Change:
    """What is to be different about an account; None leaves it as it is."""

    is_active: bool | None = None
    is_admin: bool | None = None
    first_name: str | None = None
    last_name: str | None = None
    plan: PlanId | None = None


async def change(
    database: Database,
    user_id: UUID,
    changes: Change,
    *,
    actor: Actor,
    now: datetime,
    default_plan: PlanId,
    may_be_last: bool = False,
) -> Ended:
    """Change an account; each thing that is different afterwards is recorded, and nothing is when nothing is.

    Raises NotFound; OwnAccount when an administrator would suspend or demote themselves; LastAdministrator unless
    `may_be_last`.
    """
    weakens = changes.is_active is False or changes.is_admin is False
    ended: Ended = []
    async with database.transaction(purpose="identity") as db:
        user = await _locked(db, user_id, actor, with_administrators=weakens)
        if (changes.is_admin is not None and changes.is_admin != user.is_superuser) or changes.is_active is False:
            _refuse_oneself(user, actor)
        if weakens and not may_be_last:
            await refuse_last_administrator(db, user)
        if changes.is_active is not None and changes.is_active != user.is_active:
            user.is_active = changes.is_active
            if not changes.is_active:
                ended += await end_sessions(db, user_id, now=now, reason="suspended")
            action = Action.ACCOUNT_RESTORED if changes.is_active else Action.ACCOUNT_SUSPENDED
            await _record(db, action, user, actor, now)
        if changes.is_admin is not None and changes.is_admin != user.is_superuser:
            user.is_superuser = changes.is_admin
            if not changes.is_admin:
                ended += await end_impersonations_by(db, user_id, now=now, reason="the administrator was demoted")
            action = Action.ACCOUNT_PROMOTED if changes.is_admin else Action.ACCOUNT_DEMOTED
            await _record(db, action, user, actor, now)
        await _change_plan(db, user, changes.plan, actor, now, default_plan)
        await _change_names(db, user, changes, actor, now)
    log.info("account changed", user_id=str(user_id), by=actor.kind)
    return ended


async def sign_out(database: Database, user_id: UUID, *, actor: Actor, now: datetime) -> Ended:
    """End every session of a person, and every look of theirs through other people's eyes. Raises NotFound."""
    async with database.transaction(purpose="identity") as db:
        user = await _locked(db, user_id, actor)
        ended = await end_sessions(db, user_id, now=now, reason="signed out by an administrator")
        await _record(db, Action.SESSIONS_REVOKED, user, actor, now, sessions=len(ended))
    log.info("signed out everywhere", user_id=str(user_id), by=actor.kind, sessions=len(ended))
    return ended


async def reset_factors(database: Database, user_id: UUID, *, actor: Actor, now: datetime) -> Ended:
    """Remove a person's authenticator app, passkeys and recovery codes, end their sessions, and mail them.

    Raises NotFound; OwnAccount when an administrator would do it to themselves.
    """
    async with database.transaction(purpose="identity") as db:
        user = await _locked(db, user_id, actor)
        _refuse_oneself(user, actor)
        removed: dict[str, int] = {}
        for name, table in (("apps", Authenticator), ("passkeys", Passkey), ("recovery_codes", RecoveryCode)):
            gone = await db.scalars(delete(table).where(table.user_id == user_id).returning(table.user_id))
            removed[name] = len(gone.all())
        # A sign-in that waits for a factor which is no more has to begin anew.
        await db.execute(delete(Challenge).where(Challenge.user_id == user_id))
        ended = await end_sessions(db, user_id, now=now, reason="factors reset")
        await tell_of_factors(db, user, "factors-reset", Client(), now)
        await _record(db, Action.FACTORS_RESET, user, actor, now, **removed)
    log.info("factors reset", user_id=str(user_id), by=actor.kind)
    return ended


async def ask_for_deletion(database: Database, user_id: UUID, *, actor: Actor, now: datetime) -> Ended:
    """Have an account erased when the time of grace is over, in which whose it is can sign in and keep it.

    They are mailed. Harmless when its deletion was asked for before. Raises NotFound, OwnAccount, LastAdministrator,
    and OrganizationNeedsOwner.
    """
    async with database.transaction(purpose="identity") as db:
        user = await _locked(db, user_id, actor, with_administrators=True)
        _refuse_oneself(user, actor)
        await refuse_last_administrator(db, user)
        if user.delete_after is not None:
            return []
        await refuse_while_needed(db, user_id)
        user.delete_after = now + GRACE
        ended = await end_sessions(db, user_id, now=now, reason="deletion asked for")
        data = {"by": "administrator", "at": now.isoformat(), "user_agent": "", "ip_address": ""}
        await queue_mail(db, DELETION_ASKED, to=user.email, user_id=user.id, data=data)
        await _record(db, Action.DELETION_ASKED, user, actor, now, delete_after=user.delete_after)
    log.info("deletion asked for", user_id=str(user_id), by=actor.kind)
    return ended


async def _locked(db: AsyncSession, user_id: UUID, actor: Actor, *, with_administrators: bool = False) -> User:
    """The person's row, held to the end of the transaction; with those of all administrators, so that two who demote
    each other take turns. Raises NotFound."""
    if with_administrators:
        user = await hold_with_administrators(db, user_id, block_references=True)
    else:
        user = await db.scalar(select(User).where(User.id == user_id).with_for_update())
    if user is None:
        raise NotFound
    return user


def _refuse_oneself(user: User, actor: Actor) -> None:
    if actor.id == user.id:
        raise OwnAccount


async def _change_plan(
    db: AsyncSession, user: User, plan: PlanId | None, actor: Actor, now: datetime, default_plan: PlanId
) -> None:
    before = await plan_of(db, user.id, default_plan)
    if plan is None or plan == before:
        return
    await set_plan(db, user.id, plan)
    await _record(db, Action.PLAN_CHANGED, user, actor, now, before=before, after=plan)


async def _change_names(db: AsyncSession, user: User, changes: Change, actor: Actor, now: datetime) -> None:
    fields = []
    for name in ("first_name", "last_name"):
        wanted = getattr(changes, name)
        if wanted is not None and wanted != getattr(user, name):
            setattr(user, name, wanted)
            fields.append(name)
    if fields:
        await _record(db, Action.ACCOUNT_CHANGED, user, actor, now, fields=fields)


async def _record(db: AsyncSession, action: Action, user: User, actor: Actor, now: datetime, **detail: Any) -> None:
    await record(db, action, tenant_id=user.id, actor=actor, detail=detail, now=now)
