"""What the OpenAPI description says of every route alike: how it answers when something is wrong."""

from __future__ import annotations

from typing import Any

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong, as RFC 9457 writes it; `type` is a page that explains it.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "the page of this kind of problem"},
        "title": {"type": "string", "description": "what this kind of problem is, in words"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "what happened this time"},
        "instance": {"type": "string", "description": "the address that was asked for"},
        "code": {"type": "string", "description": "what this kind of problem is, for programs"},
        "request_id": {"type": "string", "description": "names this request in the logs"},
        "next_step": {"type": "string", "description": "what to do about it"},
        "errors": {
            "type": "array",
            "description": "the fields that are not valid",
            "items": {
                "type": "object",
                "required": ["loc", "msg"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                },
            },
        },
    },
}

_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_ANY_PROBLEM = {"description": "Something went wrong; `code` says what", "content": _CONTENT}


def describe_problems(document: dict[str, Any]) -> None:
    """Give every operation of an OpenAPI document the problem as its default answer, and as that of each 4xx and 5xx.

    FastAPI's own description of a 422 is taken out: no route of ours answers so.
    """
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for derived in ("HTTPValidationError", "ValidationError"):
        schemas.pop(derived, None)
    schemas["Problem"] = PROBLEM_SCHEMA
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    for path in document.get("paths", {}).values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if status.startswith(("4", "5")):
                    response["content"] = _CONTENT
            operation["responses"]["default"] = _ANY_PROBLEM
