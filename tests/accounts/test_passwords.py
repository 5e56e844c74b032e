"""New passwords: with a mailed link by whoever forgot the old one, and by whoever knows it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import bcrypt
import pytest
from sqlalchemy import text

from sample_agent.accounts import Identity, Keys
from sample_agent.accounts.passwords import Passwords, Scheme, measured_passes, passes_for
from sample_agent.core.database import Database
from sample_agent.core.settings import Settings
from tests.accounts.deployment import PASSWORD, Person, Service

NEW_PASSWORD = "six bars of everything"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def ask_for_link(service: Service, person: Person) -> str:
    answer = await person.post("/api/auth/forgot-password", {"email": person.email})
    assert answer.status_code == 202
    return await service.mailed_token(person)


async def reset(person: Person, token: str, password: str = NEW_PASSWORD) -> Any:
    return await person.post("/api/auth/reset-password", {"token": token, "password": password})


async def change(person: Person, session: dict[str, Any], current: str = PASSWORD, new: str = NEW_PASSWORD) -> Any:
    return await person.post(
        "/api/account/password",
        {"current_password": current, "new_password": new},
        Authorization=f"Bearer {session['token']}",
    )


async def actions(database: Database, email: str) -> list[str]:
    async with database.transaction(purpose="identity") as session:
        rows = await session.scalars(
            text(
                "select action from audit_entries join users on users.id = tenant_id where email = :email"
                " order by position"
            ),
            {"email": email},
        )
        return list(rows)


async def test_a_forgotten_password_is_replaced_by_link_and_every_session_ends(
    service: Service, another_process: Callable[[], Service], database: Database, person: Person
) -> None:
    sessions = [await service.member(person), (await person.login(mode="body")).json()]
    token = await ask_for_link(service, person)
    done = await reset(person, token)
    assert done.status_code == 200
    assert "token" not in done.json()
    async with another_process().visitor(person.email) as elsewhere:
        for session in sessions:
            assert (await person.me(session["token"])).json()["code"] == "session-expired"
            assert (await elsewhere.me(session["token"])).json()["code"] == "session-expired"
            assert (await elsewhere.refresh(session["refresh_token"])).status_code == 401
    assert (await person.login()).status_code == 401
    assert (await person.login(password=NEW_PASSWORD)).status_code == 200
    await service.deliver_mails(person.email)
    assert "Your password was changed" in [mail.subject for mail in service.mails_to(person.email)]
    assert (await actions(database, person.email))[-3:] == [
        "password.reset-asked",
        "password.reset",
        "session.began",
    ]


async def test_a_link_for_a_new_password_works_once(service: Service, person: Person) -> None:
    await service.member(person)
    token = await ask_for_link(service, person)
    answers = await asyncio.gather(*(reset(person, token, f"{number} bars of everything") for number in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 410, 410, 410]
    assert (await reset(person, token)).json()["code"] == "token-expired-or-used"


async def test_a_link_for_a_new_password_lasts_half_an_hour(service: Service, person: Person) -> None:
    await service.member(person)
    token = await ask_for_link(service, person)
    service.clock.ahead = timedelta(minutes=30, seconds=1)
    assert (await reset(person, token)).status_code == 410
    assert (await person.login()).status_code == 200


async def test_the_newest_link_for_a_new_password_is_the_one_that_works(service: Service, person: Person) -> None:
    await service.member(person)
    first = await ask_for_link(service, person)
    second = await ask_for_link(service, person)
    assert (await reset(person, first)).status_code == 410
    assert (await reset(person, second)).status_code == 200


async def test_a_password_that_is_refused_leaves_the_link_good(service: Service, person: Person) -> None:
    await service.member(person)
    token = await ask_for_link(service, person)
    for refused in ("short", "password1", person.email):
        assert (await reset(person, token, refused)).status_code == 422
    assert (await reset(person, token)).status_code == 200


async def test_a_changed_password_ends_the_link_that_was_mailed_before(service: Service, person: Person) -> None:
    session = await service.member(person)
    token = await ask_for_link(service, person)
    assert (await change(person, session)).status_code == 200
    assert (await reset(person, token, PASSWORD)).status_code == 410
    assert (await person.login(password=NEW_PASSWORD)).status_code == 200


async def test_a_link_of_one_purpose_is_of_no_use_for_another(service: Service, person: Person) -> None:
    await person.register()
    verification = await service.mailed_token(person)
    assert (await reset(person, verification)).status_code == 410
    await person.confirm(verification)
    token = await ask_for_link(service, person)
    assert (await person.confirm(token)).status_code == 410
    for path in ("confirm-email", "undo-email-change"):
        assert (await person.post(f"/api/auth/{path}", {"token": token})).status_code == 410
    assert (await reset(person, token)).status_code == 200


async def test_the_mail_says_who_asked_in_our_words_alone(service: Service) -> None:
    async with service.visitor() as person:
        await service.member(person)
        body = {"email": person.email}
        await person.post("/api/auth/forgot-password", body, User_Agent=f"{FIREFOX} visit-evil.example")
        await service.deliver_mails(person.email)
    mail = service.mails_to(person.email)[-1]
    assert "Firefox on Linux" in mail.text
    assert "Firefox on Linux" in mail.html
    assert "127.0.0.1 (this computer)" in mail.text
    assert "evil" not in mail.text + mail.html


@pytest.mark.parametrize("state", ["unknown", "registered", "switched off"])
async def test_nothing_is_mailed_where_there_is_no_password_to_forget(
    service: Service, database: Database, person: Person, state: str
) -> None:
    if state == "registered":
        await person.register()
        await service.take_queued_mails(person.email)
    if state == "switched off":
        await service.member(person)
        async with database.transaction(purpose="identity") as session:
            await session.execute(text("update users set is_active = false where email = :e"), {"e": person.email})
    before = service.mails_to(person.email)
    assert (await person.post("/api/auth/forgot-password", {"email": person.email})).status_code == 202
    assert len(await service.deliver_mails(person.email)) == 1
    assert service.mails_to(person.email) == before


async def test_a_link_is_of_no_use_once_the_account_is_switched_off(
    service: Service, database: Database, person: Person
) -> None:
    await service.member(person)
    token = await ask_for_link(service, person)
    async with database.transaction(purpose="identity") as session:
        await session.execute(text("update users set is_active = false where email = :e"), {"e": person.email})
    assert (await reset(person, token)).status_code == 410


async def test_a_change_of_password_ends_the_other_sessions_and_tells_the_person(
    service: Service, another_process: Callable[[], Service], database: Database, person: Person
) -> None:
    session = await service.member(person)
    other = (await person.login(mode="body")).json()
    refused = await change(person, session, current="something else entirely")
    assert (refused.status_code, refused.json()["code"]) == (422, "wrong-proof")
    assert refused.json()["errors"][0]["loc"] == ["body", "current_password"]
    assert (await person.me(other["token"])).status_code == 200

    assert (await change(person, session)).status_code == 200
    assert (await person.me(session["token"])).status_code == 200
    assert (await person.me(other["token"])).status_code == 401
    async with another_process().visitor(person.email) as elsewhere:
        assert (await elsewhere.refresh(other["refresh_token"])).status_code == 401
        assert (await elsewhere.refresh(session["refresh_token"])).status_code == 200
        assert (await elsewhere.login()).status_code == 401
        assert (await elsewhere.login(password=NEW_PASSWORD)).status_code == 200
    await service.deliver_mails(person.email)
    (mail,) = [mail for mail in service.mails_to(person.email) if mail.subject == "Your password was changed"]
    assert "/forgot-password" in mail.text
    assert "token" not in mail.text
    assert (await actions(database, person.email)).count("password.changed") == 1


@pytest.mark.parametrize(
    ("count", "said"), [(0, ""), (1, "one of yours goes on working"), (2, "2 of yours go on working")]
)
async def test_api_keys_go_on_working_after_a_reset_and_the_mail_says_so(
    service: Service, person: Person, count: int, said: str
) -> None:
    bearer = {"Authorization": f"Bearer {(await service.member(person))['token']}"}
    made = [
        (await person.post("/api/user/api-keys", {"name": "backup", "scopes": ["account:read"]}, **bearer)).json()
        for _ in range(count + 1)
    ]
    revoked = made.pop()["api_key"]["id"]
    assert (await person.browser.delete(f"/api/user/api-keys/{revoked}", headers=bearer)).status_code == 204
    assert (await reset(person, await ask_for_link(service, person))).status_code == 200
    assert [(await person.me(each["key"])).status_code for each in made] == [200] * count
    await service.deliver_mails(person.email)
    mail = service.mails_to(person.email)[-1]
    assert mail.subject == "Your password was changed"
    for content in (mail.text, mail.html):
        assert said in content
        assert ("/settings/api-keys" in content) == (count > 0)


async def test_two_changes_at_once_from_one_password_leave_one(service: Service, person: Person) -> None:
    session = await service.member(person)
    new = [f"{number} bars of everything" for number in range(4)]
    answers = await asyncio.gather(*(change(person, session, new=password) for password in new))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]
    signed_in = [(await person.login(password=password)).status_code for password in new]
    assert sorted(signed_in) == [200, 401, 401, 401]


async def test_a_new_password_obeys_the_rules_and_names_its_field(service: Service, person: Person) -> None:
    session = await service.member(person)
    for password in ("short", "password1", person.email, "x" * 1025):
        refused = await change(person, session, new=password)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["loc"] == ["body", "new_password"]


async def test_names_are_changed_one_by_one(service: Service, database: Database, person: Person) -> None:
    session = await service.member(person)
    bearer = {"Authorization": f"Bearer {session['token']}"}
    for body in ({"first_name": " Jun "}, {"last_name": "Seba"}, {"first_name": "Jun"}, {}):
        answer = await person.browser.patch("/api/account", json=body, headers=bearer)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["first_name"], answer.json()["last_name"]) == ("Jun", "Seba")
    assert (await person.me(session["token"])).json() == answer.json()
    assert (await actions(database, person.email)).count("account.changed") == 2


@pytest.mark.parametrize("scheme", ["argon2id", "bcrypt"])
async def test_every_character_of_a_long_password_counts(scheme: Scheme) -> None:
    passwords, long = Passwords(concurrency=1, scheme=scheme), "ü" * 1024
    stored = await passwords.hash(long)
    assert await passwords.check(long, stored) == (True, None)
    assert await passwords.check(f"{long[:-1]}x", stored) == (False, None)
    assert await passwords.check(long[:-1], stored) == (False, None)
    assert await passwords.check("\0" + long, stored) == (False, None)


@pytest.mark.parametrize(("scheme", "prefix"), [("argon2id", "$argon2id$"), ("bcrypt", "$bcrypt-sha256$2b$12$")])
async def test_a_hash_of_the_other_kind_is_good_and_renewed(scheme: Scheme, prefix: str) -> None:
    other = Passwords(concurrency=1, scheme="bcrypt" if scheme == "argon2id" else "argon2id")
    right, renewed = await Passwords(concurrency=1, scheme=scheme).check(PASSWORD, await other.hash(PASSWORD))
    assert right
    assert renewed is not None
    assert renewed.startswith(prefix)


@pytest.mark.parametrize("kind", ["$2a$", "$2b$", "$2y$"])
async def test_an_account_from_elsewhere_signs_in_with_its_bcrypt_hash_which_is_replaced(
    service: Service, database: Database, kind: str
) -> None:
    password = "forty bars of " + "na" * 40
    imported = kind + bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()[4:]
    async with service.visitor(password=password) as person:
        await service.member(person)
        async with database.transaction(purpose="identity") as session:
            change_hash = text("update users set password_hash = :hash where email = :email")
            await session.execute(change_hash, {"hash": imported, "email": person.email})
        assert (await person.login(password="forty bars of ni")).status_code == 401
        assert (await person.login()).status_code == 200
        async with database.transaction(purpose="identity") as session:
            stored = await session.scalar(
                text("select password_hash from users where email = :email"), {"email": person.email}
            )
        assert stored.startswith("$argon2id$")
        assert (await person.login()).status_code == 200


@pytest.mark.parametrize("scheme", ["argon2id", "bcrypt"])
async def test_one_of_several_hashes_is_found_whatever_made_them(scheme: Scheme) -> None:
    passwords, salt = Passwords(concurrency=1, scheme=scheme), b"sixteen letters!"
    hashes = [await passwords.hash(f"{number} bars of nothing", salt=salt) for number in range(3)]
    hashes.append(await passwords.hash("random salt"))
    hashes.append(bcrypt.hashpw(b"imported", bcrypt.gensalt(4)).decode())
    known = ["0 bars of nothing", "1 bars of nothing", "2 bars of nothing", "random salt", "imported"]
    assert [await passwords.check_any(password, hashes, salt=salt) for password in known] == hashes
    assert await passwords.check_any("none of them", hashes, salt=salt) is None
    assert await passwords.check_any("none of them", [], salt=salt) is None


@pytest.mark.parametrize(
    ("milliseconds_of_two", "passes"), [(300, 2), (79, 2), (40, 2), (39, 4), (20, 4), (12, 8), (5, 16), (0.1, 32)]
)
def test_a_hash_takes_40_to_80_milliseconds_where_the_machine_can(milliseconds_of_two: float, passes: int) -> None:
    assert passes_for(milliseconds_of_two) == passes


async def test_a_hash_is_renewed_when_it_was_cheaper_and_never_made_cheaper() -> None:
    cheap, dear = Passwords(concurrency=1, passes=2), Passwords(concurrency=1, passes=4)
    right, renewed = await dear.check(PASSWORD, await cheap.hash(PASSWORD))
    assert right
    assert renewed is not None
    assert renewed.startswith("$argon2id$v=19$m=19456,t=4,p=1$")
    assert await cheap.check(PASSWORD, renewed) == (True, None)


async def test_a_program_measures_what_a_hash_costs_unless_it_is_set(
    settings: Settings, database: Database, keys: Keys
) -> None:
    unset = Identity(settings.model_copy(update={"password_hash_passes": None}), database, keys)
    assert f"t={measured_passes()}," in await unset.passwords.hash(PASSWORD)
    told = Identity(settings.model_copy(update={"password_hash_passes": 3}), database, keys)
    assert "m=19456,t=3," in await told.passwords.hash(PASSWORD)
