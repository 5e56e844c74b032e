"""How what an administrator does is recorded."""

from __future__ import annotations

from sample_agent.accounts.audit import Actor
from sample_agent.accounts.client import Client
from sample_agent.accounts.principal import Principal


def administrator(principal: Principal, client: Client) -> Actor:
    """The administrator themselves, also when it is a program that holds a key of theirs."""
    return Actor("admin", principal.user_id, client)
