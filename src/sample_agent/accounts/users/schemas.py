"""What goes over the wire."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from sample_agent.accounts.email_address import MailedEmail, NewEmail
from sample_agent.accounts.wire import KnownPassword, Name, NewPassword


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


MailedToken = Annotated[str, Field(min_length=1, max_length=512)]


class Verification(BaseModel):
    token: MailedToken
    password: KnownPassword
    mode: Literal["cookie", "body"] = Field(
        "cookie", description="where the refresh token goes: an HttpOnly cookie for browsers, or the body of the answer"
    )


class ResendVerification(BaseModel):
    email: MailedEmail


class ForgottenPassword(BaseModel):
    email: MailedEmail


class NewPasswordByLink(BaseModel):
    token: MailedToken
    password: NewPassword


class PasswordChange(BaseModel):
    current_password: KnownPassword
    new_password: NewPassword


class EmailChange(BaseModel):
    email: NewEmail
    password: KnownPassword


class LinkFollowed(BaseModel):
    token: MailedToken


class NameChange(BaseModel):
    """What is left out stays as it is."""

    first_name: Name | None = None
    last_name: Name | None = None
