"""An accounts service with the routes of administrators, one of them, and somebody they look after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from sample_agent import admin
from sample_agent.accounts import Keys
from sample_agent.core.database import Database
from sample_agent.core.settings import Settings
from tests.accounts.conftest import keys
from tests.accounts.deployment import PUBLIC_URL, Service
from tests.admin.office import Signed, sign_in

__all__ = ["keys"]


@pytest.fixture
def another_process(settings: Settings, database: Database, keys: Keys) -> Callable[[], Service]:
    """Makes services that share database, keys and data folder, and nothing in memory."""
    deployed = settings.model_copy(update={"public_url": PUBLIC_URL, "default_plan": "free"})

    def make() -> Service:
        service = Service(deployed, database, keys)
        service.app.include_router(admin.router)
        return service

    return make


@pytest.fixture
def service(another_process: Callable[[], Service]) -> Service:
    return another_process()


@pytest_asyncio.fixture
async def boss(service: Service) -> AsyncIterator[Signed]:
    """An administrator."""
    async with service.visitor() as visitor:
        yield await sign_in(service, visitor, admin=True)


@pytest_asyncio.fixture
async def somebody(service: Service) -> AsyncIterator[Signed]:
    async with service.visitor() as visitor:
        yield await sign_in(service, visitor)
