"""What goes over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from sample_agent.accounts.factors.service import Factors
from sample_agent.accounts.models import Passkey
from sample_agent.accounts.wire import Name, Secret

Code = Annotated[Secret, Field(min_length=1, max_length=20)]
"""Six digits of an authenticator app; spaces between them do not matter."""

RecoveryCodeText = Annotated[Secret, Field(min_length=1, max_length=100)]

ChallengeToken = Annotated[Secret, Field(min_length=1, max_length=100)]

Credential = Annotated[
    dict[str, Any],
    Field(description="what the browser's `navigator.credentials` answered, as JSON (`PublicKeyCredential.toJSON()`)"),
]

PasskeyName = Annotated[Name, Field(min_length=1)]

PasskeyOptions = Annotated[
    dict[str, Any], Field(description="the options for the browser's `navigator.credentials`, as JSON")
]


def digits(code: Secret) -> str:
    """The code as the app means it: people read and type it in groups."""
    return "".join(code.get_secret_value().split())


class AppFactor(BaseModel):
    confirmed_at: datetime


class PasskeyFactor(BaseModel):
    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None
    backed_up: bool = Field(description="whether the passkey lives on more than one device, as in a password manager")

    @classmethod
    def of(cls, passkey: Passkey) -> Self:
        return cls(
            id=passkey.id,
            name=passkey.name,
            created_at=passkey.created_at,
            last_used_at=passkey.last_used_at,
            backed_up=passkey.backed_up,
        )


class SecondFactors(BaseModel):
    totp: AppFactor | None
    passkeys: list[PasskeyFactor]
    recovery_codes_left: int

    @classmethod
    def of(cls, factors: Factors) -> Self:
        return cls(
            totp=AppFactor(confirmed_at=factors.app_since) if factors.app_since else None,
            passkeys=[PasskeyFactor.of(passkey) for passkey in factors.passkeys],
            recovery_codes_left=factors.recovery_codes_left,
        )


class NewTotp(BaseModel):
    secret: str = Field(description="for typing into the app; shown once")
    uri: str = Field(description="the same as an `otpauth://` address")
    qr_svg: str = Field(description="the same as a QR code: an SVG element")


class TotpConfirmation(BaseModel):
    code: Code


class FirstRecoveryCodes(BaseModel):
    recovery_codes: list[str] | None = Field(description="shown once; null when there were some before")


class RecoveryCodes(BaseModel):
    recovery_codes: list[str] = Field(description="shown once")


class PasskeyChallenge(BaseModel):
    challenge: str = Field(description="goes into the next request, within five minutes")
    options: PasskeyOptions


class NewPasskey(BaseModel):
    challenge: ChallengeToken
    credential: Credential
    name: PasskeyName


class PasskeyAdded(PasskeyFactor):
    recovery_codes: list[str] | None = Field(description="shown once; null when there were some before")


class PasskeyChange(BaseModel):
    name: PasskeyName
