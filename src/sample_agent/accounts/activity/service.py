"""What happened to a person's account, as far as they may see who did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts.activity.schemas import Activities, Activity
from sample_agent.accounts.audit import Action
from sample_agent.accounts.audit.search import Filters, Recorded, find
from sample_agent.accounts.device import device_label
from sample_agent.accounts.models import ApiKey
from sample_agent.core.database import Database


async def activities(database: Database, user_id: UUID, *, limit: int, cursor: str | None) -> Activities:
    """The person's own log, newest first. Raises ValidationFailed for a cursor that is none."""
    async with database.transaction(user_id) as db:
        page = await find(db, Filters(tenant_id=user_id), limit=limit, cursor=cursor)
        keys = await _keys(db, user_id, page.entries)
    return Activities(entries=[_shown(each, user_id, keys) for each in page.entries], next_cursor=page.next_cursor)


async def _keys(db: AsyncSession, user_id: UUID, entries: Sequence[Recorded]) -> dict[UUID, str]:
    """The names of the API keys that did something."""
    ids = {each.entry.actor_id for each in entries if each.entry.actor_kind == "api-key" and each.entry.actor_id}
    if not ids:
        return {}
    keys = select(ApiKey.id, ApiKey.name, ApiKey.hint).where(ApiKey.user_id == user_id, ApiKey.id.in_(ids))
    return {row.id: f"{row.name} (…{row.hint})" for row in await db.execute(keys)}


def _shown(recorded: Recorded, user_id: UUID, keys: Mapping[UUID, str]) -> Activity:
    entry, context = recorded.entry, recorded.context
    from_where = context if entry.is_by(user_id) else None
    return Activity(
        id=entry.id,
        at=entry.at,
        action=Action(entry.action),
        actor=_actor(recorded, user_id, keys),
        ip_address=from_where.ip_address or None if from_where else None,
        device=device_label(from_where.user_agent) if from_where else None,
        detail=context.detail if context else {},
    )


def _actor(recorded: Recorded, user_id: UUID, keys: Mapping[UUID, str]) -> str:
    entry = recorded.entry
    match entry.actor_kind:
        case "user":
            return "you" if entry.actor_id == user_id else "somebody else"
        case "api-key":
            name = keys.get(entry.actor_id) if entry.actor_id else None
            return f"API key {name}" if name else "an API key"
        case "admin":
            return "an administrator"
        case _:
            return "the installation"
