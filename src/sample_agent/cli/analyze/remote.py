"""`sample-agent analyze --remote`: the files go to an installation's workers, by its own queue and storage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sample_agent.apps.local import local_database
from sample_agent.apps.wiring import make_storage
from sample_agent.cli.analyze.analyzing import Analyze, Result
from sample_agent.core.queue import workers_alive
from sample_agent.core.settings import Settings
from sample_agent.library.loose_files import LooseFiles


class NoWorkerError(RuntimeError):
    """Nobody would do the work."""

    def __init__(self) -> None:
        super().__init__("No worker is running for this database. Start `sample-agent serve` or `sample-agent worker`.")


@asynccontextmanager
async def at_workers() -> AsyncIterator[Analyze]:
    """Analyses by the workers of the installation that the settings name, with its storage in between."""
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
                return Result(path, None, {"code": "file-not-found", "message": message})
            return Result(path, answer.get("features"), answer.get("error"))

        yield analyze
