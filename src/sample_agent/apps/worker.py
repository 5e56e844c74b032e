"""The worker: takes jobs from the queue, analyses, sends mail, and keeps the house in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
import uvicorn
from fastapi import FastAPI

from sample_agent.accounts.privacy.erasure import ErasureTools
from sample_agent.accounts.privacy.exports import EXPORT_DATA
from sample_agent.accounts.privacy.making import ExportTools, export_data
from sample_agent.accounts.privacy.own_data import OWN_DATA
from sample_agent.accounts.privacy.upkeep import keep_promises
from sample_agent.accounts.tasks import COMPOSERS, RECORD_REFUSAL, SEND_MAIL, MailResources, record_refusal, send_mail
from sample_agent.admin.impersonation.upkeep import watch_impersonations
from sample_agent.apps.wiring import make_mailer, make_storage, open_database
from sample_agent.core.database import Database
from sample_agent.core.http import create_app
from sample_agent.core.lifeline import end_with_lifeline
from sample_agent.core.logs import start_logs
from sample_agent.core.mail import Mailer
from sample_agent.core.queue_runner import Lane, run_tasks
from sample_agent.core.scratch import scratch_space
from sample_agent.core.settings import Settings
from sample_agent.library.analyzer import Analyzer, open_analyzer
from sample_agent.library.jobs import ANALYZE_SAMPLE
from sample_agent.library.loose_files import ANALYZE_LOOSE_FILE, analyze_loose_file
from sample_agent.library.mails import SAMPLES_READY, samples_ready
from sample_agent.library.personal_data import LIBRARY_DATA
from sample_agent.library.tasks import Tools, analyze_sample
from sample_agent.library.trash import DELETE_OBJECTS, delete_objects
from sample_agent.library.upkeep import keep_up

SHORT_TASKS = 4
"""How many mails and deletions run at once; they never wait for an analysis."""

EXPORTS = 2
"""How many copies of people's data are made at once; each may take long, and holds up nothing else."""

PERSONAL_DATA = (OWN_DATA, LIBRARY_DATA)
"""Everything that is kept of a person, by whoever keeps it."""

log = structlog.get_logger("worker")


def main(settings: Settings) -> None:
    """Work until told to stop. Raises when the database goes away: whoever started the worker starts it again."""
    end_with_lifeline()
    start_logs(settings)
    asyncio.run(_run_until_signal(settings))


async def _run_until_signal(settings: Settings) -> None:
    shutdown = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, shutdown.set)
    await run_worker(settings, shutdown)


async def run_worker(settings: Settings, shutdown: asyncio.Event, *, analyzer: Analyzer | None = None) -> None:
    """Work until `shutdown` is set, then finish or hand back what was begun.

    `analyzer` takes the place of the one the settings ask for.
    """
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(settings))
        storage = make_storage(settings, links_from=settings.library_url)
        if analyzer is None:
            analyzer = await stack.enter_async_context(open_analyzer(settings, storage))
        tools = Tools(
            database=database,
            storage=storage,
            analyzer=analyzer,
            worker=f"{socket.gethostname()}:{os.getpid()}",
            max_attempts=settings.job_max_attempts,
        )
        await stack.enter_async_context(_observable(settings, database))
        await stack.enter_async_context(_background(keep_up(database, storage, settings)))
        await stack.enter_async_context(_background(watch_impersonations(database)))
        mailer = make_mailer(settings)
        await stack.enter_async_context(
            _background(keep_promises(ErasureTools(database, storage, PERSONAL_DATA, mailer)))
        )
        space = stack.enter_context(scratch_space(settings.data_dir / "scratch"))
        exports = ExportTools(database, storage, PERSONAL_DATA, space)
        log.info("worker started", worker=tools.worker, processes=settings.worker_processes)
        await run_tasks(
            database.engine.url.render_as_string(hide_password=False),
            _lanes(settings, tools, mailer, exports),
            heartbeat=timedelta(seconds=settings.job_heartbeat_seconds),
            shutdown=shutdown,
            grace=timedelta(seconds=settings.job_stop_seconds),
        )
        log.info("worker stopped", worker=tools.worker)


def _lanes(settings: Settings, tools: Tools, mailer: Mailer, exports: ExportTools) -> list[Lane]:
    composers = {**COMPOSERS, SAMPLES_READY: samples_ready}
    mails = MailResources(tools.database, mailer, settings.public_url, settings.signing_key_bytes(), composers)
    # One more than there are processes: its file is fetched while the others are analysed.
    analysis = Lane(
        {
            ANALYZE_SAMPLE: partial(analyze_sample, tools=tools),
            ANALYZE_LOOSE_FILE: partial(analyze_loose_file, storage=tools.storage, analyzer=tools.analyzer),
        },
        settings.worker_processes + 1,
    )
    short = Lane(
        {
            SEND_MAIL: partial(send_mail, resources=mails),
            RECORD_REFUSAL: partial(record_refusal, database=tools.database),
            DELETE_OBJECTS: partial(delete_objects, storage=tools.storage),
        },
        SHORT_TASKS,
    )
    copies = Lane({EXPORT_DATA: partial(export_data, tools=exports)}, EXPORTS)
    return [analysis, short, copies]


@asynccontextmanager
async def _observable(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Serve /healthz, /readyz and /metrics on the worker's port meanwhile."""

    async def answers(app: FastAPI) -> None:
        await database.ping()

    app = create_app("worker", public_url=settings.public_url, lifespan=_nothing, readiness={"database": answers})
    listening = socket.create_server((settings.host, settings.worker_port))
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Leaves signals to the worker, which has to finish first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _nothing(app: FastAPI) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def _background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do `work` meanwhile, and stop it at the end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
