"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row

from sample_agent.accounts.device import Place, device_label, place_of
from sample_agent.accounts.models import Session, User
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
    avatar_url: str | None = Field(description="where the picture of this person is, on the accounts API")
    tier: PlanId
    is_admin: bool
    created_at: datetime
    delete_after: datetime | None = Field(description="when the account is erased, as its owner has asked for")
    mail_refused_at: datetime | None = Field(
        description="when the mail server of this address last refused a mail for good; null since it took one"
    )
    second_factor: bool = Field(description="whether the account has an authenticator app or a passkey")
    impersonated_by: str | None = Field(
        None, description="the address of the administrator who looks through this person's eyes, and is not them"
    )

    @classmethod
    def of(
        cls,
        user: User | Row[*tuple[Any, ...]],
        plan: PlanId,
        *,
        second_factor: bool,
        impersonated_by: str | None = None,
    ) -> Self:
        return cls(
            id=user.id,
            email=user.email,
            first_name=user.first_name,
            last_name=user.last_name,
            avatar_url=user.avatar_url,
            tier=plan,
            is_admin=user.is_superuser,
            created_at=user.created_at,
            delete_after=user.delete_after,
            mail_refused_at=user.mail_refused_at,
            second_factor=second_factor,
            impersonated_by=impersonated_by,
        )


class SignedIn(BaseModel):
    token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int
    user: UserProfile
    refresh_token: str | None = Field(
        None,
        exclude_if=lambda token: token is None,
        description="only when the refresh token does not travel in the cookie",
    )

    @classmethod
    def of(cls, sign_in: SignIn, *, with_refresh_token: bool) -> Self:
        return cls(
            token=sign_in.access_token,
            expires_in=sign_in.expires_in,
            user=UserProfile.of(sign_in.user, sign_in.plan, second_factor=sign_in.has_second_factor),
            refresh_token=sign_in.refresh_token if with_refresh_token else None,
        )


class Device(BaseModel):
    """A place where the person is signed in."""

    id: UUID
    device: str = Field(description='as in "Chrome on Windows"')
    ip_address: str = Field(description="where it was last seen; empty when that is not known")
    place: Place | None = Field(description="where that address is, when it is near")
    began_from: str = Field(description="the address where it began; empty when that is not known")
    created_at: datetime
    last_used_at: datetime = Field(description="to about five minutes")
    current: bool = Field(description="whether this request was made from there")
    second_factor: bool = Field(description="whether a second factor was part of signing in")
    support: bool = Field(description="whether it is an administrator who looks at the account, and can change nothing")

    @classmethod
    def of(cls, session: Session, *, current: bool) -> Self:
        return cls(
            id=session.id,
            device=device_label(session.user_agent),
            ip_address=session.ip_address,
            place=place_of(session.ip_address),
            began_from=session.began_from,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            current=current,
            second_factor=session.second_factor,
            support=session.impersonator_id is not None,
        )


class Devices(BaseModel):
    sessions: list[Device]
