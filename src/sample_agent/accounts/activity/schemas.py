"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from sample_agent.accounts.audit import Action


class Activity(BaseModel):
    """Something that happened to the person's account."""

    id: UUID
    at: datetime
    action: Action
    actor: str = Field(description='"you", "API key …", "an administrator" or "the installation"')
    ip_address: str | None = Field(description="where it was done from, when it was the person or a key of theirs")
    device: str | None = Field(description="what it was done with, when it was the person or a key of theirs")
    detail: dict[str, Any] = Field(description="more about it; what that is depends on the action")


class Activities(BaseModel):
    entries: list[Activity] = Field(description="newest first")
    next_cursor: str | None
