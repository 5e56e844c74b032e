"""Identifiers: UUID version 7, so that new rows lie next to each other in an index."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A new time-ordered identifier (RFC 9562, version 7)."""
    return UUID(int=uuid_utils.uuid7().int)


def made_at(identifier: UUID) -> datetime:
    """The moment a UUID of version 7 was made: its first 48 bits are milliseconds since 1970 (RFC 9562)."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)
