"""Every way to fail has an answer: a problem with a code, a request id, and not a word about our insides."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from sample_agent.accounts import CurrentUser, OwnTransaction
from sample_agent.apps.everything import create_everything
from sample_agent.apps.library import create_library_app
from sample_agent.apps.migrate import migrate
from sample_agent.core.database import Database, answer_lost_database_with_503
from sample_agent.core.errors import Problem
from sample_agent.core.http import create_app
from sample_agent.core.postgres import EmbeddedPostgres
from sample_agent.core.postgres.server import free_port
from sample_agent.core.request_body import MAX_BODY_BYTES
from sample_agent.core.settings import Settings
from sample_agent.library.models import Collection
from tests.contract.household import already_running, client, person
from tests.people import Person
from tests.serving import serving
from tests.sounds import tone, wav

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}


@pytest_asyncio.fixture
async def visitor(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Someone who is not signed in."""
    async with client(app) as http:
        yield http


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "not-found"),
        ("GET", "/api/samples/", 404, "not-found"),
        ("GET", "/assets/nothing.js", 404, "not-found"),
        ("GET", "/docs/errors/nothing", 404, "not-found"),
        ("POST", "/nothing", 404, "not-found"),
        ("PUT", "/api/samples", 405, "method-not-allowed"),
        ("TRACE", "/api/samples", 405, "method-not-allowed"),
        ("GET", "/api/auth/login", 405, "method-not-allowed"),
        ("GET", "/api/auth/me", 401, "unauthenticated"),
        ("GET", "/files/uploads/x?expires=1&signature=x", 403, "link-not-valid"),
    ],
)
async def test_an_address_that_cannot_be_answered_is_a_problem(
    visitor: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await visitor.request(method, path)
    assert_problem(answer, status, code)
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b'"text"', "application/json"),
        (b'{"email": "a@example.com"}', "application/json"),
        (b'{"email": "a@example.com", "password": "long enough"}', "text/plain"),
        (b"email=a&password=b", "application/x-www-form-urlencoded"),
        (b'{"email": 1, "password": []}', "application/json"),
    ],
)
async def test_a_body_that_is_not_what_was_asked_for_names_what_is_wrong(
    visitor: httpx.AsyncClient, content: bytes, content_type: str
) -> None:
    answer = await visitor.post("/api/auth/login", content=content, headers={"Content-Type": content_type})
    body = assert_problem(answer, 422, "validation-failed")
    assert body["errors"]
    assert all(each["msg"] and each["loc"][0] == "body" for each in body["errors"])
    assert body["next_step"]


async def test_what_was_sent_is_not_repeated(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.post("/api/auth/login", json={"email": "not an address", "password": ["my secret"]})
    assert_problem(answer, 422, "validation-failed")
    assert "my secret" not in answer.text


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "not announced"])
@pytest.mark.parametrize("path", ["/api/auth/login", "/api/auth/refresh", "/api/collections"])
async def test_a_body_is_read_no_further_than_it_may_be_long(alice: Person, path: str, announced: bool) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * MAX_BODY_BYTES:
            sent += 65_536
            yield b" " * 65_536

    length = {"Content-Length": str(100 * MAX_BODY_BYTES)} if announced else {}
    answer = await alice.http.post(path, content=endless(), headers={"Content-Type": "application/json", **length})
    assert_problem(answer, 413, "payload-too-large")
    assert sent <= (65_536 if announced else MAX_BODY_BYTES + 65_536)


async def test_a_file_may_be_longer_than_other_bodies(alice: Person) -> None:
    content = wav(tone(seconds=15))
    assert len(content) > MAX_BODY_BYTES
    assert (await alice.upload(content)).status_code == 201


async def test_a_request_id_comes_back(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/api/nothing", headers={"X-Request-ID": "mine-12345678"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "mine-12345678"


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space", "a;b=c12345", "../../../etc", '{"a": 1, "b"}'])
async def test_a_request_id_that_would_do_harm_in_logs_is_replaced(visitor: httpx.AsyncClient, given: str) -> None:
    answers = [await visitor.get("/api/health", headers={"X-Request-ID": given}) for _ in range(2)]
    ids = {str(UUID(answer.headers["x-request-id"])) for answer in answers}
    assert len(ids) == 2


@pytest.fixture
def breaking(app: FastAPI) -> Callable[[Exception], None]:
    """Makes `/api/broken` raise."""
    raised: list[Exception] = []

    @app.get("/api/broken")
    async def broken() -> None:
        raise raised[-1]

    return raised.append


@pytest.mark.parametrize(
    "error", [RuntimeError("secret words"), KeyError("secret words"), ExceptionGroup("secret", [ValueError("words")])]
)
async def test_an_accident_is_a_500_that_tells_nothing(
    visitor: httpx.AsyncClient,
    breaking: Callable[[Exception], None],
    error: Exception,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    breaking(error)
    answer = await visitor.get("/api/broken", headers={"X-Request-ID": "accident-0001"})
    body = assert_problem(answer, 500, "internal-error")
    assert body["request_id"] == "accident-0001"
    assert "secret" not in answer.text
    assert type(error).__name__ not in answer.text
    logged = [record.msg for record in caplog.records if record.levelname == "ERROR"]
    assert [each["request_id"] for each in logged if isinstance(each, dict)] == ["accident-0001"]


async def test_a_web_app_at_another_origin_can_read_every_problem(settings: Settings) -> None:
    settings = settings.model_copy(update={"library_url": "http://library.example"})
    app = create_library_app(settings)

    @app.get("/api/broken")
    async def broken() -> None:
        raise RuntimeError

    async with LifespanManager(app), client(app) as http:
        for path, code in {"/api/broken": "internal-error", "/api/nothing": "not-found"}.items():
            answer = await http.get(path, headers={"Origin": settings.public_url})
            assert answer.headers["access-control-allow-origin"] == settings.public_url
            assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
            page = answer.json()["type"]
            assert page == f"http://library.example/docs/errors/{code}"
            assert (await http.get(httpx.URL(page).path)).status_code == 200
            stranger = await http.get(path, headers={"Origin": "http://evil.example"})
            assert "access-control-allow-origin" not in stranger.headers


async def test_security_headers_stand_on_every_answer(
    alice: Person, visitor: httpx.AsyncClient, breaking: Callable[[Exception], None]
) -> None:
    breaking(RuntimeError())
    preflight = {"Origin": "http://x.example", "Access-Control-Request-Method": "GET"}
    answers = [
        await visitor.get("/"),
        await visitor.get("/library"),
        await visitor.get("/config.json"),
        await visitor.get("/healthz"),
        await visitor.get("/metrics"),
        await visitor.get("/outbox"),
        await visitor.get("/openapi.json"),
        await visitor.get("/docs/errors/not-found"),
        await visitor.get("/api/nothing"),
        await visitor.get("/api/broken"),
        await visitor.get("/files/x"),
        await visitor.post("/api/auth/login", content=b"{"),
        await visitor.options("/api/samples", headers=preflight),
        await alice.http.get("/api/samples"),
        await alice.http.post("/api/collections", content=b"x" * (MAX_BODY_BYTES + 1)),
    ]
    for answer in answers:
        assert EVERYWHERE.items() <= dict(answer.headers).items(), answer.request.url
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
        assert answer.headers["x-request-id"]
        assert "server" not in answer.headers
        assert "strict-transport-security" not in answer.headers


async def test_over_https_browsers_are_told_to_stay_there(settings: Settings) -> None:
    app = create_everything(settings.model_copy(update={"public_url": "https://samples.example"}))
    async with LifespanManager(app), client(app) as http:
        for path in ("/", "/api/health", "/api/nothing"):
            assert "max-age=63072000" in (await http.get(path)).headers["strict-transport-security"]


@pytest.fixture
def own_postgres(reachable_tmp: Path) -> Iterator[EmbeddedPostgres]:
    """A database server that may be hurt."""
    with EmbeddedPostgres(reachable_tmp / "fragile", settings={"fsync": "off"}) as server:
        yield server


@pytest.mark.faults
async def test_while_the_database_is_away_everything_says_so_and_then_works_again(
    own_postgres: EmbeddedPostgres, settings: Settings
) -> None:
    address = own_postgres.address
    await migrate(address.owner_url)
    urls = {"database_url": address.app_url, "database_owner_url": address.owner_url}
    app = create_everything(Settings(**{**settings.model_dump(), **urls, "_env_file": None}))
    async with LifespanManager(app), person(app) as alice:
        assert (await alice.http.get("/readyz")).json()["failing"] == {}
        await alice.uploaded(wav(tone()))
        assert own_postgres.pid
        os.kill(own_postgres.pid, signal.SIGQUIT)
        while own_postgres.alive():
            pass
        for attempt in (
            alice.http.get("/api/samples"),
            alice.http.post("/api/collections", json={"name": "lost"}),
            alice.http.post("/api/auth/login", json={"email": alice.email, "password": "x"}),
            alice.upload(wav(tone(441))),
        ):
            answer = await attempt
            body = assert_problem(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) >= 1
            assert "127.0.0.1" not in answer.text
            assert body["next_step"]
        ready = await alice.http.get("/readyz")
        assert ready.status_code == 503
        assert "database" in ready.json()["failing"]
        assert (await alice.http.get("/healthz")).status_code == 200
        own_postgres.restart_if_dead()
        assert (await alice.http.get("/readyz")).status_code == 200
        assert (await alice.http.get("/api/samples")).json()["total"] == 1
        assert (await alice.http.get("/api/collections")).json()["collections"] == []


@pytest.mark.parametrize("host", ["127.0.0.1", "database.invalid"], ids=["nobody listens", "no such host"])
async def test_a_database_that_cannot_be_reached_is_503(host: str) -> None:
    app = create_app("test", public_url="http://localhost", lifespan=_no_lifespan)
    answer_lost_database_with_503(app)
    database = Database(f"postgresql://nobody:secret@{host}:{free_port()}/nothing")

    @app.get("/api/ask")
    async def ask() -> None:
        async with database.transaction():
            raise AssertionError("there is no such database")

    async with client(app) as http:
        answer = await http.get("/api/ask")
    await database.close()
    assert_problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"]
    assert "secret" not in answer.text


async def test_a_problem_in_the_middle_of_a_request_leaves_nothing_of_it(alice: Person) -> None:
    await alice.http.post("/api/collections", json={"name": "taken", "description": "first"})
    other = (await alice.http.post("/api/collections", json={"name": "other", "description": "second"})).json()
    refused = await alice.http.patch(f"/api/collections/{other['id']}", json={"name": "Taken", "description": "new"})
    assert_problem(refused, 409, "name-taken")
    assert (await alice.http.get(f"/api/collections/{other['id']}")).json() == other


async def test_the_note_of_a_request_goes_with_its_effect(alice: Person) -> None:
    await alice.http.post("/api/collections", json={"name": "taken"})
    key = {"Idempotency-Key": "one and the same"}
    for _ in range(2):
        refused = await alice.http.post("/api/collections", json={"name": "taken"}, headers=key)
        assert_problem(refused, 409, "name-taken")
    made = await alice.http.post("/api/collections", json={"name": "free"}, headers=key)
    assert made.status_code == 201
    again = await alice.http.post("/api/collections", json={"name": "free"}, headers=key)
    assert (again.status_code, again.content) == (made.status_code, made.content)
    assert_problem(
        await alice.http.post("/api/collections", json={"name": "new"}, headers=key), 422, "idempotency-key-reused"
    )


@pytest.mark.parametrize("error", [RuntimeError(), Problem("no"), ExceptionGroup("several", [ValueError()])])
async def test_a_route_that_raises_after_it_wrote_leaves_nothing(app: FastAPI, alice: Person, error: Exception) -> None:
    @app.post("/api/half")
    async def half(user: CurrentUser, session: OwnTransaction) -> None:
        session.add(Collection(user_id=user.user_id, name="half"))
        await session.flush()
        raise error

    assert (await alice.http.post("/api/half")).status_code == 500
    assert (await alice.http.get("/api/collections")).json() == {"collections": []}


async def test_an_answer_is_sent_when_its_effect_is_kept(app: FastAPI, alice: Person) -> None:
    """What someone has been told is done can be seen by the next request, on whichever connection."""
    async with serving(already_running(app)) as address, httpx.AsyncClient(base_url=f"http://{address}") as http:
        token = {"Authorization": alice.http.headers["Authorization"]}
        for number in range(10):
            made = await http.post("/api/collections", json={"name": f"{number}"}, headers=token)
            assert (await http.get(made_at(made), headers=token)).status_code == 200


def made_at(answer: httpx.Response) -> str:
    return f"/api/collections/{answer.json()['id']}"


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The answer is a problem as the API describes it; returns its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert body["code"] == code
    assert body["status"] == status
    assert body["title"] == Problem.registry[code].title
    assert body["detail"]
    assert body["type"].endswith(f"/docs/errors/{code}")
    assert body["instance"] == answer.request.url.path
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


def _no_lifespan(app: FastAPI) -> Any:
    raise AssertionError("never started")
