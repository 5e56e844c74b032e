"""Where a request comes from: what is shown in lists of sessions and kept in the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from sample_agent.core.client_address import client_address

DEVICE_COOKIES = ("__Host-device", "device")
"""Over https, and where a browser would not keep the first."""


@dataclass(frozen=True)
class Client:
    """The program and the address somebody uses."""

    user_agent: str = ""
    ip_address: str = ""
    device: str = field(default="", repr=False)
    """The cookie that tells whether somebody has signed in here before; see sessions.devices."""


def client_of(request: Request) -> Client:
    return Client(
        user_agent=request.headers.get("user-agent", "")[:512],
        ip_address=client_address(request, request.app.state.settings),
        device=next((request.cookies[name] for name in DEVICE_COOKIES if name in request.cookies), ""),
    )


async def _of_client(request: Request) -> Client:  # what is not `async` is sent to a thread
    return client_of(request)


OfClient = Annotated[Client, Depends(_of_client)]
"""The client of the request, as a parameter of a route."""
