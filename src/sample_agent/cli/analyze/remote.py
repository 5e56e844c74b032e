"""`sample-agent analyze --remote`: the files go to an installation's workers, by its own queue and storage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import typer
from sqlalchemy.exc import SQLAlchemyError

from sample_agent.apps.local import local_database
from sample_agent.apps.wiring import make_storage
from sample_agent.cli.analyze.analyzing import Analyze
from sample_agent.cli.analyze.result import Result
from sample_agent.core.database import Database
from sample_agent.core.queue import workers_alive
from sample_agent.core.settings import Settings
from sample_agent.engine import ENGINE_VERSION
from sample_agent.library.loose_files import LooseFiles


class NoWorkerError(RuntimeError):
    """Nobody would do the work."""

    def __init__(self) -> None:
        super().__init__("No worker is running for this database. Start `sample-agent serve` or `sample-agent worker`.")


LOOK_SECONDS = 5.0
ABSENT_SECONDS = 20.0
"""How often to look for workers, and how long there may be none before it is said: one that restarts takes a while."""


@asynccontextmanager
async def at_workers() -> AsyncIterator[Analyze]:
    """Analyses by the workers of the installation that the settings name, with its storage in between.

    When no worker is left, it says so on standard error and waits for the next one.
    """
    settings = Settings()
    storage = make_storage(settings, links_from=settings.library_url)
    async with local_database(settings, pool_size=settings.database_pool_size) as database:
        async with database.transaction(purpose="worker") as session:
            if not await workers_alive(session):
                raise NoWorkerError
        loose = LooseFiles(database, storage)

        async def analyze(path: Path) -> Result:
            try:
                answer = await loose.analyze(path)
            except OSError as error:
                message = f"The file cannot be read: {error.strerror or error}."
                return Result(path, None, {"code": "file-not-found", "message": message}, tried_by=ENGINE_VERSION)
            return Result(path, answer.get("features"), answer.get("error"), tried_by=answer.get("engine_version"))

        watching = asyncio.create_task(tell_of_absence(database, _say))
        try:
            yield analyze
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def tell_of_absence(
    database: Database, say: Callable[[str], None], *, look: float = LOOK_SECONDS, absent: float = ABSENT_SECONDS
) -> None:
    """Say when no worker has been there for `absent` seconds, and when there is one again. Runs until cancelled."""
    missed, said = 0.0, False
    while True:
        await asyncio.sleep(look)
        try:
            async with database.transaction(purpose="worker") as session:
                alive = await workers_alive(session)
        except (OSError, SQLAlchemyError):
            # Whoever asks for an analysis hears of a database that is gone.
            continue
        missed = 0.0 if alive else missed + look
        if said and alive:
            said = False
            say("A worker is there again.")
        elif not said and missed >= absent:
            said = True
            say(
                "No worker is running any more, so nothing goes on. Start `sample-agent serve` or "
                "`sample-agent worker`, or stop with Ctrl-C: another run goes on where this one was."
            )


def _say(sentence: str) -> None:
    typer.secho(sentence, fg="yellow", err=True)
