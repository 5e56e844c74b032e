"""The queue: work is sent with the transaction that needs it, and ends once, whatever happens to workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from sample_agent.core import queue_runner
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.queue import enqueue, withdraw
from sample_agent.core.queue_runner import ConnectionLost, Handler, Lane, RetryLater, run_tasks

PATIENCE = 20


@pytest.fixture
def entrypoint() -> str:
    """A name of its own for every test, because all share one queue."""
    return f"test-{new_id()}"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_runner, "backoff", lambda tries: timedelta(0))


@asynccontextmanager
async def worker(
    url: str, handlers: dict[str, Handler], *, concurrency: int = 2, heartbeat: float = 60, grace: float = 10
) -> AsyncIterator[asyncio.Event]:
    """A worker that runs until the block ends, or until the yielded event is set."""
    shutdown = asyncio.Event()
    running = asyncio.create_task(
        run_tasks(
            url,
            [Lane(handlers, concurrency)],
            heartbeat=timedelta(seconds=heartbeat),
            shutdown=shutdown,
            grace=timedelta(seconds=grace),
        )
    )
    try:
        yield shutdown
    finally:
        shutdown.set()
        await asyncio.wait_for(running, PATIENCE)


async def until(reached: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not reached():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def tasks_of(database: Database, entrypoint: str) -> list[tuple[str, int]]:
    """The status of each task in the queue, and how often it was tried."""
    async with database.transaction() as session:
        rows = await session.execute(
            text("select status::text, attempts from pgqueuer where entrypoint = :name"), {"name": entrypoint}
        )
        return [(row.status, row.attempts) for row in rows]


async def until_tasks(database: Database, entrypoint: str, expected: list[tuple[str, int]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while await tasks_of(database, entrypoint) != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_transaction_that_is_rolled_back_queues_nothing(database: Database, entrypoint: str) -> None:
    async def change_of_mind() -> None:
        async with database.transaction() as session:
            await enqueue(session, entrypoint, {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_of_mind()
    assert await tasks_of(database, entrypoint) == []


async def test_a_committed_task_runs_once_with_its_payload_and_leaves_the_queue(
    database: Database, app_url: str, entrypoint: str
) -> None:
    seen: list[dict[str, Any]] = []

    async def handler(payload: dict[str, Any]) -> None:
        seen.append(payload)

    async with worker(app_url, {entrypoint: handler}):
        async with database.transaction() as session:
            await enqueue(session, entrypoint, {"name": "kick", "size": 3})
        await until(lambda: seen)
        await until_tasks(database, entrypoint, [])
    assert seen == [{"name": "kick", "size": 3}]


async def test_the_task_of_a_higher_priority_runs_first(database: Database, app_url: str, entrypoint: str) -> None:
    seen: list[str] = []

    async def handler(payload: dict[str, Any]) -> None:
        seen.append(payload["name"])

    async with database.transaction() as session:
        await enqueue(session, entrypoint, {"name": "low"}, priority=1)
        await enqueue(session, entrypoint, {"name": "high"}, priority=2)
    async with worker(app_url, {entrypoint: handler}):
        await until(lambda: len(seen) == 2)
    assert seen == ["high", "low"]


async def test_a_key_is_queued_once_while_its_task_waits(database: Database, entrypoint: str) -> None:
    for _ in range(2):
        async with database.transaction() as session:
            await enqueue(session, entrypoint, {}, dedupe_key=entrypoint)
    assert await tasks_of(database, entrypoint) == [("queued", 0)]


async def test_a_handler_that_raises_is_tried_again(
    database: Database, app_url: str, entrypoint: str, impatient: None
) -> None:
    tries = 0

    async def handler(payload: dict[str, Any]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise RuntimeError("not yet")

    async with worker(app_url, {entrypoint: handler}):
        async with database.transaction() as session:
            await enqueue(session, entrypoint, {})
        await until(lambda: tries == 3)
        await until_tasks(database, entrypoint, [])


async def test_a_handler_that_keeps_raising_is_held_for_an_operator(
    database: Database, app_url: str, entrypoint: str, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_runner, "MAX_TRIES", 3)
    tries = 0

    async def handler(payload: dict[str, Any]) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("never")

    async with worker(app_url, {entrypoint: handler}):
        async with database.transaction() as session:
            await enqueue(session, entrypoint, {})
        await until_tasks(database, entrypoint, [("failed", 2)])
    assert tries == 3


async def test_a_task_put_off_by_its_handler_has_not_been_tried(
    database: Database, app_url: str, entrypoint: str
) -> None:
    asked = asyncio.Event()

    async def handler(payload: dict[str, Any]) -> None:
        asked.set()
        raise RetryLater(timedelta(hours=1), "no place")

    async with worker(app_url, {entrypoint: handler}):
        async with database.transaction() as session:
            await enqueue(session, entrypoint, {})
        await asyncio.wait_for(asked.wait(), PATIENCE)
        await until_tasks(database, entrypoint, [("queued", 0)])


async def test_withdrawing_a_running_task_stops_its_handler(database: Database, app_url: str, entrypoint: str) -> None:
    began, stopped = asyncio.Event(), asyncio.Event()

    async def handler(payload: dict[str, Any]) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with worker(app_url, {entrypoint: handler}):
        async with database.transaction() as session:
            await enqueue(session, entrypoint, {}, dedupe_key=entrypoint)
        await asyncio.wait_for(began.wait(), PATIENCE)
        async with database.transaction() as session:
            await withdraw(session, entrypoint)
        await asyncio.wait_for(stopped.wait(), PATIENCE)
        await until_tasks(database, entrypoint, [])


async def test_a_stopping_worker_finishes_what_it_began(database: Database, app_url: str, entrypoint: str) -> None:
    began, finish = asyncio.Event(), asyncio.Event()

    async def handler(payload: dict[str, Any]) -> None:
        began.set()
        await finish.wait()

    async with worker(app_url, {entrypoint: handler}) as shutdown:
        async with database.transaction() as session:
            await enqueue(session, entrypoint, {})
        await asyncio.wait_for(began.wait(), PATIENCE)
        shutdown.set()
        finish.set()
    assert await tasks_of(database, entrypoint) == []


async def test_a_stopping_worker_hands_back_what_it_cannot_finish_and_another_takes_it_at_once(
    database: Database, app_url: str, entrypoint: str
) -> None:
    began, done = asyncio.Event(), asyncio.Event()

    async def never_ends(payload: dict[str, Any]) -> None:
        began.set()
        await asyncio.Event().wait()

    async def ends(payload: dict[str, Any]) -> None:
        done.set()

    async with worker(app_url, {entrypoint: never_ends}, grace=0) as shutdown:
        async with database.transaction() as session:
            await enqueue(session, entrypoint, {})
        await asyncio.wait_for(began.wait(), PATIENCE)
        shutdown.set()
    assert await tasks_of(database, entrypoint) == [("queued", 0)]
    async with worker(app_url, {entrypoint: ends}, heartbeat=3600):
        await asyncio.wait_for(done.wait(), PATIENCE)


async def test_the_task_of_a_dead_worker_is_taken_over_before_its_heartbeat_is_due(
    database: Database, app_url: str, entrypoint: str
) -> None:
    done = asyncio.Event()

    async def handler(payload: dict[str, Any]) -> None:
        done.set()

    async with database.transaction() as session:
        await enqueue(session, entrypoint, {})
        await session.execute(
            text(
                "update pgqueuer set status = 'picked', queue_manager_id = gen_random_uuid(),"
                " heartbeat = now() - interval '2 s' where entrypoint = :name"
            ),
            {"name": entrypoint},
        )
    async with worker(app_url, {entrypoint: handler}, heartbeat=3600):
        await asyncio.wait_for(done.wait(), PATIENCE)


async def test_a_worker_that_lost_a_task_leaves_it_to_its_new_owner(
    database: Database, app_url: str, entrypoint: str
) -> None:
    began, finish, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(payload: dict[str, Any]) -> None:
        began.set()
        await finish.wait()
        ended.set()

    async with worker(app_url, {entrypoint: handler}):
        async with database.transaction() as session:
            await enqueue(session, entrypoint, {})
        await asyncio.wait_for(began.wait(), PATIENCE)
        async with database.transaction() as session:
            # Its heartbeat lies ahead, so that nobody takes this stand-in for dead.
            await session.execute(
                text(
                    "update pgqueuer set queue_manager_id = gen_random_uuid(), heartbeat = now() + interval '1 h'"
                    " where entrypoint = :name"
                ),
                {"name": entrypoint},
            )
        finish.set()
        await asyncio.wait_for(ended.wait(), PATIENCE)
    assert await tasks_of(database, entrypoint) == [("picked", 0)]


async def test_a_lost_connection_stops_the_tasks_and_ends_the_worker_with_an_error(
    database: Database, app_url: str, entrypoint: str
) -> None:
    began, stopped, by_itself = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(payload: dict[str, Any]) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def worker_that_is_cut_off() -> None:
        async with worker(app_url, {entrypoint: handler}):
            async with database.transaction() as session:
                await enqueue(session, entrypoint, {})
            await asyncio.wait_for(began.wait(), PATIENCE)
            async with database.transaction() as session:
                await session.execute(
                    text("select pg_terminate_backend(pid) from pg_stat_activity where application_name = :name"),
                    {"name": "sample-agent-worker"},
                )
            await asyncio.wait_for(stopped.wait(), PATIENCE)
            by_itself.set()

    with pytest.raises(ConnectionLost):
        await worker_that_is_cut_off()
    assert by_itself.is_set()


def test_a_task_outlasts_a_mail_server_that_is_away_for_a_while() -> None:
    waits = [queue_runner.backoff(tries) for tries in range(queue_runner.MAX_TRIES - 1)]
    assert sum(waits, timedelta()) > timedelta(minutes=20)
