"""Requests nobody would send on purpose: whatever comes, the answer is one that the API describes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sample_agent.core.errors import Problem
from tests.contract.household import Household, account_of, another, collection, id_of, person, promote, signed_in
from tests.contract.operations import DESCRIPTION, KIND_OF, OPERATIONS, STREAMS, Ids, Operation
from tests.people import Person

EXAMPLES = 10
"""How many valid and how many invalid requests each operation gets; the same ones every time."""

IDENTITY = ("/api/account", "/api/admin", "/api/auth", "/api/invitations", "/api/organizations", "/api/user")
"""Where operations begin that are about people themselves."""

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)

HOSTILE_TEXT = {
    "nothing": "",
    "a NUL": "a\0b",
    "half a character": "\ud800",
    "control characters": "\x01\x1b[31m\x7f\u0085\u2028",
    "right to left": "\u202egnp.wav",
    "far letters": "Ж日本語🥁é\ufffe\U0010ffff",
    "SQL": "'; drop table samples; --",
    "a pattern": "%_\\%*?[a-z]{1,9}$^",
    "markup": "<script>alert(1)</script>{{7*7}}${7*7}",
    "a path": "../../../etc/passwd\\..\\",
    "quotes": '"\'`\\"',
    "much": "x" * 100_000,
}
HOSTILE_NUMBERS: dict[str, Any] = {
    "a huge integer": 10**400,
    "more than 64 bits": 2**63,
    "less than nothing": -1,
    "a tiny fraction": 5e-324,
    "a huge float": 1.7976931348623157e308,
    "infinity": float("inf"),
    "not a number": float("nan"),
}
HOSTILE_SHAPES: dict[str, Any] = {
    "null": None,
    "true": True,
    "a list": [["deep"]],
    "an object": {"$ne": None},
    "a long list": [0] * 20_001,
}
HOSTILE = {**HOSTILE_TEXT, **HOSTILE_NUMBERS, **HOSTILE_SHAPES}

answered = {name: each for name, each in OPERATIONS.items() if each.name not in STREAMS}
with_json = {name: each for name, each in answered.items() if each.body_type == "application/json"}
with_form = {name: each for name, each in answered.items() if each.body_type == "multipart/form-data"}
with_query = {name: each for name, each in answered.items() if each.names_in("query")}
with_names_in_path = {name: each for name, each in answered.items() if each.names_in("path")}
with_ranges = {name: each for name, each in answered.items() if "206" in each.description["responses"]}


@pytest.fixture
def bob(household: Household) -> Person:
    """Bob in the one session that no test ends."""
    return household.bob


@pytest_asyncio.fixture
async def owned(household: Household, bob: Person) -> Ids:
    """Things of Bob's that are there, whatever the tests before have done."""
    await bob.http.post(f"/api/samples/{household.bobs['sample']}/restore")
    made = [each["id"] for each in (await bob.http.get("/api/collections")).json()["collections"]]
    for each in made:
        await bob.http.delete(f"/api/collections/{each}")
    return {**household.bobs, "collection": await collection(bob, "kit", household.bobs["sample"])}


@asynccontextmanager
async def sender(household: Household, operation: Operation, owned: Ids) -> AsyncIterator[tuple[Person, Ids]]:
    """Bob and what is his; or somebody new, who may lose their sessions, their password and their account."""
    if not operation.path.startswith(IDENTITY):
        async with signed_in(household.app, household.bob.email) as bob:
            yield bob, owned
        return
    async with person(household.app) as someone, another(household.app) as subject:
        own = await account_of(household.app, someone, "own")
        if operation.path.startswith("/api/admin"):
            await promote(household.app, someone)
            own |= {"user": await id_of(subject)}
        yield someone, {**owned, **own}


@pytest.mark.parametrize("operation", answered.values(), ids=answered)
async def test_every_answer_is_one_that_is_described(household: Household, owned: Ids, operation: Operation) -> None:
    cases = [case for mode in GenerationMode for case in _cases(operation, mode)]
    async with sender(household, operation, owned) as (someone, own):
        for number, case in enumerate(cases):
            if number % 2:
                _aim(case, operation, own)
            answer = await _send(someone.http, case)
            case.validate_response(answer, checks=CHECKS)
            _check(answer)


@pytest.mark.parametrize("operation", with_json.values(), ids=with_json)
async def test_no_value_in_a_body_is_an_accident(household: Household, owned: Ids, operation: Operation) -> None:
    async with sender(household, operation, owned) as (someone, own):
        request = operation.request(own)
        fields = request.pop("json")
        bodies: list[Any] = list(HOSTILE.values())
        for value in HOSTILE.values():
            bodies += [{**fields, name: value} for name in (*fields, "unknown")]
        bodies += [{**fields, name: 1} for name in HOSTILE_TEXT.values()]
        for body in bodies:
            headers = {"Content-Type": "application/json"}
            _check(await someone.http.request(**request, content=json.dumps(body), headers=headers))


@pytest.mark.parametrize("value", HOSTILE_TEXT.values(), ids=HOSTILE_TEXT)
async def test_no_value_in_a_form_is_an_accident(bob: Person, value: str) -> None:
    operation = next(iter(with_form.values()))
    raw = value.encode("utf-8", "surrogatepass")
    name = raw.replace(b'"', b"%22").replace(b"\r", b"").replace(b"\n", b"")
    content = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0"
    parts = {
        "file name": b'name="audio"; filename="' + name + b'.wav"\r\n\r\n' + content,
        "field name": b'name="' + name + b'"\r\n\r\nx',
        "file": b'name="audio"; filename="a.wav"\r\n\r\n' + raw,
        "tags": b'name="tags"\r\n\r\n' + raw,
        "folder": b'name="folder"\r\n\r\n' + raw,
    }
    file = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="b.wav"\r\n\r\n' + content + b"\r\n"
    for where, part in parts.items():
        body = b"--b\r\nContent-Disposition: form-data; " + part + b"\r\n"
        body += (b"" if where.startswith("file") else file) + b"--b--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        _check(await bob.http.request(operation.method, operation.path, content=body, headers=headers))


@pytest.mark.parametrize("operation", with_query.values(), ids=with_query)
async def test_no_value_in_a_query_is_an_accident(
    household: Household, bob: Person, owned: Ids, operation: Operation
) -> None:
    request = operation.request(owned)
    for name in (*operation.names_in("query"), "unknown"):
        for value in HOSTILE.values():
            text = value if isinstance(value, str) else str(value)
            query = {name: text[:5000].encode("utf-8", "surrogatepass").decode("latin-1")}
            url = httpx.URL("http://localhost:8000" + request["url"], params={**request["params"], **query})
            _check(await bob.http.request(request["method"], url, json=request.get("json")))


@pytest.mark.parametrize("operation", with_names_in_path.values(), ids=with_names_in_path)
async def test_no_id_is_an_accident(bob: Person, owned: Ids, operation: Operation) -> None:
    for value in (*(each for each in HOSTILE_TEXT.values() if len(each) < 1000), "0" * 32, "-1", "{" + "0" * 32 + "}"):
        quoted = quote(value.encode("utf-8", "surrogatepass"), safe="")
        request = operation.request(dict.fromkeys(operation.kinds, quoted))  # type: ignore[arg-type]
        _check(await bob.http.request(**request))


CURSORS = (
    "",
    "x",
    "=",
    "AAAA",
    "bnVsbA",  # null
    "W10",  # []
    "W1sxXSxbMl0sWzNdXQ",  # [[1],[2],[3]]
)


@pytest.mark.parametrize("sort", ["created_at", "name", "tempo", "key", "size"])
async def test_no_cursor_is_an_accident(bob: Person, owned: Ids, sort: str) -> None:
    sample = str(owned["sample"])
    values: list[Any] = [None, True, [1], {}, "", "x", "a\0b", "\ud800", 0, -1, 10**30, 1e308, "nan", "inf", "1e999"]
    values += ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2024-01-01", "2024-01-01T00:00:00"]
    made = [_bytes([sort, value, identifier]) for value in values for identifier in (sample, 7, "x", None)]
    made += [_bytes([f"-{sort}", "x", sample]), _bytes([sort]), b"[1e400]", b"\xff", b"[" * 5000]
    for cursor in (*CURSORS, *(base64.urlsafe_b64encode(each).decode() for each in made)):
        _check(await bob.http.get("/api/samples", params={"sort": sort, "cursor": cursor[:1000]}))


RANGES = (
    "bytes=0-", "bytes=-1", "bytes=-0", "bytes=-", "bytes=1-0", "bytes=0-0", "bytes=99999999999999999999999-",
    "bytes=0-99999999999999999999999", "bytes=-99999999999999999", "bytes=0-1,3-4", "bytes= 0 - 1 ", "BYTES=0-1",
    "bytes=a-b", "bytes=0--1", "bytes", "items=0-1", "", "bytes=" + "0-1," * 2000, "bytes=١-٢",
)  # fmt: skip


@pytest.mark.parametrize("operation", with_ranges.values(), ids=with_ranges)
async def test_no_range_of_a_sound_is_an_accident(bob: Person, owned: Ids, operation: Operation) -> None:
    request = operation.request(owned)
    whole = (await bob.http.request(**request)).content
    for asked in RANGES:
        for condition in ({}, {"If-Range": '"other"'}, {"If-None-Match": '""'}):
            headers = {"Range": asked.encode(), **{name: value.encode() for name, value in condition.items()}}
            answer = await bob.http.request(**request, headers=headers)
            _check(answer)
            if answer.status_code == 206:
                assert answer.content in whole
                assert len(answer.content) == int(answer.headers["content-length"])
            elif answer.status_code == 200:
                assert answer.content == whole


@pytest.mark.parametrize(
    "header", ["Authorization", "Idempotency-Key", "If-None-Match", "X-Request-ID", "Content-Type"]
)
@pytest.mark.parametrize("path", ["/api/samples", "/api/collections", "/api/auth/login", "/api/auth/refresh", "/"])
async def test_no_header_is_an_accident(bob: Person, path: str, header: str) -> None:
    for value in (b"", b"\xff\xfe", b"Bearer " + b"\xe2" * 300, b"x" * 9000, b"multipart/form-data; boundary=", b"*"):
        for method in ("GET", "POST"):
            _check(await bob.http.request(method, path, headers={header: value}, content=b"{}"))


@pytest.mark.parametrize("host", [b"", b"[", b"a:b:c", b"\xff", b"evil.example/x?y#z", b"a b"])
async def test_no_host_is_an_accident(bob: Person, host: bytes) -> None:
    for path in ("/api/samples", "/api/nothing", "/"):
        _check(await bob.http.get(path, headers={b"Host": host}))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 100])
async def test_no_method_is_an_accident(bob: Person, owned: Ids, method: str) -> None:
    for operation in answered.values():
        request = {**operation.request(owned), "method": method, "json": None}
        answer = await bob.http.request(**request)
        if method == "HEAD" or (method == "get" and answer.status_code < 300):
            assert answer.status_code < 500
        else:
            _check(answer)


async def test_raw_bytes_in_an_address_are_no_accident(household: Household) -> None:
    for path, query in (("/api/samples", b"q=\xff\xfe"), ("/api/\ufffd", b"\xff"), ("/\ufffd", b"\xff"), ("//", b"\0")):
        started = await _raw(household, path, query)
        assert 200 <= started["status"] < 500


def _cases(operation: Operation, mode: GenerationMode) -> list[Case]:
    """Requests for the operation, the same in every run. Where nothing can be wrong, there are no invalid ones."""
    if not operation.takes_input:
        return [SCHEMA[operation.path][operation.method].Case()] if mode is GenerationMode.POSITIVE else []
    cases: list[Case] = []

    @seed(404)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(SCHEMA[operation.path][operation.method].as_strategy(generation_mode=mode))
    def collect(case: Case) -> None:
        cases.append(case)

    collect()
    return cases


def _aim(case: Case, operation: Operation, owned: Ids) -> None:
    """Let the request reach something that is there."""
    for name in operation.names_in("path"):
        if name in KIND_OF and KIND_OF[name] in owned:
            case.path_parameters[name] = str(owned[KIND_OF[name]])


async def _send(http: httpx.AsyncClient, case: Case) -> httpx.Response:
    arguments = case.as_transport_kwargs(base_url="http://localhost:8000")
    arguments.pop("cookies", None)
    prepared = requests.Request(**arguments).prepare()
    headers = [
        (name.encode("latin-1") if isinstance(name, str) else name, _latin(value))
        for name, value in prepared.headers.items()
        if name.lower() not in ("authorization", "content-length", "user-agent")
    ]
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
    async with asyncio.timeout(30):
        return await http.request(prepared.method or "", prepared.url or "", headers=headers, content=body)


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def _latin(value: str | bytes) -> bytes:
    return value.encode("latin-1", "replace") if isinstance(value, str) else value


def _check(answer: httpx.Response) -> None:
    """It went well, or it is a problem that we know."""
    if answer.is_success or answer.status_code == 304:
        return
    assert answer.status_code < 500, (answer.request, answer.text)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert Problem.registry[body["code"]].status == body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]


async def _raw(household: Household, path: str, query: bytes) -> dict[str, Any]:
    sent: list[dict[str, Any]] = []

    messages = iter([{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    authorization = household.bob.http.headers["Authorization"].encode()
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": b"/",
        "query_string": query,
        "headers": [(b"host", b"localhost"), (b"authorization", authorization)],
        "scheme": "http",
        "server": ("localhost", 8000),
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
        "root_path": "",
        "extensions": {},
    }
    await household.app(scope, receive, send)
    return next(message for message in sent if message["type"] == "http.response.start")
