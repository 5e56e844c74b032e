"""Finding samples: filters, sorting, two kinds of paging, and counts per facet."""

from __future__ import annotations

import base64
import binascii
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import orjson
from anyascii import anyascii
from sqlalchemy import ColumnElement, Float, Select, and_, cast, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from sample_agent.core.database import served_by
from sample_agent.core.errors import ValidationFailed
from sample_agent.library.keys import compatible_keys
from sample_agent.library.models import CollectionSample, Sample
from sample_agent.library.schemas import AudioFormat, Facets, Kind, Status, TagCount, TempoRange

Sort = Literal[
    "created_at", "-created_at", "name", "-name", "tempo", "-tempo", "key", "-key",
    "duration", "-duration", "size", "-size", "loudness", "-loudness", "position",
]  # fmt: skip

_UNKNOWN_LAST = 1e12
"""Stands in for a number we do not know, so that such samples sort behind all others, whichever way."""


# The tables' columns rather than the mapped classes: making objects of a page of rows, only to take them apart again,
# was the larger part of what listing costs.
_sample = Sample.__table__.c
_membership = CollectionSample.__table__.c


class ListedSample(NamedTuple):
    """What a list shows of a sample; the fields are those of `Sample`."""

    id: UUID
    filename: str
    name: str
    folder: str
    status: Status
    kind: Kind | None
    tempo: float | None
    key: str | None
    duration: float | None
    file_size: int
    format: AudioFormat
    sample_rate: int | None
    channels: int | None
    loudness: float | None
    favourite: bool
    tags: list[str]
    vibe: str | None
    waveform: bytes | None
    corrected_kind: Kind | None
    corrected_tempo: float | None
    corrected_key: str | None
    error_code: str | None
    error_message: str | None
    created_at: datetime
    deleted_at: datetime | None
    job_id: UUID | None
    version: int


_LISTED = [_sample[name] for name in ListedSample._fields]


@dataclass(frozen=True)
class Filters:
    """What a list of samples is narrowed to; `None` leaves a property open. Tempo in BPM, duration in seconds."""

    text: str = ""
    kind: Kind | None = None
    tempo_min: float | None = None
    tempo_max: float | None = None
    tempo_multiples: bool = False
    key: str | None = None
    key_compatible: bool = False
    duration_min: float | None = None
    duration_max: float | None = None
    tag: str | None = None
    favourite: bool | None = None
    status: Status | None = None
    collection: UUID | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Page:
    """A page of samples, how many match in all, and the cursor of the page after it."""

    samples: list[ListedSample]
    total: int
    next_cursor: str | None


def search_text(*, filename: str, name: str, folder: str, tags: list[str], vibe: str | None) -> str:
    """What a text search looks through: everything a person may remember of a sample, folded to plain lower case."""
    return _folded(" ".join(part for part in (name, filename, folder, *tags, vibe or "") if part))


async def find_samples(
    session: AsyncSession,
    filters: Filters,
    *,
    sort: Sort,
    limit: int,
    offset: int = 0,
    cursor: str | None = None,
) -> Page:
    """The samples that match, `limit` at a time, from `offset` or from where `cursor` left off.

    With a cursor no sample is seen twice and none that stayed is missed, whatever is added meanwhile.
    """
    if sort == "position" and filters.collection is None:
        raise ValidationFailed("sort: `position` orders a collection; give `collection` too")
    matching = _matching(filters, served_by(session))
    total = select(func.count()).select_from(matching.subquery())
    value, ascending = _order(sort)
    found: Select[Any] = matching.with_only_columns(
        *_LISTED, value.label("sort_value"), total.scalar_subquery().label("total"), maintain_column_froms=True
    )
    if cursor is not None:
        after, last_id = _decode(cursor, sort)
        here, there = tuple_(value, _sample.id), tuple_(literal(after, value.type), literal(last_id))
        found = found.where(here > there if ascending else here < there)
    else:
        found = found.offset(offset)
    by_value, by_id = (value.asc(), _sample.id.asc()) if ascending else (value.desc(), _sample.id.desc())
    rows = (await session.execute(found.order_by(by_value, by_id).limit(limit + 1))).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        samples=[ListedSample._make(row[: len(_LISTED)]) for row in rows[:limit]],
        total=rows[0].total if rows else (await session.scalar(total) or 0),
        next_cursor=_encode(last.sort_value, last.id, sort) if last else None,
    )


async def count_facets(session: AsyncSession) -> Facets:
    """How many samples there are of each kind, format, key, status and tag, and the range of their tempo."""
    alive = and_(Sample.user_id == served_by(session), Sample.deleted_at.is_(None))

    async def counts(column: InstrumentedAttribute[Any]) -> dict[str, int]:
        rows = await session.execute(
            select(column, func.count()).where(alive, column.is_not(None)).group_by(column).order_by(column)
        )
        return {row[0]: row[1] for row in rows}

    tag = func.unnest(Sample.tags).label("tag")
    tags = select(tag).where(alive).subquery()
    most_used = await session.execute(
        select(tags.c.tag, func.count()).group_by(tags.c.tag).order_by(func.count().desc(), tags.c.tag).limit(200)
    )
    low, high = (await session.execute(select(func.min(Sample.tempo), func.max(Sample.tempo)).where(alive))).one()
    statuses = await counts(Sample.status)
    return Facets(
        total=sum(statuses.values()),
        kinds=await counts(Sample.kind),
        formats=await counts(Sample.format),
        keys=await counts(Sample.key),
        statuses=statuses,
        tags=[TagCount(tag=row[0], count=row[1]) for row in most_used],
        tempo=TempoRange(min=low, max=high),
    )


def _matching(filters: Filters, owner: UUID) -> Select[Any]:
    query = select(_sample.id).where(
        _sample.user_id == owner,
        _sample.deleted_at.is_not(None) if filters.deleted else _sample.deleted_at.is_(None),
        *_text_terms(filters.text),
    )
    if filters.collection is not None:
        query = query.join(
            CollectionSample.__table__,
            and_(_membership.sample_id == _sample.id, _membership.collection_id == filters.collection),
        )
    if filters.kind is not None:
        query = query.where(_sample.kind == filters.kind)
    if filters.tempo_min is not None or filters.tempo_max is not None:
        query = query.where(_tempo_within(filters))
    if filters.key is not None:
        keys = compatible_keys(filters.key) if filters.key_compatible else [filters.key]
        query = query.where(_sample.key.in_(keys))
    if filters.duration_min is not None:
        query = query.where(_sample.duration >= filters.duration_min)
    if filters.duration_max is not None:
        query = query.where(_sample.duration <= filters.duration_max)
    if filters.tag is not None:
        query = query.where(_sample.tags.contains([filters.tag.lower()]))
    if filters.favourite is not None:
        query = query.where(_sample.favourite == filters.favourite)
    if filters.status is not None:
        query = query.where(_sample.status == filters.status)
    return query


def _text_terms(text: str) -> list[ColumnElement[bool]]:
    """One condition per word: it occurs, or with a leading `-` it does not. Quotes keep words together."""
    try:
        words = shlex.split(text.replace("'", r"\'"))
    except ValueError:
        words = text.replace('"', " ").split()
    conditions: list[ColumnElement[bool]] = []
    for word in words:
        excluded = len(word) > 1 and word.startswith("-")
        folded = _folded(word.removeprefix("-") if excluded else word)
        if folded:
            occurs = _sample.search_text.contains(folded, autoescape=True)
            conditions.append(~occurs if excluded else occurs)
    return conditions


def _tempo_within(filters: Filters) -> ColumnElement[bool]:
    low, high = filters.tempo_min or 0.0, filters.tempo_max or _UNKNOWN_LAST
    factors = (1.0, 2.0, 0.5) if filters.tempo_multiples else (1.0,)
    return or_(*(and_(_sample.tempo >= low / factor, _sample.tempo <= high / factor) for factor in factors))


def _order(sort: Sort) -> tuple[ColumnElement[Any], bool]:
    """The expression to sort by and whether upwards."""
    ascending = not sort.startswith("-")
    name = sort.removeprefix("-")
    unknown = _UNKNOWN_LAST if ascending else -_UNKNOWN_LAST
    numbers: dict[str, ColumnElement[Any]] = {
        "tempo": _sample.tempo,
        "duration": _sample.duration,
        "size": cast(_sample.file_size, Float),
        "loudness": _sample.loudness,
        "position": cast(_membership.position, Float),
    }
    if name in numbers:
        return func.coalesce(numbers[name], unknown), ascending
    if name == "created_at":
        return _sample.created_at, ascending
    if name == "key":
        return func.coalesce(_sample.key, "~" if ascending else "").collate("C"), ascending
    return func.lower(_sample.name).collate("C"), ascending


def _encode(value: Any, sample_id: UUID, sort: Sort) -> str:
    plain = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(orjson.dumps([sort, plain, str(sample_id)])).decode().rstrip("=")


def _decode(cursor: str, sort: Sort) -> tuple[Any, UUID]:
    try:
        made_for, value, sample_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if made_for != sort:
            raise ValidationFailed("cursor: belongs to another sort order; start again without it")
        if sort.removeprefix("-") == "created_at":
            return datetime.fromisoformat(value).astimezone(UTC), UUID(sample_id)
        if sort.removeprefix("-") in ("name", "key"):
            return str(value).replace("\x00", ""), UUID(sample_id)
        return float(value), UUID(sample_id)
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error) as error:
        raise ValidationFailed("cursor: not one that this service gave") from error


def _folded(text: str) -> str:
    return " ".join(anyascii(text).lower().replace("\x00", "").split())
