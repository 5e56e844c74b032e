"""Authenticator apps and recovery codes: set up, used once, replaced, removed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest
import pytest_asyncio
from sqlalchemy import text

from sample_agent.accounts.factors.challenges import MOST_WRONG_ANSWERS
from tests.accounts.deployment import Person, Service
from tests.accounts.members import FACTORS, Member, sign_in


@pytest_asyncio.fixture
async def member(service: Service, person: Person) -> Member:
    return await sign_in(service, person)


async def test_an_account_begins_without_a_second_factor(member: Member) -> None:
    assert await member.factors() == {"totp": None, "passkeys": [], "recovery_codes_left": 0}
    assert (await member.get("/api/auth/me")).json()["second_factor"] is False


async def test_an_app_is_set_up_with_a_secret_a_link_and_a_picture(member: Member) -> None:
    answer = await member.post(f"{FACTORS}/totp")
    begun = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    link = urlsplit(begun["uri"])
    assert (link.scheme, link.netloc) == ("otpauth", "totp")
    assert unquote(link.path) == f"/SP-404MK2 Sample Agent:{member.email}"
    assert parse_qs(link.query) == {"secret": [begun["secret"]], "issuer": ["SP-404MK2 Sample Agent"]}
    assert len(begun["secret"]) == 32
    drawing = ET.fromstring(begun["qr_svg"])
    assert {element.tag.rpartition("}")[2] for element in drawing.iter()} <= {"svg", "g", "path"}
    assert not [name for element in drawing.iter() for name in element.attrib if name in ("href", "style", "onload")]
    assert (await member.factors())["totp"] is None, "it counts only when it is confirmed"


async def test_the_first_factor_brings_recovery_codes_a_mail_and_an_entry(member: Member) -> None:
    confirmed = await member.add_app()
    codes = confirmed.json()["recovery_codes"]
    assert confirmed.headers["cache-control"] == "no-store"
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([0-9a-z]{4}-){3}[0-9a-z]{4}", code) for code in codes)
    factors = await member.factors()
    assert factors["totp"]["confirmed_at"]
    assert factors["recovery_codes_left"] == 10
    assert (await member.actions())[-1] == "factor.totp-added"
    assert "Authenticator app added" in await member.mails()
    assert (await member.get("/api/auth/me")).json()["second_factor"] is True


async def test_whoever_sets_an_app_up_has_shown_a_factor_at_this_session(member: Member) -> None:
    await member.add_app()
    assert (await member.post(f"{FACTORS}/recovery-codes")).status_code == 200
    sessions = (await member.get("/api/auth/sessions")).json()["sessions"]
    assert [each["second_factor"] for each in sessions if each["current"]] == [True]


async def test_a_wrong_code_confirms_nothing_and_five_end_the_attempt(member: Member) -> None:
    member.seed = (await member.post(f"{FACTORS}/totp")).json()["secret"]
    wrong = f"{(int(member.code()) + 1) % 10**6:06}"
    answers = [await member.post(f"{FACTORS}/totp/confirm", {"code": wrong}) for _ in range(MOST_WRONG_ANSWERS)]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "wrong-proof")}
    assert answers[0].json()["errors"][0]["loc"] == ["body", "code"]
    late = await member.post(f"{FACTORS}/totp/confirm", {"code": member.code()})
    assert (late.status_code, late.json()["code"]) == (410, "challenge-expired")


async def test_setting_up_takes_a_quarter_of_an_hour_at_most(member: Member) -> None:
    member.seed = (await member.post(f"{FACTORS}/totp")).json()["secret"]
    member.service.clock.ahead = timedelta(minutes=15, seconds=1)
    late = await member.post(f"{FACTORS}/totp/confirm", {"code": member.code()})
    assert late.status_code == 410


async def test_an_app_replaces_another_only_when_it_is_confirmed(member: Member) -> None:
    await member.add_app()
    old_seed, codes = member.seed, member.recovery_codes
    member.service.clock.ahead += timedelta(seconds=30)
    begun = await member.post(f"{FACTORS}/totp")
    await member.sign_in_again()  # with the old one
    member.seed = begun.json()["secret"]
    confirmed = await member.post(f"{FACTORS}/totp/confirm", {"code": member.code()})
    assert confirmed.json() == {"recovery_codes": None}
    assert member.recovery_codes == codes
    await member.sign_in_again()
    asked = await member.begin_login()
    new_seed, member.seed = member.seed, old_seed
    refused = await member.finish_login(asked["challenge"], code=member.fresh_code())
    assert refused.status_code == 422
    member.seed = new_seed
    assert (await member.activity())[-2:][0][0] in {"factor.totp-added", "session.began"}
    assert ("factor.totp-added", {"replaced": True}) in await member.activity()


async def test_a_code_works_once_and_older_ones_not_at_all(member: Member) -> None:
    await member.add_app()
    await member.sign_in_again()
    used = member.code()
    for code in (used, member.code(steps=-1)):
        asked = await member.begin_login()
        refused = await member.finish_login(asked["challenge"], code=code)
        assert (refused.status_code, refused.json()["code"]) == (422, "wrong-proof")


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_the_clock_of_a_phone_may_be_one_step_off(member: Member, steps: int, accepted: bool) -> None:
    await member.add_app()
    member.service.clock.ahead += timedelta(minutes=5)
    asked = await member.begin_login()
    answer = await member.finish_login(asked["challenge"], code=member.code(steps=steps))
    assert (answer.status_code == 200) is accepted


async def test_people_may_type_the_code_as_they_read_it(member: Member) -> None:
    await member.add_app()
    asked = await member.begin_login()
    code = member.fresh_code()
    assert (await member.finish_login(asked["challenge"], code=f" {code[:3]} {code[3:]} ")).status_code == 200


async def test_one_code_on_two_processes_at_once_signs_in_once(
    service: Service, member: Member, another_process: Callable[[], Service]
) -> None:
    await member.add_app()
    other = another_process()
    for _ in range(3):
        code = member.fresh_code()
        other.clock.ahead = service.clock.ahead
        async with other.visitor(member.email) as elsewhere:
            twin = Member(other, elsewhere, member.id)
            asked = [(each, (await each.begin_login())["challenge"]) for each in (member, twin) for _ in range(4)]
            answers = await asyncio.gather(*(each.finish_login(challenge, code=code) for each, challenge in asked))
        assert sorted(answer.status_code for answer in answers) == [200] + [422] * 7


async def test_a_recovery_code_signs_in_once_and_says_how_many_are_left(member: Member) -> None:
    await member.add_app()
    code = member.recovery_codes[3]
    asked = await member.begin_login()
    assert asked["methods"] == ["totp", "recovery-code"]
    answer = await member.finish_login(asked["challenge"], recovery_code=f" {code.upper().replace('-', ' ')} ")
    assert answer.status_code == 200, answer.text
    assert (await member.factors())["recovery_codes_left"] == 9
    again = await member.begin_login()
    refused = await member.finish_login(again["challenge"], recovery_code=code)
    assert (refused.status_code, refused.json()["errors"][0]["loc"]) == (422, ["body", "recovery_code"])
    assert ("factor.recovery-code-used", {"left": 9}) in await member.activity()
    assert "Recovery code used" in await member.mails()


async def test_one_recovery_code_in_many_sign_ins_at_once_works_in_one(member: Member) -> None:
    await member.add_app()
    challenges = [(await member.begin_login())["challenge"] for _ in range(6)]
    answers = await asyncio.gather(
        *(member.finish_login(challenge, recovery_code=member.recovery_codes[0]) for challenge in challenges)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [422] * 5


async def test_when_few_recovery_codes_are_left_the_mail_says_so(member: Member) -> None:
    await member.add_app()
    for code in member.recovery_codes[:7]:
        asked = await member.begin_login()
        assert (await member.finish_login(asked["challenge"], recovery_code=code)).status_code == 200
    await member.mails()
    used = [mail for mail in member.service.mails_to(member.email) if mail.subject == "Recovery code used"]
    assert ["Make new ones" in mail.text for mail in used] == [False] * 6 + [True]
    assert "3 recovery codes left" in used[-1].text


async def test_recovery_codes_of_one_person_are_no_good_for_another(service: Service, member: Member) -> None:
    await member.add_app()
    async with service.visitor() as visitor:
        other = await sign_in(service, visitor)
        await other.add_app()
        asked = await other.begin_login()
        assert (await other.finish_login(asked["challenge"], recovery_code=member.recovery_codes[0])).status_code == 422


async def test_new_recovery_codes_take_the_place_of_the_old_ones(member: Member) -> None:
    assert (await member.post(f"{FACTORS}/recovery-codes")).status_code == 409, "there is nothing to recover"
    await member.add_app()
    renewed = await member.post(f"{FACTORS}/recovery-codes")
    codes = renewed.json()["recovery_codes"]
    assert renewed.headers["cache-control"] == "no-store"
    assert not set(codes) & set(member.recovery_codes)
    asked = await member.begin_login()
    assert (await member.finish_login(asked["challenge"], recovery_code=member.recovery_codes[0])).status_code == 422
    assert (await member.finish_login(asked["challenge"], recovery_code=codes[0])).status_code == 200
    assert "factor.recovery-codes-made" in await member.actions()
    assert "New recovery codes" in await member.mails()


async def test_without_the_last_factor_the_password_is_enough_again(member: Member) -> None:
    await member.add_app()
    assert (await member.delete(f"{FACTORS}/totp")).status_code == 204
    assert await member.factors() == {"totp": None, "passkeys": [], "recovery_codes_left": 0}
    assert (await member.person.login()).status_code == 200
    assert (await member.delete(f"{FACTORS}/totp")).status_code == 404
    assert (await member.actions())[-2:] == ["factor.totp-removed", "session.began"]
    assert "Authenticator app removed" in await member.mails()


async def test_an_administrator_keeps_one_factor(service: Service, person: Person) -> None:
    admin = await sign_in(service, person, admin=True)
    await admin.add_app()
    refused = await admin.delete(f"{FACTORS}/totp")
    assert (refused.status_code, refused.json()["code"]) == (409, "last-factor")
    await admin.add_passkey()
    (passkey,) = (await admin.factors())["passkeys"]
    both = await asyncio.gather(admin.delete(f"{FACTORS}/totp"), admin.delete(f"{FACTORS}/passkeys/{passkey['id']}"))
    assert sorted(answer.status_code for answer in both) == [204, 409]
    assert (await admin.get("/api/auth/me")).json()["second_factor"] is True


async def test_changing_factors_takes_a_recent_proof(member: Member) -> None:
    await member.add_app()
    member.service.clock.ahead += timedelta(minutes=11)
    for method, path in (
        ("POST", f"{FACTORS}/totp"),
        ("DELETE", f"{FACTORS}/totp"),
        ("POST", f"{FACTORS}/recovery-codes"),
        ("POST", f"{FACTORS}/passkeys/options"),
        ("DELETE", f"{FACTORS}/passkeys/{member.id}"),
    ):
        answer = await member.call(method, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "step-up-required"), path
    assert (await member.factors())["totp"] is not None


async def test_a_session_from_before_the_factor_cannot_take_it_away(service: Service, member: Member) -> None:
    async with service.visitor(member.email) as elsewhere:
        thief = Member(service, elsewhere, member.id)
        thief.token = (await elsewhere.login(mode="body")).json()["token"]
        await member.add_app()
        for method, path in (("DELETE", f"{FACTORS}/totp"), ("POST", f"{FACTORS}/recovery-codes")):
            answer = await thief.call(method, path)
            assert (answer.status_code, answer.json()["code"]) == (403, "step-up-required")
    assert (await member.factors())["recovery_codes_left"] == 10


async def test_an_api_key_reaches_no_factor(member: Member) -> None:
    made = await member.post("/api/user/api-keys", {"name": "robot", "scopes": ["account:read", "library:write"]})
    assert made.status_code == 201, made.text
    member.token = made.json()["key"]
    for method, path in (("GET", FACTORS), ("POST", f"{FACTORS}/totp"), ("POST", f"{FACTORS}/passkeys/options")):
        answer = await member.call(method, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "session-required")


async def test_the_seed_lies_sealed_in_the_database_and_for_its_owner_only(service: Service, member: Member) -> None:
    await member.add_app()
    async with service.visitor() as visitor:
        other = await sign_in(service, visitor)
        await other.add_app()
        async with service.database.transaction(purpose="identity") as db:
            stored = await db.scalar(
                text("select sealed_seed from authenticators where user_id = :id"), {"id": member.id}
            )
            assert member.seed.encode() not in stored
            await db.execute(
                text("update authenticators set sealed_seed = :seed where user_id = :id"),
                {"seed": stored, "id": other.id},
            )
        other.seed = member.seed
        asked = await other.begin_login()
        assert (await other.finish_login(asked["challenge"], code=other.fresh_code())).status_code == 422


@pytest.mark.parametrize("code", ["", " ", "12345", "1234567", "ABCDEF", "１２３４５６", "0" * 21, "\u0000"])
async def test_what_is_no_code_is_refused(member: Member, code: str) -> None:
    await member.add_app()
    asked = await member.begin_login()
    assert (await member.finish_login(asked["challenge"], code=code)).status_code == 422
