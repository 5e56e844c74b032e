"""Exact quotas: one statement reserves or refuses; nothing is counted first and written later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.billing.models import UsageCounter, UsageReservation
from sample_agent.core.errors import Problem
from sample_agent.core.identifiers import new_id

Meter = Literal["storage"]
RESERVATION_LIFETIME = timedelta(hours=1)


class StorageQuotaExceeded(Problem):
    """Your plan's storage is full. Nothing was stored and nothing you own was touched."""

    status, code, title = 429, "quota-exceeded/storage", "Storage quota exceeded"
    next_step = "Delete samples you no longer need and empty them from the trash, or choose a larger plan."


async def reserve(session: AsyncSession, user_id: UUID, meter: Meter, amount: int, *, limit: int | None) -> UUID:
    """Promise `amount` of a meter to work about to start; raise when it would pass `limit` (None: unlimited).

    Returns the reservation to settle by `commit` or `release`; one that nobody settles expires.
    """
    await session.execute(
        insert(UsageCounter)
        .values(user_id=user_id, meter=meter, period="", used=0, reserved=0)
        .on_conflict_do_nothing()
    )
    claim = (
        update(UsageCounter)
        .where(UsageCounter.user_id == user_id, UsageCounter.meter == meter, UsageCounter.period == "")
        .values(reserved=UsageCounter.reserved + amount)
        .returning(UsageCounter.used)
    )
    if limit is not None:
        claim = claim.where(UsageCounter.used + UsageCounter.reserved + amount <= limit)
    if (await session.execute(claim)).one_or_none() is None:
        raise StorageQuotaExceeded(f"This needs {amount} bytes, more than is free of your plan's {limit} bytes.")
    reservation = UsageReservation(
        id=new_id(),
        user_id=user_id,
        meter=meter,
        period="",
        amount=amount,
        expires_at=datetime.now(UTC) + RESERVATION_LIFETIME,
    )
    session.add(reservation)
    await session.flush()
    return reservation.id


async def commit(session: AsyncSession, reservation_id: UUID, *, used: int) -> bool:
    """Settle a reservation: count `used` (at most what was reserved) and give back the rest.

    False when it has expired meanwhile or was settled before, and then nothing is counted.
    """
    return await _settle(session, reservation_id, used=used)


async def release(session: AsyncSession, reservation_id: UUID) -> None:
    """Settle a reservation of which nothing was used. Settling twice does nothing."""
    await _settle(session, reservation_id, used=0)


async def give_back(session: AsyncSession, user_id: UUID, meter: Meter, amount: int) -> None:
    """Take `amount` off what is used, because the thing that used it is gone."""
    await session.execute(
        update(UsageCounter)
        .where(UsageCounter.user_id == user_id, UsageCounter.meter == meter, UsageCounter.period == "")
        .values(used=func.greatest(UsageCounter.used - amount, 0))
    )


async def used(session: AsyncSession, user_id: UUID, meter: Meter) -> int:
    """How much of a meter is used now, reservations not counted."""
    value = await session.scalar(
        select(UsageCounter.used).where(
            UsageCounter.user_id == user_id, UsageCounter.meter == meter, UsageCounter.period == ""
        )
    )
    return value or 0


async def expired_reservations(session: AsyncSession) -> list[tuple[UUID, UUID]]:
    """The reservations nobody settled in time, as (user id, reservation id). For background work across users."""
    rows = await session.execute(
        select(UsageReservation.user_id, UsageReservation.id).where(UsageReservation.expires_at < datetime.now(UTC))
    )
    return [(row.user_id, row.id) for row in rows]


async def _settle(session: AsyncSession, reservation_id: UUID, *, used: int) -> bool:
    settled = (
        await session.execute(
            delete(UsageReservation)
            .where(UsageReservation.id == reservation_id)
            .returning(
                UsageReservation.user_id, UsageReservation.meter, UsageReservation.period, UsageReservation.amount
            )
        )
    ).one_or_none()
    if settled is None:
        return False
    if used > settled.amount:
        raise ValueError("more was used than reserved")
    await session.execute(
        update(UsageCounter)
        .where(
            UsageCounter.user_id == settled.user_id,
            UsageCounter.meter == settled.meter,
            UsageCounter.period == settled.period,
        )
        .values(reserved=UsageCounter.reserved - settled.amount, used=UsageCounter.used + used)
    )
    return True
