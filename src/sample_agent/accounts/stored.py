"""The storage of the running application, for what people keep with their accounts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from sample_agent.core.storage import Storage


def storage_of(request: Request) -> Storage:
    """The storage of the running application."""
    storage: Storage = request.app.state.storage
    return storage


OfStorage = Annotated[Storage, Depends(storage_of)]
"""The storage of the running application, as a parameter of a route."""
