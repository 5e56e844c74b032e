"""Cursors: where a page of a list ended, so that the next one goes on there whatever is added meanwhile.

What a cursor says is no secret and no right: a query that starts from one asks whose rows it may show all the same.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Annotated
from uuid import UUID

import orjson
from pydantic import Field

from sample_agent.core.errors import ValidationFailed

Cursor = Annotated[str, Field(max_length=200, description="`next_cursor` of the page before")]


def cursor_at(at: datetime, row_id: UUID) -> str:
    """The cursor of a list in the order of time, after the row `row_id`."""
    return base64.urlsafe_b64encode(orjson.dumps([at, str(row_id)])).rstrip(b"=").decode()


def place_of(cursor: str) -> tuple[datetime, UUID]:
    """What `cursor_at` was given. Raises ValidationFailed for what is no such cursor."""
    try:
        at, row_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return moment, UUID(row_id)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValidationFailed("cursor: not one that this service gave") from error
