"""Adding to the audit log, in the transaction of what it records: both are kept, or neither.

Each tenant's entries form a chain: an entry's hash covers the entry and the hash of the one before it, so that nothing
can be changed, left out or put in between without every later hash being wrong.

Entries are written at the end of the transaction, when it holds every lock it needs for its own work, and chain after
chain in one order for everybody. So taking turns at the chains never makes two transactions wait for each other.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self
from uuid import UUID

import structlog
from sqlalchemy import bindparam, event, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from sample_agent.accounts.audit.actions import Action
from sample_agent.accounts.audit.chain import FIRST, SALT_BYTES, as_kept, as_text, context_hash, entry_hash
from sample_agent.accounts.audit.models import AuditContext, AuditEntry
from sample_agent.accounts.client import Client
from sample_agent.accounts.principal import Principal
from sample_agent.core.identifiers import new_id

INSTALLATION = UUID(int=0)
"""The tenant of what concerns nobody in particular."""

ActorKind = Literal["user", "api-key", "admin", "operator", "system"]

_TURN = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("tenant"), 7244)))
_LAST = (
    select(AuditEntry.position, AuditEntry.hash)
    .where(AuditEntry.tenant_id == bindparam("tenant_id"))
    .order_by(AuditEntry.position.desc())
    .limit(1)
)


@dataclass(frozen=True)
class Actor:
    """Who did it, and from where."""

    kind: ActorKind
    id: UUID | None = None
    client: Client = field(default_factory=Client)

    @classmethod
    def of(cls, principal: Principal, client: Client) -> Self:
        """The person or the key behind a request; whoever looks through somebody's eyes stays themselves."""
        if principal.impersonator_id is not None:
            return cls("admin", principal.impersonator_id, client)
        if principal.api_key_id is not None:
            return cls("api-key", principal.api_key_id, client)
        return cls("user", principal.user_id, client)


OPERATOR = Actor("operator")
"""Somebody at the command line of the installation."""

SYSTEM = Actor("system")
"""The installation itself."""


@dataclass(frozen=True)
class Subject:
    """What it happened to, when that is not the tenant itself."""

    kind: str
    id: UUID


async def record(
    db: AsyncSession,
    action: Action,
    *,
    tenant_id: UUID,
    actor: Actor,
    subject: Subject | None = None,
    detail: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> None:
    """Add an entry to the chain of `tenant_id`; it is written when the transaction of `db` commits, and only then.

    `detail` is JSON without secrets; with the client it is what an erasure takes away. Raises TypeError when it is no
    JSON. Inside a savepoint the entry shares its fate.
    """
    unwritten = _Unwritten(
        action=action,
        tenant_id=tenant_id,
        actor=actor,
        subject=subject,
        detail=as_kept(detail or {}),
        at=now or datetime.now(UTC),
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", "")),
    )
    if db.in_nested_transaction():
        await db.run_sync(_append, unwritten)
        return
    transaction = db.sync_session.get_transaction()
    if _UNWRITTEN not in db.info:
        event.listen(db.sync_session, "before_commit", _append_all)
    if _UNWRITTEN not in db.info or db.info[_UNWRITTEN].transaction is not transaction:
        db.info[_UNWRITTEN] = _AllUnwritten(transaction)
    db.info[_UNWRITTEN].entries.append(unwritten)


@dataclass(frozen=True)
class _Unwritten:
    """An entry whose place in its chain is not known yet."""

    action: Action
    tenant_id: UUID
    actor: Actor
    subject: Subject | None
    detail: dict[str, Any]
    at: datetime
    request_id: str


@dataclass(frozen=True)
class _AllUnwritten:
    """What a transaction writes at its end."""

    transaction: SessionTransaction | None
    entries: list[_Unwritten] = field(default_factory=list)


_UNWRITTEN = "unwritten audit entries"


def _append_all(session: Session) -> None:
    if session.in_nested_transaction():  # the end of a savepoint, not of the transaction
        return
    unwritten: _AllUnwritten = session.info[_UNWRITTEN]
    if unwritten.transaction is not session.get_transaction():  # they were rolled back
        return
    for each in sorted(unwritten.entries, key=lambda entry: entry.tenant_id.int):
        _append(session, each)
    unwritten.entries.clear()


def _append(session: Session, unwritten: _Unwritten) -> None:
    session.flush()
    # Asked in two statements: the second has to see what was committed while the first was waiting.
    session.execute(_TURN, {"tenant": str(unwritten.tenant_id)})
    last = session.execute(_LAST, {"tenant_id": unwritten.tenant_id}).one_or_none()
    entry_id = new_id()
    context = AuditContext(
        entry_id=entry_id,
        tenant_id=unwritten.tenant_id,
        salt=secrets.token_bytes(SALT_BYTES),
        ip_address=as_text(unwritten.actor.client.ip_address, 64),
        user_agent=as_text(unwritten.actor.client.user_agent, 512),
        request_id=as_text(unwritten.request_id, 64),
        detail=unwritten.detail,
    )
    entry = AuditEntry(
        id=entry_id,
        tenant_id=unwritten.tenant_id,
        position=last.position + 1 if last else 1,
        at=unwritten.at,
        action=unwritten.action.value,
        actor_kind=unwritten.actor.kind,
        actor_id=unwritten.actor.id,
        subject_kind=unwritten.subject.kind if unwritten.subject else None,
        subject_id=unwritten.subject.id if unwritten.subject else None,
        context_hash=context_hash(context),
        previous_hash=last.hash if last else FIRST,
    )
    entry.hash = entry_hash(entry)
    session.add(entry)
    session.flush()  # nothing tells the session that the context refers to the entry
    session.add(context)
    session.flush()
