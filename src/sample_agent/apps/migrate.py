"""Brings the database to the schema this version needs."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

import asyncpg
import structlog

import sample_agent
from sample_agent.core.database_url import asyncpg_url, sqlalchemy_url

log = structlog.get_logger("migrate")

MIGRATIONS = Path(sample_agent.__file__).parent / "migrations"


async def migrate(owner_url: str) -> bool:
    """Run the migrations that are missing as the owner of the tables. Returns whether there were any.

    The head is compared with one query first, because loading Alembic costs more than a second.
    """
    if await is_migrated(owner_url):
        return False
    await asyncio.to_thread(_upgrade, owner_url)
    log.info("migrated", revision=_head())
    return True


async def is_migrated(owner_url: str) -> bool:
    """Whether the database stands where this version of the program needs it."""
    return await _revision(owner_url) == _head()


class WrongSchemaError(RuntimeError):
    """The database is older or newer than this version of the program."""

    def __init__(self, found: str | None) -> None:
        super().__init__(
            f"The database stands at revision {found or 'none'}, this program needs {_head()}: "
            "run `sample-agent migrate`."
        )


def require_head(revision: str | None) -> None:
    """Raise WrongSchemaError unless `revision` is the one this version of the program needs."""
    if revision != _head():
        raise WrongSchemaError(revision)


@cache
def _head() -> str:
    """The newest migration: files are named `NNNN_subject.py` and carry their number as revision."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


async def _revision(url: str) -> str | None:
    connection = await asyncpg.connect(asyncpg_url(url), timeout=10)
    try:
        if await connection.fetchval("select to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("select version_num from alembic_version")
        return revision
    finally:
        await connection.close()


def _upgrade(owner_url: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import Connection, pool, text
    from sqlalchemy.ext.asyncio import create_async_engine

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    def run(connection: Connection) -> None:
        connection.execute(text("select pg_advisory_lock(404404)"))
        connection.commit()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()

    async def main() -> None:
        engine = create_async_engine(sqlalchemy_url(owner_url), poolclass=pool.NullPool)
        async with engine.connect() as connection:
            await connection.run_sync(run)
        await engine.dispose()

    asyncio.run(main())
