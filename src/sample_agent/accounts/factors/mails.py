"""The mails about second factors: that something about them changed, or was used up, or was tried."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.client import Client
from sample_agent.accounts.device import device_label
from sample_agent.accounts.factors.recovery_codes import FEW
from sample_agent.accounts.mail_log import MailRecord
from sample_agent.accounts.mailing import Composed, Letter, MailResources, queue_mail
from sample_agent.accounts.models import User

FACTOR_NOTICE = "factor-notice"
SECOND_FACTOR_GUESSED = "second-factor-guessed"
RECOVERY_CODE_USED = "recovery-code-used"

_ONCE_IN = timedelta(days=1)
"""How often somebody is told that others fail at their second factor."""

_WHAT: dict[str, tuple[str, str]] = {
    "totp-added": ("Authenticator app added", "An authenticator app was set up as second factor of your account."),
    "totp-replaced": ("Authenticator app replaced", "Another authenticator app took the place of the one you had."),
    "totp-removed": ("Authenticator app removed", "The authenticator app was removed from your account."),
    "passkey-added": ("Passkey added", "A passkey was added to your account. It signs in without a password."),
    "passkey-removed": ("Passkey removed", "A passkey was removed from your account."),
    "recovery-codes-made": (
        "New recovery codes",
        "New recovery codes were made. The ones before do not work any longer.",
    ),
    RECOVERY_CODE_USED: ("Recovery code used", "One of your recovery codes was used. It does not work a second time."),
    "factors-reset": (
        "Second factors removed",
        "An administrator removed all second factors and recovery codes from your account.",
    ),
    "copied-passkey": (
        "Sign-in with a passkey refused",
        "One of your passkeys was used and refused, because it seems that somebody has a copy of it. Remove it, and "
        "add a new one.",
    ),
    SECOND_FACTOR_GUESSED: (
        "Sign-in stopped at the second factor",
        "Somebody signed in with your password and then failed at the second factor several times. They did not get "
        "in, but they know your password.",
    ),
}


async def tell_of_factors(
    db: AsyncSession, user: User, what: str, client: Client, now: datetime, *, left: int | None = None
) -> None:
    """Mail the person that something was done to their factors. `left`: the recovery codes that are."""
    data: dict[str, Any] = {
        "what": what,
        "at": now.isoformat(),
        "device": device_label(client.user_agent),
        "address": client.ip_address,
        "left": left,
    }
    mail = SECOND_FACTOR_GUESSED if what == SECOND_FACTOR_GUESSED else FACTOR_NOTICE
    await queue_mail(db, mail, to=user.email, user_id=user.id, data=data)


async def tell_of_guesses(db: AsyncSession, user: User, client: Client, now: datetime) -> None:
    """Mail the person that somebody knows their password and fails at the second factor; once a day."""
    told = exists().where(
        MailRecord.user_id == user.id,
        MailRecord.mail == SECOND_FACTOR_GUESSED,
        MailRecord.created_at > now - _ONCE_IN,
    )
    if not await db.scalar(select(told)):
        await tell_of_factors(db, user, SECOND_FACTOR_GUESSED, client, now)


async def factor_notice(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """What was done to somebody's factors, when and from where, and what to do if it was not them."""
    title, sentence = _WHAT[letter.data["what"]]
    left = letter.data["left"]
    return FACTOR_NOTICE, {
        "title": title,
        "sentence": sentence,
        "at": f"{datetime.fromisoformat(letter.data['at']):%d %B %Y, %H:%M} UTC",
        "device": letter.data["device"],
        "address": letter.data["address"] or "an unknown address",
        "left": left,
        "few": left is not None and left <= FEW,
        "link": f"{resources.public_url}/settings/security",
    }
