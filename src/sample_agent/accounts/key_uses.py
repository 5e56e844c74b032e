"""When, from where and with what program an API key was last used: noted beside the request, never in its way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from cachetools import TTLCache
from sqlalchemy import or_, update
from sqlalchemy.exc import SQLAlchemyError

from sample_agent.accounts.client import Client
from sample_agent.accounts.models import ApiKey
from sample_agent.core.database import Database

NOTED_EVERY = timedelta(minutes=1)
"""A key's last use is this exact; whoever sends a thousand requests a minute causes one write."""

log = structlog.get_logger("accounts")


class KeyUses:
    """Notes the uses of API keys, each key's at most once a minute over all processes."""

    def __init__(
        self, database: Database, now: Callable[[], datetime], timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._now = now
        self._noted: TTLCache[UUID, bool] = TTLCache(20_000, ttl=NOTED_EVERY.total_seconds(), timer=timer)
        self._writing: set[asyncio.Task[None]] = set()

    def note(self, key_id: UUID, client: Client) -> None:
        """Write down that the key was used just now, unless that was done within the last minute. Returns at once."""
        if key_id in self._noted:
            return
        self._noted[key_id] = True
        task = asyncio.create_task(self._write(key_id, client))
        self._writing.add(task)  # the loop alone would let it be collected
        task.add_done_callback(self._writing.discard)

    async def settled(self) -> None:
        """Return when everything noted so far is written."""
        await asyncio.gather(*self._writing)

    async def _write(self, key_id: UUID, client: Client) -> None:
        now = self._now()
        change = (
            update(ApiKey)
            .where(ApiKey.id == key_id)
            .where(or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= now - NOTED_EVERY))
            .values(
                last_used_at=now,
                last_used_ip=client.ip_address.replace("\0", ""),
                last_used_agent=client.user_agent.replace("\0", ""),
            )
        )
        try:
            async with self._database.transaction(purpose="identity") as db:
                await db.execute(change)
        except (SQLAlchemyError, OSError) as error:
            self._noted.pop(key_id, None)
            log.warning("use of an API key was not noted", api_key_id=str(key_id), error=type(error).__name__)
