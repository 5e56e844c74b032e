"""Who makes a request, as they are now and not as they were when their credential was issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sample_agent.accounts.scopes import Scope
from sample_agent.core.settings import PlanId


@dataclass(frozen=True)
class Principal:
    """Somebody who proved who they are: by a session of theirs, or by an API key."""

    user_id: UUID
    email: str
    tier: PlanId
    is_admin: bool
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    scopes: frozenset[Scope] | None = None
    """What an API key may do; None for a session, which may do whatever its person may."""
    requests_per_minute: int | None = None
    """The limit an API key brings with it."""
    authenticated_at: datetime | None = None
    """When the person last proved themselves to this session with a password or a factor; None for an API key."""
    second_factor: bool = False
    """Whether a second factor was part of it; for an API key, whether its person has one."""
    impersonator_id: UUID | None = None
    """The administrator who looks through this person's eyes, and may change nothing."""
