"""The mails about somebody's data: what each says when it is due."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.device import device_label
from sample_agent.accounts.mailing import Composed, Letter, MailResources
from sample_agent.accounts.models import User
from sample_agent.accounts.privacy.keep_token import keep_token
from sample_agent.accounts.privacy.models import DataExport

DATA_EXPORT_READY = "data-export-ready"
DELETION_ASKED = "account-deletion-asked"
ACCOUNT_KEPT = "account-kept"
ACCOUNT_ERASED = "account-erased"
"""Not composed like the others: it is sent by the erasure itself, and there is no account behind it any more."""


async def data_export_ready(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """Where the copy can be downloaded, unless its time is over."""
    export = await db.get(DataExport, UUID(letter.data["export_id"]))
    if export is None or export.status != "completed" or export.expires_at is None:
        return None
    return DATA_EXPORT_READY, {"link": f"{resources.public_url}/settings/data", "until": _day(export.expires_at)}


async def deletion_asked(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """When the account is erased, and how to keep it; nothing when it has been kept meanwhile."""
    user = await _user(db, letter)
    if user is None or user.delete_after is None:
        return None
    token = keep_token(resources.signing_key, user.id, user.delete_after)
    return DELETION_ASKED, {
        **_where(letter),
        "date": _day(user.delete_after),
        "by_administrator": letter.data.get("by") == "administrator",
        "link": f"{resources.public_url}/keep-account?{urlencode({'token': token})}",
        "settings_link": f"{resources.public_url}/settings/data",
    }


async def account_kept(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """That the account stays."""
    if await _user(db, letter) is None:
        return None
    return ACCOUNT_KEPT, {**_where(letter), "link": f"{resources.public_url}/settings/security"}


async def _user(db: AsyncSession, letter: Letter) -> User | None:
    return await db.get(User, letter.user_id) if letter.user_id else None


def _where(letter: Letter) -> dict[str, Any]:
    return {
        "at": f"{datetime.fromisoformat(letter.data['at']):%d %B %Y, %H:%M} UTC",
        "device": device_label(letter.data["user_agent"]),
        "address": letter.data["ip_address"] or "an unknown address",
    }


def _day(moment: datetime) -> str:
    return f"{moment:%d %B %Y}"
