"""What the API's description says of credentials: which routes take an API key, and the scope it needs there."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from sample_agent.accounts.caller import key_scope

REQUIRED_SCOPE = "x-required-scope"
"""The field of an operation that names the scope an API key needs for it; where it is missing, no key will do."""

_API_KEY: dict[str, Any] = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "sak_live_…",
    "description": (
        "An API key, made at POST /api/user/api-keys. The scope it needs stands beside this scheme and as"
        f" `{REQUIRED_SCOPE}` in each operation."
    ),
}


def describe_credentials(app: FastAPI, document: dict[str, Any]) -> None:
    """Say of every operation that takes API keys so, and which scope it needs. The routes themselves are asked."""
    for context in iter_route_contexts(app.routes):
        for method in context.methods or ():
            operation = document["paths"].get(context.path, {}).get(method.lower())
            scope = key_scope(context.dependant, method, context.tags) if operation is not None else None
            if scope is not None:
                operation["security"] = [*operation.get("security", []), {"ApiKey": [scope]}]
                operation[REQUIRED_SCOPE] = scope
    schemes = document.get("components", {}).get("securitySchemes", {})
    if schemes:
        schemes["ApiKey"] = _API_KEY
