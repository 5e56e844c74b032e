"""E-mail addresses: what we accept, and the one spelling in which an address is stored and looked up."""

from __future__ import annotations

import unicodedata
from functools import partial
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field

LONGEST = 254


def stored_email(address: str, *, deliverable: bool = True) -> str:
    """The spelling under which `address` is stored: normalised and in lower case.

    `deliverable=False` also takes the names of a private network, such as `me@studio`.
    Raises ValueError with a sentence for people when it is not an e-mail address.
    """
    try:
        parts = validate_email(
            address.strip(), check_deliverability=False, globally_deliverable=deliverable, allow_smtputf8=False
        )
    except EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return parts.normalized.lower()


def looked_up_email(address: str) -> str:
    """The spelling to look for. Unlike `stored_email` it refuses nothing: what is no address is simply not found."""
    try:
        return stored_email(address, deliverable=False)
    except ValueError:
        return unicodedata.normalize("NFC", address).strip().lower().replace("\0", "")


_Address = Annotated[str, Field(max_length=LONGEST, json_schema_extra={"format": "email"})]

NewEmail = Annotated[_Address, AfterValidator(stored_email)]
MailedEmail = Annotated[_Address, AfterValidator(partial(stored_email, deliverable=False))]
"""Where a mail is asked for, to an account or to none."""
KnownEmail = Annotated[_Address, AfterValidator(looked_up_email)]
