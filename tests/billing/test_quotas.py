"""Quotas are exact, however many ask at once."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from sample_agent.accounts import create_user
from sample_agent.billing import quotas
from sample_agent.billing.models import UsageCounter, UsageReservation
from sample_agent.core.database import Database
from tests.conftest import PASSWORDS
from tests.people import PASSWORD, new_email


@pytest_asyncio.fixture
async def user_id(database: Database) -> UUID:
    return await create_user(database, PASSWORDS, email=new_email(), password=PASSWORD)


async def try_to_reserve(database: Database, user_id: UUID, amount: int, limit: int) -> UUID | None:
    try:
        async with database.transaction(user_id) as session:
            return await quotas.reserve(session, user_id, "storage", amount, limit=limit)
    except quotas.StorageQuotaExceeded:
        return None


async def counted(database: Database, user_id: UUID) -> tuple[int, int]:
    async with database.transaction(user_id) as session:
        counter = await session.get(UsageCounter, (user_id, "storage", ""))
        return (counter.used, counter.reserved) if counter else (0, 0)


async def test_at_the_limit_exactly_as_many_get_in_as_there_is_room_for(database: Database, user_id: UUID) -> None:
    outcomes = await asyncio.gather(*(try_to_reserve(database, user_id, 10, 35) for _ in range(100)))
    assert sum(outcome is not None for outcome in outcomes) == 3
    assert await counted(database, user_id) == (0, 30)


async def test_what_is_reserved_is_settled_exactly(database: Database, user_id: UUID) -> None:
    chance = random.Random(404)

    async def one() -> int:
        amount = chance.randint(1, 1000)
        kept = chance.choice([0, amount, chance.randint(0, amount)])
        reservation = await try_to_reserve(database, user_id, amount, 10**9)
        assert reservation is not None
        async with database.transaction(user_id) as session:
            if kept:
                await quotas.commit(session, reservation, used=kept)
            else:
                await quotas.release(session, reservation)
        return kept

    kept = await asyncio.gather(*(one() for _ in range(200)))
    assert await counted(database, user_id) == (sum(kept), 0)


async def test_settling_twice_counts_once(database: Database, user_id: UUID) -> None:
    reservation = await try_to_reserve(database, user_id, 10, 100)
    assert reservation is not None
    for _ in range(2):
        async with database.transaction(user_id) as session:
            await quotas.commit(session, reservation, used=10)
    assert await counted(database, user_id) == (10, 0)


async def test_a_reservation_dies_with_the_transaction_that_made_it(database: Database, user_id: UUID) -> None:
    async def reserve_and_fail() -> None:
        async with database.transaction(user_id) as session:
            await quotas.reserve(session, user_id, "storage", 10, limit=100)
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        await reserve_and_fail()
    assert await counted(database, user_id) == (0, 0)


async def test_giving_back_never_goes_below_nothing(database: Database, user_id: UUID) -> None:
    reservation = await try_to_reserve(database, user_id, 10, 100)
    assert reservation is not None
    async with database.transaction(user_id) as session:
        await quotas.commit(session, reservation, used=10)
        await quotas.give_back(session, user_id, "storage", 25)
    assert await counted(database, user_id) == (0, 0)


async def test_a_reservation_nobody_settles_is_found(database: Database, user_id: UUID) -> None:
    reservation = await try_to_reserve(database, user_id, 10, 100)
    async with database.transaction(user_id) as session:
        await session.execute(
            update(UsageReservation)
            .where(UsageReservation.id == reservation)
            .values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        )
    async with database.transaction(purpose="worker") as session:
        assert (user_id, reservation) in await quotas.expired_reservations(session)
        assert await session.scalar(select(UsageReservation.amount).where(UsageReservation.id == reservation)) == 10
