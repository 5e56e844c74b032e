"""Use cases of API keys: make, list, rotate, revoke."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import structlog
from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.accounts import audit
from sample_agent.accounts.api_keys.mails import API_KEY_CREATED
from sample_agent.accounts.audit import Action, Actor, Subject
from sample_agent.accounts.client import Client
from sample_agent.accounts.errors import AdministratorsOnly, ApiKeyReplaced, SecondFactorMissing, TooManyApiKeys
from sample_agent.accounts.identity import Identity
from sample_agent.accounts.live_keys import key_hash, new_key
from sample_agent.accounts.mailing import queue_mail
from sample_agent.accounts.models import ApiKey, User
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.scopes import ADMIN_SCOPES, Scope
from sample_agent.core.cursors import cursor_at, place_of
from sample_agent.core.database import own_row
from sample_agent.core.errors import NotFound
from sample_agent.core.identifiers import new_id

MOST_KEYS = 50
"""Keys of one person that work at the same time; during rotations twice as many."""

OLD_AFTER = timedelta(days=90)
"""A key is to be rotated when it is this old."""

_HINT = 4

log = structlog.get_logger("accounts")


@dataclass(frozen=True)
class Listed:
    """An API key as its person sees it."""

    id: UUID
    name: str
    hint: str
    scopes: list[Scope]
    requests_per_minute: int | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None
    last_used_agent: str | None
    replaced_by: UUID | None
    rotation_due: bool


@dataclass(frozen=True)
class Made:
    """A new key; `key` is what nobody can find out later."""

    key: str
    listed: Listed


async def create_key(
    identity: Identity,
    principal: Principal,
    client: Client,
    *,
    name: str,
    scopes: list[Scope],
    expires_in: timedelta | None,
    requests_per_minute: int | None,
) -> Made:
    """Make a key and mail its person that there is one.

    Raises AdministratorsOnly and SecondFactorMissing for scopes of administrators, and TooManyApiKeys.
    """
    _refuse_scopes_beyond(principal, scopes)
    now = identity.now()
    async with identity.database.transaction(principal.user_id, purpose="identity") as db:
        await _take_turn(db, principal.user_id)
        await _refuse_too_many(db, principal.user_id, MOST_KEYS, now)
        key = new_key()
        row = ApiKey(
            id=new_id(),
            user_id=principal.user_id,
            name=name,
            key_hash=key_hash(key),
            hint=key[-_HINT:],
            scopes=list(scopes),
            requests_per_minute=requests_per_minute,
            created_at=now,
            expires_at=now + expires_in if expires_in is not None else None,
        )
        db.add(row)
        await db.flush()
        await _tell(db, principal, client, row)
        await _note(db, Action.API_KEY_CREATED, principal, client, row, now)
    log.info("API key created", api_key_id=str(row.id), scopes=scopes)
    return Made(key, _listed(row, now))


async def list_keys(
    identity: Identity, user_id: UUID, *, limit: int, cursor: str | None
) -> tuple[list[Listed], str | None]:
    """The keys that were not revoked, newest first, and the cursor of the page after these."""
    wanted = select(ApiKey).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
    if cursor is not None:
        wanted = wanted.where(tuple_(ApiKey.created_at, ApiKey.id) < place_of(cursor))
    newest_first = wanted.order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    async with identity.database.transaction(user_id) as db:
        rows = (await db.scalars(newest_first.limit(limit + 1))).all()
    now, last = identity.now(), rows[limit - 1] if len(rows) > limit else None
    return [_listed(row, now) for row in rows[:limit]], cursor_at(last.created_at, last.id) if last else None


async def rotate_key(
    identity: Identity, principal: Principal, client: Client, key_id: UUID, *, overlap: timedelta
) -> Made:
    """Make a key that may do what the old one may, for as long again; the old one ends after `overlap` at the latest.

    Raises NotFound for a key that is not the person's, was revoked or has expired, and ApiKeyReplaced for one whose
    successor works. The new key needs whatever making it anew would need.
    """
    now = identity.now()
    async with identity.database.transaction(principal.user_id, purpose="identity") as db:
        await _take_turn(db, principal.user_id)
        old = await _living(db, key_id, now)
        successor = await own_row(db, ApiKey, old.replaced_by) if old.replaced_by is not None else None
        if successor is not None and _lives(successor, now):
            raise ApiKeyReplaced(extra={"replaced_by": str(successor.id)})
        scopes = cast(list[Scope], old.scopes)
        _refuse_scopes_beyond(principal, scopes)
        await _refuse_too_many(db, principal.user_id, 2 * MOST_KEYS, now)
        key = new_key()
        row = ApiKey(
            id=new_id(),
            user_id=principal.user_id,
            name=old.name,
            key_hash=key_hash(key),
            hint=key[-_HINT:],
            scopes=list(old.scopes),
            requests_per_minute=old.requests_per_minute,
            created_at=now,
            expires_at=now + (old.expires_at - old.created_at) if old.expires_at is not None else None,
        )
        db.add(row)
        await db.flush()
        old.replaced_by = row.id
        old.expires_at = min(old.expires_at or now + overlap, now + overlap)
        await _tell(db, principal, client, row)
        detail = {"replaced_by": str(row.id), "new_hint": row.hint, "old_key_ends": old.expires_at.isoformat()}
        await _note(db, Action.API_KEY_ROTATED, principal, client, old, now, **detail)
    identity.api_keys.forget(key_id)
    log.info("API key rotated", api_key_id=str(key_id), replaced_by=str(row.id))
    return Made(key, _listed(row, now))


async def revoke_key(identity: Identity, principal: Principal, client: Client, key_id: UUID) -> None:
    """End a key: at once on this process, within a second on every other. Raises NotFound when it is not there."""
    now = identity.now()
    async with identity.database.transaction(principal.user_id, purpose="identity") as db:
        row = await own_row(db, ApiKey, key_id, lock=True)
        if row is None or row.revoked_at is not None:
            raise NotFound("There is no such API key.")
        row.revoked_at = now
        await _note(db, Action.API_KEY_REVOKED, principal, client, row, now)
    identity.api_keys.forget(key_id)
    log.info("API key revoked", api_key_id=str(key_id))


def _refuse_scopes_beyond(principal: Principal, scopes: list[Scope]) -> None:
    """What a key may do, its maker may do right now. Later the person is asked, not the key."""
    if ADMIN_SCOPES.isdisjoint(scopes):
        return
    if not principal.is_admin:
        raise AdministratorsOnly("Scopes of administrators are for administrators.")
    if not principal.second_factor:
        raise SecondFactorMissing


async def _take_turn(db: AsyncSession, user_id: UUID) -> None:
    """Wait until nobody else makes keys for this person: two at once could pass the limit."""
    await db.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))


async def _refuse_too_many(db: AsyncSession, user_id: UUID, at_most: int, now: datetime) -> None:
    living = await db.scalar(
        select(func.count())
        .select_from(ApiKey)
        .where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None))
        .where(or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
    )
    if (living or 0) >= at_most:
        raise TooManyApiKeys(f"You have {living} API keys; {at_most} is the limit.", extra={"limit": at_most})


async def _living(db: AsyncSession, key_id: UUID, now: datetime) -> ApiKey:
    row = await own_row(db, ApiKey, key_id, lock=True)
    if row is None or not _lives(row, now):
        raise NotFound("There is no such API key.")
    return row


def _lives(row: ApiKey, now: datetime) -> bool:
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > now)


async def _tell(db: AsyncSession, principal: Principal, client: Client, row: ApiKey) -> None:
    data = {"key_id": str(row.id), "ip_address": client.ip_address, "user_agent": client.user_agent}
    await queue_mail(db, API_KEY_CREATED, to=principal.email, user_id=principal.user_id, data=data)


async def _note(
    db: AsyncSession, action: Action, principal: Principal, client: Client, row: ApiKey, now: datetime, **more: str
) -> None:
    await audit.record(
        db,
        action,
        tenant_id=row.user_id,
        actor=Actor.of(principal, client),
        subject=Subject("api-key", row.id),
        detail={"name": row.name, "hint": row.hint, "scopes": list(row.scopes), **more},
        now=now,
    )


def _listed(row: ApiKey, now: datetime) -> Listed:
    return Listed(
        id=row.id,
        name=row.name,
        hint=row.hint,
        scopes=cast(list[Scope], row.scopes),
        requests_per_minute=row.requests_per_minute,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        last_used_ip=row.last_used_ip,
        last_used_agent=row.last_used_agent,
        replaced_by=row.replaced_by,
        rotation_due=row.replaced_by is None and _lives(row, now) and now - row.created_at >= OLD_AFTER,
    )
