"""Where a request comes from: what is shown in lists of sessions and kept in the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request


@dataclass(frozen=True)
class Client:
    """The program and the address somebody uses."""

    user_agent: str = ""
    ip_address: str = ""


def client_of(request: Request) -> Client:
    return Client(
        user_agent=request.headers.get("user-agent", "")[:512],
        ip_address=(request.client.host if request.client else "")[:64],
    )


OfClient = Annotated[Client, Depends(client_of)]
"""The client of the request, as a parameter of a route."""
