"""Proving once more who one is before something dangerous."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.accounts.authenticator import PRESENT, Device
from tests.accounts.deployment import PASSWORD, PUBLIC_URL, Person, Service
from tests.accounts.members import FACTORS, Member, sign_in

STEP_UP = "/api/auth/step-up"
DANGEROUS = f"{FACTORS}/totp"


@pytest_asyncio.fixture
async def member(service: Service, person: Person) -> Member:
    return await sign_in(service, person)


def grow_stale(member: Member) -> None:
    minutes = member.service.settings.step_up_minutes
    member.service.clock.ahead += timedelta(minutes=minutes, seconds=1)


async def begun(member: Member) -> int:
    return (await member.post(DANGEROUS)).status_code


async def with_passkey(member: Member, device: Device, **cheats: Any) -> httpx.Response:
    asked = await member.post(f"{STEP_UP}/passkey-options")
    assert asked.status_code == 200, asked.text
    body = asked.json()
    credential = device.get(body["options"], **cheats)
    return await member.post(STEP_UP, {"challenge": body["challenge"], "credential": credential})


async def test_a_sign_in_is_proof_enough_for_ten_minutes(member: Member) -> None:
    assert await begun(member) == 200
    grow_stale(member)
    refused = await member.post(DANGEROUS)
    assert (refused.status_code, refused.json()["code"]) == (403, "step-up-required")
    assert (await member.get(FACTORS)).status_code == 200, "what is not dangerous goes on"


async def test_a_refreshed_token_is_no_newer_proof(service: Service, member: Member) -> None:
    signed_in = (await member.person.login(mode="body")).json()
    grow_stale(member)
    refreshed = await member.person.refresh(signed_in["refresh_token"])
    member.token = refreshed.json()["token"]
    assert await begun(member) == 403


async def test_the_password_proves_it_where_there_is_no_second_factor(member: Member) -> None:
    grow_stale(member)
    answer = await member.post(STEP_UP, {"password": PASSWORD})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    left = datetime.fromisoformat(answer.json()["fresh_until"]) - member.service.clock()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    assert await begun(member) == 200
    assert (await member.activity())[-1] == ("session.stepped-up", {"method": "password"})


async def test_on_every_process_at_once(member: Member, another_process: Callable[[], Service]) -> None:
    grow_stale(member)
    other = another_process()
    other.clock.ahead = member.service.clock.ahead
    async with other.visitor(member.email) as elsewhere:
        twin = Member(other, elsewhere, member.id, member.token)
        assert await begun(twin) == 403
        assert (await member.post(STEP_UP, {"password": PASSWORD})).status_code == 200
        assert await begun(twin) == 200


async def test_a_wrong_password_proves_nothing_and_is_recorded(member: Member) -> None:
    grow_stale(member)
    refused = await member.post(STEP_UP, {"password": "four bars of something"})
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong-proof")
    assert refused.json()["errors"] == [{"loc": ["body", "password"], "msg": "The password is wrong."}]
    assert await begun(member) == 403
    await member.record_refusals()
    assert (await member.activity())[-1] == ("session.refused", {"reason": "step-up-wrong-password", "count": 1})


async def test_where_there_is_a_second_factor_the_password_is_not_enough(member: Member) -> None:
    await member.add_app()
    grow_stale(member)
    refused = await member.post(STEP_UP, {"password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (403, "factor-needed")
    assert refused.json()["methods"] == ["totp", "recovery-code"]
    assert await begun(member) == 403
    assert (await member.post(STEP_UP, {"code": member.fresh_code()})).status_code == 200
    assert await begun(member) == 200
    grow_stale(member)
    assert (await member.post(STEP_UP, {"recovery_code": member.recovery_codes[0]})).status_code == 200
    assert await begun(member) == 200
    assert [detail for action, detail in await member.activity() if action == "session.stepped-up"] == [
        {"method": "totp"},
        {"method": "recovery-code"},
    ]


async def test_a_code_that_signed_in_does_not_step_up(member: Member) -> None:
    await member.add_app()
    await member.sign_in_again()
    grow_stale(member)
    used = member.fresh_code()
    assert (await member.post(STEP_UP, {"code": used})).status_code == 200
    assert (await member.post(STEP_UP, {"code": used})).status_code == 422


async def test_a_passkey_proves_it(member: Member) -> None:
    device = await member.add_passkey()
    grow_stale(member)
    answer = await with_passkey(member, device)
    assert answer.status_code == 200, answer.text
    assert await begun(member) == 200
    assert ("session.stepped-up", {"method": "passkey"}) in await member.activity()


@pytest.mark.parametrize(
    "cheats",
    [{"client_data": {"origin": "https://evil.example"}}, {"rp_id": "evil.example"}],
    ids=["another origin", "another site"],
)
async def test_a_passkey_used_elsewhere_proves_nothing(member: Member, cheats: dict[str, Any]) -> None:
    device = await member.add_passkey()
    grow_stale(member)
    assert (await with_passkey(member, device, **cheats)).status_code == 422
    device.flags = PRESENT
    assert (await with_passkey(member, device)).status_code == 422
    assert await begun(member) == 403


async def test_the_answer_of_a_passkey_proves_it_once(member: Member) -> None:
    device = await member.add_passkey(Device(PUBLIC_URL, count=None))
    asked = (await member.post(f"{STEP_UP}/passkey-options")).json()
    body = {"challenge": asked["challenge"], "credential": device.get(asked["options"])}
    assert [(await member.post(STEP_UP, body)).status_code for _ in range(2)] == [200, 410]


async def test_without_a_passkey_there_is_nothing_to_ask_it(member: Member) -> None:
    assert (await member.post(f"{STEP_UP}/passkey-options")).status_code == 409


async def test_an_old_session_gains_the_factor_it_steps_up_with(service: Service, member: Member) -> None:
    async with service.visitor(member.email) as elsewhere:
        older = Member(service, elsewhere, member.id)
        older.token = (await elsewhere.login(mode="body")).json()["token"]
        await member.add_app()
        older.seed = member.seed
        assert (await older.delete(DANGEROUS)).json()["code"] == "step-up-required"
        assert (await older.post(STEP_UP, {"code": older.fresh_code()})).status_code == 200
        assert (await older.delete(DANGEROUS)).status_code == 204


async def test_guessing_at_a_stolen_session_is_stopped_and_hinders_no_other(service: Service, person: Person) -> None:
    limits = {"sign_in_failures_per_quarter_hour": 10, "sign_in_failures_per_hour": 50}
    limited = Service(service.settings.model_copy(update=limits), service.database, service.keys)
    async with limited.visitor() as visitor, limited.visitor(visitor.email, address="203.0.113.9") as elsewhere:
        member = await sign_in(limited, visitor)
        thief = Member(limited, elsewhere, member.id, (await visitor.login(mode="body")).json()["token"])
        await member.add_app()
        guess = f"{(int(member.fresh_code()) + 1) % 10**6:06}"
        statuses = [(await thief.post(STEP_UP, {"code": guess})).status_code for _ in range(12)]
        assert statuses == [422] * 10 + [429] * 2
        assert (await member.post(STEP_UP, {"code": member.fresh_code()})).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"password": PASSWORD, "code": "123456"},
        {"credential": {}},
        {"challenge": "x"},
        {"challenge": "x", "password": PASSWORD},
        {"password": ""},
        {"code": None},
    ],
)
async def test_exactly_one_proof_is_sent(member: Member, body: dict[str, Any]) -> None:
    assert (await member.post(STEP_UP, body)).status_code == 422


async def test_an_api_key_cannot_step_up(member: Member) -> None:
    made = await member.post("/api/user/api-keys", {"name": "robot", "scopes": ["account:read"]})
    member.token = made.json()["key"]
    for path in (STEP_UP, f"{STEP_UP}/passkey-options"):
        answer = await member.post(path, {"password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (403, "session-required")


async def test_a_session_that_has_ended_does_not_come_back(member: Member) -> None:
    assert (await member.post("/api/auth/logout")).status_code == 200
    assert (await member.post(STEP_UP, {"password": PASSWORD})).status_code == 401
