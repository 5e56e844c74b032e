"""API keys as they travel, and whether one is good: asked of the database at most once a second."""

from __future__ import annotations

import hashlib
import secrets
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from cachetools import TLRUCache
from sqlalchemy import bindparam, or_, select

from sample_agent.accounts.live_sessions import REVOCATION_SECONDS
from sample_agent.accounts.models import ApiKey, Entitlement, User
from sample_agent.accounts.principal import Principal
from sample_agent.accounts.scopes import Scope
from sample_agent.accounts.second_factor import has_second_factor
from sample_agent.core.database import Database
from sample_agent.core.settings import PlanId

PREFIX = "sak_live_"
"""What every key begins with, so that people and scanners know one when they see it."""

_BODY = 32
_CHECKSUM = 6
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

_LIVE = (
    select(
        ApiKey.id,
        ApiKey.user_id,
        ApiKey.scopes,
        ApiKey.requests_per_minute,
        ApiKey.expires_at,
        User.email,
        User.is_superuser,
        has_second_factor(User.id).label("second_factor"),
        Entitlement.plan,
    )
    .select_from(ApiKey)
    .join(User, User.id == ApiKey.user_id)
    .outerjoin(Entitlement, Entitlement.user_id == User.id)
    .where(
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > bindparam("now")),
        User.is_active,
        User.delete_after.is_(None),
    )
)
_BY_HASH = _LIVE.where(ApiKey.key_hash == bindparam("key_hash"))


def new_key() -> str:
    """A key nobody had before: the prefix, 32 random letters and digits (190 bits), and their checksum."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_BODY))
    return f"{PREFIX}{body}{_checksum(body)}"


def looks_like_key(credential: str) -> bool:
    """Whether this is meant to be an API key."""
    return credential.startswith(PREFIX)


def is_well_formed(key: str) -> bool:
    """Whether the checksum is right; of what merely looks like a key, all but one in two billion are told apart."""
    body = key[len(PREFIX) : -_CHECKSUM]
    return (
        looks_like_key(key)
        and len(body) == _BODY
        and secrets.compare_digest(key[-_CHECKSUM:].encode(), _checksum(body).encode())
    )


def key_hash(key: str) -> bytes:
    """What is stored of a key. It has 190 bits, so a fast hash is enough."""
    return hashlib.sha256(key.encode()).digest()


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


@dataclass(frozen=True)
class _Answer:
    asked_at: float
    holder: Principal | None
    expires_at: datetime | None = None


class LiveKeys:
    """Which API keys are good, asked of the database at most once a second each."""

    def __init__(
        self,
        database: Database,
        default_plan: PlanId,
        now: Callable[[], datetime],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._default_plan = default_plan
        self._now = now
        self._timer = timer
        # An answer is as old as its question: a slow database must not lengthen the bound.
        self._answers: TLRUCache[bytes, _Answer] = TLRUCache(
            20_000, ttu=lambda _key, answer, _now: answer.asked_at + REVOCATION_SECONDS, timer=timer
        )

    async def principal(self, key: str) -> Principal | None:
        """Who holds the key, or None when it is unknown, revoked or expired, or its person is switched off."""
        if not is_well_formed(key):
            return None
        digest = key_hash(key)
        answer = self._answers.get(digest)
        if answer is None:
            answer = await self._ask(digest, self._timer())
            if answer.holder is not None:  # what is guessed pushes nothing true out
                self._answers[digest] = answer
        if answer.expires_at is not None and answer.expires_at <= self._now():
            return None
        return answer.holder

    async def is_live(self, key_id: UUID) -> bool:
        """Whether the key of this id is good."""
        async with self._database.transaction(purpose="identity") as db:
            return await db.scalar(_LIVE.where(ApiKey.id == key_id), {"now": self._now()}) is not None

    def forget(self, key_id: UUID) -> None:
        """Ask anew about this key the next time: it was changed by this process."""
        for digest, answer in list(self._answers.items()):
            if answer.holder is not None and answer.holder.api_key_id == key_id:
                self._answers.pop(digest, None)

    async def _ask(self, digest: bytes, asked_at: float) -> _Answer:
        async with self._database.transaction(purpose="identity") as db:
            row = (await db.execute(_BY_HASH, {"key_hash": digest, "now": self._now()})).one_or_none()
        if row is None:
            return _Answer(asked_at, None)
        holder = Principal(
            user_id=row.user_id,
            email=row.email,
            tier=row.plan or self._default_plan,
            is_admin=row.is_superuser,
            api_key_id=row.id,
            second_factor=row.second_factor,
            scopes=frozenset(cast(list[Scope], row.scopes)),
            requests_per_minute=row.requests_per_minute,
        )
        return _Answer(asked_at, holder, row.expires_at)
