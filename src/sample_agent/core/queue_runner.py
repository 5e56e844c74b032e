"""Runs what `core.queue` sends, on PgQueuer: claims tasks, keeps them by heartbeat, hands them back when told to stop.

What PgQueuer leaves open and is decided here:

- A worker that lost a task (frozen past its heartbeat, then woken) must not touch the row of whoever has it now.
- A killed worker is known to be dead at once: each holds an advisory lock on its connection, and PostgreSQL drops the
  lock with the connection. The heartbeat is for those that hang or whose machine vanished.
- A worker whose connection ends has lost its tasks, so it stops them and ends; whoever started it starts it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context, Job, TableChangedEvent, TracebackRecord, utc_now
from pgqueuer.domain.types import JOB_STATUS, JobId, QueueManagerId

from sample_agent.core.database import LOST_CONNECTION
from sample_agent.core.database_url import asyncpg_url
from sample_agent.core.queue import MAX_TRIES, QUEUE, QUEUE_SCHEMA, QUEUE_STATEMENTS, WORKER_ALIVE

Payload = dict[str, Any]
Handler = Callable[[Payload], Awaitable[None]]

_SILENCE = timedelta(seconds=1)
_UNWINDING = timedelta(seconds=5)

log = structlog.get_logger("queue")


class ConnectionLost(RuntimeError):
    """The connection to the queue ended, and with it the right to the tasks that were running."""


class RetryLater(RetryRequested):
    """Raised by a handler that cannot start yet: the task comes back after `delay`, and this was no try."""


@dataclass(frozen=True)
class Lane:
    """Entry points that share `concurrency` places in this worker, so that long tasks do not hold up short ones."""

    handlers: Mapping[str, Handler]
    concurrency: int


async def run_tasks(
    database_url: str,
    lanes: Sequence[Lane],
    *,
    heartbeat: timedelta,
    shutdown: asyncio.Event,
    grace: timedelta,
) -> None:
    """Run tasks until `shutdown` is set; then claim no more, and after `grace` hand back what still runs.

    A handler that raises is tried again later, `MAX_TRIES` times. A worker that is silent for `heartbeat` loses its
    tasks to others. Raises ConnectionLost when the database goes away.
    """
    runners = [_Runner(lane, heartbeat, grace) for lane in lanes]
    tasks = [asyncio.create_task(runner.run(database_url, shutdown)) for runner in runners]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


def backoff(tries: int) -> timedelta:
    """How long to wait after so many failed tries: doubling from a second to five minutes, give or take a half."""
    return timedelta(seconds=min(300, 2 ** min(tries, 9)) * random.uniform(0.5, 1.5))  # noqa: S311


class _Runner:
    """One lane: a connection, PgQueuer's loop on it, and the handlers that run now."""

    def __init__(self, lane: Lane, heartbeat: timedelta, grace: timedelta) -> None:
        self.lane = lane
        self.heartbeat = heartbeat
        self.grace = grace
        self.running: set[asyncio.Task[None]] = set()

    async def run(self, database_url: str, shutdown: asyncio.Event) -> None:
        connection = await asyncpg.connect(
            asyncpg_url(database_url),
            timeout=10,
            command_timeout=30,
            server_settings={"application_name": "sample-agent-worker"},
        )
        try:
            await self._run_on(connection, shutdown)
        finally:
            connection.terminate()

    async def _run_on(self, connection: asyncpg.Connection[Any], shutdown: asyncio.Event) -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        queries = _OwnTasks(_Driver(connection, lost), QUEUE_SCHEMA, QUEUE_STATEMENTS, lost=lost)
        manager = QueueManager(queries, QUEUE.channel)
        manager.min_dequeue_poll_interval = timedelta(seconds=0.25)
        queries.owner = manager.queue_manager_id
        for name, handler in self.lane.handlers.items():
            manager.entrypoint(name, on_failure="hold", accepts_context=True)(self._supervised(handler, queries))
        await queries.show_alive()

        places = max(2, self.lane.concurrency)  # PgQueuer asks for two
        loop = asyncio.create_task(
            manager.run(
                dequeue_timeout=min(timedelta(seconds=5), self.heartbeat / 4),
                batch_size=1,
                max_concurrent_tasks=places,
                heartbeat_timeout=self.heartbeat,
                shutdown_on_listener_failure=True,
            )
        )
        rescue = asyncio.create_task(self._return_tasks_of_the_dead(queries))
        connection_lost = asyncio.create_task(lost.wait())
        asked_to_stop = asyncio.create_task(shutdown.wait())
        try:
            await asyncio.wait({loop, connection_lost, asked_to_stop}, return_when=asyncio.FIRST_COMPLETED)
            manager.shutdown.set()
            if not lost.is_set() and not loop.done():
                await asyncio.wait(
                    {loop, connection_lost},
                    timeout=self.grace.total_seconds(),
                    return_when=asyncio.FIRST_COMPLETED,
                )
            if self.running:
                log.warning("stopping tasks", tasks=len(self.running), connection_lost=lost.is_set())
            await self._stop_handlers()
            await asyncio.wait({loop}, timeout=_UNWINDING.total_seconds())
        finally:
            for task in (rescue, connection_lost, asked_to_stop, loop):
                task.cancel()
            await self._stop_handlers()
            await asyncio.gather(rescue, connection_lost, asked_to_stop, loop, return_exceptions=True)
        error = None if loop.cancelled() else loop.exception()
        if lost.is_set() or isinstance(error, LOST_CONNECTION):
            raise ConnectionLost("the connection to the queue ended") from error
        if error is not None:
            raise error

    def _supervised(self, handler: Handler, queries: _OwnTasks) -> Callable[[Job, Context], Awaitable[None]]:
        async def execute(job: Job, context: Context) -> None:
            task = asyncio.ensure_future(_call(handler, job))
            self.running.add(task)
            try:
                with context.cancellation:
                    await asyncio.wait({task})
                if not task.done():  # withdrawn
                    task.cancel()
                    await asyncio.wait({task})
                    return
            finally:
                self.running.discard(task)
                task.cancel()
            if task.cancelled():
                queries.not_a_try.add(job.id)
                raise RetryRequested(timedelta(0), "handed back")
            error = task.exception()
            if error is None:
                return
            if isinstance(error, RetryLater):
                queries.not_a_try.add(job.id)
                raise error
            if isinstance(error, RetryRequested) or job.attempts + 1 >= MAX_TRIES:
                raise error
            log.warning("task failed, will be tried again", entrypoint=job.entrypoint, tries=job.attempts + 1)
            raise RetryRequested(backoff(job.attempts), repr(error)) from error

        return execute

    async def _stop_handlers(self) -> None:
        stopping = set(self.running)
        for task in stopping:
            task.cancel()
        if stopping:
            await asyncio.wait(stopping, timeout=_UNWINDING.total_seconds())

    async def _return_tasks_of_the_dead(self, queries: _OwnTasks) -> None:
        while True:
            try:
                returned = await queries.return_tasks_of_the_dead()
            except LOST_CONNECTION as error:
                log.warning("could not look for dead workers", error=repr(error))
            else:
                if returned:
                    log.warning("returned tasks of dead workers", tasks=returned)
            await asyncio.sleep(min(2.0, self.heartbeat.total_seconds() / 2))


async def _call(handler: Handler, job: Job) -> None:
    await handler(orjson.loads(job.payload or b"{}"))


class _Driver(AsyncpgDriver):
    """Sets `lost` when a query finds the connection gone.

    The connection itself does not always tell: of those that the server ended between two queries, one in ten did not.
    """

    def __init__(self, connection: asyncpg.Connection[Any], lost: asyncio.Event) -> None:
        super().__init__(connection)
        self._lost = lost

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        with self._noticing():
            return await super().fetch(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        with self._noticing():
            return await super().execute(query, *args)

    async def notify(self, channel: str, payload: str) -> None:
        with self._noticing():
            await super().notify(channel, payload)

    @contextlib.contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except LOST_CONNECTION as error:
            state = getattr(error, "sqlstate", None) or ""
            if (
                self._connection.is_closed()
                or isinstance(error, asyncpg.InternalClientError)
                or state.startswith(("08", "57P"))
            ):
                self._lost.set()
            raise


@dataclasses.dataclass
class _OwnTasks(Queries):
    """PgQueuer's statements, but those that end a task touch only tasks that are still this worker's."""

    owner: QueueManagerId | None = None
    lost: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    """Set when the connection ends: then the tasks are no longer ours, and there is nothing to write."""
    not_a_try: set[JobId] = dataclasses.field(default_factory=set)

    async def show_alive(self) -> None:
        statement = "select pg_advisory_lock($1::int, hashtext($2::uuid::text))"
        await self.driver.execute(statement, WORKER_ALIVE, self.owner)

    async def return_tasks_of_the_dead(self) -> int:
        returned = await self.driver.fetch(_RETURN_TASKS_OF_THE_DEAD, WORKER_ALIVE, _SILENCE)
        if returned:
            await self._say_that_there_is_work()
        return len(returned)

    async def log_jobs(self, job_status: list[tuple[Job, JOB_STATUS, TracebackRecord | None]]) -> None:
        if self.lost.is_set():
            return
        await self.driver.execute(
            _END_TASKS,
            [job.id for job, _, _ in job_status],
            [status for _, status, _ in job_status],
            [record.model_dump_json() if record else None for _, _, record in job_status],
            self.owner,
        )

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        if self.lost.is_set():
            return
        counts = job.id not in self.not_a_try
        self.not_a_try.discard(job.id)
        record = traceback_record.model_dump_json() if traceback_record and counts else None
        await self.driver.execute(_REQUEUE_TASK, job.id, delay, record, self.owner, int(counts))
        if not delay:
            await self._say_that_there_is_work()

    async def update_heartbeat(self, job_ids: list[JobId]) -> None:
        await self.driver.execute(_BEAT, list(set(job_ids)), self.owner)

    async def _say_that_there_is_work(self) -> None:
        # PgQueuer's trigger is silent about updates.
        event = TableChangedEvent(
            channel=QUEUE.channel,
            operation="update",
            sent_at=utc_now(),
            table=QUEUE.queue_table,
            type="table_changed_event",
        )
        await self.driver.notify(QUEUE.channel, event.model_dump_json())


_BEAT = "update pgqueuer set heartbeat = now() where id = any($1::bigint[]) and queue_manager_id = $2::uuid"

_END_TASKS = """
with ended as (
    select * from unnest($1::bigint[], $2::pgqueuer_status[], $3::jsonb[]) as t (id, status, traceback)
), deleted as (
    delete from pgqueuer task using ended
     where task.id = ended.id and ended.status <> 'failed' and task.queue_manager_id = $4::uuid
    returning task.id, task.entrypoint, task.priority
), held as (
    update pgqueuer task set status = 'failed', updated = now(), queue_manager_id = null
      from ended
     where task.id = ended.id and ended.status = 'failed' and task.queue_manager_id = $4::uuid
    returning task.id, task.entrypoint, task.priority
)
insert into pgqueuer_log (job_id, status, entrypoint, priority, traceback)
select own.id, ended.status, own.entrypoint, own.priority, ended.traceback
  from (select * from deleted union all select * from held) own join ended on ended.id = own.id
"""

_REQUEUE_TASK = """
with requeued as (
    update pgqueuer
       set status = 'queued', execute_after = now() + $2::interval, attempts = attempts + $5::int,
           updated = now(), queue_manager_id = null
     where id = $1::bigint and queue_manager_id = $4::uuid
    returning id, entrypoint, priority
)
insert into pgqueuer_log (job_id, status, entrypoint, priority, traceback)
select id, 'queued', entrypoint, priority, $3::jsonb from requeued
"""

# The second of silence keeps a task that was claimed while this statement runs from being taken for a dead worker's.
_RETURN_TASKS_OF_THE_DEAD = """
with alive as (
    select objid
      from pg_locks
     where locktype = 'advisory' and classid = $1::int::oid and objsubid = 2 and granted
       and database = (select oid from pg_database where datname = current_database())
)
update pgqueuer
   set status = 'queued', updated = now(), queue_manager_id = null
 where status = 'picked' and heartbeat < now() - $2::interval
   and hashtext(queue_manager_id::text)::oid not in (select objid from alive)
returning id
"""
