"""Asking for a copy of one's data, and leaving: what it takes, what it ends, and how to stay."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select

from sample_agent import admin
from sample_agent.accounts.audit.models import AuditEntry
from sample_agent.accounts.privacy.archive import archive
from sample_agent.accounts.privacy.keep_token import keep_token
from sample_agent.accounts.privacy.own_data import OWN_DATA
from sample_agent.apps.wiring import make_storage
from tests.accounts.deployment import PASSWORD, Person, Service, link_token
from tests.accounts.members import sign_in

EXPORTS, DELETION = "/api/account/exports", "/api/account/deletion"
WITH = "Authorization"


@pytest_asyncio.fixture
async def member(service: Service, person: Person) -> dict[str, Any]:
    return await service.member(person)


async def _ask(person: Person, token: str, password: str = PASSWORD) -> httpx.Response:
    return await person.post(DELETION, {"password": password}, Authorization=f"Bearer {token}")


async def _keep(person: Person, token: str) -> httpx.Response:
    return await person.browser.delete(DELETION, headers={WITH: f"Bearer {token}"})


async def _actions(service: Service, member: dict[str, Any]) -> list[str]:
    async with service.database.transaction(purpose="identity") as db:
        entries = select(AuditEntry.action).where(AuditEntry.tenant_id == member["user"]["id"])
        return list(await db.scalars(entries.order_by(AuditEntry.position)))


async def test_who_asks_to_go_keeps_this_session_for_thirty_days_and_loses_all_others(
    service: Service, person: Person, member: dict[str, Any]
) -> None:
    elsewhere = (await person.login(mode="body")).json()["token"]
    asked = await _ask(person, member["token"])
    assert asked.status_code == 202
    due = datetime.fromisoformat(asked.json()["delete_after"])
    assert due - service.clock() > timedelta(days=29, hours=23)
    profile = (await person.me(member["token"])).json()
    assert datetime.fromisoformat(profile["delete_after"]) == due
    assert (await person.me(elsewhere)).json()["code"] == "session-expired"

    await service.deliver_mails(person.email)
    mail = service.mails_to(person.email)[-1]
    assert f"{due:%d %B %Y}" in mail.subject
    assert "Address: 127.0.0.1" in mail.text

    again = await _ask(person, member["token"])
    assert (again.status_code, again.json()) == (202, asked.json())
    assert (await _actions(service, member)).count("data.deletion-asked") == 1


async def test_api_keys_stop_while_an_account_is_about_to_go(
    service: Service, person: Person, member: dict[str, Any]
) -> None:
    made = await person.post(
        "/api/user/api-keys", {"name": "a key", "scopes": ["account:read"]}, Authorization=f"Bearer {member['token']}"
    )
    key = made.json()["key"]
    assert (await person.me(key)).status_code == 200
    await _ask(person, member["token"])
    await asyncio.sleep(1.1)  # the bound within which another process follows
    assert (await person.me(key)).status_code == 401
    await _keep(person, member["token"])
    await asyncio.sleep(1.1)
    assert (await person.me(key)).status_code == 200


async def test_it_takes_the_password_and_a_fresh_sign_in(
    service: Service, person: Person, member: dict[str, Any]
) -> None:
    wrong = await _ask(person, member["token"], "not my password")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong-proof")
    service.clock.ahead = timedelta(minutes=20)
    stale = await _ask(person, member["token"])
    assert (stale.status_code, stale.json()["code"]) == (403, "step-up-required")
    stale = await person.post(EXPORTS, Authorization=f"Bearer {member['token']}")
    assert (stale.status_code, stale.json()["code"]) == (403, "step-up-required")
    assert (await person.me(member["token"])).json()["delete_after"] is None


async def test_the_owner_of_a_team_hands_it_over_first(
    service: Service, person: Person, member: dict[str, Any]
) -> None:
    authorization = f"Bearer {member['token']}"
    team = (await person.post("/api/organizations", {"name": "crew"}, Authorization=authorization)).json()
    async with service.visitor() as friend:
        joined = await service.member(friend)
        await person.post(
            f"/api/organizations/{team['id']}/invitations",
            {"email": friend.email, "role": "member"},
            Authorization=authorization,
        )
        token = await service.mailed_token(friend)
        accepted = await friend.post(
            "/api/invitations/accept", {"token": token}, Authorization=f"Bearer {joined['token']}"
        )
        assert accepted.status_code == 200, accepted.text
    refused = await _ask(person, member["token"])
    assert (refused.status_code, refused.json()["code"]) == (409, "organization-needs-owner")
    assert (await person.me(member["token"])).json()["delete_after"] is None


async def test_the_account_can_be_kept_until_its_time_has_come(
    service: Service, person: Person, member: dict[str, Any]
) -> None:
    assert (await _keep(person, member["token"])).json()["code"] == "no-deletion-asked"
    await _ask(person, member["token"])
    service.clock.ahead = timedelta(days=6)
    signed_in = (await person.login(mode="body")).json()
    kept = await _keep(person, signed_in["token"])
    assert (kept.status_code, kept.json()["delete_after"]) == (200, None)
    await service.deliver_mails(person.email)
    assert service.mails_to(person.email)[-1].subject == "Your account stays"

    await _ask(person, signed_in["token"])
    service.clock.ahead = timedelta(days=36, hours=1)
    late = (await person.login(mode="body")).json()
    assert (await _keep(person, late["token"])).json()["code"] == "no-deletion-asked"
    actions = await _actions(service, member)
    assert (actions.count("data.deletion-asked"), actions.count("data.deletion-cancelled")) == (2, 1)


async def test_the_link_in_the_mail_keeps_the_account_once(
    service: Service, person: Person, member: dict[str, Any]
) -> None:
    await _ask(person, member["token"])
    await service.deliver_mails(person.email)
    token = link_token(service.mails_to(person.email)[-1])
    async with service.visitor() as anybody:
        kept = await anybody.post("/api/auth/keep-account", {"token": token})
        assert kept.status_code == 200
        assert (await person.me(member["token"])).json()["delete_after"] is None
        assert (await anybody.post("/api/auth/keep-account", {"token": token})).status_code == 410
        # It took that deletion back, and takes back no later one.
        await _ask(person, member["token"])
        assert (await anybody.post("/api/auth/keep-account", {"token": token})).status_code == 410


@pytest.mark.parametrize("token", ["x", "é", "AAAA", "A" * 512, "A" * 76, "=" * 40])
async def test_a_token_we_did_not_make_keeps_nothing(service: Service, person: Person, token: str) -> None:
    refused = await person.post("/api/auth/keep-account", {"token": token})
    assert (refused.status_code, refused.json()["code"]) == (410, "token-expired-or-used")


async def test_a_token_made_with_another_key_keeps_nothing(
    service: Service, person: Person, member: dict[str, Any]
) -> None:
    due = datetime.fromisoformat((await _ask(person, member["token"])).json()["delete_after"])
    forged = keep_token(b"some other key", UUID(member["user"]["id"]), due)
    assert (await person.post("/api/auth/keep-account", {"token": forged})).status_code == 410


async def test_of_many_who_ask_for_a_copy_at_once_one_is_heard(
    service: Service, person: Person, member: dict[str, Any]
) -> None:
    authorization = f"Bearer {member['token']}"
    answers = await asyncio.gather(*(person.post(EXPORTS, Authorization=authorization) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [202, 409, 409, 409, 409]
    accepted = next(answer for answer in answers if answer.status_code == 202).json()
    refused = next(answer for answer in answers if answer.status_code == 409).json()
    assert (refused["code"], refused["export_id"]) == ("export-under-way", accepted["id"])
    listed = await person.browser.get(EXPORTS, headers={WITH: authorization})
    assert [each["id"] for each in listed.json()["exports"]] == [accepted["id"]]
    assert listed.headers["cache-control"] == "no-store"
    assert (await _actions(service, member)).count("data.export-asked") == 1


async def test_no_api_key_copies_or_deletes_anything(service: Service, person: Person, member: dict[str, Any]) -> None:
    made = await person.post(
        "/api/user/api-keys",
        {"name": "a key", "scopes": ["account:read"]},
        Authorization=f"Bearer {member['token']}",
    )
    assert made.status_code == 201, made.text
    key = made.json()["key"]
    for method, path in (("POST", EXPORTS), ("GET", EXPORTS), ("POST", DELETION), ("DELETE", DELETION)):
        answer = await person.browser.request(
            method, path, json={"password": PASSWORD} if method == "POST" else None, headers={WITH: f"Bearer {key}"}
        )
        assert answer.status_code == 403
        assert answer.json()["code"] == "session-required"


async def test_a_copy_does_not_tell_who_else_was_there_and_where_they_sat(
    service: Service, person: Person, tmp_path: Path
) -> None:
    """An administrator who looked through the person's eyes, and a stranger whose sign-in was refused."""
    service.app.include_router(admin.router)
    member = await sign_in(service, person)
    async with (
        service.visitor(address="198.51.100.77") as boss,
        service.visitor(person.email, address="203.0.113.88", password="none of these bars") as stranger,
    ):
        administrator = await sign_in(service, boss, admin=True)
        await administrator.add_app()
        looking = await administrator.post(
            f"/api/admin/users/{member.id}/impersonation", {"reason": "cannot find a sample"}
        )
        assert looking.status_code == 201, looking.text
        assert (await stranger.login()).status_code == 401
        await member.record_refusals()
        others = [str(administrator.id), boss.email, "198.51.100.77", "203.0.113.88"]
    told = await _copy(service, member.id, tmp_path)
    assert not [word for word in others if word in json.dumps(told)]
    actions = {each["action"]: each for each in told["account/activity.json"]}
    assert {"support.impersonation-began", "session.refused"} <= actions.keys()
    assert actions["session.began"]["ip_address"] == "127.0.0.1"
    assert actions["session.began"]["actor_id"] == str(member.id)
    assert len(told["account/sessions.json"]) == 2


async def _copy(service: Service, user_id: UUID, space: Path) -> dict[str, Any]:
    """The rows in the copy that the worker makes, by the names of their files."""
    blocks = archive(
        service.database,
        make_storage(service.settings, links_from=""),
        [OWN_DATA],
        user_id,
        space=space,
        made_at=service.clock(),
        advance=lambda _: None,
    )
    zipped = zipfile.ZipFile(io.BytesIO(b"".join([block async for block in blocks])))
    return {name: json.loads(zipped.read(name)) for name in zipped.namelist() if name.endswith(".json")}
