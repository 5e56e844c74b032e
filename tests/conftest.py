"""What every test stands on: one real PostgreSQL for the whole run, fresh people for every test."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from sample_agent.apps.migrate import migrate
from sample_agent.core.database import Database
from sample_agent.core.postgres import EmbeddedPostgres, ServerAddress
from sample_agent.core.settings import Settings


@pytest.fixture(scope="session")
def reachable_tmp() -> Iterator[Path]:
    """A temporary folder that an unprivileged server process can enter, too."""
    folder = Path(tempfile.mkdtemp(prefix="sample-agent-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(reachable_tmp: Path) -> Iterator[ServerAddress]:
    """A migrated database on an embedded server. Durability is off: this server's data is thrown away."""
    fast = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    with EmbeddedPostgres(reachable_tmp / "shared", settings=fast) as server:
        asyncio.run(migrate(server.address.owner_url))
        yield server.address


@pytest.fixture(scope="session")
def app_url(postgres: ServerAddress) -> str:
    return postgres.app_url


@pytest.fixture(scope="session")
def owner_url(postgres: ServerAddress) -> str:
    return postgres.owner_url


@pytest.fixture
def settings(app_url: str, owner_url: str, tmp_path: Path) -> Settings:
    """Settings of a development installation of its own, on the shared database."""
    return Settings(
        _env_file=None,
        environment="development",
        data_dir=tmp_path,
        database_url=app_url,
        database_owner_url=owner_url,
        database_pool_size=5,
        worker_processes=1,
        job_heartbeat_seconds=2,
        log_format="json",
    )


@pytest_asyncio.fixture
async def database(app_url: str) -> AsyncIterator[Database]:
    """The shared database, connected as the application's role."""
    database = Database(app_url, pool_size=10)
    yield database
    await database.close()
