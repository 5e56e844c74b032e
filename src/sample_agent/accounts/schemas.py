"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, SecretStr
from pydantic_core import PydanticCustomError

from sample_agent.accounts.email_address import KnownEmail, NewEmail
from sample_agent.accounts.models import User
from sample_agent.accounts.passwords import LONGEST, SHORTEST
from sample_agent.accounts.sessions import SignIn
from sample_agent.core.settings import PlanId


def _printable(name: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in name):
        raise ValueError("control characters are not allowed")
    return name.strip()


def _encodable(secret: SecretStr) -> SecretStr:
    """JSON can spell half a character (`\\ud800`), and Pydantic lets it pass in secrets."""
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is no character") from None
    return secret


def _long_enough(password: SecretStr) -> SecretStr:
    """The length in words for people: whoever chooses a password reads this beside the field."""
    if len(password) < SHORTEST:
        raise PydanticCustomError("too_short", "Use at least {shortest} characters.", {"shortest": SHORTEST})
    return _short_enough(password)


def _given(password: SecretStr) -> SecretStr:
    if not password:
        raise PydanticCustomError("too_short", "Enter your password.")
    return _short_enough(password)


def _short_enough(password: SecretStr) -> SecretStr:
    if len(password) > LONGEST:
        raise PydanticCustomError("too_long", "Use at most {longest} characters.", {"longest": LONGEST})
    return password


def _described(shortest: int) -> Any:
    """The lengths for the API's description; Pydantic's own check of them speaks of items, not of characters."""
    return Field(json_schema_extra={"minLength": shortest, "maxLength": LONGEST})


Name = Annotated[str, Field(max_length=100), AfterValidator(_printable)]
Secret = Annotated[SecretStr, AfterValidator(_encodable)]
NewPassword = Annotated[Secret, _described(SHORTEST), AfterValidator(_long_enough)]
KnownPassword = Annotated[Secret, _described(1), AfterValidator(_given)]


class Registration(BaseModel):
    email: NewEmail
    password: NewPassword
    first_name: Name = ""
    last_name: Name = ""


class RegisteredUser(BaseModel):
    id: UUID
    email: str
    first_name: str
    last_name: str


class Registered(BaseModel):
    message: str
    user: RegisteredUser


class Message(BaseModel):
    message: str


class Verification(BaseModel):
    token: Annotated[str, Field(min_length=1, max_length=512)]


class ResendVerification(BaseModel):
    email: KnownEmail


class Login(BaseModel):
    email: KnownEmail
    password: KnownPassword
    mode: Literal["cookie", "body"] = Field(
        "cookie", description="where the refresh token goes: an HttpOnly cookie for browsers, or the body of the answer"
    )


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

    @classmethod
    def of(cls, user: User, plan: PlanId) -> Self:
        return cls(
            id=user.id,
            email=user.email,
            first_name=user.first_name,
            last_name=user.last_name,
            tier=plan,
            is_admin=user.is_superuser,
            created_at=user.created_at,
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
            user=UserProfile.of(sign_in.user, sign_in.plan),
            refresh_token=sign_in.refresh_token if with_refresh_token else None,
        )
