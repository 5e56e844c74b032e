"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from sample_agent.accounts.models import User
from sample_agent.accounts.sessions.service import SignIn
from sample_agent.accounts.wire import Secret
from sample_agent.core.settings import PlanId


class Refresh(BaseModel):
    refresh_token: Annotated[Secret, Field(min_length=1, max_length=4096)] | None = None


class UserProfile(BaseModel):
    id: UUID
    email: str
    first_name: str
    last_name: str
    tier: PlanId
    is_admin: bool
    created_at: datetime
    second_factor: bool = Field(description="whether the account has an authenticator app or a passkey")

    @classmethod
    def of(cls, user: User, plan: PlanId, *, second_factor: bool) -> Self:
        return cls(
            id=user.id,
            email=user.email,
            first_name=user.first_name,
            last_name=user.last_name,
            tier=plan,
            is_admin=user.is_superuser,
            created_at=user.created_at,
            second_factor=second_factor,
        )


class SignedIn(BaseModel):
    token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int
    user: UserProfile
    refresh_token: str | None = Field(None, description="only when the refresh token does not travel in the cookie")

    @classmethod
    def of(cls, sign_in: SignIn, *, with_refresh_token: bool) -> Self:
        return cls(
            token=sign_in.access_token,
            expires_in=sign_in.expires_in,
            user=UserProfile.of(sign_in.user, sign_in.plan, second_factor=sign_in.has_second_factor),
            refresh_token=sign_in.refresh_token if with_refresh_token else None,
        )
