"""Tables of the audit log. The application may add entries and read them; it may not change or delete any."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from sample_agent.core.database import Model
from sample_agent.core.identifiers import new_id


class AuditEntry(Model):
    """That something happened. Each entry holds the hash of the one before it in its tenant's chain.

    It names people by their ids alone and refers to nothing, so that it outlives whom it tells of.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (UniqueConstraint("tenant_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[UUID]
    """Whose log it stands in: a person's, an organization's, or the installation's (all zeros)."""
    position: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    action: Mapped[str] = mapped_column(String(64), index=True)
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[UUID | None]
    subject_kind: Mapped[str | None] = mapped_column(String(32))
    subject_id: Mapped[UUID | None]
    context_hash: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)

    def is_by(self, person_id: UUID) -> bool:
        """Whether the person whose log it stands in did it, or a key of theirs. Who anybody else was, and where they
        sat, is not for them to know: not of an administrator, nor of a stranger whose sign-in was refused."""
        return self.actor_kind == "api-key" or (self.actor_kind == "user" and self.actor_id == person_id)


class AuditContext(Model):
    """Where an entry came from and what it was about in detail. It may be erased with the person; its hash, salted so
    that nothing can be guessed from it, stays in the chain."""

    __tablename__ = "audit_contexts"

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("audit_entries.id"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(index=True)
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    ip_address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(512))
    request_id: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)
