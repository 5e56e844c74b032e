"""The mails about sessions: what each says when it is due."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.device import device_label, place_of
from sample_agent.accounts.mailing import Composed, Letter, MailResources
from sample_agent.accounts.models import Session

NEW_SIGN_IN = "new-sign-in"
TOKEN_REUSED = "session-token-reused"  # noqa: S105


async def new_sign_in(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """That somebody signed in from a device that was not seen before."""
    session = await _session_of(db, letter)
    if session is None:
        return None
    return NEW_SIGN_IN, {
        **_device(session.user_agent, session.began_from),
        "at": f"{session.created_at:%d %B %Y, %H:%M} UTC",
        "link": f"{resources.public_url}/settings/security",
    }


async def token_reused(db: AsyncSession, letter: Letter, resources: MailResources) -> Composed | None:
    """That a session was ended, because its refresh token turned up a second time."""
    session = await _session_of(db, letter)
    if session is None or session.revoked_at is None:
        return None
    return TOKEN_REUSED, {
        **_device(session.user_agent, session.ip_address),
        "at": f"{session.revoked_at:%d %B %Y, %H:%M} UTC",
        "used_from": _address(str(letter.data["ip_address"])),
        "link": f"{resources.public_url}/settings/security",
    }


async def _session_of(db: AsyncSession, letter: Letter) -> Session | None:
    return await db.scalar(
        select(Session).where(Session.id == UUID(letter.data["session_id"]), Session.user_id == letter.user_id)
    )


def _device(user_agent: str, ip_address: str) -> dict[str, Any]:
    return {"device": device_label(user_agent), "address": _address(ip_address)}


def _address(ip_address: str) -> str:
    if not ip_address:
        return "an unknown address"
    place = place_of(ip_address)
    return f"{ip_address} ({place})" if place else ip_address
