"""The list of devices, ending them, and what people are told about their sign-ins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from sample_agent.accounts.tasks import forget_expired
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from tests.accounts.deployment import PUBLIC_URL, Person, Service, fresh_address
from tests.accounts.test_addresses import move, undo
from tests.accounts.test_passwords import NEW_PASSWORD, ask_for_link, change, reset

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
HOME, CAFE = "93.184.216.34", "198.41.0.4"
COOKIE = "__Host-refresh"
SAME_ORIGIN = {"X-Requested-With": "sample-agent", "Sec-Fetch-Site": "same-origin"}


@asynccontextmanager
async def device(service: Service, email: str, user_agent: str = CHROME, address: str = HOME) -> AsyncIterator[Person]:
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False, client=(address, 50_000))
    headers = {"User-Agent": user_agent}
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL, headers=headers) as browser:
        yield Person(browser, email)


async def signed_in(person: Person) -> dict[str, Any]:
    answer = await person.login(mode="body")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def devices(person: Person, token: str) -> list[dict[str, Any]]:
    answer = await person.browser.get("/api/auth/sessions", headers=bearer(token))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    sessions: list[dict[str, Any]] = answer.json()["sessions"]
    return sessions


async def revoke(person: Person, token: str, which: str) -> httpx.Response:
    return await person.browser.delete(f"/api/auth/sessions{which}", headers=bearer(token))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def recorded(database: Database, user_id: str) -> list[str]:
    async with database.transaction(purpose="identity") as db:
        rows = await db.scalars(
            text("select action from audit_entries where tenant_id = :tenant order by position"),
            {"tenant": UUID(user_id)},
        )
        return list(rows)


async def test_people_see_where_they_are_signed_in(service: Service, person: Person) -> None:
    await service.member(person)
    async with (
        device(service, person.email) as desk,
        device(service, person.email, FIREFOX, "192.168.1.7") as laptop,
    ):
        at_desk, at_laptop = await signed_in(desk), await signed_in(laptop)
        listed = await devices(desk, at_desk["token"])
        by_device = {each["device"]: each for each in listed}
        assert by_device["Chrome on Windows"]["current"] is True
        assert by_device["Chrome on Windows"]["ip_address"] == HOME
        assert by_device["Chrome on Windows"]["place"] is None
        assert by_device["Firefox on Linux"]["current"] is False
        assert by_device["Firefox on Linux"]["place"] == "private network"
        assert not any(each["support"] or each["second_factor"] for each in listed)
        assert [each["current"] for each in await devices(laptop, at_laptop["token"])].count(True) == 1
        assert listed == sorted(listed, key=lambda each: each["last_used_at"], reverse=True)


async def test_one_device_is_signed_out_from_another(
    service: Service, another_process: Callable[[], Service], database: Database, person: Person
) -> None:
    lost = await service.member(person)
    kept = await signed_in(person)
    (session_id,) = {each["id"] for each in await devices(person, lost["token"]) if each["current"]}
    answer = await revoke(person, kept["token"], f"/{session_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "clear-site-data" not in answer.headers
    assert (await person.me(lost["token"])).json()["code"] == "session-expired"
    async with another_process().visitor(person.email) as elsewhere:
        assert (await elsewhere.me(lost["token"])).json()["code"] == "session-expired"
        assert (await elsewhere.refresh(lost["refresh_token"])).status_code == 401
    assert (await person.me(kept["token"])).status_code == 200
    assert session_id not in {each["id"] for each in await devices(person, kept["token"])}
    assert (await recorded(database, kept["user"]["id"]))[-1] == "session.revoked"


async def test_a_strangers_session_is_as_missing_as_none(service: Service, person: Person) -> None:
    member = await service.member(person)
    (mine,) = {each["id"] for each in await devices(person, member["token"]) if each["current"]}
    async with service.visitor() as stranger:
        token = (await service.member(stranger))["token"]
        answers = [await revoke(stranger, token, f"/{each}") for each in (mine, new_id())]
    bodies = [{**answer.json(), "request_id": "", "instance": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert bodies[0] == bodies[1]
    assert (await person.me(member["token"])).status_code == 200


@pytest.mark.parametrize("scope", ["others", "all"])
async def test_signing_out_everywhere(service: Service, database: Database, person: Person, scope: str) -> None:
    elsewhere = [await service.member(person), await signed_in(person)]
    async with service.visitor() as stranger:
        strangers = await service.member(stranger)
        here = (await person.login()).json()
        answer = await revoke(person, here["token"], f"?scope={scope}")
        assert answer.status_code == 204
        assert (await stranger.me(strangers["token"])).status_code == 200
    for each in elsewhere:
        assert (await person.me(each["token"])).status_code == 401
        assert (await person.refresh(each["refresh_token"])).status_code == 401
    kept = scope == "others"
    assert (await person.me(here["token"])).status_code == (200 if kept else 401)
    assert (COOKIE in person.browser.cookies) is kept
    assert (answer.headers.get("clear-site-data") is None) is kept
    assert (await recorded(database, here["user"]["id"]))[-1] == "session.all-revoked"


async def test_all_or_others_has_to_be_said(service: Service, person: Person) -> None:
    token = (await service.member(person))["token"]
    assert (await revoke(person, token, "")).status_code == 422
    assert (await revoke(person, token, "?scope=mine")).status_code == 422
    assert (await person.me(token)).status_code == 200


async def test_leaving_takes_what_is_the_persons_out_of_the_browser(
    service: Service, database: Database, person: Person
) -> None:
    member = await service.member(person)
    await person.login()
    answer = await person.browser.post("/api/auth/logout", headers={**bearer(member["token"]), **SAME_ORIGIN})
    assert answer.headers["clear-site-data"] == '"cache"'
    assert answer.headers["cache-control"] == "no-store"
    assert COOKIE not in person.browser.cookies
    assert (await recorded(database, member["user"]["id"]))[-1] == "session.ended"


async def test_use_without_a_refresh_shows_in_the_list_and_is_written_now_and_then(
    service: Service, another_process: Callable[[], Service], person: Person
) -> None:
    token = (await service.member(person))["token"]
    begun = await _last_used(person, token)

    service.clock.ahead = timedelta(minutes=4)
    service.identity.sessions = another_process().identity.sessions
    assert (await person.me(token)).status_code == 200
    await service.identity.sessions.settled()
    assert await _last_used(person, token) == begun

    later = another_process()
    later.clock.ahead = timedelta(minutes=6)
    async with later.visitor(person.email) as visitor:
        assert (await visitor.me(token)).status_code == 200
        await later.identity.sessions.settled()
        assert await _last_used(visitor, token) - begun > timedelta(minutes=5)


async def _last_used(person: Person, token: str) -> datetime:
    (current,) = [each for each in await devices(person, token) if each["current"]]
    return datetime.fromisoformat(current["last_used_at"])


async def test_a_session_nobody_used_for_a_week_is_not_listed(service: Service, person: Person) -> None:
    await service.member(person)
    service.clock.ahead = timedelta(days=7, minutes=1)
    token = (await signed_in(person))["token"]
    assert [each["current"] for each in await devices(person, token)] == [True]


async def test_a_new_device_is_mailed_and_a_known_one_is_not(service: Service, person: Person) -> None:
    await person.register()
    await service.confirm(person)
    address = person.email
    async with device(service, address) as desk:
        await signed_in(desk)  # nothing of it is known, except perhaps by following the link
        await service.deliver_mails(address)
        before = len(service.mails_to(address))
        for same in (HOME, "93.184.216.99"):
            async with device(service, address, address=same) as again:
                await signed_in(again)
        assert await service.deliver_mails(address) == []
    for user_agent, place in ((FIREFOX, HOME), (CHROME, CAFE)):
        async with device(service, address, user_agent, place) as new:
            await signed_in(new)
            await signed_in(new)
    assert [each["mail"] for each in await service.deliver_mails(address)] == ["new-sign-in", "new-sign-in"]
    mails = service.mails_to(address)[before:]
    assert [mail.subject for mail in mails] == ["A new sign-in to your account"] * 2
    assert "Firefox on Linux" in mails[0].text
    assert HOME in mails[0].text
    assert CAFE in mails[1].text


async def test_a_new_sign_in_ends_the_session_the_browser_held_before_and_no_other(
    service: Service, person: Person
) -> None:
    await service.member(person)
    async with device(service, person.email) as elsewhere, device(service, person.email) as here:
        kept = await signed_in(elsewhere)
        first = (await here.login()).json()["token"]
        second = (await here.login()).json()["token"]
        assert (await here.me(first)).status_code == 401
        assert (await here.me(second)).status_code == 200
        assert len(await devices(elsewhere, kept["token"])) == 3  # with that of the registration


async def test_a_browser_that_moves_is_known_by_its_cookie_to_whose_it_is_and_to_nobody_else(
    service: Service, person: Person
) -> None:
    await service.member(person)
    async with service.visitor() as neighbour, device(service, person.email) as at_home:
        await service.member(neighbour)
        assert (await at_home.login()).status_code == 200
        for each in (person, neighbour):
            await service.take_queued_mails(each.email)
        async with device(service, person.email, address=CAFE) as moved:
            moved.browser.cookies.update(at_home.browser.cookies)
            assert (await moved.login()).status_code == 200
            assert await service.take_queued_mails(person.email) == []
            moved.email = neighbour.email
            assert (await moved.login()).status_code == 200
            assert [each["mail"] for each in await service.take_queued_mails(neighbour.email)] == ["new-sign-in"]


@pytest.mark.parametrize("how", ["password changed", "password reset", "address restored"])
async def test_whoever_was_shut_out_comes_back_as_a_stranger(service: Service, person: Person, how: str) -> None:
    """With the cookie of the browser they were signed in with, to the same network, and knowing the new password."""
    member, owners = await service.member(person), person.email
    async with device(service, person.email, address=CAFE) as thief:
        assert (await thief.login()).status_code == 200
        if how == "password changed":
            assert (await change(person, member)).status_code == 200
        else:
            if how == "address restored":
                back = await move(service, person, member, owners, fresh_address())
                assert (await undo(person, back)).status_code == 200
            assert (await reset(person, await ask_for_link(service, person))).status_code == 200
        await service.take_queued_mails(owners)
        assert (await thief.login(password=NEW_PASSWORD)).status_code == 200
        assert [each["mail"] for each in await service.take_queued_mails(owners)] == ["new-sign-in"]
        assert (await thief.login(password=NEW_PASSWORD)).status_code == 200
        assert await service.take_queued_mails(owners) == []


async def test_where_somebody_stays_signed_in_they_are_known_after_a_new_password(
    service: Service, person: Person
) -> None:
    await service.member(person)
    async with device(service, person.email) as at_home, device(service, person.email, address=CAFE) as moved:
        assert (await change(at_home, (await at_home.login()).json())).status_code == 200
        renewed = await at_home.post("/api/auth/refresh", X_Requested_With="sample-agent", Sec_Fetch_Site="same-origin")
        assert renewed.status_code == 200
        moved.browser.cookies.update(at_home.browser.cookies)
        await service.take_queued_mails(person.email)
        for each in (at_home, moved):
            assert (await each.login(password=NEW_PASSWORD)).status_code == 200
        assert await service.take_queued_mails(person.email) == []


async def test_the_list_says_where_a_session_began_and_where_it_was_last_seen(service: Service, person: Person) -> None:
    await service.member(person)
    async with device(service, person.email) as at_home, device(service, person.email, address=CAFE) as moved:
        begun = await signed_in(at_home)
        renewed = (await moved.refresh(begun["refresh_token"])).json()
        (shown,) = [each for each in await devices(moved, renewed["token"]) if each["current"]]
    assert (shown["began_from"], shown["ip_address"]) == (HOME, CAFE)
    await service.deliver_mails(person.email)
    (mail,) = [mail for mail in service.mails_to(person.email) if "new sign-in" in mail.subject]
    assert HOME in mail.text
    assert CAFE not in mail.text


async def test_the_first_sign_in_of_an_account_is_no_news(service: Service, person: Person) -> None:
    await person.register()
    await service.confirm(person)
    await service.take_queued_mails(person.email)
    async with service.visitor(person.email) as same_browser:
        await signed_in(same_browser)
    assert await service.take_queued_mails(person.email) == []


async def test_a_device_is_known_for_ninety_days(service: Service, database: Database, person: Person) -> None:
    await service.member(person)
    await service.take_queued_mails(person.email)
    for days, mailed in ((60, 0), (60 + 89, 0), (60 + 89 + 91, 1)):
        service.clock.ahead = timedelta(days=days)
        await forget_expired(database, service.clock)
        await signed_in(person)
        assert len(await service.take_queued_mails(person.email)) == mailed


async def test_no_word_of_a_strangers_browser_gets_into_a_mail(service: Service, person: Person) -> None:
    await service.member(person)
    await service.deliver_mails(person.email)
    async with device(service, person.email, "Call +1 900 555 0100 https://evil.example <b>now</b>") as somebody:
        await signed_in(somebody)
    await service.deliver_mails(person.email)
    mail = service.mails_to(person.email)[-1]
    assert "Unknown device" in mail.text
    for content in (mail.text, mail.html):
        assert "evil" not in content
        assert "900" not in content


async def test_a_stolen_refresh_token_ends_its_session_and_its_owner_is_told(
    service: Service, database: Database, person: Person
) -> None:
    member = await service.member(person)
    other = await signed_in(person)
    await service.deliver_mails(person.email)
    current = (await person.refresh(member["refresh_token"])).json()
    service.clock.ahead = timedelta(seconds=11)
    async with device(service, person.email, FIREFOX, CAFE) as thief:
        for _ in range(3):
            assert (await thief.refresh(member["refresh_token"])).json()["code"] == "session-expired"
    assert (await person.refresh(current["refresh_token"])).status_code == 401
    assert (await person.me(current["token"])).status_code == 401
    assert (await person.me(other["token"])).status_code == 200
    assert (await person.refresh(other["refresh_token"])).status_code == 200
    assert [each["mail"] for each in await service.deliver_mails(person.email)] == ["session-token-reused"]
    mail = service.mails_to(person.email)[-1]
    assert mail.subject == "We signed one of your devices out"
    assert CAFE in mail.text
    assert "this computer" in mail.text
    for secret in (member["refresh_token"], current["refresh_token"]):
        assert secret not in mail.text + mail.html
    assert (await recorded(database, member["user"]["id"]))[-1] == "session.token-reused"
