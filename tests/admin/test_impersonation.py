"""Looking through somebody's eyes: everything is seen, nothing is changed, and the person knows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from joserfc import jwt
from sqlalchemy import text

from sample_agent.accounts.live_sessions import REVOCATION_SECONDS
from sample_agent.admin.impersonation.upkeep import record_ended
from tests.accounts.deployment import Service
from tests.admin.office import Signed, actions, entries, sign_in


async def look(boss: Signed, somebody: Signed) -> str:
    """The access token of an impersonation."""
    answer = await boss.request(
        "POST", f"/api/admin/users/{somebody.id}/impersonation", json={"reason": "cannot find a loop"}
    )
    assert answer.status_code == 201, answer.text
    token: str = answer.json()["token"]
    return token


async def lose_rights(boss: Signed, other: Signed, how: str) -> None:
    """Have another administrator lose the session or the rights an impersonation needs."""
    path = f"/api/admin/users/{other.id}"
    if how == "signed out":
        answer = await boss.request("POST", f"{path}/sign-out")
    elif how == "leaves":
        answer = await other.request("POST", "/api/auth/logout")
    elif how == "leaves everywhere":
        answer = await other.request("DELETE", "/api/auth/sessions", params={"scope": "all"})
    else:
        answer = await boss.request("PUT", path, json={"is_admin": False} if how == "demoted" else {"is_active": False})
    assert answer.is_success, answer.text


async def ends(service: Service, somebody: Signed) -> list[Any]:
    """What stands in the person's log of impersonations that were over."""
    return [each for each in await entries(service, somebody.id) if each.action == "support.impersonation-ended"]


def changes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every operation that is not a mere reading and asks for a bearer token."""
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "head") and "security" in operation:
                yield method.upper(), path


async def test_the_administrator_sees_what_the_person_sees_and_whose_eyes_they_have(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    answer = await boss.request(
        "POST", f"/api/admin/users/{somebody.id}/impersonation", json={"reason": "cannot find a loop"}
    )
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["expires_in"], body["user"]["email"]) == (900, somebody.email)
    assert body["user"]["impersonated_by"] == boss.email
    assert "refresh_token" not in body
    assert not boss.person.browser.cookies
    me = (await boss.get("/api/auth/me", body["token"])).json()
    assert (me["id"], me["email"], me["impersonated_by"]) == (str(somebody.id), somebody.email, boss.email)
    assert (await somebody.get("/api/auth/me")).json()["impersonated_by"] is None


async def test_nothing_can_be_changed_by_any_operation(service: Service, boss: Signed, somebody: Signed) -> None:
    token = await look(boss, somebody)
    # Those that take another credential end or renew a session of their own; they are tested below.
    own = {("POST", "/api/auth/refresh"), ("POST", "/api/auth/logout"), ("DELETE", "/api/admin/impersonation")}
    operations = [each for each in changes_of(service.app) if each not in own]
    assert len(operations) > 5
    for method, path in operations:
        address = re.sub(r"\{\w+\}", str(somebody.id), path)
        answer = await boss.request(method, address, token, json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "only-looking"), f"{method} {path}"
    assert await actions(service, somebody.id) == ["session.began", "support.impersonation-began"]


async def test_it_is_not_renewed_and_ends_after_a_quarter_of_an_hour(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    token = await look(boss, somebody)
    refreshed = await boss.request("POST", "/api/auth/refresh", token)
    assert refreshed.status_code == 401
    async with service.database.transaction(purpose="identity") as db:
        session = (
            await db.execute(
                text("select * from sessions where user_id = :id and impersonator_id is not null"), {"id": somebody.id}
            )
        ).one()
        tokens = await db.scalar(text("select count(*) from refresh_tokens where session_id = :id"), {"id": session.id})
    assert session.expires_at - session.created_at == timedelta(minutes=15)
    assert tokens == 0
    # The database's own clock decides, which no test can set forward; so the session began earlier.
    async with service.database.transaction(purpose="identity") as db:
        await db.execute(
            text("update sessions set expires_at = now() - interval '1 second' where id = :id"), {"id": session.id}
        )
    service.identity.sessions.forget(session.id)
    assert (await boss.get("/api/auth/me", token)).json()["code"] == "session-expired"


async def test_the_person_sees_who_looked_and_why_but_not_from_where(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    token = await look(boss, somebody)
    ended = await boss.request("DELETE", "/api/admin/impersonation", token)
    assert ended.status_code == 204
    seen = (await somebody.get("/api/account/activity")).json()["entries"][:2]
    assert [each["action"] for each in seen] == ["support.impersonation-ended", "support.impersonation-began"]
    assert {each["actor"] for each in seen} == {"an administrator"}
    assert {(each["ip_address"], each["device"]) for each in seen} == {(None, None)}
    assert seen[1]["detail"]["reason"] == "cannot find a loop"
    recorded = (await entries(service, somebody.id))[1:]
    assert {(each.actor_kind, each.actor_id) for each in recorded} == {("admin", boss.id)}
    assert {each.ip_address for each in recorded} == {"127.0.0.1"}


async def test_it_stands_among_the_persons_sessions_and_they_can_end_it(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    token = await look(boss, somebody)
    sessions = (await somebody.get("/api/auth/sessions")).json()["sessions"]
    (support,) = [each for each in sessions if each["support"]]
    assert support["ip_address"] == ""
    assert (await somebody.request("DELETE", f"/api/auth/sessions/{support['id']}")).status_code == 204
    assert (await boss.get("/api/auth/me", token)).status_code == 401


async def test_ending_it_works_on_every_process_within_a_second_and_for_no_other_session(
    service: Service, another_process: Callable[[], Service], boss: Signed, somebody: Signed
) -> None:
    token = await look(boss, somebody)
    async with another_process().visitor() as elsewhere:
        assert (await elsewhere.me(token)).status_code == 200
        assert (await boss.request("DELETE", "/api/admin/impersonation", token)).status_code == 204
        assert (await boss.get("/api/auth/me", token)).status_code == 401
        await asyncio.sleep(REVOCATION_SECONDS)
        assert (await elsewhere.me(token)).status_code == 401
    assert (await boss.request("DELETE", "/api/admin/impersonation", token)).status_code == 401
    assert (await boss.request("DELETE", "/api/admin/impersonation")).json()["code"] == "not-impersonating"
    assert (await boss.person.browser.delete("/api/admin/impersonation")).status_code == 401
    assert await boss.is_signed_in()
    assert await somebody.is_signed_in()


async def test_an_administrator_who_signs_out_while_looking_is_signed_out(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    token = await look(boss, somebody)
    assert (await boss.request("POST", "/api/auth/logout", token)).status_code == 200
    assert (await boss.get("/api/auth/me", token)).status_code == 401
    assert not await boss.is_signed_in()
    assert (await boss.person.refresh(boss.refresh_token)).status_code == 401
    assert await somebody.is_signed_in()
    (ended,) = await ends(service, somebody)
    assert (ended.actor_kind, ended.actor_id) == ("admin", boss.id)


async def test_asking_to_end_one_is_counted_and_apart_from_signing_in(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    service.identity.settings = service.settings.model_copy(update={"auth_requests_per_quarter_hour": 2})
    async with service.visitor(address="203.0.113.90") as stranger:
        assert [(await stranger.login()).status_code for _ in range(3)] == [401, 401, 429]
        path = "/api/admin/impersonation"
        assert [(await stranger.browser.delete(path)).status_code for _ in range(3)] == [401, 401, 429]
    token = await look(boss, somebody)
    assert (await boss.request("DELETE", "/api/admin/impersonation", token)).status_code == 204


async def test_administrators_and_suspended_people_are_not_impersonated(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    async with service.visitor() as visitor:
        other = await sign_in(service, visitor, admin=True)
        answer = await boss.request("POST", f"/api/admin/users/{other.id}/impersonation", json={"reason": "a look"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-to-be-impersonated")
    await boss.request("PUT", f"/api/admin/users/{somebody.id}", json={"is_active": False})
    answer = await boss.request("POST", f"/api/admin/users/{somebody.id}/impersonation", json={"reason": "a look"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-to-be-impersonated")


@pytest.mark.parametrize("body", [None, {}, {"reason": ""}, {"reason": "x" * 101}, {"reason": "a\0b"}])
async def test_a_reason_has_to_be_given(
    service: Service, boss: Signed, somebody: Signed, body: dict[str, str] | None
) -> None:
    answer = await boss.request("POST", f"/api/admin/users/{somebody.id}/impersonation", json=body)
    assert answer.status_code == 422


@pytest.mark.parametrize("how", ["demoted", "suspended", "signed out", "leaves", "leaves everywhere"])
async def test_it_ends_with_the_administrators_own_rights(
    service: Service, boss: Signed, somebody: Signed, how: str
) -> None:
    async with service.visitor() as visitor:
        other = await sign_in(service, visitor, admin=True)
        token = await look(other, somebody)
        assert (await boss.get("/api/auth/me", token)).status_code == 200
        await lose_rights(boss, other, how)
        counted = [each.detail["sessions"] for each in await entries(service, other.id) if "sessions" in each.detail]
        assert counted in ([], [1])  # their own, and not the one of somebody else's
    for _ in range(2):
        (ended,) = await ends(service, somebody)
        assert (ended.actor_kind, datetime.fromisoformat(ended.detail["ended_at"])) == ("system", ended.at)
        assert ended.detail["why"].startswith("the administrator")
        await record_ended(service.database, service.clock)
    await asyncio.sleep(REVOCATION_SECONDS)
    assert (await boss.get("/api/auth/me", token)).status_code == 401
    assert await somebody.is_signed_in()


@pytest.mark.parametrize(
    ("how", "status"), [("demoted", 403), ("suspended", 401), ("signed out", 401), ("leaves", 401)]
)
async def test_it_does_not_begin_where_the_loss_of_those_rights_is_not_known_yet(
    service: Service, another_process: Callable[[], Service], boss: Signed, somebody: Signed, how: str, status: int
) -> None:
    async with service.visitor() as visitor, another_process().visitor() as elsewhere:
        other = await sign_in(service, visitor, admin=True)
        assert (await elsewhere.me(other.token)).status_code == 200  # what that process goes by for a second
        await lose_rights(boss, other, how)
        answer = await elsewhere.browser.post(
            f"/api/admin/users/{somebody.id}/impersonation",
            json={"reason": "cannot find a loop"},
            headers={"Authorization": f"Bearer {other.token}"},
        )
    assert answer.status_code == status, answer.text
    assert "support.impersonation-began" not in await actions(service, somebody.id)


async def test_it_lasts_no_longer_than_the_session_it_is_begun_from(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    async with service.database.transaction(purpose="identity") as db:
        until: datetime = await db.scalar(
            text(
                "update sessions set expires_at = now() + interval '5 minutes' where user_id = :id returning expires_at"
            ),
            {"id": boss.id},
        )
    answer = await boss.request("POST", f"/api/admin/users/{somebody.id}/impersonation", json={"reason": "a look"})
    body = answer.json()
    assert 0 < body["expires_in"] <= 300
    assert jwt.decode(body["token"], service.keys.current).claims["exp"] <= until.timestamp()
    began = (await entries(service, somebody.id))[-1]
    assert datetime.fromisoformat(began.detail["expires_at"]) == until


async def test_when_the_person_ends_it_that_is_recorded_with_it(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    await look(boss, somebody)
    answer = await somebody.request("DELETE", "/api/auth/sessions", params={"scope": "others"})
    assert answer.status_code == 204
    (ended,) = await ends(service, somebody)
    assert ended.detail["why"] == "revoked"


async def test_one_that_nobody_ends_is_recorded_once_with_the_moment_it_was_over(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    claims = jwt.decode(await look(boss, somebody), service.keys.current).claims
    assert claims["exp"] - claims["iat"] == 900
    await record_ended(service.database, service.clock)
    assert await actions(service, somebody.id) == ["session.began", "support.impersonation-began"]
    service.clock.ahead = timedelta(minutes=16)
    await asyncio.gather(*(record_ended(service.database, service.clock) for _ in range(4)))
    assert await record_ended(service.database, service.clock) == 0
    _, began, ended = await entries(service, somebody.id)
    assert ended.action == "support.impersonation-ended"
    assert datetime.fromisoformat(ended.detail["ended_at"]) == datetime.fromisoformat(began.detail["expires_at"])
    assert ended.detail["why"] == "the time was over"


async def test_with_eyes_of_somebody_who_became_an_administrator_nothing_of_theirs_opens(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    token = await look(boss, somebody)
    async with service.database.transaction(purpose="identity") as db:
        session_id: UUID = await db.scalar(
            text("select id from sessions where user_id = :id and impersonator_id is not null"), {"id": somebody.id}
        )
        await db.execute(text("update users set is_superuser = true where id = :id"), {"id": somebody.id})
    service.identity.sessions.forget(session_id)
    assert (await boss.get("/api/admin/users", token)).json()["code"] == "second-factor-missing"
