"""Identifiers: UUID version 7, so that new rows lie next to each other in an index."""

from __future__ import annotations

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A new time-ordered identifier (RFC 9562, version 7)."""
    return UUID(int=uuid_utils.uuid7().int)
