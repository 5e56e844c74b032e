"""Where administrators may work from."""

from __future__ import annotations

from ipaddress import ip_address

from fastapi import Request

from sample_agent.core.client_address import UNKNOWN, client_address
from sample_agent.core.settings import Settings


def is_allowed(request: Request, settings: Settings) -> bool:
    """Whether a request for administrators comes from one of the networks that are allowed; unset, all are."""
    if not settings.admin_allowed_networks:
        return True
    address = client_address(request, settings)
    return address != UNKNOWN and any(ip_address(address) in network for network in settings.admin_allowed_networks)
