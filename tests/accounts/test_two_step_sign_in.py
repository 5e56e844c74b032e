"""Signing in with a password and a second factor, and what others can do to it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from sample_agent.accounts.audit import OPERATOR
from sample_agent.accounts.factors.challenges import MOST_WRONG_ANSWERS
from sample_agent.accounts.tasks import RECORD_REFUSAL, forget_expired, record_refusal
from sample_agent.admin.people.service import reset_factors
from tests.accounts.deployment import PASSWORD, Person, Service, fresh_address
from tests.accounts.members import FACTORS, Member, sign_in


@pytest_asyncio.fixture
async def member(service: Service, person: Person) -> Member:
    """Somebody with an authenticator app."""
    member = await sign_in(service, person)
    await member.add_app()
    return member


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


# The second step


async def test_the_password_alone_leads_to_a_challenge_and_to_no_token(service: Service, member: Member) -> None:
    async with service.visitor(member.email) as elsewhere:
        for mode in ("cookie", "body"):
            answer = await elsewhere.login(mode=mode)
            body = answer.json()
            assert (answer.status_code, body["code"]) == (403, "second-factor-required")
            assert answer.headers["cache-control"] == "no-store"
            assert body["methods"] == ["totp", "recovery-code"]
            assert body["passkey_options"] is None
            assert not {"token", "refresh_token"} & set(body)
            assert "set-cookie" not in answer.headers
        assert not elsewhere.browser.cookies
        for credential in (body["challenge"], PASSWORD):
            assert (await elsewhere.me(credential)).status_code == 401
            assert (await elsewhere.refresh(credential)).status_code == 401
    assert (await member.actions()).count("session.began") == 1


async def test_the_second_step_signs_in_and_says_how(member: Member) -> None:
    asked = await member.begin_login()
    answer = await member.finish_login(asked["challenge"], code=member.fresh_code())
    body = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert set(body) == {"token", "token_type", "expires_in", "user", "refresh_token"}
    assert (body["user"]["second_factor"], body["user"]["is_admin"]) == (True, False)
    assert (await member.activity())[-1] == ("session.began", {"method": "password+totp"})
    assert (await member.person.refresh(body["refresh_token"])).json()["user"]["second_factor"] is True


async def test_in_a_browser_the_refresh_token_goes_into_the_cookie(member: Member) -> None:
    asked = await member.begin_login()
    body = {"challenge": asked["challenge"], "code": member.fresh_code()}
    answer = await member.person.post("/api/auth/login/second-factor", body)
    assert "refresh_token" not in answer.json()
    assert "__Host-refresh" in answer.headers["set-cookie"]
    assert (await member.person.refresh_by_cookie()).status_code == 200


async def test_a_challenge_is_answered_once_and_within_five_minutes(member: Member) -> None:
    asked = await member.begin_login()
    assert (await member.finish_login(asked["challenge"], code=member.fresh_code())).status_code == 200
    again = await member.finish_login(asked["challenge"], recovery_code=member.recovery_codes[0])
    assert (again.status_code, again.json()["code"]) == (410, "challenge-expired")
    asked = await member.begin_login()
    member.service.clock.ahead += timedelta(minutes=5, seconds=1)
    assert (await member.finish_login(asked["challenge"], code=member.code())).status_code == 410
    assert (await member.factors())["recovery_codes_left"] == 10


@pytest.mark.parametrize("challenge", ["", "x", "é\u0000", "a" * 101])
async def test_what_is_no_challenge_is_refused(member: Member, challenge: str) -> None:
    answer = await member.finish_login(challenge, code=member.fresh_code())
    assert answer.status_code in (410, 422)


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"code": "123456", "recovery_code": "x"},
        {"code": "123456", "credential": {}},
        {"credential": []},
        {"code": 123456},
        {"password": PASSWORD},
    ],
)
async def test_exactly_one_proof_is_sent(member: Member, proof: dict[str, Any]) -> None:
    asked = await member.begin_login()
    assert (await member.finish_login(asked["challenge"], **proof)).status_code == 422
    assert (await member.finish_login(asked["challenge"], code=member.fresh_code())).status_code == 200


async def test_five_wrong_codes_end_a_challenge_also_when_they_come_at_once(member: Member) -> None:
    asked = await member.begin_login()
    guess = wrong(member.fresh_code())
    answers = await asyncio.gather(
        *(member.finish_login(asked["challenge"], code=guess) for _ in range(MOST_WRONG_ANSWERS + 4))
    )
    assert sorted(answer.status_code for answer in answers) == [410] * 4 + [422] * MOST_WRONG_ANSWERS
    assert (await member.finish_login(asked["challenge"], code=member.code())).status_code == 410
    subjects = await member.mails()
    assert subjects.count("Sign-in stopped at the second factor") == 1


async def test_whoever_guesses_codes_is_stopped_and_the_owner_is_told_once(service: Service) -> None:
    limits = {"sign_in_failures_per_quarter_hour": 10, "sign_in_failures_per_hour": 50}
    limited = Service(service.settings.model_copy(update=limits), service.database, service.keys)
    async with limited.visitor() as visitor, limited.visitor(visitor.email, address="203.0.113.9") as elsewhere:
        member = await sign_in(limited, visitor)
        await member.add_app()
        thief = Member(limited, elsewhere, member.id)
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < 60:
            asked = await thief.begin_login()
            guess = wrong(member.fresh_code())
            statuses += [(await thief.finish_login(asked["challenge"], code=guess)).status_code for _ in range(5)]
        assert statuses.count(422) == 10
        assert (await member.mails()).count("Sign-in stopped at the second factor") == 1
        await member.sign_in_again()


async def test_a_challenge_dies_with_the_password_it_followed(member: Member) -> None:
    asked = await member.begin_login()
    changed = await member.post(
        "/api/account/password", {"current_password": PASSWORD, "new_password": "eight bars of something"}
    )
    assert changed.status_code == 200, changed.text
    late = await member.finish_login(asked["challenge"], code=member.fresh_code())
    assert (late.status_code, late.json()["code"]) == (410, "challenge-expired")


async def test_a_new_password_by_mail_does_not_get_past_the_second_factor(service: Service, member: Member) -> None:
    await member.mails()
    assert (await member.person.post("/api/auth/forgot-password", {"email": member.email})).status_code == 202
    token = await service.mailed_token(member.person)
    reset = await member.person.post("/api/auth/reset-password", {"token": token, "password": "nine bars of silence"})
    assert reset.status_code == 200, reset.text
    assert "token" not in reset.json()
    member.person.password = "nine bars of silence"
    await member.begin_login()
    asked = await member.begin_login()
    assert (await member.finish_login(asked["challenge"], code=member.fresh_code())).status_code == 200


async def test_an_account_switched_off_between_the_steps_stays_off(service: Service, member: Member) -> None:
    asked = await member.begin_login()
    async with service.database.transaction(purpose="identity") as db:
        await db.execute(text("update users set is_active = false where id = :id"), {"id": member.id})
    refused = await member.finish_login(asked["challenge"], code=member.fresh_code())
    assert (refused.status_code, refused.json()["code"]) == (403, "account-disabled")


async def test_a_factor_removed_between_the_steps_opens_nothing(service: Service, member: Member) -> None:
    asked = await member.begin_login()
    await reset_factors(service.database, member.id, actor=OPERATOR, now=service.clock())
    for proof in ({"code": member.fresh_code()}, {"recovery_code": member.recovery_codes[0]}, {"code": "000000"}):
        assert (await member.finish_login(asked["challenge"], **proof)).status_code == 410


async def test_after_a_reset_the_password_is_enough_and_older_sessions_are_over(
    service: Service, member: Member
) -> None:
    for session_id in await reset_factors(service.database, member.id, actor=OPERATOR, now=service.clock()):
        service.identity.sessions.forget(session_id)
    assert (await member.get(FACTORS)).status_code == 401
    member.token = (await member.person.login(mode="body")).json()["token"]
    assert await member.factors() == {"totp": None, "passkeys": [], "recovery_codes_left": 0}
    assert "Second factors removed" in await member.mails()


async def test_administrators_act_only_with_a_second_factor(service: Service) -> None:
    async with service.visitor() as visitor:
        admin = await sign_in(service, visitor, admin=True)
        assert (await admin.person.login()).json()["user"]["is_admin"] is True
        await admin.add_app()
        async with service.visitor(admin.email) as elsewhere:
            answer = await elsewhere.login(mode="body")
            assert answer.status_code == 403
        await admin.sign_in_again()
        sessions = (await admin.get("/api/auth/sessions")).json()["sessions"]
        assert [each["second_factor"] for each in sessions if each["current"]] == [True]


# What is told to whom


async def test_the_password_of_a_registration_asks_for_its_mail_whether_or_not_there_is_an_account(
    service: Service, member: Member
) -> None:
    for address in (member.email, fresh_address()):
        async with service.visitor(address, password="a strangers own words") as stranger:
            assert (await stranger.login()).status_code == 401
            assert (await stranger.register()).status_code == 201
            answer = await stranger.login()
            assert (answer.status_code, answer.json()["code"]) == (403, "email-not-verified")
            assert (await stranger.login(password="something else entirely")).status_code == 401
            service.clock.ahead += timedelta(days=7, seconds=1)
            assert (await stranger.login()).status_code == 401, "registrations expire"
    member.service.clock.ahead = timedelta(hours=1)
    await member.begin_login()


async def test_each_registration_that_can_be_confirmed_answers(service: Service) -> None:
    async with service.visitor(password="the first words") as visitor:
        assert (await visitor.register()).status_code == 201
        assert (await visitor.register(password="the second words")).status_code == 201
        for password in ("the first words", "the second words"):
            assert (await visitor.login(password=password)).json()["code"] == "email-not-verified"
        assert (await visitor.login(password="the third words")).status_code == 401


async def test_every_refusal_takes_the_same_number_of_hashes_and_statements(service: Service, member: Member) -> None:
    from sqlalchemy import event

    async with service.visitor(password="words of a registration") as waiting:
        assert (await waiting.register()).status_code == 201
        registered = waiting.email
        assert (await waiting.login(email=fresh_address())).status_code == 401  # asks what is asked once a minute
    seen: dict[str, tuple[int, list[str]]] = {}
    passwords = service.identity.passwords
    check, check_any = passwords.check, passwords.check_any
    for name, address in (("known", member.email), ("unknown", fresh_address()), ("registered", registered)):
        hashes, statements = 0, []

        async def counted(password: str, stored: str | None, **more: Any) -> tuple[bool, str | None]:
            nonlocal hashes
            hashes += 1
            return await check(password, stored, **more)

        async def counted_any(password: str, stored: list[str], **more: Any) -> str | None:
            nonlocal hashes
            hashes += 1
            return await check_any(password, stored, **more)

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            statements.append(statement)  # noqa: B023

        passwords.check, passwords.check_any = counted, counted_any  # type: ignore[method-assign,assignment]
        event.listen(service.database.engine.sync_engine, "before_cursor_execute", note)
        try:
            async with service.visitor(address) as visitor:
                answer = await visitor.login(password="four bars of something")
        finally:
            event.remove(service.database.engine.sync_engine, "before_cursor_execute", note)
            passwords.check, passwords.check_any = check, check_any  # type: ignore[method-assign]
        assert answer.status_code == 401
        seen[name] = (hashes, statements)
    assert seen["known"] == seen["unknown"] == seen["registered"]
    assert seen["known"][0] == 2


# What is recorded


async def test_refusals_are_recorded_once_a_minute_with_their_number(service: Service, member: Member) -> None:
    for _ in range(4):
        assert (await member.person.login(password="four bars of something")).status_code == 401
    await member.record_refusals()
    assert (await member.activity())[-1] == ("session.refused", {"reason": "wrong-password", "count": 1})
    service.clock.ahead += timedelta(seconds=61)
    asked = await member.begin_login()
    await member.finish_login(asked["challenge"], code=wrong(member.fresh_code()))
    await member.record_refusals()
    assert (await member.activity())[-1] == ("session.refused", {"reason": "wrong-code", "count": 4})
    assert (await member.actions()).count("session.refused") == 2


async def test_what_no_entry_told_of_is_told_by_the_next_sign_in(member: Member) -> None:
    for _ in range(3):
        await member.person.login(password="four bars of something")
    await member.record_refusals()
    await member.sign_in_again()
    assert (await member.activity())[-1] == ("session.began", {"method": "password+totp", "refused_before": 2})
    await member.sign_in_again()
    assert (await member.activity())[-1] == ("session.began", {"method": "password+totp"})


async def test_many_refusals_at_once_leave_one_entry_and_none_uncounted(service: Service, member: Member) -> None:
    now = service.clock()
    payload = {
        "user_id": str(member.id),
        "reason": "wrong-password",
        "at": now.isoformat(),
        "ip_address": "203.0.113.7",
        "user_agent": "curl/8",
    }
    await asyncio.gather(*(record_refusal(payload, service.database) for _ in range(8)))
    later = {**payload, "at": (now + timedelta(seconds=61)).isoformat()}
    await record_refusal(later, service.database)
    told = [detail["count"] for action, detail in await member.activity() if action == "session.refused"]
    assert told == [1, 8]


async def test_refusals_of_nobody_are_dropped(service: Service) -> None:
    payload = {"user_id": None, "reason": "x", "at": service.clock().isoformat(), "ip_address": "", "user_agent": ""}
    await record_refusal(payload, service.database)
    await record_refusal({**payload, "user_id": "00000000-0000-7000-8000-000000000000"}, service.database)


async def test_the_queue_holds_no_password_and_no_code(service: Service, member: Member) -> None:
    await member.person.login(password="canary-in-the-queue")
    async with service.database.transaction(purpose="worker") as db:
        queued = await db.scalars(
            text("select convert_from(payload, 'utf8') from pgqueuer where entrypoint = :entrypoint"),
            {"entrypoint": RECORD_REFUSAL},
        )
        payloads = list(queued)
    assert payloads
    assert not [payload for payload in payloads if "canary" in payload or member.email in payload]


async def test_expired_challenges_are_forgotten(service: Service, member: Member) -> None:
    await member.begin_login()
    await forget_expired(service.database, lambda: service.clock() + timedelta(minutes=16))
    async with service.database.transaction(member.id) as db:
        assert await db.scalar(text("select count(*) from challenges where user_id = :id"), {"id": member.id}) == 0
