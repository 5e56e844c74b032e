"""The mails about API keys. They name a key by its last characters: its name is whatever somebody typed."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.device import device_label, place_of
from sample_agent.accounts.mailing import Composed, Letter, MailResources
from sample_agent.accounts.models import ApiKey

API_KEY_CREATED = "api-key-created"
API_KEY_OLD = "api-key-old"


async def api_key_created(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """That there is a new key, when and from where it was made; sent even if the key is gone by now."""
    key = await db.get(ApiKey, UUID(letter.data["key_id"]))
    if key is None:
        return None
    return API_KEY_CREATED, {
        "hint": key.hint,
        "scopes": key.scopes,
        "at": f"{key.created_at:%d %B %Y, %H:%M} UTC",
        "device": device_label(letter.data["user_agent"]),
        "address": _address(letter.data["ip_address"]),
        "link": f"{resources.public_url}/settings/api-keys",
    }


async def api_key_old(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """That keys are old; needless for those that were rotated, revoked or have expired since."""
    ids = [UUID(each) for each in letter.data["key_ids"]]
    keys = await db.scalars(
        select(ApiKey)
        .where(ApiKey.id.in_(ids), ApiKey.revoked_at.is_(None), ApiKey.replaced_by.is_(None))
        .order_by(ApiKey.created_at)
    )
    now = resources.now()
    old = [
        {"hint": key.hint, "made": key.created_at, "days": (now - key.created_at).days, "used": key.last_used_at}
        for key in keys
        if key.expires_at is None or key.expires_at > now
    ]
    return (API_KEY_OLD, {"keys": old, "link": f"{resources.public_url}/settings/api-keys"}) if old else None


def _address(ip_address: str) -> str:
    place = place_of(ip_address)
    return f"{ip_address or 'unknown'} ({place})" if place else ip_address or "unknown"
