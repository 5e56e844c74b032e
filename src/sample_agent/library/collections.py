"""What can be done with collections: make, rename, delete, fill, order."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.billing import Plan
from sample_agent.core.database import own_row, served_by
from sample_agent.core.errors import Conflict, NotFound, Problem, ValidationFailed
from sample_agent.library import schemas
from sample_agent.library.models import Collection, CollectionSample, Sample


class NameTaken(Conflict):
    """You already have a collection of this name; upper and lower case make no difference."""

    code, title = "name-taken", "The name is taken"
    next_step = "Choose another name."


class CollectionQuotaExceeded(Problem):
    """Your plan allows no more collections. The ones you have stay as they are."""

    status, code, title = 429, "quota-exceeded/collections", "Collection quota exceeded"
    next_step = "Delete a collection, or choose a larger plan."


class EmptyCollection(Problem):
    """The collection has no samples that can be exported."""

    status, code, title = 422, "empty-collection", "The collection is empty"
    next_step = "Add samples to the collection first."


async def list_collections(session: AsyncSession) -> list[schemas.Collection]:
    """The caller's collections by name."""
    rows = await session.execute(_with_totals(served_by(session)).order_by(func.lower(Collection.name)))
    return [_shown(*row) for row in rows]


async def show_collection(session: AsyncSession, collection_id: UUID) -> schemas.Collection:
    """One collection; raises NotFound."""
    row = (await session.execute(_with_totals(served_by(session)).where(Collection.id == collection_id))).one_or_none()
    if row is None:
        raise NotFound("There is no such collection.")
    return _shown(*row)


async def create_collection(
    session: AsyncSession, user_id: UUID, plan: Plan, new: schemas.NewCollection
) -> schemas.Collection:
    """Make an empty collection. Raises NameTaken or CollectionQuotaExceeded."""
    if plan.collections is not None:
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"collections:{user_id}", 0))))
        count = await session.scalar(select(func.count()).where(Collection.user_id == user_id)) or 0
        if count >= plan.collections:
            raise CollectionQuotaExceeded(f"Your plan allows {plan.collections} collections.")
    collection = Collection(user_id=user_id, name=new.name, description=new.description)
    session.add(collection)
    await _flush_name(session, new.name)
    return await show_collection(session, collection.id)


async def change_collection(session: AsyncSession, collection_id: UUID, change: schemas.CollectionChange) -> None:
    """Rename or describe a collection. Raises NotFound or NameTaken."""
    collection = await get_collection(session, collection_id)
    if change.name is not None:
        collection.name = change.name
    if change.description is not None:
        collection.description = change.description
    await _flush_name(session, collection.name)


async def delete_collection(session: AsyncSession, collection_id: UUID) -> None:
    """Delete a collection; its samples stay in the library."""
    await session.delete(await get_collection(session, collection_id))


async def add_samples(session: AsyncSession, collection_id: UUID, sample_ids: Sequence[UUID]) -> int:
    """Append samples in the order given; those already in it stay where they are. How many were added."""
    collection = await get_collection(session, collection_id, lock=True)
    known = set(
        await session.scalars(
            select(Sample.id).where(
                Sample.user_id == collection.user_id, Sample.id.in_(sample_ids), Sample.deleted_at.is_(None)
            )
        )
    )
    if missing := [each for each in sample_ids if each not in known]:
        raise NotFound(f"There is no such sample: {missing[0]}")
    last: int = (
        await session.execute(
            select(func.coalesce(func.max(CollectionSample.position), -1)).where(
                CollectionSample.collection_id == collection_id
            )
        )
    ).scalar_one()
    rows = [
        {
            "collection_id": collection_id,
            "sample_id": sample_id,
            "user_id": collection.user_id,
            "position": last + 1 + index,
        }
        for index, sample_id in enumerate(dict.fromkeys(sample_ids))
    ]
    added = await session.execute(
        # Rows as parameters and not as values of the statement, which may not have more than 32767 of them.
        insert(CollectionSample).on_conflict_do_nothing().returning(CollectionSample.sample_id),
        rows,
    )
    _touch(collection)
    return len(added.all())


async def remove_sample(session: AsyncSession, collection_id: UUID, sample_id: UUID) -> None:
    """Take a sample out of a collection; it stays in the library. Raises NotFound when it was not in it."""
    collection = await get_collection(session, collection_id)
    removed = await session.execute(
        delete(CollectionSample)
        .where(CollectionSample.collection_id == collection_id, CollectionSample.sample_id == sample_id)
        .returning(CollectionSample.sample_id)
    )
    if removed.scalar_one_or_none() is None:
        raise NotFound("The sample is not in this collection.")
    _touch(collection)


async def order_samples(session: AsyncSession, collection_id: UUID, sample_ids: Sequence[UUID]) -> None:
    """Put a collection into the order given, which has to name each of its samples once."""
    collection = await get_collection(session, collection_id, lock=True)
    present = set(
        await session.scalars(
            select(CollectionSample.sample_id)
            .join(Sample, Sample.id == CollectionSample.sample_id)
            .where(CollectionSample.collection_id == collection_id, Sample.deleted_at.is_(None))
        )
    )
    if len(sample_ids) != len(present) or set(sample_ids) != present:
        raise ValidationFailed("sample_ids: name every sample of the collection once; load it again, it has changed")
    places = [
        {"collection_id": collection_id, "sample_id": sample_id, "position": position}
        for position, sample_id in enumerate(sample_ids)
    ]
    await session.execute(update(CollectionSample), places)
    _touch(collection)


async def samples_to_export(session: AsyncSession, collection_id: UUID) -> tuple[Collection, list[Sample]]:
    """A collection and its samples in order, those in the trash left out. Raises NotFound or EmptyCollection."""
    collection = await get_collection(session, collection_id)
    samples = await session.scalars(
        select(Sample)
        .join(CollectionSample, CollectionSample.sample_id == Sample.id)
        .where(CollectionSample.collection_id == collection_id, Sample.deleted_at.is_(None))
        .order_by(CollectionSample.position, Sample.id)
    )
    chosen = list(samples)
    if not chosen:
        raise EmptyCollection(f"“{collection.name}” has no samples to export.")
    return collection, chosen


async def get_collection(session: AsyncSession, collection_id: UUID, *, lock: bool = False) -> Collection:
    """The caller's collection, locked against other changes if asked; raises NotFound."""
    found = await own_row(session, Collection, collection_id, lock=lock)
    if found is None:
        raise NotFound("There is no such collection.")
    return found


def _with_totals(owner: UUID) -> Select[Collection, int, float]:
    totals = (
        select(
            CollectionSample.collection_id,
            func.count().label("samples"),
            func.coalesce(func.sum(Sample.duration), 0.0).label("duration"),
        )
        .join(Sample, Sample.id == CollectionSample.sample_id)
        .where(Sample.user_id == owner, Sample.deleted_at.is_(None))
        .group_by(CollectionSample.collection_id)
        .subquery()
    )
    return (
        select(Collection, func.coalesce(totals.c.samples, 0), func.coalesce(totals.c.duration, 0.0))
        .outerjoin(totals, totals.c.collection_id == Collection.id)
        .where(Collection.user_id == owner)
    )


def _shown(collection: Collection, samples: int, duration: float) -> schemas.Collection:
    return schemas.Collection(
        id=collection.id,
        name=collection.name,
        description=collection.description,
        sample_count=samples,
        duration=round(duration, 3),
        created_at=collection.created_at,
        updated_at=collection.updated_at,
    )


async def _flush_name(session: AsyncSession, name: str) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        raise NameTaken(f"You already have a collection called “{name}”.") from error


def _touch(collection: Collection) -> None:
    collection.updated_at = func.now()
