"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from sample_agent.accounts.email_address import KnownEmail
from sample_agent.accounts.factors.proof import Proof
from sample_agent.accounts.factors.schemas import ChallengeToken, Code, Credential, RecoveryCodeText, digits
from sample_agent.accounts.wire import KnownPassword


class InMode(BaseModel):
    mode: Literal["cookie", "body"] = Field(
        "cookie", description="where the refresh token goes: an HttpOnly cookie for browsers, or the body of the answer"
    )


class Login(InMode):
    email: KnownEmail
    password: KnownPassword


class PasskeyLogin(InMode):
    challenge: ChallengeToken
    credential: Credential


class FactorProof(BaseModel):
    code: Code | None = Field(None, description="of an authenticator app")
    recovery_code: RecoveryCodeText | None = None
    credential: Credential | None = None

    def proof(self) -> Proof:
        return Proof(
            code=digits(self.code) if self.code else None,
            recovery_code=self.recovery_code.get_secret_value() if self.recovery_code else None,
            credential=self.credential,
        )


class SecondFactorLogin(InMode, FactorProof):
    """Exactly one of `code`, `recovery_code` and `credential`."""

    challenge: ChallengeToken

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if sum(each is not None for each in (self.code, self.recovery_code, self.credential)) != 1:
            raise ValueError("send exactly one of code, recovery_code and credential")
        return self


class StepUp(FactorProof):
    """Exactly one of `password`, `code`, `recovery_code`, and `credential` with its `challenge`."""

    password: KnownPassword | None = Field(None, description="only for an account without second factor")
    challenge: ChallengeToken | None = None

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if sum(each is not None for each in (self.password, self.code, self.recovery_code, self.credential)) != 1:
            raise ValueError("send exactly one of password, code, recovery_code and credential")
        if (self.credential is None) != (self.challenge is None):
            raise ValueError("a credential goes with the challenge it answers, and nothing else does")
        return self


class SteppedUp(BaseModel):
    message: str
    fresh_until: datetime
