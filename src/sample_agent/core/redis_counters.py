"""The same counts, shared by every process through Redis or Valkey."""

from __future__ import annotations

from typing import Any

import coredis
from coredis.exceptions import ConnectionError as ConnectionLostError
from coredis.exceptions import RedisError
from coredis.retry import ConstantRetryPolicy
from limits.aio.storage import RedisStorage

from sample_agent.core.limit_counters import Window

REDIS_ERRORS = (RedisError, OSError)
"""What it raises when Redis is away, full, loading, or not Redis."""

_ONCE_MORE = ConstantRetryPolicy((ConnectionLostError,), retries=1, delay=0)
"""A connection that was idle for long may be found closed by the server; another one is made at once."""


class RedisCounters:
    """Counts under `sample-agent:limits:…`, by the scripts of the `limits` library, so that each act is atomic.

    Windows go by the server's clock, and a key ends by itself after two windows.
    """

    def __init__(self, url: str, *, connect_seconds: float) -> None:
        self._pool: coredis.ConnectionPool = coredis.ConnectionPool.from_url(
            url, connect_timeout=connect_seconds, max_connections=32
        )
        options: dict[str, Any] = {"connection_pool": self._pool, "retry_policy": _ONCE_MORE}
        self._storage = RedisStorage(f"async+{url}", key_prefix="sample-agent:limits", **options)

    async def look(self, key: str, seconds: int) -> Window:
        """What is counted for `key`."""
        previous, previous_left, current, current_left = await self._storage.get_sliding_window(key, seconds)
        return Window(seconds, previous, previous_left, current, current_left)

    async def spend(self, key: str, amount: int, seconds: int, cost: int) -> tuple[bool, Window]:
        """Count `cost` when the sum stays within `amount`; whether it was, and what is counted now."""
        allowed = await self._storage.acquire_sliding_window_entry(key, amount, seconds, cost)
        return allowed, await self.look(key, seconds)

    async def give_back(self, key: str, seconds: int, cost: int) -> None:
        """Take `cost` off what this window counted; never below nothing."""
        back = min(cost, (await self.look(key, seconds)).current)
        if back:
            # The braces are how the library names this window: both windows of a key lie on one node of a cluster.
            await self._storage.incr(f"{{{key}}}", seconds, -back)

    async def clear(self, key: str, seconds: int) -> None:
        """Forget `key`."""
        await self._storage.clear_sliding_window(key, seconds)

    async def ping(self) -> None:
        """Raises one of `REDIS_ERRORS` when the server does not answer."""
        await coredis.Redis(connection_pool=self._pool, retry_policy=_ONCE_MORE).ping()

    def close(self) -> None:
        """End the connections."""
        self._pool.disconnect()
