"""From registration to a confirmed address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from sample_agent.accounts import create_user
from sample_agent.accounts.tasks import COMPOSERS, send_mail
from sample_agent.core.database import Database
from sample_agent.core.mail import Mail, MailNotSent
from tests.accounts.deployment import PASSWORD, PUBLIC_URL, Person, Service, fresh_address, link_token

OTHER_PASSWORD = "five bars of something"


async def test_the_whole_way_from_registration_to_signing_out(service: Service, person: Person) -> None:
    registered = await person.register(first_name=" Nujabes ", last_name="Seba")
    assert registered.status_code == 201
    assert registered.json()["user"] | {"id": ""} == {
        "id": "",
        "email": person.email,
        "first_name": "Nujabes",
        "last_name": "Seba",
    }
    await service.confirm(person)

    signed_in = await person.login()
    assert signed_in.status_code == 200
    body = signed_in.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert "refresh_token" not in body
    assert body["user"]["id"] == registered.json()["user"]["id"]
    assert body["user"]["tier"] == "free"
    assert body["user"]["is_admin"] is False

    assert (await person.me(body["token"])).json() == body["user"]

    refreshed = await person.refresh_by_cookie()
    assert refreshed.status_code == 200
    assert refreshed.json()["user"] == body["user"]

    token = refreshed.json()["token"]
    signed_out = await person.post("/api/auth/logout", Authorization=f"Bearer {token}")
    assert signed_out.status_code == 200
    assert "__Host-refresh" not in person.browser.cookies
    assert (await person.me(token)).json()["code"] == "session-expired"
    assert (await person.me(body["token"])).status_code == 401


@pytest.mark.parametrize(
    ("password", "complaint"),
    [("12345", "Use at least 8 characters."), ("x" * 1025, "Use at most 1024 characters.")],
)
async def test_a_password_of_the_wrong_length_is_refused_in_words_for_people(
    service: Service, person: Person, password: str, complaint: str
) -> None:
    refused = await person.register(password=password)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"loc": ["body", "password"], "msg": complaint}]


async def test_an_address_in_other_letters_is_the_same_address(service: Service) -> None:
    address = fresh_address()
    async with service.visitor(address.replace("maker", "MaKeR").replace("example", "EXAMPLE")) as person:
        assert (await person.register()).json()["user"]["email"] == address
        person.email = address
        await service.confirm(person)
        assert (await person.login(email=f"  {address.upper()} ")).status_code == 200


async def test_sign_in_waits_for_the_address_to_be_confirmed(service: Service, person: Person) -> None:
    await person.register()
    refused = await person.login()
    assert refused.status_code == 403
    assert refused.json()["code"] == "email-not-verified"
    assert refused.json()["resend"] == "/api/auth/resend-verification"
    assert (await person.login(password=OTHER_PASSWORD)).status_code == 401
    await service.confirm(person)
    assert (await person.login()).status_code == 200


async def test_a_stranger_who_registers_over_an_address_does_not_hide_that_it_waits(person: Person) -> None:
    await person.register()
    await person.register(password=OTHER_PASSWORD)
    for password in (PASSWORD, OTHER_PASSWORD):
        assert (await person.login(password=password)).json()["code"] == "email-not-verified"


async def test_following_the_link_signs_in(service: Service, person: Person) -> None:
    registered = await person.register(first_name="Jay")
    answer = await person.confirm(await service.mailed_token(person), mode="cookie")
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert "refresh_token" not in body
    assert (body["user"]["id"], body["user"]["first_name"]) == (registered.json()["user"]["id"], "Jay")
    assert (await person.me(body["token"])).json()["email"] == person.email
    assert (await person.refresh_by_cookie()).status_code == 200


async def test_a_wrong_password_confirms_nothing_and_leaves_the_link_good(service: Service, person: Person) -> None:
    await person.register()
    token = await service.mailed_token(person)
    refused = await person.confirm(token, password=OTHER_PASSWORD)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid-credentials")
    assert (await person.login(password=OTHER_PASSWORD)).status_code == 401
    assert (await person.confirm(token)).status_code == 200


async def test_a_link_works_once(service: Service, person: Person) -> None:
    await person.register()
    token = await service.confirm(person)
    again = await person.confirm(token)
    assert again.status_code == 410
    assert again.json()["code"] == "token-expired-or-used"


async def test_two_clicks_at_once_confirm_once(service: Service, person: Person) -> None:
    await person.register()
    token = await service.mailed_token(person)
    answers = await asyncio.gather(*(person.confirm(token) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [410] * 7


async def test_a_link_expires_after_a_day(service: Service, person: Person) -> None:
    await person.register()
    await service.deliver_mails(person.email)
    service.clock.ahead = timedelta(hours=24, seconds=1)
    token = link_token(service.mails_to(person.email)[-1])
    assert (await person.confirm(token)).status_code == 410
    assert (await person.login()).status_code == 403


async def test_a_registration_is_forgotten_after_a_week(service: Service, person: Person) -> None:
    await person.register()
    service.clock.ahead = timedelta(days=6, hours=23)
    await person.post("/api/auth/resend-verification", {"email": person.email})
    token = await service.mailed_token(person)
    service.clock.ahead = timedelta(days=7, seconds=1)
    assert (await person.confirm(token)).status_code == 401
    await person.post("/api/auth/resend-verification", {"email": person.email})
    mailed = len(service.mails_to(person.email))
    await service.deliver_mails(person.email)
    assert len(service.mails_to(person.email)) == mailed


async def test_the_first_link_that_is_followed_ends_all_others(service: Service, person: Person) -> None:
    await person.register()
    await service.deliver_mails(person.email)
    assert (await person.post("/api/auth/resend-verification", {"email": person.email.upper()})).status_code == 202
    await service.deliver_mails(person.email)
    first, second = (link_token(mail) for mail in service.mails_to(person.email))
    assert first != second
    assert (await person.confirm(first)).status_code == 200
    assert (await person.confirm(second)).status_code == 410


async def test_a_mail_sent_a_second_time_after_a_failure_carries_the_same_link(
    service: Service, person: Person
) -> None:
    class ServerThatForgets:
        async def send(self, mail: Mail) -> None:
            sent.append(mail)
            raise MailNotSent("the connection broke after the mail was taken")

    sent: list[Mail] = []
    await person.register()
    (payload,) = await service.take_queued_mails(person.email)
    resources = service.mail_resources
    service.mail_resources = type(resources)(
        resources.database, ServerThatForgets(), PUBLIC_URL, resources.signing_key, COMPOSERS, service.clock
    )
    with pytest.raises(MailNotSent):
        await send_mail(payload, service.mail_resources)
    await send_mail(payload, resources)
    (delivered,) = service.mails_to(person.email)
    assert link_token(delivered) in sent[0].text
    assert (await person.confirm(link_token(delivered))).status_code == 200


async def test_known_and_unknown_addresses_are_answered_alike(service: Service, person: Person) -> None:
    await service.member(person)
    stranger = fresh_address()

    known = await person.register()
    unknown = await person.register(email=stranger)
    assert known.status_code == unknown.status_code == 201
    assert known.headers.keys() == unknown.headers.keys()
    assert _blurred(known.json()) == _blurred(unknown.json())
    assert known.json()["user"]["id"] != (await person.login(mode="body")).json()["user"]["id"]

    nobody = fresh_address()
    resent = [await person.post("/api/auth/resend-verification", {"email": to}) for to in (person.email, nobody)]
    assert {(answer.status_code, answer.text) for answer in resent} == {(202, resent[0].text)}

    refusals = [await person.login(email=to, password=OTHER_PASSWORD) for to in (person.email, nobody)]
    assert [answer.status_code for answer in refusals] == [401, 401]
    assert _blurred(refusals[0].json()) == _blurred(refusals[1].json())


async def test_the_owner_of_a_taken_address_hears_of_it_and_keeps_the_password(
    service: Service, person: Person
) -> None:
    await service.member(person)
    assert (await person.register(password=OTHER_PASSWORD, first_name="Mallory")).status_code == 201
    await service.deliver_mails(person.email)
    notice = service.mails_to(person.email)[-1]
    assert notice.subject == "You have an account already"
    assert "verify-email" not in notice.text
    assert "Mallory" not in notice.text
    # As it is for an address without an account, so that this tells nothing either.
    assert (await person.login(password=OTHER_PASSWORD)).json()["code"] == "email-not-verified"
    assert (await person.login()).json()["user"]["first_name"] == ""


async def test_a_stranger_who_registers_over_an_address_can_plant_no_password(service: Service, person: Person) -> None:
    """Neither before the owner of the mailbox registers nor after it, and whichever link the owner follows."""
    await person.register(password=OTHER_PASSWORD, first_name="Mallory")
    await person.register(first_name="Ana")
    await person.register(password=OTHER_PASSWORD, first_name="Mallory")
    await service.deliver_mails(person.email)
    links = [link_token(mail) for mail in service.mails_to(person.email)]
    assert len(set(links)) == 3
    answer = await person.confirm(links[0])
    assert answer.json()["user"]["first_name"] == "Ana"
    assert (await person.login(password=OTHER_PASSWORD)).status_code == 401
    assert (await person.login()).status_code == 200
    for token in links:
        assert (await person.confirm(token, password=OTHER_PASSWORD)).status_code == 410


async def test_a_stranger_who_registers_over_a_taken_address_gets_no_link(service: Service, person: Person) -> None:
    await service.member(person)
    await person.register(password=OTHER_PASSWORD)
    await person.post("/api/auth/resend-verification", {"email": person.email})
    await service.deliver_mails(person.email)
    assert all("token=" not in mail.text for mail in service.mails_to(person.email)[1:])


async def test_an_address_has_ten_registrations_at_most(service: Service, database: Database, person: Person) -> None:
    for number in range(12):
        assert (await person.register(password=f"{number} bars of nothing")).status_code == 201
    async with database.transaction(purpose="identity") as session:
        kept = await session.scalar(
            text("select count(*) from registrations where email = :email"), {"email": person.email}
        )
    assert kept == 10
    token = await service.mailed_token(person)
    assert (await person.confirm(token, password="1 bars of nothing")).status_code == 401
    assert (await person.confirm(token, password="2 bars of nothing")).status_code == 200


async def test_two_registrations_confirmed_at_once_make_one_account(
    service: Service, another_process: Callable[[], Service], person: Person
) -> None:
    passwords = [f"{number} bars of nothing" for number in range(4)]
    for password in passwords:
        await person.register(password=password)
    await service.deliver_mails(person.email)
    links = [link_token(mail) for mail in service.mails_to(person.email)]
    async with another_process().visitor(person.email) as elsewhere:
        answers = await asyncio.gather(
            *(
                visitor.confirm(link, password=password)
                for visitor in (person, elsewhere)
                for link, password in zip(links, passwords, strict=True)
            )
        )
    assert sorted(answer.status_code in {401, 410} for answer in answers) == [False] + [True] * 7
    signed_in = [await person.login(password=password) for password in passwords]
    assert sorted(answer.status_code for answer in signed_in) == [200, 401, 401, 401]


async def test_an_account_made_by_hand_ends_the_registrations_of_its_address(
    service: Service, database: Database, person: Person
) -> None:
    await person.register(password=OTHER_PASSWORD)
    token = await service.mailed_token(person)
    await create_user(database, service.identity.passwords, email=person.email, password=PASSWORD)
    assert (await person.confirm(token, password=OTHER_PASSWORD)).status_code == 410
    assert (await person.login(password=OTHER_PASSWORD)).status_code == 401
    assert (await person.login()).status_code == 200


async def test_nothing_is_mailed_to_an_address_without_an_account(service: Service, person: Person) -> None:
    await person.post("/api/auth/resend-verification", {"email": person.email})
    assert len(await service.deliver_mails(person.email)) == 1
    assert service.mails_to(person.email) == []


@pytest.mark.parametrize("password", ["password", "PASSWORD1", "iloveyou", "12345678", "qwertyuiop", "Football"])
async def test_a_common_password_is_refused(person: Person, password: str) -> None:
    answer = await person.register(password=password)
    assert answer.status_code == 422
    assert answer.json()["code"] == "password-too-common"
    assert answer.json()["errors"][0]["loc"] == ["body", "password"]


async def test_ones_own_address_is_no_password(person: Person) -> None:
    assert (await person.register(password=person.email.upper())).json()["code"] == "password-too-common"


@pytest.mark.parametrize("password", ["ää öü ßß", "密码密码密码密码", " 8 spaces", "tab\tand\0nul", "x" * 1024])
async def test_any_characters_make_a_password_and_count_exactly(
    service: Service, person: Person, password: str
) -> None:
    person.password = password
    await service.member(person)
    assert (await person.login(password=password[:-1] + "y")).status_code == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "seven77"),
        ("password", "x" * 1025),
        ("password", "\ud800" * 9),
        ("password", None),
        ("email", "nobody"),
        ("email", "two@example.com, three@example.com"),
        ("email", "line\nbreak@example.com"),
        ("email", "müller@example.com"),
        ("email", f"{'x' * 250}@example.com"),
        ("first_name", "Bell\x07"),
        ("last_name", "x" * 101),
    ],
)
async def test_what_is_wrong_with_a_registration_is_named(person: Person, field: str, value: object) -> None:
    content = {"email": person.email, "password": PASSWORD, field: value}
    as_json = {"Content-Type": "application/json"}
    answer = await person.browser.post("/api/auth/register", content=json.dumps(content), headers=as_json)
    assert answer.status_code == 422
    assert answer.json()["code"] == "validation-failed"
    assert answer.json()["errors"][0]["loc"][-1] == field
    assert str(value) not in answer.text or value is None


@pytest.mark.parametrize("email", ["", "nobody", "nul\0@example.com", "ünï@example.com", "'; drop table users; --"])
async def test_what_is_no_address_has_no_account(person: Person, email: str) -> None:
    assert (await person.login(email=email)).status_code == 401


@pytest.mark.parametrize("path", ["resend-verification", "forgot-password"])
@pytest.mark.parametrize("email", ["", "nobody", "nul\0@example.com", "@studio-mail.com", "'; drop table users; --"])
async def test_what_is_no_address_gets_no_mail_and_the_field_says_so(person: Person, path: str, email: str) -> None:
    answer = await person.post(f"/api/auth/{path}", {"email": email})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "email"]


@pytest.mark.parametrize("token", ["x", "\0", "ü" * 43, "0190c2a7-0000-7000-8000-000000000000"])
async def test_a_made_up_link_token_is_refused(person: Person, token: str) -> None:
    assert (await person.confirm(token)).status_code == 410


def _blurred(body: dict[str, object]) -> dict[str, object]:
    """The answer without what differs between any two."""
    user = body.get("user")
    return {
        **body,
        "request_id": "",
        "user": {**user, "id": "", "email": ""} if isinstance(user, dict) else None,
    }
