"""What goes over the wire about API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from sample_agent.accounts.api_keys.service import Listed
from sample_agent.accounts.scopes import SCOPES, Scope
from sample_agent.accounts.wire import Name

LONGEST_OVERLAP_DAYS = 30


def _given(name: str) -> str:
    if not name:
        raise ValueError("give it a name by which you will know it")
    return name


def _ordered(scopes: list[Scope]) -> list[Scope]:
    return [scope for scope in SCOPES if scope in scopes]


Scopes = Annotated[list[Scope], Field(min_length=1, max_length=2 * len(SCOPES)), AfterValidator(_ordered)]


class NewApiKey(BaseModel):
    name: Annotated[Name, Field(min_length=1), AfterValidator(_given)]
    scopes: Scopes
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = Field(None, description="without it: never")
    requests_per_minute: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None, description="a limit for this key, below the one of the installation"
    )


class Rotation(BaseModel):
    overlap_days: int = Field(
        0, ge=0, le=LONGEST_OVERLAP_DAYS, description="how long the old key goes on working beside the new one"
    )


class ApiKeyView(BaseModel):
    id: UUID
    name: str
    hint: str = Field(description="the last characters of the key")
    scopes: list[Scope]
    requests_per_minute: int | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None
    last_used_agent: str | None
    replaced_by: UUID | None = Field(description="the key that was made when this one was rotated")
    rotation_due: bool = Field(description="older than 90 days, and not rotated yet")

    @classmethod
    def of(cls, key: Listed) -> Self:
        return cls.model_validate(key, from_attributes=True)


class ApiKeys(BaseModel):
    api_keys: list[ApiKeyView]
    next_cursor: str | None


class MadeApiKey(BaseModel):
    key: str = Field(description="the key itself; it is shown this once and stored nowhere")
    api_key: ApiKeyView
