"""What somebody has here, told by whoever keeps it: the accounts themselves, and the packages above them.

A copy of a person's data is made of these portions, and an erasure takes each of them away.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.core.database import Database, Model

Row = Mapping[str, Any]
Rows = Callable[[AsyncSession, UUID], AsyncIterator[Row]]

_ROWS_AT_ONCE = 200


@dataclass(frozen=True)
class Part:
    """Rows of one kind. `name` is the path of their file in the archive, without its ending; `about` is a sentence.

    `tables` are those that the rows come from.
    """

    name: str
    about: str
    rows: Rows
    tables: tuple[str, ...]


@dataclass(frozen=True)
class OwnFile:
    """A file of somebody's: where it lies in storage, its size in bytes, and its path in the archive.

    Two files may ask for one path; the second gets another one.
    """

    key: str
    size: int
    path: str


@dataclass(frozen=True)
class Portion:
    """What one package keeps of a person.

    In storage it uses keys of the form `{folder}/{user id}/…` for `folders`, and no others. `bytes_of` says how much
    `files` hold together. `erase` deletes rows that are too many to go with the person's own row, and may be called
    again after it was cut short; it says how many of what were deleted.
    """

    parts: Sequence[Part]
    folders: Sequence[str]
    files: Callable[[Database, UUID], AsyncIterator[OwnFile]]
    bytes_of: Callable[[Database, UUID], Awaitable[int]]
    erase: Callable[[Database, UUID], Awaitable[Mapping[str, int]]]


def table_part(
    name: str, about: str, model: type[Model], *, leave_out: Sequence[str] = (), owner: str = "user_id"
) -> Part:
    """The person's rows of a table, without the columns `leave_out`: secrets, and what only the machine can read."""

    async def rows(db: AsyncSession, user_id: UUID) -> AsyncIterator[Row]:
        columns = [column for column in table.columns if column.name not in leave_out]
        query = select(*columns).where(table.c[owner] == user_id).order_by(*table.primary_key.columns)
        async for row in await db.stream(query.execution_options(yield_per=_ROWS_AT_ONCE)):
            yield dict(row._mapping)

    table = model.metadata.tables[model.__tablename__]
    return Part(name, about, rows, (table.name,))
