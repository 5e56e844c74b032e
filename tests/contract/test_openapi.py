"""The description of the API, the problems it names, and the tables: each says what the code does."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from sample_agent.apps.openapi import FILE, api_description, formatted
from sample_agent.core.database import Model
from sample_agent.core.database_url import sqlalchemy_url
from sample_agent.core.errors import Problem
from tests.people import Person

DESCRIPTION = api_description()
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
}

UNDESCRIBED = {
    "/openapi.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/docs/errors/{code:path}",
    "/files/{key:path}",
    "/api/exports/{user_id}/{collection_id}",
    "/outbox",
    "/outbox/style.css",
    "/outbox/{mail_id}",
    "/outbox/{mail_id}/html",
}
"""For machines, for development, or behind signed links that the API hands out: nothing a client would call by name."""


def test_the_committed_description_is_what_the_application_says() -> None:
    assert FILE.read_text() == formatted(DESCRIPTION), "renew it: .venv/bin/python -m sample_agent.apps.openapi"


async def test_the_running_application_gives_the_same_description(app: FastAPI, alice: Person) -> None:
    assert (await alice.http.get("/openapi.json")).json() == DESCRIPTION


def test_every_operation_has_a_name_of_its_own() -> None:
    names = Counter(operation["operationId"] for operation in OPERATIONS.values())
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_operation_says_what_it_does_and_how_it_fails(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"].endswith((".", "`"))
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    assert operation["responses"]["default"]["content"] == {"application/problem+json": problem}
    refusals = [response for status, response in operation["responses"].items() if status[0] in "45"]
    assert all(response["content"] == {"application/problem+json": problem} for response in refusals)


def test_no_route_is_left_out_of_the_description(app: FastAPI) -> None:
    served = {context.path for context in iter_route_contexts(app.routes)}
    assert served - set(DESCRIPTION["paths"]) == UNDESCRIBED
    assert set(DESCRIPTION["paths"]) <= served


@pytest_asyncio.fixture
async def problem_pages(alice: Person) -> dict[str, str]:
    return {code: (await alice.http.get(f"/docs/errors/{code}")).text for code in Problem.registry}


def test_every_problem_explains_itself_and_has_a_page(problem_pages: dict[str, str]) -> None:
    for code, kind in Problem.registry.items():
        assert kind.code == code
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*(/[a-z]+)?", code)
        assert "__doc__" in kind.__dict__, code
        assert (kind.__doc__ or "").strip().endswith("."), code
        assert 400 <= kind.status <= 599
        assert "title" in kind.__dict__, code
        assert kind.title in problem_pages[code].replace("&#x27;", "'")
        if kind is not Problem:
            assert kind.next_step, f"{code} says what to do next"


async def test_there_is_no_page_for_a_problem_we_do_not_have(alice: Person) -> None:
    answer = await alice.http.get("/docs/errors/<script>alert(1)</script>")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"


@pytest.mark.filterwarnings("ignore:Computed default on:UserWarning")
async def test_the_migrations_make_the_tables_that_the_models_describe(owner_url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"include_name": lambda name, kind, _: not (kind == "table" and name.startswith("pgqueuer"))}
        context = MigrationContext.configure(connection, opts={**options, "compare_server_default": True})
        return compare_metadata(context, Model.metadata)

    engine = create_async_engine(sqlalchemy_url(owner_url), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []
