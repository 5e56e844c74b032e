"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sample_agent.accounts.wire import Name
from sample_agent.core.settings import PlanId

Status = Literal["active", "suspended", "admin", "deleting"]


class AdminUser(BaseModel):
    """An account, as administrators see it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    first_name: str
    last_name: str
    tier: PlanId
    is_admin: bool
    is_active: bool = Field(description="false: suspended")
    second_factor: bool = Field(description="whether the account has an authenticator app or a passkey")
    created_at: datetime
    last_seen_at: datetime | None = Field(description="when one of its sessions was last used")
    delete_after: datetime | None = Field(description="when the account is erased, if its deletion was asked for")


class AdminUsers(BaseModel):
    users: list[AdminUser] = Field(description="newest first")
    next_cursor: str | None


class AdminUserDetail(AdminUser):
    """An account with what hangs on it."""

    sessions: int = Field(description="places where the person is signed in")
    api_keys: int = Field(description="API keys that work")
    passkeys: int
    authenticator: bool
    organizations: int
    troubled_mails: int = Field(description="mails of the last months that were refused or could not be delivered")


class UserChange(BaseModel):
    """What is to be different; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    is_active: bool | None = Field(None, description="false suspends: ends all sessions and stops all API keys")
    is_admin: bool | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    plan: PlanId | None = None


UserSearch = Annotated[Name, Field(description="part of the address or the name, or the whole id")]
