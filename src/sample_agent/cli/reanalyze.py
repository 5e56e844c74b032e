"""`sample-agent reanalyze`: every library is brought to the engine's present version."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import typer

from sample_agent.apps.local import local_database
from sample_agent.billing import plan_for
from sample_agent.core.database import Database
from sample_agent.core.settings import Settings
from sample_agent.library import reanalysis


@dataclass(frozen=True)
class Started:
    """How many libraries are being analysed again, and how many samples they hold in all."""

    libraries: int
    samples: int


def reanalyze(settings: Settings) -> None:
    """Start it for all users and print what was started; workers do the rest."""

    async def start() -> Started:
        async with local_database(settings) as database:
            return await reanalyze_everything(database, settings)

    started = asyncio.run(start())
    if not started.samples:
        typer.echo("Every sample has been analysed by the present version of the engine.")
        return
    typer.echo(f"{started.samples} samples in {started.libraries} libraries are queued. Their owners see the progress.")


async def reanalyze_everything(database: Database, settings: Settings) -> Started:
    """Start a renewal for each library with outdated samples, or find the one under way."""
    async with database.transaction(purpose="worker") as session:
        owners = await reanalysis.outdated_libraries(session)
    samples = 0
    for user_id in owners:
        async with database.transaction(user_id) as session:
            plan = await plan_for(session, user_id, settings.plan_for_new_accounts)
            try:
                samples += (await reanalysis.start(session, user_id, plan)).total
            except reanalysis.NothingOutdated:
                continue
    return Started(len(owners), samples)
