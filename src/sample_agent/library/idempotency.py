"""`Idempotency-Key`: the same key has one effect and gets the same answer again."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Header, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from sample_agent.core.errors import Problem
from sample_agent.library.models import IdempotencyKey

IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=255,
        description="any string of your own; a repeated request with the same key is answered, not done again",
    ),
]


class IdempotencyKeyReused(Problem):
    """This `Idempotency-Key` was used for a different request before. Nothing was done."""

    status, code, title = 422, "idempotency-key-reused", "The Idempotency-Key was used for another request"
    next_step = "Use a new key for a new request."


async def once(
    session: AsyncSession,
    user_id: UUID,
    key: str | None,
    request: BaseModel | str,
    act: Callable[[], Awaitable[BaseModel]],
    *,
    status: int,
) -> Response:
    """Do `act` and answer with its result, or, if `key` was seen before, with the answer it got then.

    The key is written in the same transaction as the effect, so both exist or neither does; a second request that
    arrives meanwhile waits for the first.
    """
    if key is None:
        return Response((await act()).model_dump_json(), status, media_type="application/json")
    text = request if isinstance(request, str) else request.model_dump_json()
    fingerprint = hashlib.sha256(text.encode()).digest()
    first = await session.execute(
        insert(IdempotencyKey)
        .values(user_id=user_id, key=key, request_hash=fingerprint)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    if first.scalar_one_or_none() is None:
        seen = (
            await session.execute(
                select(IdempotencyKey).where(IdempotencyKey.user_id == user_id, IdempotencyKey.key == key)
            )
        ).scalar_one()
        if seen.request_hash != fingerprint:
            raise IdempotencyKeyReused
        return Response(seen.body, seen.status or status, media_type="application/json")
    body = (await act()).model_dump_json().encode()
    row = await session.get_one(IdempotencyKey, (user_id, key))
    row.status, row.body = status, body
    return Response(body, status, media_type="application/json")
