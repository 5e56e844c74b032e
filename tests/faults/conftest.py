"""A durable server of its own for the faults: what is tested here is what survives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from installation import Installation

from sample_agent.apps.migrate import migrate
from sample_agent.core.postgres import EmbeddedPostgres
from sample_agent.core.postgres.server import free_port


@pytest.fixture(scope="session")
def durable_postgres(reachable_tmp: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(reachable_tmp / "faults") as server:
        asyncio.run(migrate(server.address.owner_url))
        yield server


@pytest_asyncio.fixture
async def installation(durable_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Installation]:
    """An empty installation with quick clocks."""
    durable_postgres.restart_if_dead()
    owner = await asyncpg.connect(durable_postgres.address.owner_url)
    await owner.execute("truncate users, pgqueuer, pgqueuer_log cascade")
    await owner.close()
    installation = Installation(
        tmp_path,
        durable_postgres.address.app_url,
        free_port(),
        job_heartbeat_seconds=2,
        job_ageing_seconds=2,
        job_stop_seconds=0.2,
    )
    yield installation
    await installation.close()
