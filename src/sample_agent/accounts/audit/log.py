"""Adding to the audit log, in the transaction of what it records: both are kept, or neither.

Each tenant's entries form a chain: an entry's hash covers the entry and the hash of the one before it, so that nothing
can be changed, left out or put in between without every later hash being wrong.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self
from uuid import UUID

import orjson
import structlog
from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.audit.actions import Action
from sample_agent.accounts.audit.models import AuditContext, AuditEntry
from sample_agent.accounts.client import Client
from sample_agent.accounts.principal import Principal
from sample_agent.core.identifiers import new_id

INSTALLATION = UUID(int=0)
"""The tenant of what concerns nobody in particular."""

FIRST = bytes(32)
"""The hash before the first entry of a chain."""

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
    """Add an entry to the chain of `tenant_id`; it exists once the transaction of `db` commits.

    `detail` is JSON without secrets; with the client it is what an erasure takes away. Call it last in a transaction:
    until the commit nobody else can add to this chain.
    """
    await db.execute(_TURN, {"tenant": str(tenant_id)})
    last = (await db.execute(_LAST, {"tenant_id": tenant_id})).one_or_none()
    entry_id = new_id()
    context = AuditContext(
        entry_id=entry_id,
        tenant_id=tenant_id,
        salt=secrets.token_bytes(16),
        ip_address=actor.client.ip_address,
        user_agent=actor.client.user_agent,
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", "")),
        detail=dict(detail or {}),
    )
    entry = AuditEntry(
        id=entry_id,
        tenant_id=tenant_id,
        position=last.position + 1 if last else 1,
        at=now or datetime.now(UTC),
        action=action.value,
        actor_kind=actor.kind,
        actor_id=actor.id,
        subject_kind=subject.kind if subject else None,
        subject_id=subject.id if subject else None,
        context_hash=context_hash(context),
        previous_hash=last.hash if last else FIRST,
    )
    entry.hash = entry_hash(entry)
    db.add(entry)
    await db.flush()
    db.add(context)
    await db.flush()


def entry_hash(entry: AuditEntry) -> bytes:
    """SHA-256 of everything an entry says, and of the hash before it."""
    said = [
        str(entry.id),
        str(entry.tenant_id),
        entry.position,
        entry.at.astimezone(UTC).isoformat(),
        entry.action,
        entry.actor_kind,
        str(entry.actor_id) if entry.actor_id else None,
        entry.subject_kind,
        str(entry.subject_id) if entry.subject_id else None,
        entry.context_hash.hex(),
    ]
    return hashlib.sha256(entry.previous_hash + orjson.dumps(said)).digest()


def context_hash(context: AuditContext) -> bytes:
    """SHA-256 of the salted context; without the salt nothing can be guessed from it."""
    said = [context.ip_address, context.user_agent, context.request_id, context.detail]
    return hashlib.sha256(context.salt + orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()
