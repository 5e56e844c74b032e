"""Signing in, staying signed in, and being signed out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from sample_agent.accounts import set_plan
from sample_agent.core.database import Database
from tests.accounts.deployment import PASSWORD, PUBLIC_URL, Person, Service

COOKIE = "__Host-refresh"
SAME_ORIGIN = {"X-Requested-With": "sample-agent", "Sec-Fetch-Site": "same-origin"}


async def test_the_refresh_cookie_is_out_of_reach_of_scripts_and_other_sites(service: Service, person: Person) -> None:
    await service.member(person)
    answer = await person.login()
    name, *attributes = [part.strip() for part in answer.headers["set-cookie"].split(";")]
    assert name.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(attributes)
    assert not any(attribute.lower().startswith("domain") for attribute in attributes)
    assert answer.headers["cache-control"] == "no-store"


async def test_a_plain_http_deployment_gets_a_cookie_it_can_keep(service: Service, person: Person) -> None:
    await service.member(person)
    plain = service.settings.model_copy(update={"public_url": "http://studio.lan"})
    http_service = Service(plain, service.database, service.keys)
    async with http_service.visitor(person.email) as visitor:
        cookie = (await visitor.login()).headers["set-cookie"]
    assert cookie.startswith("refresh=")
    assert "Secure" not in cookie


@pytest.mark.parametrize(("opened_at", "cookie"), [("localhost:8000", COOKIE), ("192.168.1.5:8000", "refresh")])
async def test_without_https_the_address_in_the_browser_decides_which_cookie_it_keeps(
    service: Service, person: Person, opened_at: str, cookie: str
) -> None:
    await service.member(person)
    local = service.settings.model_copy(update={"public_url": "http://localhost:8000"})
    async with Service(local, service.database, service.keys).visitor(person.email) as visitor:
        visitor.browser.base_url = f"http://{opened_at}"
        given = (await visitor.login()).headers["set-cookie"]
    assert given.startswith(f"{cookie}=")
    assert ("Secure" in given) == (cookie == COOKIE)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Requested-With": "sample-agent"},
        {"X-Requested-With": "XMLHttpRequest", "Sec-Fetch-Site": "same-origin"},
        {"X-Requested-With": "sample-agent", "Sec-Fetch-Site": "cross-site"},
        {"X-Requested-With": "sample-agent", "Sec-Fetch-Site": "same-site"},
        {"X-Requested-With": "sample-agent", "Sec-Fetch-Site": "none"},
        {"X-Requested-With": "sample-agent", "Origin": "https://evil.example"},
        {"X-Requested-With": "sample-agent", "Origin": "null"},
        {"X-Requested-With": "sample-agent", "Origin": PUBLIC_URL.replace("https", "http")},
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_a_cookie_alone_refreshes_and_signs_out_nobody(
    service: Service, person: Person, headers: dict[str, str]
) -> None:
    token = (await service.member(person))["token"]
    await person.login()
    for path in ("/api/auth/refresh", "/api/auth/logout"):
        answer = await person.browser.post(path, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["code"] == "cross-site-request"
    assert COOKIE in person.browser.cookies
    assert (await person.me(token)).status_code == 200


@pytest.mark.parametrize("proof", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": PUBLIC_URL}])
async def test_the_web_app_refreshes_by_cookie(service: Service, person: Person, proof: dict[str, str]) -> None:
    await service.member(person)
    await person.login()
    before = person.browser.cookies[COOKIE]
    answer = await person.browser.post("/api/auth/refresh", headers={"X-Requested-With": "sample-agent", **proof})
    assert answer.status_code == 200
    assert "refresh_token" not in answer.json()
    assert person.browser.cookies[COOKIE] != before


async def test_a_refresh_token_is_taken_from_the_body_or_as_bearer(service: Service, person: Person) -> None:
    first = await service.member(person)
    second = await person.refresh(first["refresh_token"])
    assert second.status_code == 200
    third = await person.post("/api/auth/refresh", Authorization=f"Bearer {second.json()['refresh_token']}")
    assert third.status_code == 200
    tokens = {first["refresh_token"], second.json()["refresh_token"], third.json()["refresh_token"]}
    assert len(tokens) == 3
    assert not person.browser.cookies


async def test_an_access_token_does_not_refresh_and_a_refresh_token_gives_no_access(
    service: Service, person: Person
) -> None:
    member = await service.member(person)
    assert (await person.refresh(member["token"])).json()["code"] == "session-expired"
    as_bearer = await person.post("/api/auth/refresh", Authorization=f"Bearer {member['token']}")
    assert as_bearer.json()["code"] == "session-expired"
    assert (await person.me(member["refresh_token"])).json()["code"] == "token-invalid"
    assert (await person.refresh(member["refresh_token"])).status_code == 200


async def test_fifty_refreshes_at_once_with_one_token_keep_the_session(
    service: Service, another_process: Callable[[], Service], person: Person
) -> None:
    token = (await service.member(person))["refresh_token"]
    async with another_process().visitor(person.email) as elsewhere:
        answers = await asyncio.gather(*(client.refresh(token) for client in (person, elsewhere) * 25))
        assert {answer.status_code for answer in answers} == {200}
        (current,) = {answer.json()["refresh_token"] for answer in answers}
        following = await elsewhere.refresh(current)
    assert following.status_code == 200
    assert (await person.me(following.json()["token"])).status_code == 200


async def test_a_lost_answer_can_be_asked_for_again_for_ten_seconds(service: Service, person: Person) -> None:
    token = (await service.member(person))["refresh_token"]
    lost = (await person.refresh(token)).json()["refresh_token"]
    current = (await person.refresh(lost)).json()["refresh_token"]
    service.clock.ahead = timedelta(seconds=9)
    again = await person.refresh(token)
    assert again.status_code == 200
    assert again.json()["refresh_token"] == current


async def test_a_spent_token_used_later_ends_its_session_and_no_other(
    service: Service, another_process: Callable[[], Service], person: Person
) -> None:
    member = await service.member(person)
    other = (await person.login(mode="body")).json()
    current = (await person.refresh(member["refresh_token"])).json()
    service.clock.ahead = timedelta(seconds=11)
    stolen = await person.refresh(member["refresh_token"])
    assert stolen.status_code == 401
    assert stolen.json()["code"] == "session-expired"
    assert (await person.refresh(current["refresh_token"])).status_code == 401
    assert (await person.me(current["token"])).json()["code"] == "session-expired"
    async with another_process().visitor(person.email) as elsewhere:
        assert (await elsewhere.me(current["token"])).json()["code"] == "session-expired"
    assert (await person.me(other["token"])).status_code == 200
    assert (await person.refresh(other["refresh_token"])).status_code == 200


async def test_a_loser_does_not_clear_the_cookie(service: Service, person: Person) -> None:
    await service.member(person)
    await person.login()
    answer = await person.post("/api/auth/refresh", {"refresh_token": "made up"}, **SAME_ORIGIN)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert (await person.refresh_by_cookie()).status_code == 200


async def test_a_session_ends_after_a_week_without_use(service: Service, person: Person) -> None:
    token = (await service.member(person))["refresh_token"]
    service.clock.ahead = timedelta(days=6, hours=23)
    token = (await person.refresh(token)).json()["refresh_token"]
    service.clock.ahead += timedelta(days=7, seconds=1)
    assert (await person.refresh(token)).json()["code"] == "session-expired"


async def test_a_session_ends_after_thirty_days_however_much_it_is_used(service: Service, person: Person) -> None:
    token = (await service.member(person))["refresh_token"]
    for _ in range(4):
        service.clock.ahead += timedelta(days=6)
        token = (await person.refresh(token)).json()["refresh_token"]
    service.clock.ahead = timedelta(days=29, hours=23)
    token = (await person.refresh(token)).json()["refresh_token"]
    service.clock.ahead = timedelta(days=30, seconds=1)
    assert (await person.refresh(token)).status_code == 401


async def test_signing_out_ends_one_session_everywhere_within_a_second(
    service: Service, another_process: Callable[[], Service], person: Person
) -> None:
    member = await service.member(person)
    kept = (await person.login(mode="body")).json()
    elsewhere = another_process()
    timer = _Timer()
    elsewhere.identity.sessions = type(elsewhere.identity.sessions)(elsewhere.database, "free", timer)
    async with elsewhere.visitor(person.email) as visitor:
        assert (await visitor.me(member["token"])).status_code == 200
        await person.post("/api/auth/logout", Authorization=f"Bearer {member['token']}")
        timer.seconds += 1.0
        assert (await visitor.me(member["token"])).json()["code"] == "session-expired"
        assert (await visitor.refresh(member["refresh_token"])).status_code == 401
        assert (await visitor.me(kept["token"])).status_code == 200


async def test_signing_out_works_by_cookie_when_the_access_token_has_expired(service: Service, person: Person) -> None:
    await service.member(person)
    token = (await person.login()).json()["token"]
    service.clock.ahead = timedelta(hours=2)
    answer = await person.browser.post("/api/auth/logout", headers={"Authorization": f"Bearer {token}", **SAME_ORIGIN})
    assert answer.status_code == 200
    assert COOKIE not in person.browser.cookies
    assert (await person.refresh_by_cookie()).status_code == 401


async def test_nobody_is_signed_out_without_a_token(person: Person) -> None:
    assert (await person.post("/api/auth/logout")).json()["code"] == "unauthenticated"


async def test_who_was_switched_off_gets_nowhere(
    service: Service, another_process: Callable[[], Service], database: Database, person: Person
) -> None:
    member = await service.member(person)
    async with database.transaction(purpose="identity") as session:
        await session.execute(text("update users set is_active = false where email = :email"), {"email": person.email})
    async with another_process().visitor(person.email) as elsewhere:
        assert (await elsewhere.me(member["token"])).json()["code"] == "session-expired"
        assert (await elsewhere.refresh(member["refresh_token"])).status_code == 401
        assert (await elsewhere.login()).json()["code"] == "account-disabled"
        assert (await elsewhere.login(password="some other words")).json()["code"] == "invalid-credentials"


async def test_a_change_of_plan_reaches_a_token_that_was_issued_before(
    service: Service, another_process: Callable[[], Service], database: Database, person: Person
) -> None:
    member = await service.member(person)
    headers = {"Authorization": f"Bearer {member['token']}"}
    assert (await person.browser.get("/api/whoami", headers=headers)).json()["tier"] == "free"
    for plan in ("enterprise", "pro"):
        async with database.transaction(purpose="identity") as session:
            user_id = await session.scalar(text("select id from users where email = :email"), {"email": person.email})
            await set_plan(session, user_id, plan)
    async with another_process().visitor(person.email) as elsewhere:
        assert (await elsewhere.browser.get("/api/whoami", headers=headers)).json()["tier"] == "pro"


async def test_a_hash_with_outdated_parameters_is_renewed_at_sign_in(
    service: Service, database: Database, person: Person
) -> None:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    await service.member(person)
    old = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8192, parallelism=1),)).hash(PASSWORD)
    assert await _stored_hash(database, person.email, replace_by=old) == old
    assert (await person.login()).status_code == 200
    renewed = await _stored_hash(database, person.email)
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await person.login()).status_code == 200


class _Timer:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def _stored_hash(database: Database, email: str, replace_by: str | None = None) -> str:
    async with database.transaction(purpose="identity") as session:
        stored = await session.scalar(
            text(
                "update users set password_hash = coalesce(:replacement, password_hash)"
                " where email = :email returning password_hash"
            ),
            {"email": email, "replacement": replace_by},
        )
    return str(stored)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": PUBLIC_URL},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_no_other_site_signs_a_browser_in(service: Service, person: Person, headers: dict[str, str]) -> None:
    await service.member(person)
    own = (await person.login()).json()["token"]
    held, proof = person.browser.cookies[COOKIE], {"email": person.email, "password": person.password}
    link = {"token": "x" * 43, "password": person.password}
    for path, body in (("login", proof), ("verify-email", link)):
        refused = await person.browser.post(f"/api/auth/{path}", json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "cross-site-request")
    assert person.browser.cookies[COOKIE] == held
    assert (await person.me(own)).status_code == 200
    in_body = await person.browser.post("/api/auth/login", json={**proof, "mode": "body"}, headers=headers)
    assert (in_body.status_code, "set-cookie" in in_body.headers) == (200, False)


async def test_signing_in_again_replaces_the_session_of_the_browser(service: Service, person: Person) -> None:
    await service.member(person)
    former = (await person.login()).json()["token"]
    present = await person.browser.post(
        "/api/auth/login", json={"email": person.email, "password": person.password}, headers=SAME_ORIGIN
    )
    assert (await person.me(former)).status_code == 401
    assert (await person.me(present.json()["token"])).status_code == 200


async def test_whoever_has_signed_in_is_let_in_though_their_former_session_cannot_be_ended(
    service: Service, database: Database, person: Person
) -> None:
    await service.member(person)
    former = (await person.login()).json()["token"]
    held = person.browser.cookies[COOKIE]
    async with database.transaction(purpose="identity") as db:
        await db.execute(text("select 1 from sessions for update"))
        signing_in = asyncio.create_task(person.login())
        cut_off = "select pg_terminate_backend(pid) from pg_locks where not granted"
        async with asyncio.timeout(30):
            while not await db.scalar(text(f"{cut_off} and pg_backend_pid() = any(pg_blocking_pids(pid))")):
                await db.execute(text("select pg_sleep(0.01)"))
        answer = await signing_in
    assert answer.status_code == 200, answer.text
    assert person.browser.cookies[COOKIE] != held
    assert (await person.refresh_by_cookie()).status_code == 200
    assert (await person.me(former)).status_code == 200


async def test_signing_out_ends_the_session_of_the_token_and_that_of_the_cookie(
    service: Service, person: Person
) -> None:
    member = await service.member(person)
    token = (await person.login()).json()["token"]
    left = await person.browser.post("/api/auth/logout", headers={**SAME_ORIGIN, **_bearer(member["token"])})
    assert left.status_code == 200
    assert [(await person.me(each)).status_code for each in (member["token"], token)] == [401, 401]


async def test_a_program_that_signs_out_leaves_the_session_of_a_cookie_it_does_not_vouch_for(
    service: Service, person: Person
) -> None:
    member = await service.member(person)
    token = (await person.login()).json()["token"]
    left = await person.browser.post("/api/auth/logout", headers=_bearer(member["token"]))
    assert left.status_code == 200
    assert [(await person.me(each)).status_code for each in (member["token"], token)] == [401, 200]


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
