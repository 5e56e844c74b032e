"""An accounts service on the shared database and a visitor to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from sample_agent.accounts import Keys, load_keys
from sample_agent.core.database import Database
from sample_agent.core.settings import Settings
from tests.accounts.deployment import PUBLIC_URL, Person, Service


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """One key pair for the whole run: making one takes long."""
    return load_keys(Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("keys")))


@pytest.fixture
def another_process(settings: Settings, database: Database, keys: Keys) -> Callable[[], Service]:
    """Makes services that share database, keys and data folder, and nothing in memory."""
    deployed = settings.model_copy(update={"public_url": PUBLIC_URL, "default_plan": "free"})
    return lambda: Service(deployed, database, keys)


@pytest.fixture
def service(another_process: Callable[[], Service]) -> Service:
    return another_process()


@pytest_asyncio.fixture
async def person(service: Service) -> AsyncIterator[Person]:
    async with service.visitor() as visitor:
        yield visitor
