"""A change of e-mail address: confirmed from the new mailbox, taken back from the old one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text

from sample_agent.accounts.users.models import OneTimeToken
from sample_agent.core.database import Database
from sample_agent.core.mail import StoredMail
from tests.accounts.deployment import PASSWORD, Person, Service, fresh_address, link_token
from tests.accounts.test_passwords import NEW_PASSWORD, actions, ask_for_link, change, reset


async def ask(person: Person, session: dict[str, Any], email: str, password: str = PASSWORD) -> httpx.Response:
    return await person.post(
        "/api/account/email", {"email": email, "password": password}, Authorization=f"Bearer {session['token']}"
    )


async def newest_mail(service: Service, address: str) -> StoredMail:
    await service.deliver_mails(address)
    return service.mails_to(address)[-1]


async def confirm(person: Person, token: str) -> httpx.Response:
    return await person.post("/api/auth/confirm-email", {"token": token})


async def undo(person: Person, token: str) -> httpx.Response:
    return await person.post("/api/auth/undo-email-change", {"token": token})


async def move(service: Service, person: Person, session: dict[str, Any], old: str, new: str) -> str:
    """Change the address and return the token that takes it back."""
    assert (await ask(person, session, new)).status_code == 202
    assert (await confirm(person, link_token(await newest_mail(service, new)))).status_code == 200
    return link_token(await newest_mail(service, old))


async def test_an_address_is_changed_from_its_mailbox_and_the_old_one_hears_of_it(
    service: Service, database: Database, person: Person
) -> None:
    session, new = await service.member(person), fresh_address()
    asked = await ask(person, session, f" {new.upper()} ")
    assert asked.status_code == 202
    assert (await person.me(session["token"])).json()["email"] == person.email

    assert (await confirm(person, link_token(await newest_mail(service, new)))).status_code == 200
    assert (await person.me(session["token"])).json()["email"] == new
    assert (await person.login()).status_code == 401
    assert (await person.login(email=new)).status_code == 200
    notice = await newest_mail(service, person.email)
    assert notice.subject == "Your e-mail address was changed"
    assert new not in notice.text + notice.html
    assert (await actions(database, new))[-3:] == ["email.change-asked", "email.changed", "session.began"]


async def test_the_password_is_asked_for(service: Service, person: Person) -> None:
    session, new = await service.member(person), fresh_address()
    refused = await ask(person, session, new, password="something else entirely")
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong-proof")
    service.clock.ahead = timedelta(minutes=11)
    assert (await ask(person, session, new)).json()["code"] == "step-up-required"
    assert await service.deliver_mails(new) == []


async def test_ones_own_address_is_nothing_to_change_to(service: Service, person: Person) -> None:
    session = await service.member(person)
    assert (await ask(person, session, person.email.upper())).json()["code"] == "same-email"


async def test_whether_an_address_is_taken_only_its_mailbox_learns(service: Service, person: Person) -> None:
    session = await service.member(person)
    async with service.visitor() as other:
        await service.member(other)
    free, taken = await ask(person, session, fresh_address()), await ask(person, session, other.email)
    assert (free.status_code, free.json(), free.headers.keys()) == (202, taken.json(), taken.headers.keys())
    notice = await newest_mail(service, other.email)
    assert notice.subject == "This address has an account already"
    assert "token=" not in notice.text
    assert person.email not in notice.text


async def test_an_address_that_is_taken_meanwhile_stays_whose_it_is(service: Service, person: Person) -> None:
    session, new = await service.member(person), fresh_address()
    await ask(person, session, new)
    token = link_token(await newest_mail(service, new))
    async with service.visitor(new, password=NEW_PASSWORD) as other:
        await service.member(other)
        refused = await confirm(person, token)
        assert (refused.status_code, refused.json()["code"]) == (409, "email-taken")
        assert (await other.login()).status_code == 200
    assert (await person.login()).status_code == 200


async def test_two_who_want_one_address_at_once_do_not_both_get_it(service: Service, person: Person) -> None:
    new = fresh_address()
    async with service.visitor() as other:
        tokens = []
        for each in (person, other):
            await ask(each, await service.member(each), new)
            tokens.append(link_token(await newest_mail(service, new)))
        answers = await asyncio.gather(*(confirm(person, token) for token in tokens * 3))
        assert sorted(answer.status_code for answer in answers)[:2] == [200, 409]
        assert {answer.status_code for answer in answers} <= {200, 409, 410}
        assert [answer.status_code for answer in answers].count(200) == 1


async def test_a_new_address_ends_the_registrations_that_waited_for_it(service: Service, person: Person) -> None:
    session, new = await service.member(person), fresh_address()
    async with service.visitor(new, password=NEW_PASSWORD) as other:
        await other.register()
        token = await service.mailed_token(other)
        await move(service, person, session, person.email, new)
        assert (await other.confirm(token)).status_code == 410
        assert (await other.login()).status_code == 401


async def test_a_link_to_a_new_address_works_once_and_for_a_day(service: Service, person: Person) -> None:
    session = await service.member(person)
    first, second = fresh_address(), fresh_address()
    await ask(person, session, first)
    replaced = link_token(await newest_mail(service, first))
    await ask(person, session, second)
    token = link_token(await newest_mail(service, second))
    assert (await confirm(person, replaced)).status_code == 410
    service.clock.ahead = timedelta(hours=24, seconds=1)
    assert (await confirm(person, token)).status_code == 410
    service.clock.ahead = timedelta(hours=23)
    answers = await asyncio.gather(*(confirm(person, token) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 410, 410]


async def test_a_new_password_ends_a_change_of_address_that_was_asked_for_before(
    service: Service, person: Person
) -> None:
    session, new = await service.member(person), fresh_address()
    await ask(person, session, new)
    token = link_token(await newest_mail(service, new))
    await change(person, session)
    assert (await confirm(person, token)).status_code == 410


async def test_a_new_address_ends_the_password_link_of_the_old_one(service: Service, person: Person) -> None:
    session = await service.member(person)
    token = await ask_for_link(service, person)
    await move(service, person, session, person.email, fresh_address())
    assert (await reset(person, token)).status_code == 410


async def test_the_old_mailbox_takes_the_change_back_even_from_whoever_changed_the_password_too(
    service: Service, database: Database, person: Person
) -> None:
    session, new = await service.member(person), fresh_address()
    token = await move(service, person, session, person.email, new)
    assert (await change(person, session)).status_code == 200
    service.clock.ahead = timedelta(days=6, hours=23)
    thief = (await person.login(email=new, password=NEW_PASSWORD, mode="body")).json()

    assert (await undo(person, token)).status_code == 200
    assert (await person.me(thief["token"])).status_code == 401
    assert (await person.refresh(thief["refresh_token"])).status_code == 401
    assert (await person.login(email=new, password=NEW_PASSWORD)).status_code == 401
    restored = await newest_mail(service, person.email)
    assert restored.subject == "Your old e-mail address is back"
    assert (await reset(person, link_token(restored), PASSWORD)).status_code == 200
    assert (await person.login()).status_code == 200
    assert (await undo(person, token)).status_code == 410
    assert (await actions(database, person.email)).count("email.change-undone") == 1


async def test_the_way_back_is_open_for_a_week(service: Service, person: Person) -> None:
    session = await service.member(person)
    token = await move(service, person, session, person.email, fresh_address())
    service.clock.ahead = timedelta(days=7, seconds=1)
    assert (await undo(person, token)).status_code == 410


async def test_a_second_change_leaves_the_way_back_from_the_first_and_goes_with_it(
    service: Service, person: Person
) -> None:
    session, second, third = await service.member(person), fresh_address(), fresh_address()
    back_to_first = await move(service, person, session, person.email, second)
    back_to_second = await move(service, person, session, second, third)
    assert (await undo(person, back_to_first)).status_code == 200
    assert (await undo(person, back_to_second)).status_code == 410
    assert (await person.login()).status_code == 200


async def test_a_way_back_that_is_mailed_late_does_not_lead_forward_again(service: Service, person: Person) -> None:
    session, second, third = await service.member(person), fresh_address(), fresh_address()
    back_to_first = await move(service, person, session, person.email, second)
    await ask(person, session, third)
    await confirm(person, link_token(await newest_mail(service, third)))
    assert (await undo(person, back_to_first)).status_code == 200
    before = service.mails_to(second)
    await service.deliver_mails(second)
    assert service.mails_to(second) == before


async def test_an_old_address_that_has_become_somebody_elses_is_not_taken_from_them(
    service: Service, person: Person
) -> None:
    session, new = await service.member(person), fresh_address()
    token = await move(service, person, session, person.email, new)
    async with service.visitor(person.email, password=NEW_PASSWORD) as other:
        await service.member(other)
        assert (await undo(person, token)).json()["code"] == "email-taken"
        assert (await other.login()).status_code == 200
    assert (await person.login(email=new)).status_code == 200


async def test_a_mail_that_still_waits_is_outdated_by_a_new_password(service: Service, person: Person) -> None:
    session, elsewhere = await service.member(person), fresh_address()
    assert (await ask(person, session, elsewhere)).status_code == 202
    assert (await reset(person, await ask_for_link(service, person))).status_code == 200
    await service.deliver_mails(elsewhere)
    assert service.mails_to(elsewhere) == []


async def test_a_mail_on_its_way_during_a_change_leads_nowhere_after_it(
    service: Service, database: Database, person: Person
) -> None:
    """The token is written down only after the change, as when the mail was composed at that moment."""
    session, elsewhere = await service.member(person), fresh_address()
    assert (await ask(person, session, elsewhere)).status_code == 202
    token = link_token(await newest_mail(service, elsewhere))
    take = text("delete from one_time_tokens where email = :email returning *")
    async with database.transaction(purpose="identity") as db:
        row = dict((await db.execute(take, {"email": elsewhere})).mappings().one())
    assert (await change(person, session)).status_code == 200
    async with database.transaction(purpose="identity") as db:
        db.add(OneTimeToken(**row))
    assert (await confirm(person, token)).status_code == 410
    assert (await person.me(session["token"])).json()["email"] == person.email


async def test_a_password_link_that_still_waits_is_outdated_by_a_new_address(service: Service, person: Person) -> None:
    session, new = await service.member(person), fresh_address()
    assert (await ask(person, session, new)).status_code == 202
    token = link_token(await newest_mail(service, new))
    assert (await person.post("/api/auth/forgot-password", {"email": person.email})).status_code == 202
    assert (await confirm(person, token)).status_code == 200
    await service.deliver_mails(person.email)
    assert [mail.subject for mail in service.mails_to(person.email)[1:]] == ["Your e-mail address was changed"]


async def test_the_way_back_that_still_waits_is_mailed_after_a_new_password(service: Service, person: Person) -> None:
    session, new = await service.member(person), fresh_address()
    assert (await ask(person, session, new)).status_code == 202
    assert (await confirm(person, link_token(await newest_mail(service, new)))).status_code == 200
    assert (await change(person, session)).status_code == 200
    assert (await undo(person, link_token(await newest_mail(service, person.email)))).status_code == 200
    assert (await reset(person, await service.mailed_token(person))).status_code == 200


async def test_a_change_of_address_asked_for_with_a_password_that_changes_meanwhile_is_refused_or_outdated(
    service: Service, person: Person
) -> None:
    session, elsewhere = await service.member(person), fresh_address()
    asked, changed = await asyncio.gather(ask(person, session, elsewhere), change(person, session))
    assert asked.status_code in {202, 422}
    assert changed.status_code == 200
    await service.deliver_mails(elsewhere)
    assert service.mails_to(elsewhere) == []
