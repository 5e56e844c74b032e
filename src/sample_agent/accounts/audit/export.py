"""The audit log as files: CSV for spreadsheets, or a line of JSON for each entry."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

import orjson

from sample_agent.accounts.audit.search import Filters, Recorded, find_all
from sample_agent.core.database import Database

Format = Literal["csv", "json"]

MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv; charset=utf-8", "json": "application/x-ndjson"}

COLUMNS = (
    "id",
    "tenant_id",
    "position",
    "at",
    "action",
    "actor_kind",
    "actor_id",
    "subject_kind",
    "subject_id",
    "ip_address",
    "user_agent",
    "request_id",
    "detail",
    "hash",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection)."""


async def exported(database: Database, filters: Filters, format_: Format) -> AsyncIterator[bytes]:
    """What matches, oldest first, piece by piece; `detail` and the client are empty where they were erased."""
    if format_ == "csv":
        yield _csv([COLUMNS])
    async for batch in find_all(database, filters):
        rows = [_row(each) for each in batch]
        if format_ == "csv":
            yield _csv([[_cell(row[name]) for name in COLUMNS] for row in rows])
        else:
            yield b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _row(recorded: Recorded) -> dict[str, Any]:
    entry, context = recorded.entry, recorded.context
    return {
        "id": str(entry.id),
        "tenant_id": str(entry.tenant_id),
        "position": entry.position,
        "at": entry.at,
        "action": entry.action,
        "actor_kind": entry.actor_kind,
        "actor_id": str(entry.actor_id) if entry.actor_id else None,
        "subject_kind": entry.subject_kind,
        "subject_id": str(entry.subject_id) if entry.subject_id else None,
        "ip_address": context.ip_address if context else None,
        "user_agent": context.user_agent if context else None,
        "request_id": context.request_id if context else None,
        "detail": context.detail if context else None,
        "hash": entry.hash.hex(),
    }


def _cell(value: Any) -> str:
    """A value as text that no spreadsheet computes: one that looks like a formula gets an apostrophe before it."""
    if value is None:
        return ""
    text = orjson.dumps(value).decode() if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
