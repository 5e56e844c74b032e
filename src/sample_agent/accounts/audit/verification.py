"""Walking the chains of the audit log, to find out whether anything in them was changed.

A chain shows by itself what was altered, taken out or put in between. That its end was cut off, or that it was written
anew from some point on, shows only beside an anchor: the head the chain had once, kept outside the database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Text, case, cast, column, exists, func, or_, select, table, tuple_
from sqlalchemy.orm import aliased

from sample_agent.accounts.audit.actions import Action
from sample_agent.accounts.audit.chain import FIRST, context_hash, entry_hash
from sample_agent.accounts.audit.erasing import ELSEWHERE
from sample_agent.accounts.audit.models import AuditContext, AuditEntry
from sample_agent.core.database import Database

BATCH = 1000
"""Entries in memory at once."""


class Damage(StrEnum):
    """What is wrong with an entry."""

    CHANGED = "changed"
    MISSING = "missing"
    OUT_OF_PLACE = "out of place"
    CONTEXT_CHANGED = "context changed"
    CONTEXT_MISSING = "context missing"
    CUT_OFF = "cut off"
    REWRITTEN = "rewritten"


_MEANINGS = {
    Damage.CHANGED: "the entry does not say what it said when it was written",
    Damage.MISSING: "the entry is not there, and later ones are",
    Damage.OUT_OF_PLACE: "the entry does not follow upon the one before it: one was put in, taken out or replaced",
    Damage.CONTEXT_CHANGED: "address, program or details of the entry are not those it was written with",
    Damage.CONTEXT_MISSING: "address, program and details of the entry are gone, and nobody it concerns was erased",
    Damage.CUT_OFF: "the chain was longer than it is now: its last entries were taken off",
    Damage.REWRITTEN: "the chain had another entry here when its head was noted: it was written anew",
}


@dataclass(frozen=True)
class Head:
    """The last entry of a chain at some moment."""

    tenant_id: UUID
    position: int
    hash: bytes


@dataclass(frozen=True)
class Broken:
    """The first entry of a chain that is not as it should be."""

    tenant_id: UUID
    position: int
    damage: Damage
    entry_id: UUID | None = None
    at: datetime | None = None

    def __str__(self) -> str:
        which = f" ({self.entry_id}, {self.at.isoformat()})" if self.entry_id and self.at else ""
        return f"{self.tenant_id}, entry {self.position}{which}: {self.damage.value}: {_MEANINGS[self.damage]}."


@dataclass(frozen=True)
class Intact:
    """A chain in which nothing is wrong."""

    head: Head


async def verify(
    database: Database, anchors: Iterator[Head] | None = None, *, tenant_id: UUID | None = None
) -> AsyncIterator[Intact | Broken]:
    """Check every chain, or that of `tenant_id` alone: for each, its head or the first entry that is broken.

    Chains come in the order of their tenants, and `anchors` have to; memory is bounded however long the log is. What
    is added meanwhile is checked as far as it is seen.
    """
    expected = _Anchors(anchors or iter(()), tenant_id)
    chain: _Chain | None = None
    async for found in _entries(database, tenant_id):
        if chain is None or chain.tenant_id != found.entry.tenant_id:
            if chain is not None:
                yield chain.result()
            for lost in expected.before(found.entry.tenant_id):
                yield lost
            chain = _Chain(found.entry.tenant_id, expected.of(found.entry.tenant_id))
        chain.add(found)
    if chain is not None:
        yield chain.result()
    for lost in expected.rest():
        yield lost


@dataclass(frozen=True)
class _Found:
    """An entry as it lies in the database."""

    entry: AuditEntry
    context: AuditContext | None
    may_lack_context: bool
    """Whether somebody it concerns or tells of was erased."""


class _Chain:
    """A chain as far as it was walked."""

    def __init__(self, tenant_id: UUID, anchor: Head | None) -> None:
        self.tenant_id = tenant_id
        self._anchor = anchor
        self._position = 0
        self._hash = FIRST
        self._broken: Broken | None = None

    def add(self, found: _Found) -> None:
        """Check the next entry, unless one before it is broken."""
        if self._broken is not None:
            return
        entry = found.entry
        damage = self._damage_of(found)
        if damage is Damage.MISSING:
            self._broken = Broken(self.tenant_id, self._position + 1, damage)
        elif damage is not None:
            self._broken = Broken(self.tenant_id, entry.position, damage, entry.id, entry.at)
        self._position, self._hash = entry.position, entry.hash

    def result(self) -> Intact | Broken:
        if self._broken is None and self._anchor is not None and self._position < self._anchor.position:
            self._broken = Broken(self.tenant_id, self._position + 1, Damage.CUT_OFF)
        return self._broken or Intact(Head(self.tenant_id, self._position, self._hash))

    def _damage_of(self, found: _Found) -> Damage | None:
        entry, context = found.entry, found.context
        if entry.position > self._position + 1:
            return Damage.MISSING
        if entry_hash(entry) != entry.hash:
            return Damage.CHANGED
        if entry.previous_hash != self._hash or entry.position != self._position + 1:
            return Damage.OUT_OF_PLACE
        if context is None:
            return None if found.may_lack_context else Damage.CONTEXT_MISSING
        if context.tenant_id != entry.tenant_id or context_hash(context) != entry.context_hash:
            return Damage.CONTEXT_CHANGED
        anchor = self._anchor
        if anchor is not None and anchor.position == entry.position and anchor.hash != entry.hash:
            return Damage.REWRITTEN
        return None


class _Anchors:
    """The anchors, taken in step with the chains."""

    def __init__(self, anchors: Iterator[Head], tenant_id: UUID | None) -> None:
        self._anchors = (each for each in anchors if tenant_id is None or each.tenant_id == tenant_id)
        self._next = next(self._anchors, None)

    def before(self, tenant_id: UUID) -> Iterator[Broken]:
        """The chains before that of `tenant_id`, of which nothing is left."""
        while self._next is not None and self._next.tenant_id < tenant_id:
            yield self._lost(self._next)

    def of(self, tenant_id: UUID) -> Head | None:
        anchor = self._next
        if anchor is None or anchor.tenant_id != tenant_id:
            return None
        self._next = next(self._anchors, None)
        return anchor

    def rest(self) -> Iterator[Broken]:
        """The chains after the last one, of which nothing is left."""
        while self._next is not None:
            yield self._lost(self._next)

    def _lost(self, anchor: Head) -> Broken:
        self._next = next(self._anchors, None)
        return Broken(anchor.tenant_id, 1, Damage.CUT_OFF)


_ERASURES = table("erasures", column("user_id"))
_USERS = table("users", column("id"))
_CONCERNS_ERASED = (
    exists()
    .where(
        or_(
            _ERASURES.c.user_id == AuditEntry.tenant_id,
            _ERASURES.c.user_id == AuditEntry.actor_id,
            _ERASURES.c.user_id == AuditEntry.subject_id,
        ),
        # Anybody who can erase a context can claim an erasure; that the person is gone cannot be merely claimed.
        ~exists().where(_USERS.c.id == _ERASURES.c.user_id),
    )
    .select_from(_ERASURES)
)
_erasing, _erased = aliased(AuditEntry), aliased(AuditContext)
_NAMED_BY_ERASURE = (
    exists()
    .where(
        _erasing.action == Action.ERASED.value,
        _erased.entry_id == _erasing.id,
        _erased.detail[ELSEWHERE].contains(func.jsonb_build_array(cast(AuditEntry.id, Text))),
    )
    .select_from(_erasing, _erased)
)
_MAY_LACK_CONTEXT = case((AuditContext.entry_id.is_not(None), False), else_=or_(_CONCERNS_ERASED, _NAMED_BY_ERASURE))
_IN_ORDER = (
    select(AuditEntry, AuditContext, _MAY_LACK_CONTEXT.label("may_lack_context"))
    .outerjoin(AuditContext, AuditContext.entry_id == AuditEntry.id)
    .order_by(AuditEntry.tenant_id, AuditEntry.position)
    .limit(BATCH)
)


async def _entries(database: Database, tenant_id: UUID | None) -> AsyncIterator[_Found]:
    """Entries chain by chain, each in its order; a transaction for each batch, so that none stays open for long."""
    batch = _IN_ORDER if tenant_id is None else _IN_ORDER.where(AuditEntry.tenant_id == tenant_id)
    place = tuple_(AuditEntry.tenant_id, AuditEntry.position)
    following = batch
    while True:
        async with database.transaction(purpose="identity") as db:
            rows = (await db.execute(following)).all()
        for entry, context, may_lack_context in rows:
            yield _Found(entry, context, may_lack_context)
        if len(rows) < BATCH:
            return
        last = rows[-1][0]
        following = batch.where(place > tuple_(last.tenant_id, last.position))
