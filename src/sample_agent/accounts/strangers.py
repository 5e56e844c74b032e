"""The limit on what may be asked without signing in: by address, for every public route that does something."""

from __future__ import annotations

from fastapi import Request
from fastapi.routing import APIRoute

from sample_agent.accounts.caller import asks_for_caller
from sample_agent.accounts.client import client_of
from sample_agent.accounts.identity import OfApp
from sample_agent.core.client_address import limit_key
from sample_agent.core.limits import Rule, limit

_GOING_ON = frozenset({"refresh", "logout", "end_impersonation"})
"""Counted apart: whoever tries passwords at an address does not sign out those who share it."""


async def limit_strangers(request: Request, identity: OfApp) -> None:
    """A dependency of all routes of identity; lets pass what only reads, and what asks for the caller anyway.

    What only reads are public keys and pages of documentation: no secret can be tried there, and nothing is written.
    """
    route: APIRoute = request.scope["route"]
    if request.method == "GET" or asks_for_caller(route.dependant):
        return
    name = "sessions" if route.name in _GOING_ON else "sign-in"
    rule = Rule(name, identity.settings.auth_requests_per_quarter_hour, 15 * 60)
    await limit(request, identity.limits, rule, limit_key(client_of(request).ip_address))
