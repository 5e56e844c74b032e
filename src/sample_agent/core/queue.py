"""Sending background work: a task is queued in the transaction that makes it necessary, or not at all.

The queue is PgQueuer's, in the same database. `core.queue_runner` runs what is sent here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import CancellationEvent, utc_now
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel, JobId
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.core.database import driver_connection

# Left alone, PgQueuer takes these names from variables as common as CHANNEL and FUNCTION; a stray one in somebody's
# environment would send workers to listen where nobody speaks.
QUEUE = DBSettings(
    prefix="",
    db_schema=None,
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
)
QUEUE_SCHEMA = QueryBuilderEnvironment(QUEUE)
QUEUE_STATEMENTS = QueryQueueBuilder(QUEUE)

_WITHDRAW = """
with withdrawn as (
    delete from pgqueuer
     where dedupe_key = $1 and status in ('queued', 'picked')
    returning id, entrypoint, priority
)
insert into pgqueuer_log (job_id, status, entrypoint, priority)
select id, 'canceled', entrypoint, priority from withdrawn
returning job_id
"""


_WITHDRAW_MENTIONING = """
with withdrawn as (
    delete from pgqueuer where strpos(lower(convert_from(payload, 'utf8')), lower($1)) > 0
    returning id, entrypoint, priority
)
insert into pgqueuer_log (job_id, status, entrypoint, priority)
select id, 'canceled', entrypoint, priority from withdrawn
returning job_id
"""
_FORGET_FAILURES = "update pgqueuer_log set traceback = null where strpos(lower(traceback::text), lower($1)) > 0"

MAX_TRIES = 20
"""How often a handler that raises is tried; then the task is held in the queue for an operator to look at.

With the waits between them that is most of an hour: a mail server or a bucket may be away for so long."""

WORKER_ALIVE = 7241
"""The class of the advisory locks that workers hold while they live."""

_WORKERS = text("select count(*) from pg_locks where locktype = 'advisory' and classid = :alive and granted")


async def workers_alive(session: AsyncSession) -> int:
    """How many workers take tasks from this queue just now."""
    return int(await session.scalar(_WORKERS, {"alive": WORKER_ALIVE}) or 0)


async def enqueue(
    session: AsyncSession,
    entrypoint: str,
    payload: Mapping[str, Any],
    *,
    priority: int = 0,
    delay: timedelta | None = None,
    dedupe_key: str | None = None,
) -> None:
    """Queue a task for `entrypoint`; it exists once the transaction of `session` commits, and never if it does not.

    `payload` becomes JSON. A higher `priority` runs first. With a `dedupe_key`, nothing happens while a task of that
    key waits or runs.
    """
    queries = Queries(AsyncpgDriver(await _open_transaction(session)), QUEUE_SCHEMA, QUEUE_STATEMENTS)
    await queries.enqueue(
        [entrypoint],
        [orjson.dumps(payload)],
        [priority],
        [delay],
        [dedupe_key],
        on_conflict="skip",
    )


async def withdraw(session: AsyncSession, dedupe_key: str) -> None:
    """Take the task of this key out of the queue; a worker that runs it is told to stop. Both upon commit."""
    connection = await _open_transaction(session)
    await _tell_to_stop(connection, await connection.fetch(_WITHDRAW, dedupe_key))


async def forget(session: AsyncSession, word: str) -> int:
    """Take every task whose payload holds `word` out of the queue, and `word` out of its records; how many tasks.

    A worker that runs one of them is told to stop. All upon commit.
    """
    connection = await _open_transaction(session)
    withdrawn = await connection.fetch(_WITHDRAW_MENTIONING, word)
    await _tell_to_stop(connection, withdrawn)
    await connection.execute(_FORGET_FAILURES, word)
    return len(withdrawn)


async def _tell_to_stop(connection: Any, withdrawn: Sequence[Mapping[str, Any]]) -> None:
    ids = [JobId(row["job_id"]) for row in withdrawn]
    if ids:
        event = CancellationEvent(channel=QUEUE.channel, ids=ids, sent_at=utc_now(), type="cancellation_event")
        await connection.execute("select pg_notify($1, $2)", QUEUE.channel, event.model_dump_json())


async def _open_transaction(session: AsyncSession) -> Any:
    connection = await driver_connection(session)
    if not connection.is_in_transaction():
        raise RuntimeError("Work is queued inside a transaction, so that both are kept or neither.")
    return connection
