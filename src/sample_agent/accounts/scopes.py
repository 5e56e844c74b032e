"""What an API key may be allowed to do: an area of the API, and whether to read it or to change it."""

from __future__ import annotations

from typing import Literal, get_args

Scope = Literal[
    "library:read",
    "library:write",
    "usage:read",
    "account:read",
    "organizations:read",
    "organizations:write",
    "admin:read",
    "admin:write",
]
"""There is none to change an account: what it is and how it is protected is decided by the person."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

ADMIN_SCOPES: frozenset[Scope] = frozenset({"admin:read", "admin:write"})
"""What a key may be given by administrators alone."""

AREAS = {
    "samples": "library",
    "collections": "library",
    "jobs": "library",
    "billing": "usage",
    "accounts": "account",
    "organizations": "organizations",
    "admin": "admin",
}
"""The area of each tag that a router bears. A router with another tag cannot be reached by API keys."""

_READING = frozenset({"GET", "HEAD"})


def scope_of(method: str, tags: list[str]) -> Scope | None:
    """The scope a request with an API key needs; None when no key may do it."""
    area = next((AREAS[tag] for tag in tags if tag in AREAS), None)
    scope = f"{area}:{'read' if method in _READING else 'write'}"
    return scope if scope in SCOPES else None
