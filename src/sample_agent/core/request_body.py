"""How much of a request is held in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

MAX_BODY_BYTES = 1024 * 1024
"""The largest body of a route that reads its request whole; ten thousand ids fit in well."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def streams_body(endpoint: Endpoint) -> Endpoint:
    """Mark a route that takes its body block by block and counts for itself."""
    endpoint.__dict__["streams_body"] = True
    return endpoint


def limit_body(scope: Scope, receive: Receive) -> Receive:
    """`receive` for one request, which refuses with 413 what is too large to be read whole."""
    announced = Headers(scope=scope).get("content-length", "")
    expected = int(announced) if announced.isdecimal() else 0
    received = 0

    async def limited() -> Message:
        nonlocal received
        if expected > MAX_BODY_BYTES:
            _refuse_unless_streamed(scope)
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            _refuse_unless_streamed(scope)
        return message

    return limited


def _refuse_unless_streamed(scope: Scope) -> None:
    # Which route it is stands in the scope by the time anyone asks for the body.
    if not getattr(scope.get("endpoint"), "streams_body", False):
        # An HTTPException passes through FastAPI's own reading of the body; any other would become a 400 there.
        raise HTTPException(413, f"This address takes up to {MAX_BODY_BYTES} bytes.")
