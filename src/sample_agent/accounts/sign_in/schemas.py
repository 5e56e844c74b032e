"""What goes over the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from sample_agent.accounts.email_address import KnownEmail
from sample_agent.accounts.wire import KnownPassword


class Login(BaseModel):
    email: KnownEmail
    password: KnownPassword
    mode: Literal["cookie", "body"] = Field(
        "cookie", description="where the refresh token goes: an HttpOnly cookie for browsers, or the body of the answer"
    )
