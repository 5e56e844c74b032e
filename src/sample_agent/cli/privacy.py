"""`sample-agent privacy`: promises to people that outlast a backup."""

from __future__ import annotations

import asyncio

import typer

from sample_agent.accounts.privacy.erasure import ErasureTools, reapply
from sample_agent.apps.local import local_database
from sample_agent.apps.wiring import make_storage
from sample_agent.apps.worker import PERSONAL_DATA
from sample_agent.core.settings import Settings


def reapply_erasures(settings: Settings) -> None:
    """Erase again whoever a restored backup has brought back, and print how many people that were."""

    async def run() -> int:
        storage = make_storage(settings, links_from=settings.library_url)
        async with local_database(settings, pool_size=2) as database:
            return await reapply(ErasureTools(database, storage, PERSONAL_DATA, mailer=None))

    again = asyncio.run(run())
    typer.echo(f"{again} people were erased again." if again else "Nobody who was erased has come back.")
