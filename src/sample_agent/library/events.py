"""Live progress: what happens to jobs, told to everyone who follows them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import asyncpg
import orjson
import structlog

from sample_agent.core.database import LOST_CONNECTION, Database
from sample_agent.library import jobs

MAX_WAITING_EVENTS = 200
"""How many events wait for a slow client before it gets a fresh snapshot instead."""
RECONNECT_SECONDS = 1.0
PROBE_SECONDS = 2.0
"""How often the connection is tried: one that the server ended does not always say so by itself."""

log = structlog.get_logger("events")


class JobEvents:
    """The job events of all users, on one listening connection of this process, handed to those who subscribe.

    Use as an async context manager. While the connection is away nothing is lost for good: once it is back, every
    subscriber gets a fresh snapshot.
    """

    def __init__(self, database_url: str, database: Database) -> None:
        self._database_url = database_url
        self._database = database
        self._subscribers: dict[UUID, set[_Subscriber]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._listening = asyncio.create_task(self._listen_for_ever())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for subscriber in self._everyone():
            subscriber.wake()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def subscribe(self, user_id: UUID) -> AsyncIterator[tuple[str, str]]:
        """Event names and JSON data: `snapshot` with all active jobs first, then `job` for every change of one.

        Who reads too slowly, or was cut off from the database, gets another `snapshot`. Ends when the process stops.
        """
        subscriber = _Subscriber()
        self._subscribers.setdefault(user_id, set()).add(subscriber)
        try:
            while not self._closing.is_set():
                if subscriber.needs_snapshot:
                    subscriber.begin_again()
                    yield "snapshot", await self._snapshot(user_id)
                for event in subscriber.take():
                    yield "job", event
                await subscriber.wait()
        finally:
            self._subscribers[user_id].discard(subscriber)
            if not self._subscribers[user_id]:
                del self._subscribers[user_id]

    async def _snapshot(self, user_id: UUID) -> str:
        async with self._database.transaction(user_id) as session:
            active = await jobs.active_jobs(session, user_id)
        shown = [jobs.shown(job).model_dump() for job in active]
        return orjson.dumps({"jobs": shown}, default=str).decode()

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except (*LOST_CONNECTION, TimeoutError) as error:
                log.warning("job events are cut off", error=repr(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        """Listen until the connection ends."""
        connection = await asyncpg.connect(
            self._database_url,
            timeout=10,
            command_timeout=10,
            server_settings={"application_name": "sample-agent-events"},
        )
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        try:
            await connection.add_listener(jobs.CHANNEL, self._on_event)
            for subscriber in self._everyone():
                subscriber.need_snapshot()
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), PROBE_SECONDS)
                await connection.execute("select 1")  # notices a peer that vanished without a word
        finally:
            connection.terminate()

    def _on_event(self, connection: object, pid: int, channel: str, payload: object) -> None:
        event: dict[str, Any] = orjson.loads(str(payload))
        subscribers = self._subscribers.get(UUID(event["user_id"]))
        if subscribers:
            data = orjson.dumps(event["job"]).decode()
            for subscriber in subscribers:
                subscriber.put(data)

    def _everyone(self) -> list[_Subscriber]:
        return [subscriber for subscribers in self._subscribers.values() for subscriber in subscribers]


class _Subscriber:
    """What waits for one client."""

    def __init__(self) -> None:
        self.needs_snapshot = True
        self._events: list[str] = []
        self._woken = asyncio.Event()

    def put(self, event: str) -> None:
        if len(self._events) < MAX_WAITING_EVENTS:
            self._events.append(event)
            self._woken.set()
        else:
            self.need_snapshot()

    def need_snapshot(self) -> None:
        self.needs_snapshot = True
        self._events.clear()
        self._woken.set()

    def begin_again(self) -> None:
        """A snapshot is about to be read: what happens from now on comes after it."""
        self.needs_snapshot = False
        self._events.clear()

    def take(self) -> list[str]:
        events, self._events = self._events, []
        return events

    def wake(self) -> None:
        self._woken.set()

    async def wait(self) -> None:
        await self._woken.wait()
        self._woken.clear()
