"""What goes over the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sample_agent.accounts.sessions.schemas import UserProfile
from sample_agent.accounts.wire import Name


class ImpersonationReason(BaseModel):
    reason: Annotated[Name, Field(min_length=3, description="why; the person can read it")]


class Impersonation(BaseModel):
    """An access token that sees what the person sees and changes nothing. It is not renewed."""

    token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int
    user: UserProfile
