"""Fixtures for the tests of every route."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from sample_agent.core.postgres import ServerAddress
from tests.contract.household import Household, client, household_on, person, signed_in
from tests.people import Person


@pytest_asyncio.fixture(scope="module")
async def household(
    postgres: ServerAddress, jwt_private_key: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Household]:
    """Alice and Bob; shared by the tests of a file, which leave Alice as they found her."""
    async with household_on(postgres, jwt_private_key, tmp_path_factory.mktemp("household")) as household:
        yield household


@pytest_asyncio.fixture
async def bob(household: Household) -> AsyncIterator[Person]:
    """Bob in a session of his own, which the test may end."""
    async with signed_in(household.app, household.bob.email) as bob:
        yield bob


@pytest_asyncio.fixture
async def visitor(household: Household) -> AsyncIterator[httpx.AsyncClient]:
    """Someone who is not signed in."""
    async with client(household.app) as http:
        yield http


@pytest_asyncio.fixture
async def someone(household: Household) -> AsyncIterator[Person]:
    """Somebody new, who may be changed."""
    async with person(household.app) as someone:
        yield someone
