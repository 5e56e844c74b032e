"""The operations of the OpenAPI file, and requests for each of them made from its schemas."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sample_agent.apps.openapi import api_description
from tests.people import PASSWORD

DESCRIPTION = api_description()

STREAMS = {"stream_job_events"}
"""Answers that have no end; they have tests of their own."""

KIND_OF: dict[str, str] = {
    "sample_id": "sample",
    "sample_ids": "sample",
    "collection_id": "collection",
    "collection": "collection",
    "job_id": "job",
    "session_id": "session",
    "passkey_id": "passkey",
    "api_key_id": "api key",
    "organization_id": "organization",
    "invitation_id": "invitation",
    "member_id": "member",
    "export_id": "export",
    "user_id": "user",
    "tenant_id": "user",
    "actor_id": "user",
}
"""What each parameter or field that holds an id refers to. A name that is missing here fails the tests."""

EXAMPLES: dict[str, Any] = {
    "key": "C",
    "tempo": 97.0,
    "password": PASSWORD,
    "current_password": PASSWORD,
    "new_password": "another long enough pass phrase",
    "picture": f"{'0' * 32}.webp",
    "is_admin": None,
}
"""Values of fields whose schema does not say all there is to know."""

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNYFd8IAALSAUK4EXhaAAAAAElFTkSuQmCC"
)
"""A PNG of one pixel."""

Ids = Mapping[str, UUID]
"""An id for each kind of thing."""


@dataclass(frozen=True)
class Operation:
    """One method at one address."""

    method: str
    path: str
    description: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def name(self) -> str:
        operation_id: str = self.description["operationId"]
        return operation_id

    @property
    def needs_sign_in(self) -> bool:
        return "security" in self.description

    @property
    def scope(self) -> str | None:
        """The scope an API key needs; None when no key will do."""
        scope: str | None = self.description.get("x-required-scope")
        return scope

    @property
    def body_type(self) -> str | None:
        return next(iter(self.description.get("requestBody", {}).get("content", {})), None)

    @property
    def id_names(self) -> set[str]:
        """The parameters and fields that hold ids, wherever they stand in a request."""
        parameters = {each["name"] for each in self._parameters() if _holds_id(each["schema"])}
        fields = {name for name, schema in self._fields().items() if _holds_id(schema)}
        return parameters | fields

    @property
    def takes_input(self) -> bool:
        return bool(self._parameters()) or self.body_type is not None

    @property
    def can_do_without_ids(self) -> bool:
        return not any(_holds_id(each["schema"]) for each in self._parameters() if each["required"]) and not any(
            _holds_id(schema) for schema in self._fields().values()
        )

    @property
    def kinds(self) -> set[str]:
        return {KIND_OF[name] for name in self.id_names}

    def request(self, ids: Ids) -> dict[str, Any]:
        """A valid request, as arguments for httpx, in which every id is the one given for its kind.

        A parameter that may be left out is, when there is no id of its kind.
        """
        where: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        for each in self._parameters():
            name, schema = each["name"], each["schema"]
            if each["required"] or (_holds_id(schema) and KIND_OF[name] in ids):
                where[each["in"]][name] = str(_value(name, schema, ids))
        request: dict[str, Any] = {
            "method": self.method,
            "url": self.path.format(**where["path"]),
            "params": where["query"],
        }
        if self.body_type == "application/json":
            request["json"] = {name: _value(name, schema, ids) for name, schema in self._fields().items()}
        elif self.body_type == "image/png":
            request |= {"content": PICTURE, "headers": {"Content-Type": self.body_type}}
        return request

    def names_in(self, place: str) -> list[str]:
        """The names of the parameters in `path`, `query` or `header`."""
        return [each["name"] for each in self._parameters() if each["in"] == place]

    def _parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = self.description.get("parameters", [])
        return parameters

    def _fields(self) -> dict[str, Any]:
        if self.body_type is None:
            return {}
        schema = resolved(self.description["requestBody"]["content"][self.body_type]["schema"])
        fields: dict[str, Any] = schema.get("properties", {})
        return fields


def operations() -> Iterator[Operation]:
    """All of them, in the order of the file."""
    for path, methods in DESCRIPTION["paths"].items():
        for method, description in methods.items():
            yield Operation(method.upper(), path, description)


OPERATIONS = {str(operation): operation for operation in operations()}


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind references, and of a field that may be left out the one of its value."""
    while True:
        if "$ref" in schema:
            schema = DESCRIPTION["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in schema:
            schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
        else:
            return schema


def _holds_id(schema: Mapping[str, Any]) -> bool:
    schema = resolved(schema)
    if schema.get("type") == "array":
        return _holds_id(schema["items"])
    return schema.get("format") == "uuid"


def _value(name: str, schema: Mapping[str, Any], ids: Ids) -> Any:
    schema = resolved(schema)
    if name in EXAMPLES:
        return EXAMPLES[name]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "uuid":
        return str(ids[KIND_OF[name]])
    if schema.get("format") == "email":
        return "someone@example.com"
    if schema["type"] == "array":
        return [_value(name, schema["items"], ids)]
    if schema["type"] in ("integer", "number"):
        return min(60, schema.get("maximum", 60))
    return {"string": "something else", "boolean": True, "object": {}}[schema["type"]]
