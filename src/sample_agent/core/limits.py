"""Request limits: so many in so long, for each key; shared by all processes when there is a Redis.

A route asks `await limit(request, limits, rule, key)`, which answers 429 when the rule's amount is spent and
tells the caller how the limit stands on every answer, by the fields of draft-ietf-httpapi-ratelimit-headers-10.

When Redis dies or is slow, each process goes on under the same rules by itself, with what it counted so far, and
tries Redis again once a second. Losing it costs accuracy and never an answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil, floor
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from fastapi import Request
from prometheus_client import Counter

from sample_agent.core.errors import RateLimited
from sample_agent.core.limit_counters import LocalCounters, Window

if TYPE_CHECKING:
    from sample_agent.core.redis_counters import RedisCounters

ANSWER_SECONDS = 0.25
"""Redis that takes longer counts as dead."""

RETRY_SECONDS = 1.0
"""How long requests go without Redis before one of them asks it again."""

LIMIT_HEADERS = ("RateLimit", "RateLimit-Policy")

log = structlog.get_logger("limits")

REFUSED = Counter("rate_limited_total", "Requests refused by a limit.", ["rule"])
OUTAGES = Counter("rate_limit_outages_total", "Times Redis was lost, and limits went on in this process alone.")
COUNTED_LOCALLY = Counter("rate_limit_local_decisions_total", "Limits applied by this process alone, without Redis.")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Rule:
    """`amount` in `seconds` for each key; an amount of 0 is no limit. `name` is lower case with hyphens."""

    name: str
    amount: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a limit stands after it was asked.

    `reset_seconds` is the time until what was refused would be allowed; when it was allowed, until the whole amount is
    there again.
    """

    rule: Rule
    allowed: bool
    remaining: int
    reset_seconds: int


class Limits:
    """The counts of one process, and the shared ones when there are any.

    `clock` gives seconds and never goes back. Shared counts that take longer than `answer_seconds` are taken for lost.
    """

    def __init__(
        self,
        shared: RedisCounters | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.answer_seconds = answer_seconds
        self._clock = clock
        self._local = LocalCounters(clock)
        self._shared = shared
        self._lost = False
        self._retry_at = 0.0

    async def spend(self, rule: Rule, *key: str, cost: int = 1) -> Standing:
        """Count `cost` for `key`, unless that would be more than the rule allows; then nothing is counted."""
        if not rule.amount:
            return _unlimited(rule)
        name = _key(rule, key)
        # Counted here in any case: when Redis is lost, nobody begins anew.
        local = self._local.spend(name, rule.amount, rule.seconds, cost)
        allowed, window = await self._ask(
            lambda shared: shared.spend(name, rule.amount, rule.seconds, cost), otherwise=lambda: local
        )
        if not allowed:
            REFUSED.labels(rule.name).inc()
        return _standing(rule, window, allowed, cost)

    async def look(self, rule: Rule, *key: str, cost: int = 1) -> Standing:
        """Whether `cost` would be allowed, without counting anything."""
        if not rule.amount:
            return _unlimited(rule)
        name = _key(rule, key)
        window = await self._ask(
            lambda shared: shared.look(name, rule.seconds), otherwise=lambda: self._local.look(name, rule.seconds)
        )
        return _standing(rule, window, window.count + cost <= rule.amount, cost)

    async def give_back(self, rule: Rule, *key: str, cost: int = 1) -> None:
        """Undo a `spend`: what it was spent on turned out not to count."""
        if rule.amount:
            name = _key(rule, key)
            self._local.give_back(name, cost)
            await self._ask(lambda shared: shared.give_back(name, rule.seconds, cost), otherwise=_nothing)

    async def forgive(self, rule: Rule, *key: str) -> None:
        """Forget everything that was counted for `key`."""
        if rule.amount:
            name = _key(rule, key)
            self._local.clear(name)
            await self._ask(lambda shared: shared.clear(name, rule.seconds), otherwise=_nothing)

    async def ping(self) -> None:
        """Raises when there is a Redis and it does not answer."""
        if self._shared is not None:
            async with asyncio.timeout(self.answer_seconds):
                await self._shared.ping()

    async def close(self) -> None:
        """End the connections to Redis."""
        if self._shared is not None:
            self._shared.close()

    async def _ask(
        self, act: Callable[[RedisCounters], Awaitable[Answer]], *, otherwise: Callable[[], Answer]
    ) -> Answer:
        if self._shared is None:
            return otherwise()
        if self._lost:
            if self._clock() < self._retry_at:
                COUNTED_LOCALLY.inc()
                return otherwise()
            self._retry_at = self._clock() + RETRY_SECONDS  # one request tries, the others need not wait for it
        from sample_agent.core.redis_counters import REDIS_ERRORS

        try:
            async with asyncio.timeout(self.answer_seconds):
                answer = await act(self._shared)
        except (*REDIS_ERRORS, TimeoutError) as error:
            self._note_loss(error)
            return otherwise()
        self._note_return()
        return answer

    def _note_loss(self, error: Exception) -> None:
        COUNTED_LOCALLY.inc()
        self._retry_at = self._clock() + RETRY_SECONDS
        if not self._lost:
            self._lost = True
            OUTAGES.inc()
            log.warning("redis does not answer; limits go on in this process alone", error=type(error).__name__)

    def _note_return(self) -> None:
        if self._lost:
            self._lost = False
            log.info("redis answers; limits are shared again")


def make_limits(
    redis_url: str | None, *, clock: Callable[[], float] = time.monotonic, answer_seconds: float = ANSWER_SECONDS
) -> Limits:
    """Limits over the Redis or Valkey at `redis_url`, or else of this process alone. Connects when first asked."""
    if redis_url is None:
        return Limits(clock=clock)
    from sample_agent.core.redis_counters import RedisCounters  # here: a program without Redis starts without it

    scheme, separator, place = redis_url.partition("://")
    shared = RedisCounters(scheme.replace("valkey", "redis") + separator + place, connect_seconds=answer_seconds)
    return Limits(shared, clock=clock, answer_seconds=answer_seconds)


async def limit(request: Request, limits: Limits, rule: Rule, *key: str, cost: int = 1) -> None:
    """Spend, tell the caller how the limit stands, and raise RateLimited when it is spent."""
    standing = await limits.spend(rule, *key, cost=cost)
    note(request, standing)
    enforce(standing)


def note(request: Request, standing: Standing) -> None:
    """Have the answer to `request` say how this limit stands, whatever the answer is."""
    if standing.rule.amount:
        request.scope.setdefault("state", {}).setdefault("standings", []).append(standing)


def enforce(standing: Standing) -> None:
    """Raise RateLimited, with the time to wait, when the request was not allowed."""
    if not standing.allowed:
        raise RateLimited(retry_after=standing.reset_seconds)


def limit_headers(state: MutableMapping[str, Any]) -> dict[str, str]:
    """The fields for what was noted on a request, the tightest limit first; none when nothing was counted."""
    standings: Iterable[Standing] = state.get("standings", ())
    ordered = sorted(standings, key=lambda each: (each.allowed, each.remaining, -each.reset_seconds))
    if not ordered:
        return {}
    return {
        "RateLimit": ", ".join(f'"{each.rule.name}";r={each.remaining};t={each.reset_seconds}' for each in ordered),
        "RateLimit-Policy": ", ".join(
            f'"{each.rule.name}";q={each.rule.amount};w={each.rule.seconds}' for each in ordered
        ),
    }


def _key(rule: Rule, parts: tuple[str, ...]) -> str:
    """The name a count is kept under: it tells nothing of addresses or accounts, and is short whatever was sent."""
    digest = blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return f"{rule.name}/{rule.seconds}/{digest}"


def _standing(rule: Rule, window: Window, allowed: bool, cost: int) -> Standing:
    remaining = max(0, rule.amount - window.count)
    if allowed:
        return Standing(rule, allowed, remaining, ceil(window.seconds_until(0) - 0.001))
    # Room is made just after that moment; and another process may have made some since the refusal.
    wait = max(0, window.seconds_until(max(0, rule.amount - cost)))
    return Standing(rule, allowed, remaining, floor(wait + 0.001) + 1)


def _unlimited(rule: Rule) -> Standing:
    return Standing(rule, allowed=True, remaining=0, reset_seconds=0)


def _nothing() -> None:
    return None
