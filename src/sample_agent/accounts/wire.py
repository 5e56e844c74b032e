"""Fields that several requests and answers share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, SecretStr
from pydantic_core import PydanticCustomError

from sample_agent.accounts.passwords import LONGEST, SHORTEST


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


class Message(BaseModel):
    message: str
