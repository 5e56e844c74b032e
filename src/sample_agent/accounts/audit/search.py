"""Finding entries of the audit log: a page at a time, or all that match in the order they happened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, cast, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit.models import AuditContext, AuditEntry
from sample_agent.core.cursors import cursor_at, place_of
from sample_agent.core.database import Database

BATCH = 500
"""Entries in memory at once when all are read."""


@dataclass(frozen=True)
class Filters:
    """Which entries are looked for; what is None does not matter."""

    tenant_id: UUID | None = None
    actor_id: UUID | None = None
    action: str | None = None
    """One action, or with a dot at the end everything that can happen to one kind of thing (`session.`)."""
    since: datetime | None = None
    until: datetime | None = None
    """Before this moment."""
    q: str | None = None
    """Text in the address, the program, the request's id or the details."""


@dataclass(frozen=True)
class Recorded:
    """An entry with its context, which is None once it was erased."""

    entry: AuditEntry
    context: AuditContext | None


@dataclass(frozen=True)
class Page:
    """Entries, newest first, and where the next page begins."""

    entries: Sequence[Recorded]
    next_cursor: str | None


async def find(db: AsyncSession, filters: Filters, *, limit: int, cursor: str | None = None) -> Page:
    """The newest entries that match, from where `cursor` left off."""
    newest_first = _matching(filters).order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit + 1)
    if cursor is not None:
        newest_first = newest_first.where(tuple_(*place_of(cursor)) > _PLACE)
    found = [Recorded(entry, context) for entry, context in (await db.execute(newest_first)).all()]
    last = found[limit - 1].entry if len(found) > limit else None
    return Page(found[:limit], cursor_at(last.at, last.id) if last else None)


async def find_all(database: Database, filters: Filters) -> AsyncIterator[list[Recorded]]:
    """Everything that matches, oldest first, in batches; each read in a transaction of its own."""
    oldest_first = _matching(filters).order_by(AuditEntry.at, AuditEntry.id).limit(BATCH)
    following = oldest_first
    while True:
        async with database.transaction(purpose="identity") as db:
            found = [Recorded(entry, context) for entry, context in (await db.execute(following)).all()]
        if found:
            yield found
        if len(found) < BATCH:
            return
        last = found[-1].entry
        following = oldest_first.where(tuple_(last.at, last.id) < _PLACE)


def containing(text: str) -> str:
    """The pattern for ILIKE of what contains `text`, in which nothing is a wildcard."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


_PLACE = tuple_(AuditEntry.at, AuditEntry.id)


def _matching(filters: Filters) -> Select[AuditEntry, AuditContext]:
    matching = select(AuditEntry, AuditContext).outerjoin(AuditContext, AuditContext.entry_id == AuditEntry.id)
    return matching.where(*_conditions(filters))


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.tenant_id is not None:
        conditions.append(AuditEntry.tenant_id == filters.tenant_id)
    if filters.actor_id is not None:
        conditions.append(AuditEntry.actor_id == filters.actor_id)
    if filters.action is not None:
        whole_kind = filters.action.endswith(".")
        conditions.append(
            AuditEntry.action.startswith(filters.action, autoescape=True)
            if whole_kind
            else AuditEntry.action == filters.action
        )
    if filters.since is not None:
        conditions.append(AuditEntry.at >= filters.since)
    if filters.until is not None:
        conditions.append(AuditEntry.at < filters.until)
    if filters.q:
        pattern = containing(filters.q)
        conditions.append(
            or_(
                AuditContext.ip_address.ilike(pattern),
                AuditContext.user_agent.ilike(pattern),
                AuditContext.request_id.ilike(pattern),
                cast(AuditContext.detail, Text).ilike(pattern),
            )
        )
    return conditions
