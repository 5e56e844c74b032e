"""Two people, every route: neither learns of the other or touches what is theirs. Made from the OpenAPI file."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import text

from sample_agent.core.database import Database
from tests.contract.household import MARK, Household, already_running, collection, uploaded
from tests.contract.operations import DESCRIPTION, KIND_OF, OPERATIONS, STREAMS, Ids, Operation
from tests.people import Person
from tests.serving import serving
from tests.sounds import tone, wav

PUBLIC = {
    "GET /api/health",
    "GET /config.json",
    "GET /.well-known/jwks.json",
    "GET /api/auth/public-key",
    "GET /api/billing/plans",
    "POST /api/auth/register",
    "POST /api/auth/verify-email",
    "POST /api/auth/resend-verification",
    "POST /api/auth/login",
    "POST /api/auth/login/second-factor",
    "POST /api/auth/login/passkey/options",
    "POST /api/auth/login/passkey",
    "POST /api/auth/forgot-password",
    "POST /api/auth/reset-password",
    "POST /api/auth/confirm-email",
    "POST /api/auth/undo-email-change",
    "POST /api/auth/keep-account",
    "POST /api/invitations/preview",
    "GET /api/avatars/{user_id}/{picture}",
}
"""What answers without a sign-in; everything else asks for one."""

with_sign_in = {name: each for name, each in OPERATIONS.items() if each.needs_sign_in}
with_ids = {name: each for name, each in OPERATIONS.items() if each.id_names}
without_ids = {
    name: each for name, each in with_sign_in.items() if each.can_do_without_ids and each.name not in STREAMS
}
read_again = {
    name: each
    for name, each in with_sign_in.items()
    if each.method == "GET" and each.name not in STREAMS and not name.endswith("/link")
}
"""What gives the same answer as long as nothing changes; a link carries the time it was made."""


NARROWED = ("q=own", "q=-own", "tempo_min=20&tempo_max=400", "key=C&key_compatible=true", "tag=new", "favourite=true",
            "deleted=true", "status=pending", "sort=name", "sort=-size&limit=1")  # fmt: skip


def test_every_id_in_the_description_is_known_here() -> None:
    assert set().union(*(operation.id_names for operation in OPERATIONS.values())) == set(KIND_OF)
    mentioned = re.findall(r"'format': 'uuid'", str([DESCRIPTION["paths"], _request_schemas()]))
    found = sum(len(operation.id_names) for operation in OPERATIONS.values())
    # A body that two routes share stands once in the file and is counted for each of them.
    assert found >= len(mentioned)


def test_every_route_asks_for_a_sign_in_unless_it_is_listed_as_public() -> None:
    assert {name for name, operation in OPERATIONS.items() if not operation.needs_sign_in} == PUBLIC


@pytest.mark.parametrize("operation", with_ids.values(), ids=with_ids)
async def test_a_foreign_id_is_a_missing_id(household: Household, bob: Person, operation: Operation) -> None:
    async with _alice_untouched(household):
        for alices, foreign in _choices(household, operation):
            missing = {kind: uuid4() for kind in foreign}
            theirs = {kind: alices[kind] for kind in foreign}
            answer_to_missing = await bob.http.request(**operation.request({**household.bobs, **missing}))
            answer_to_foreign = await bob.http.request(**operation.request({**household.bobs, **theirs}))
            assert _without_ids(answer_to_foreign, theirs) == _without_ids(answer_to_missing, missing)
            assert MARK not in answer_to_foreign.text
            if any(KIND_OF.get(name) in foreign for name in operation.names_in("path")):
                assert answer_to_foreign.status_code == (403 if "/admin/" in operation.path else 404)


@pytest.mark.parametrize("operation", without_ids.values(), ids=without_ids)
async def test_what_needs_no_id_says_and_changes_nothing_of_others(
    household: Household, someone: Person, operation: Operation
) -> None:
    async with _alice_untouched(household):
        request = operation.request({})
        if operation.body_type == "multipart/form-data":
            request["files"] = {"audio": ("the-same-sound.wav", household.content)}
        answer = await someone.http.request(**request)
        assert answer.status_code < 500
        assert MARK not in answer.text
        assert not any(str(each) in answer.text for ids in household.alices for each in ids.values())


async def test_bytes_that_someone_else_has_are_new(household: Household, someone: Person) -> None:
    answer = await someone.upload(household.content)
    assert answer.status_code == 201
    assert answer.json()["duplicate"] is False


@pytest.mark.parametrize("operation", with_sign_in.values(), ids=with_sign_in)
async def test_without_a_token_of_ours_every_route_answers_401(
    household: Household, visitor: httpx.AsyncClient, operation: Operation
) -> None:
    before = await _rows_of(household.all_rows, household.alice_id)
    for name, header in _bad_authorizations(household).items():
        request = operation.request(household.alices[0])
        request["headers"] = request.get("headers", {}) | ({} if header is None else {"Authorization": header})
        answer = await visitor.request(**request)
        assert answer.status_code == 401, name
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["status"] == 401
        assert MARK not in answer.text
    assert await _rows_of(household.all_rows, household.alice_id) == before


async def test_answers_do_not_depend_on_what_others_have(household: Household, someone: Person) -> None:
    async def what_bob_sees() -> dict[str, Any]:
        lists = {each: _without_ids(await household.bob.http.get(f"/api/samples?{each}"), {}) for each in NARROWED}
        return lists | await _answers(household.bob, household.bobs)

    before = await what_bob_sees()
    sample = await someone.uploaded(wav(tone(701)), "bobs.wav", tags="new", folder="new")
    await collection(someone, "bobs", UUID(sample))
    await someone.http.patch(f"/api/samples/{sample}", json={"tempo": 123, "key": "C", "favourite": True})
    await uploaded(household.alice, wav(tone(503)), f"{MARK}-more.wav")
    assert await what_bob_sees() == before


async def test_live_progress_is_ones_own(household: Household, bob: Person) -> None:
    async with (
        serving(already_running(household.app)) as address,
        httpx.AsyncClient(base_url=f"http://{address}") as http,
    ):
        token = {"Authorization": bob.http.headers["Authorization"]}
        async with http.stream("GET", "/api/jobs/events", headers=token) as stream, asyncio.timeout(30):
            lines = stream.aiter_lines()
            seen = [await anext(lines), await anext(lines)]
            await uploaded(household.alice, wav(tone(504)), f"{MARK}-loud.wav")
            mine = await uploaded(household.bob, wav(tone(602)))
            while str(mine["job"]) not in "".join(seen):
                seen.append(await anext(lines))
    told = "".join(seen)
    assert "event: snapshot" in told
    assert MARK not in told
    ids = {UUID(each) for each in re.findall(r'"sample_id":"([^"]+)"', told)}
    assert ids <= await _sample_ids(household.bob)


@pytest.mark.parametrize("operation", read_again.values(), ids=read_again)
async def test_no_header_says_who_someone_is_but_the_token(household: Household, operation: Operation) -> None:
    forged = {
        "X-User-Id": str(household.alice_id),
        "X-User-Email": household.alice.email,
        "X-Internal-User": str(household.alice_id),
        "X-Forwarded-User": household.alice.email,
        "X-Forwarded-For": "127.0.0.1",
        "X-Original-Url": "/api/samples",
        "X-Http-Method-Override": "DELETE",
        "Cookie": f"user_id={household.alice_id}",
    }
    request = operation.request(household.bobs)
    plain = await household.bob.http.request(**request)
    assert _without_ids(await household.bob.http.request(**request, headers=forged), {}) == _without_ids(plain, {})


async def test_an_idempotency_key_is_ones_own(household: Household, bob: Person) -> None:
    headers = {"Idempotency-Key": "the-same-for-both"}
    body = {"name": "made once"}
    alices = await household.alice.http.post("/api/collections", json=body, headers=headers)
    bobs = await bob.http.post("/api/collections", json=body, headers=headers)
    assert alices.status_code == bobs.status_code == 201
    assert alices.json()["id"] != bobs.json()["id"]


@pytest.mark.parametrize("link", ["download", "preview"])
async def test_a_link_reaches_its_object_and_no_other(
    household: Household, visitor: httpx.AsyncClient, link: str
) -> None:
    bobs = await _link(household.bob, f"/api/samples/{household.bobs['sample']}/{link}/link")
    alices = await _link(household.alice, f"/api/samples/{household.alices[0]['sample']}/{link}/link")
    assert (await visitor.get(bobs)).status_code == 200
    forged = f"{urlsplit(alices).path}?{urlsplit(bobs).query}"
    await _refused(visitor, "GET", forged)
    for method in ("PUT", "DELETE", "POST", "PATCH"):
        await _refused(visitor, method, alices, content=b"overwritten")
    for spelling in ("/files/%2e%2e/keys/signing.key", "/files/..%2fkeys%2fsigning.key", "/files//etc/passwd"):
        await _refused(visitor, "GET", f"{spelling}?{urlsplit(bobs).query}")
    assert (await visitor.get(alices)).status_code == 200
    own = await household.alice.http.get(f"/api/samples/{household.alices[0]['sample']}/download")
    assert own.content == household.content


async def test_a_link_to_an_archive_reaches_its_collection_and_no_other(
    household: Household, visitor: httpx.AsyncClient
) -> None:
    link = await _link(household.bob, f"/api/collections/{household.bobs['collection']}/export/link")
    assert (await visitor.get(link)).status_code == 200
    alices = household.alices[0]["collection"]
    path, query = urlsplit(link).path, urlsplit(link).query
    for forged in (
        path.replace(str(household.bobs["collection"]), str(alices)),
        path.replace(str(household.bob_id), str(household.alice_id)),
        f"/api/exports/{household.alice_id}/{alices}",
    ):
        await _refused(visitor, "GET", f"{forged}?{query}")


@pytest.mark.parametrize(
    "what", ["samples/{sample}/download", "samples/{sample}/preview", "collections/{collection}/export"]
)
async def test_a_link_ends_when_it_says(household: Household, visitor: httpx.AsyncClient, what: str) -> None:
    path = what.format(**household.bobs)
    given = (await household.bob.http.get(f"/api/{path}/link")).json()
    ends = int(datetime.fromisoformat(given["expires_at"]).timestamp())
    assert ends <= datetime.now(UTC).timestamp() + 3600
    assert f"expires={ends}" in given["url"]
    await _refused(visitor, "GET", given["url"].replace(f"expires={ends}", f"expires={ends + 3600}"))


def _bad_authorizations(household: Household) -> dict[str, str | None]:
    """Headers that name Alice, or try to, and prove nothing."""
    given = household.alice.http.headers["Authorization"].removeprefix("Bearer ")
    key = RSAKey.import_key(household.settings.jwt_private_key.get_secret_value())  # type: ignore[union-attr]
    decoded = jwt.decode(given, key, algorithms=["RS256"])
    header, claims = dict(decoded.header), dict(decoded.claims)

    def signed(with_key: Any, header: dict[str, Any] = header, **changes: Any) -> str:
        algorithms = ["RS256", "HS256"]
        return f"Bearer {jwt.encode(header, {**claims, **changes}, with_key, algorithms=algorithms)}"

    unsigned = f"eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{given.split('.')[1]}."
    return {
        "none": None,
        "empty": "Bearer ",
        "garbage": "Bearer garbage",
        "another scheme": "Basic YWxpY2U6cGFzc3dvcmQ=",
        "cut off": f"Bearer {given[:-2]}",
        "expired": signed(key, iat=claims["iat"] - 7200, exp=claims["iat"] - 3600),
        "signed by a foreign key": signed(FOREIGN_KEY),
        "signed with a secret": signed(OctKey.generate_key(256), header={**header, "alg": "HS256"}),
        "not signed": f"Bearer {unsigned}",
        "for something else": signed(key, aud="another service"),
        "of another kind": signed(key, typ="refresh"),
        "of a session that never was": signed(key, sid=str(uuid4())),
        "of Bob in Alice's session": signed(key, sub=str(household.bob_id)),
    }


FOREIGN_KEY = RSAKey.import_key(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@asynccontextmanager
async def _alice_untouched(household: Household) -> AsyncIterator[None]:
    """Nothing of Alice's is otherwise afterwards. What it is afterwards is what it is before the next test of them."""
    before = _last_seen.pop(household.alice_id, None) or await _state_of_alice(household)
    yield
    after = await _state_of_alice(household)
    assert after == before
    _last_seen[household.alice_id] = after


@pytest.fixture(autouse=True)
def _seen_anew(request: pytest.FixtureRequest) -> None:
    """A test that is not about a single operation may change Alice's things; they are looked at again after it."""
    if "operation" not in request.fixturenames:
        _last_seen.clear()


_last_seen: dict[UUID, dict[str, Any]] = {}


async def _state_of_alice(household: Household) -> dict[str, Any]:
    """Everything that the API shows Alice, and everything that the tables hold of her."""
    small = {name: each for name, each in read_again.items() if not name.endswith("/export")}
    shown = [await _answers(household.alice, household.alices[0], small)]
    shown += [await _answers(household.alice, ids, small.keys() & with_ids) for ids in household.alices[1:]]
    return {"shown": shown, "rows": await _rows_of(household.all_rows, household.alice_id)}


async def _answers(person: Person, ids: Ids, names: Iterable[str] = read_again) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for name in sorted(names):
        answers[name] = _without_ids(await person.http.request(**read_again[name].request(ids)), {})
        if name in without_ids:
            answers[f"{name} at large"] = _without_ids(await person.http.request(**read_again[name].request({})), {})
    return answers


async def _rows_of(database: Database, user_id: UUID) -> dict[str, list[str]]:
    """Rows of every table that mention the person, read by the role that sees everything."""
    rows: dict[str, list[str]] = {}
    async with database.engine.connect() as connection:
        tables = await connection.scalars(
            text("select tablename from pg_tables where schemaname = 'public' and tablename not like 'pgqueuer%'")
        )
        for table in tables.all():
            found = await connection.scalars(
                text(f"select (to_jsonb(t) - 'last_used_at')::text from {table} t where t::text like :mark order by 1"),
                {"mark": f"%{user_id}%"},
            )
            rows[table] = list(found)
    return rows


def _without_ids(answer: httpx.Response, ids: Ids) -> tuple[int, list[tuple[str, str]], bytes]:
    """An answer without what differs for every request: its id, the times, and the ids that were asked for."""
    headers = [(name, value) for name, value in sorted(answer.headers.items()) if name not in ("x-request-id", "date")]
    body = answer.content.replace(answer.headers["x-request-id"].encode(), b"<request>")
    body = re.sub(rb'"last_used_at":"[^"]*"', b'"last_used_at":"<time>"', body)
    for kind, each in ids.items():
        body = body.replace(str(each).encode(), f"<{kind}>".encode())
    return answer.status_code, headers, body


def _choices(household: Household, operation: Operation) -> Iterable[tuple[Ids, tuple[str, ...]]]:
    """Things of Alice's, and which of the request's ids are to be theirs; each choice once."""
    seen = set()
    for alices, foreign in itertools.product(household.alices, _subsets(operation.kinds)):
        chosen = tuple((kind, alices[kind]) for kind in foreign)
        if chosen not in seen:
            seen.add(chosen)
            yield alices, foreign


def _subsets(kinds: set[str]) -> list[tuple[str, ...]]:
    """Every choice of the kinds whose ids are someone else's; the others are one's own."""
    ordered = sorted(kinds)
    return [chosen for size in range(1, len(ordered) + 1) for chosen in itertools.combinations(ordered, size)]


def _request_schemas() -> list[Any]:
    used = {
        each["schema"]["$ref"].rsplit("/", 1)[1]
        for operation in OPERATIONS.values()
        for each in operation.description.get("requestBody", {}).get("content", {}).values()
        if "$ref" in each["schema"]
    }
    return [DESCRIPTION["components"]["schemas"][name] for name in sorted(used)]


async def _refused(visitor: httpx.AsyncClient, method: str, url: str, **rest: Any) -> None:
    answer = await visitor.request(method, url, **rest)
    assert answer.status_code in (403, 404, 405), (method, url)
    assert answer.headers["content-type"] == "application/problem+json"


async def _link(person: Person, path: str) -> str:
    answer = await person.http.get(path)
    assert answer.status_code == 200, answer.text
    url: str = answer.json()["url"]
    return url


async def _sample_ids(person: Person) -> set[UUID]:
    return {UUID(each["id"]) for each in (await person.http.get("/api/samples")).json()["samples"]}
