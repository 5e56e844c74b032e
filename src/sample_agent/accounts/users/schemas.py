"""What goes over the wire."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from sample_agent.accounts.email_address import KnownEmail, NewEmail
from sample_agent.accounts.wire import Name, NewPassword


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


class Verification(BaseModel):
    token: Annotated[str, Field(min_length=1, max_length=512)]


class ResendVerification(BaseModel):
    email: KnownEmail
