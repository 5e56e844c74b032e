"""Finding accounts."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit.search import containing
from sample_agent.accounts.mail_log import MailRecord
from sample_agent.accounts.models import ApiKey, Authenticator, Entitlement, Passkey, Session, User
from sample_agent.accounts.organizations.models import Membership
from sample_agent.accounts.second_factor import has_second_factor
from sample_agent.admin.people.schemas import Status
from sample_agent.core.cursors import cursor_at, place_of
from sample_agent.core.errors import NotFound
from sample_agent.core.settings import PlanId


@dataclass(frozen=True)
class Account:
    """An account in a list."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    tier: PlanId
    is_admin: bool
    is_active: bool
    second_factor: bool
    created_at: datetime
    last_seen_at: datetime | None
    delete_after: datetime | None


@dataclass(frozen=True)
class AccountDetail(Account):
    """An account with what hangs on it."""

    sessions: int
    api_keys: int
    passkeys: int
    authenticator: bool
    organizations: int
    troubled_mails: int


@dataclass(frozen=True)
class Page:
    """Accounts, newest first, and where the next page begins."""

    users: Sequence[Account]
    next_cursor: str | None


async def find(
    db: AsyncSession, *, q: str | None, status: Status | None, limit: int, cursor: str | None, default_plan: PlanId
) -> Page:
    """The newest accounts that match, from where `cursor` left off."""
    newest_first = _accounts(default_plan).where(*_conditions(q, status))
    newest_first = newest_first.order_by(User.created_at.desc(), User.id.desc()).limit(limit + 1)
    if cursor is not None:
        newest_first = newest_first.where(tuple_(User.created_at, User.id) < tuple_(*place_of(cursor)))
    found = [Account(**row) for row in (await db.execute(newest_first)).mappings()]
    last = found[limit - 1] if len(found) > limit else None
    return Page(found[:limit], cursor_at(last.created_at, last.id) if last else None)


async def detail(db: AsyncSession, user_id: UUID, *, now: datetime, default_plan: PlanId) -> AccountDetail:
    """One account. Raises NotFound."""
    counts = (
        _count(Session.user_id, Session.revoked_at.is_(None), Session.expires_at > now).label("sessions"),
        _count(
            ApiKey.user_id, ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
        ).label("api_keys"),
        _count(Passkey.user_id).label("passkeys"),
        _HAS_APP.label("authenticator"),
        _count(Membership.user_id).label("organizations"),
        _count(MailRecord.user_id, MailRecord.status.in_(("refused", "failed"))).label("troubled_mails"),
    )
    one = _accounts(default_plan).add_columns(*counts).where(User.id == user_id)
    row = (await db.execute(one)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return AccountDetail(**row)


_HAS_APP = exists().where(Authenticator.user_id == User.id)
_LAST_SEEN = (
    select(func.max(Session.last_used_at))
    .where(Session.user_id == User.id, Session.impersonator_id.is_(None))
    .scalar_subquery()
)


def _accounts(default_plan: PlanId) -> Select[Any]:
    accounts = select(
        User.id,
        User.email,
        User.first_name,
        User.last_name,
        func.coalesce(Entitlement.plan, default_plan).label("tier"),
        User.is_superuser.label("is_admin"),
        User.is_active,
        has_second_factor(User.id).label("second_factor"),
        User.created_at,
        _LAST_SEEN.label("last_seen_at"),
        User.delete_after,
    ).outerjoin(Entitlement, Entitlement.user_id == User.id)
    return cast(Select[Any], accounts)


def _conditions(q: str | None, status: Status | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    match status:
        case "active":
            conditions.append(User.is_active.is_(True))
        case "suspended":
            conditions.append(User.is_active.is_(False))
        case "admin":
            conditions.append(User.is_superuser.is_(True))
        case "deleting":
            conditions.append(User.delete_after.is_not(None))
    if q:
        pattern = containing(q)
        matches: list[ColumnElement[bool]] = [
            User.email.ilike(pattern),
            (User.first_name + " " + User.last_name).ilike(pattern),
        ]
        with contextlib.suppress(ValueError):
            matches.append(User.id == UUID(q))
        conditions.append(or_(*matches))
    return conditions


def _count(owner: Any, *conditions: ColumnElement[bool]) -> Any:
    return select(func.count()).where(owner == User.id, *conditions).scalar_subquery()
