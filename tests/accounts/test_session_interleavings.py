"""Whatever happens to sessions in whatever order on several processes: the dead stay dead, and the living live."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from sample_agent.accounts.live_sessions import LiveSessions
from sample_agent.accounts.sessions.ending import end_sessions
from sample_agent.core.database import Database
from tests.accounts.deployment import Person, Service

COOKIE = "__Host-refresh"
ROUNDS = 8


@dataclass
class Device:
    """What one device of the person holds, and what has to be true of its session."""

    access: list[str]
    current: str
    spent: list[str] = field(default_factory=list)
    session_id: UUID | None = None
    alive: bool = True
    doomed: bool = False
    """Something in this round ends it; until the round is over its requests may go either way."""


@dataclass
class Timer:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class World:
    """One person with several devices, before two processes."""

    dice: random.Random
    database: Database
    services: list[Service]
    tabs: list[Person]
    timer: Timer
    user_id: UUID
    devices: list[Device] = field(default_factory=list)

    def tab(self) -> Person:
        return self.dice.choice(self.tabs)

    def bearer(self, device: Device) -> dict[str, str]:
        return {"Authorization": f"Bearer {device.access[-1]}"}

    def doom(self, *doomed: Device) -> None:
        for device in doomed:
            device.doomed = True


Act = Callable[[World], Awaitable[None]]


async def use(world: World) -> None:
    device = world.dice.choice(world.devices)
    answer = await world.tab().me(world.dice.choice(device.access))
    _judge(device, answer)


async def refresh(world: World) -> None:
    device = world.dice.choice(world.devices)
    answer = await world.tab().refresh(device.current)
    _judge(device, answer)
    if answer.status_code == 200 and answer.json()["refresh_token"] != device.current:
        device.access.append(answer.json()["token"])
        if device.current not in device.spent:
            device.spent.append(device.current)
        device.current = answer.json()["refresh_token"]


async def refresh_with_a_spent_token_within_the_interval(world: World) -> None:
    spent = [device for device in world.devices if device.spent and device.alive]
    if spent:
        device = world.dice.choice(spent)
        answer = await world.tab().refresh(device.spent[-1])
        _judge(device, answer)
        if answer.status_code == 200:
            device.access.append(answer.json()["token"])


async def log_out(world: World) -> None:
    device = world.dice.choice(world.devices)
    was_alive = device.alive and not device.doomed
    world.doom(device)
    answer = await world.tab().browser.post("/api/auth/logout", headers=world.bearer(device))
    assert answer.status_code == 200 or not was_alive


async def revoke_others(world: World) -> None:
    device = world.dice.choice(world.devices)
    if device.alive and not device.doomed:
        others = [each for each in world.devices if each is not device]
        world.doom(*others)
        answer = await world.tab().browser.delete("/api/auth/sessions?scope=others", headers=world.bearer(device))
        assert answer.status_code == 204 or device.doomed


async def revoke_one(world: World) -> None:
    device, other = world.dice.choice(world.devices), world.dice.choice(world.devices)
    if device.alive and not device.doomed:
        path = f"/api/auth/sessions/{other.session_id}"
        was_alive = other.alive and not other.doomed
        world.doom(other)
        answer = await world.tab().browser.delete(path, headers=world.bearer(device))
        assert answer.status_code == 204 or device.doomed or not was_alive


async def change_password(world: World) -> None:
    """As every change of a password does: a new hash, and the end of all sessions but one, in one transaction."""
    kept = world.dice.choice(world.devices)
    if kept.alive and not kept.doomed:
        world.doom(*(each for each in world.devices if each is not kept))
        service = world.dice.choice(world.services)
        async with service.database.transaction(purpose="identity") as db:
            await db.execute(
                text("update users set password_hash = password_hash where id = :id"), {"id": world.user_id}
            )
            await end_sessions(db, world.user_id, now=service.clock(), reason="password changed", keep=kept.session_id)


ENDING: list[Act] = [log_out, revoke_others, revoke_one, change_password]
HARMLESS: list[Act] = [use, use, refresh, refresh, refresh_with_a_spent_token_within_the_interval]


@pytest.mark.parametrize("seed", range(4))
async def test_any_interleaving_on_two_processes_shuts_out_the_dead_and_nobody_else(
    another_process: Callable[[], Service], database: Database, seed: int
) -> None:
    async with AsyncExitStack() as stack:
        world = await _world(random.Random(seed), another_process, database, stack)
        for number in range(ROUNDS):
            while sum(device.alive for device in world.devices) < 3:
                await _sign_in(world)
            acts = [world.dice.choice(HARMLESS) for _ in range(8)]
            if number % 2:
                acts.insert(world.dice.randrange(len(acts)), world.dice.choice(ENDING))
            await asyncio.gather(*(act(world) for act in acts))
            await _settle(world)
            await _check(world)


async def test_a_token_used_again_after_the_interval_ends_its_session_whatever_else_happens_meanwhile(
    another_process: Callable[[], Service], database: Database
) -> None:
    async with AsyncExitStack() as stack:
        world = await _world(random.Random(404), another_process, database, stack)
        for _ in range(3):
            await _sign_in(world)
        stolen = world.devices[-1]
        await refresh_all(world)
        for service in world.services:
            service.clock.ahead += timedelta(seconds=11)
        stolen.doomed = True
        replays = [world.tab().refresh(stolen.spent[0]) for _ in range(6)]
        answers = await asyncio.gather(*replays, *(refresh(world) for _ in range(10)), *(use(world) for _ in range(10)))
        assert {answer.status_code for answer in answers if isinstance(answer, httpx.Response)} == {401}
        await _settle(world)
        await _check(world)
        assert [device.alive for device in world.devices].count(False) == 1


async def refresh_all(world: World) -> None:
    for device in world.devices:
        answer = (await world.tab().refresh(device.current)).json()
        device.spent.append(device.current)
        device.access.append(answer["token"])
        device.current = answer["refresh_token"]


@pytest.mark.parametrize("lost", [0.0, 0.7])
async def test_two_tabs_that_refresh_fifty_times_each_at_once_stay_signed_in_whatever_answers_are_lost(
    service: Service, another_process: Callable[[], Service], person: Person, lost: float
) -> None:
    await service.member(person)
    dice = random.Random(lost)
    async with another_process().visitor(person.email) as other_tab:
        assert (await person.login()).status_code == 200
        jar = {person.browser: person.browser.cookies[COOKIE], other_tab.browser: person.browser.cookies[COOKIE]}
        started = set(jar.values())

        async def refresh_in(tab: Person) -> int:
            """As a browser does: the cookie it holds now goes out, and what comes back is kept unless it is lost."""
            headers = {
                "X-Requested-With": "sample-agent",
                "Sec-Fetch-Site": "same-origin",
                "Cookie": f"{COOKIE}={jar[tab.browser]}",
            }
            tab.browser.cookies.clear()
            answer = await tab.browser.post("/api/auth/refresh", headers=headers)
            if dice.random() >= lost:
                jar[tab.browser] = answer.cookies.get(COOKIE, jar[tab.browser])
            return answer.status_code

        for _ in range(2):
            statuses = await asyncio.gather(*(refresh_in(tab) for tab in (person, other_tab) * 50))
            assert set(statuses) == {200}
        lost = 0.0
        for tab in (person, other_tab, person, other_tab):
            assert await refresh_in(tab) == 200
        assert not started & set(jar.values())
        for tab in (person, other_tab):
            answer = await tab.post("/api/auth/refresh", {"refresh_token": jar[tab.browser]})
            assert (await tab.me(answer.json()["token"])).status_code == 200


async def _world(
    dice: random.Random, another_process: Callable[[], Service], database: Database, stack: AsyncExitStack
) -> World:
    services, timer = [another_process(), another_process()], Timer()
    for service in services:
        service.identity.sessions = LiveSessions(service.database, "free", timer, now=service.clock)
    first = await stack.enter_async_context(services[0].visitor())
    second = await stack.enter_async_context(services[1].visitor(first.email))
    member = await services[0].member(first)
    world = World(dice, database, services, [first, second], timer, UUID(member["user"]["id"]))
    await _remember(world, member)
    return world


async def _sign_in(world: World) -> None:
    answer = await world.tab().login(mode="body")
    assert answer.status_code == 200, answer.text
    await _remember(world, answer.json())


async def _remember(world: World, signed_in: dict[str, str]) -> None:
    device = Device([signed_in["token"]], signed_in["refresh_token"])
    listed = (await world.tabs[0].browser.get("/api/auth/sessions", headers=world.bearer(device))).json()["sessions"]
    (device.session_id,) = [UUID(each["id"]) for each in listed if each["current"]]
    world.devices.append(device)


def _judge(device: Device, answer: httpx.Response) -> None:
    """Before the bound is over, a session that is being ended may answer either way; every other only one."""
    if not device.alive:
        assert answer.status_code == 401
    elif not device.doomed:
        assert answer.status_code == 200, answer.text


async def _settle(world: World) -> None:
    """Let the bound pass on every process."""
    for device in world.devices:
        device.alive, device.doomed = device.alive and not device.doomed, False
    world.timer.seconds += 1.0


async def _check(world: World) -> None:
    for device in world.devices:
        expected = 200 if device.alive else 401
        for tab in world.tabs:
            for token in {device.access[0], device.access[-1]}:
                assert (await tab.me(token)).status_code == expected
        if not device.alive:
            assert (await world.tab().refresh(device.current)).status_code == 401
    async with world.database.transaction(purpose="identity") as db:
        current = await db.execute(
            text(
                "select session_id, count(*) filter (where rotated_at is null) as current from refresh_tokens"
                " where user_id = :user_id group by session_id"
            ),
            {"user_id": world.user_id},
        )
        assert {row.current for row in current} == {1}
