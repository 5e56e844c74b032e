"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from sample_agent.accounts.audit.search import Filters, Recorded
from sample_agent.accounts.wire import Name


class AuditRecord(BaseModel):
    """An entry of the audit log. Where it came from and its details are null once the person was erased."""

    id: UUID
    tenant_id: UUID = Field(description="whose log it stands in: a person's, a team's, or all zeros")
    position: int
    at: datetime
    action: str
    actor_kind: str
    actor_id: UUID | None
    subject_kind: str | None
    subject_id: UUID | None
    ip_address: str | None
    user_agent: str | None
    request_id: str | None
    detail: dict[str, Any] | None

    @classmethod
    def of(cls, recorded: Recorded) -> Self:
        entry, context = recorded.entry, recorded.context
        return cls(
            id=entry.id,
            tenant_id=entry.tenant_id,
            position=entry.position,
            at=entry.at,
            action=entry.action,
            actor_kind=entry.actor_kind,
            actor_id=entry.actor_id,
            subject_kind=entry.subject_kind,
            subject_id=entry.subject_id,
            ip_address=context.ip_address if context else None,
            user_agent=context.user_agent if context else None,
            request_id=context.request_id if context else None,
            detail=context.detail if context else None,
        )


class AuditRecords(BaseModel):
    entries: list[AuditRecord] = Field(description="newest first")
    next_cursor: str | None


class AuditFilters(BaseModel):
    """Which entries are looked for."""

    tenant_id: UUID | None = Field(None, description="those in the log of this person or team")
    actor_id: UUID | None = Field(None, description="what this person, administrator or API key did")
    action: Annotated[str, Field(pattern=r"^[a-z-]+\.([a-z-]+)?$", max_length=64)] | None = Field(
        None, description="one action (`session.began`), or all of a kind (`session.`)"
    )
    since: AwareDatetime | None = Field(None, description="from this moment on")
    until: AwareDatetime | None = Field(None, description="before this moment")
    q: Name | None = Field(None, description="text in the address, the program, the request's id or the details")

    def wanted(self) -> Filters:
        return Filters(self.tenant_id, self.actor_id, self.action, self.since, self.until, self.q)
