"""API keys: made by people, shown once, good for what they were made for and for no longer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from sample_agent.accounts.api_keys.service import MOST_KEYS
from sample_agent.accounts.live_keys import LiveKeys, is_well_formed, new_key
from sample_agent.accounts.live_sessions import REVOCATION_SECONDS
from sample_agent.accounts.tasks import forget_expired
from sample_agent.core.database import Database
from sample_agent.core.postgres import ServerAddress
from tests.accounts.deployment import Person, Service

KEYS = "/api/user/api-keys"
NO_KEY = "00000000-0000-4000-8000-000000000000"
ME = "/api/auth/me"


@dataclass
class Owner:
    """Somebody in a session of theirs, with a browser for it."""

    person: Person
    token: str
    id: str

    async def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return await self.person.browser.request(method, path, json=body, headers=headers)

    async def makes(self, *scopes: str, **more: Any) -> dict[str, Any]:
        answer = await self.send("POST", KEYS, {"name": "my script", "scopes": scopes or ("account:read",), **more})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def rotates(self, made: dict[str, Any], overlap_days: int = 0) -> httpx.Response:
        return await self.send("POST", f"{KEYS}/{made['api_key']['id']}/rotate", {"overlap_days": overlap_days})

    async def keys(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = (await self.send("GET", KEYS)).json()["api_keys"]
        return listed


@pytest_asyncio.fixture(autouse=True)
async def _settled(service: Service) -> AsyncIterator[None]:
    """The database stays open until the last use is noted."""
    yield
    await service.identity.key_uses.settled()


@pytest_asyncio.fixture
async def owner(service: Service, person: Person) -> Owner:
    return await _owner(service, person)


@pytest_asyncio.fixture
async def stranger(service: Service) -> AsyncIterator[Owner]:
    async with service.visitor() as visitor:
        yield await _owner(service, visitor)


async def _owner(service: Service, person: Person) -> Owner:
    signed_in = await service.member(person)
    return Owner(person, signed_in["token"], signed_in["user"]["id"])


async def _used(service: Service, key: str, path: str = ME, agent: str = "") -> httpx.Response:
    async with service.visitor() as program:
        answer = await program.browser.get(path, headers={"Authorization": f"Bearer {key}", "User-Agent": agent})
    await service.identity.key_uses.settled()
    return answer


async def test_a_key_is_shown_once_and_works(service: Service, owner: Owner) -> None:
    answer = await owner.send("POST", KEYS, {"name": " my script ", "scopes": ["usage:read", "account:read"]})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    key, shown = answer.json()["key"], answer.json()["api_key"]
    assert is_well_formed(key)
    assert (shown["name"], shown["hint"], shown["scopes"]) == ("my script", key[-4:], ["usage:read", "account:read"])
    assert shown["expires_at"] is shown["last_used_at"] is shown["replaced_by"] is None
    used = await _used(service, key)
    assert (used.status_code, used.json()["email"]) == (200, owner.person.email)
    listed = await owner.send("GET", KEYS)
    assert listed.headers["cache-control"] == "no-store"
    assert [each["id"] for each in listed.json()["api_keys"]] == [shown["id"]]
    assert key[:-4] not in listed.text


async def test_the_key_itself_is_kept_nowhere(service: Service, owner: Owner, postgres: ServerAddress) -> None:
    made = await owner.makes()
    (await owner.rotates(made)).raise_for_status()
    await service.deliver_mails(owner.person.email)
    body = made["key"].removeprefix("sak_live_")[:20]
    everything = Database(postgres.backup_url, pool_size=1)
    async with everything.engine.connect() as connection:
        for table in ("api_keys", "audit_entries", "audit_contexts", "mail_log", "pgqueuer"):
            assert not await connection.scalar(text(f"select count(*) from {table} t where t::text like '%{body}%'"))
    await everything.close()
    assert not any(body in mail.text + mail.html for mail in service.mails_to(owner.person.email))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 3651}, "expires_in_days"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
    ],
)
async def test_what_is_no_key_is_refused_with_a_reason(owner: Owner, changes: dict[str, Any], field: str) -> None:
    answer = await owner.send("POST", KEYS, {"name": "my script", "scopes": ["account:read"], **changes})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"][:2] == ["body", field]
    assert await owner.keys() == []


async def test_a_key_does_what_its_scopes_say_and_no_more(service: Service, owner: Owner) -> None:
    key = (await owner.makes("usage:read", "library:write"))["key"]
    refused = await _used(service, key)
    assert (refused.status_code, refused.json()["code"]) == (403, "missing-scope")
    assert refused.json()["scope"] == "account:read"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", KEYS),
        ("POST", KEYS),
        ("POST", f"{KEYS}/{NO_KEY}/rotate"),
        ("DELETE", f"{KEYS}/{NO_KEY}"),
        ("POST", "/api/auth/logout"),
    ],
)
async def test_a_key_makes_lists_and_ends_no_keys_and_no_sessions(
    service: Service, owner: Owner, method: str, path: str
) -> None:
    key = (await owner.makes("account:read", "library:write"))["key"]
    body = {"name": "another", "scopes": ["account:read"], "overlap_days": 0}
    answer = await owner.person.browser.request(method, path, json=body, headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "session-required")


@pytest.mark.parametrize("path", [KEYS, f"{KEYS}/{NO_KEY}/rotate"])
async def test_making_a_key_asks_for_a_recent_proof(service: Service, owner: Owner, path: str) -> None:
    service.clock.ahead = timedelta(minutes=service.settings.step_up_minutes + 1)
    body = {"name": "my script", "scopes": ["account:read"], "overlap_days": 0}
    answer = await owner.send("POST", path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "step-up-required")


@pytest.mark.parametrize("what", ["rotate", ""])
async def test_the_key_of_somebody_else_is_a_missing_key(owner: Owner, stranger: Owner, what: str) -> None:
    made = await stranger.makes()
    method, tail = ("POST", "/rotate") if what else ("DELETE", "")
    answers = [
        await owner.send(method, f"{KEYS}/{each}{tail}", {"overlap_days": 0})
        for each in (made["api_key"]["id"], str(uuid4()))
    ]
    foreign, missing = (
        {k: v for k, v in each.json().items() if k not in ("instance", "request_id")} for each in answers
    )
    assert foreign == missing
    assert {each.status_code for each in answers} == {404}
    assert len(await stranger.keys()) == 1


async def test_a_revoked_key_ends_here_at_once_and_elsewhere_within_a_second(
    service: Service, owner: Owner, another_process: Callable[[], Service]
) -> None:
    made, elsewhere = await owner.makes(), another_process()
    seconds = 1000.0
    elsewhere.identity.api_keys = LiveKeys(elsewhere.database, "free", elsewhere.clock, timer=lambda: seconds)
    assert (await _used(service, made["key"])).status_code == 200
    assert (await _used(elsewhere, made["key"])).status_code == 200
    assert (await owner.send("DELETE", f"{KEYS}/{made['api_key']['id']}")).status_code == 204
    refused = await _used(service, made["key"])
    assert (refused.status_code, refused.json()["code"]) == (401, "token-invalid")
    seconds += REVOCATION_SECONDS
    assert (await _used(elsewhere, made["key"])).status_code == 401
    assert await owner.keys() == []
    assert (await owner.send("DELETE", f"{KEYS}/{made['api_key']['id']}")).status_code == 404
    assert (await owner.rotates(made)).status_code == 404


async def test_a_key_ends_when_it_says(service: Service, owner: Owner) -> None:
    made = await owner.makes(expires_in_days=30)
    assert (await _used(service, made["key"])).status_code == 200
    service.clock.ahead = timedelta(days=30)
    assert (await _used(service, made["key"])).status_code == 401


async def test_after_rotation_both_keys_work_until_the_overlap_is_over(service: Service, owner: Owner) -> None:
    old = await owner.makes("account:read", expires_in_days=60, requests_per_minute=7)
    service.clock.ahead = timedelta(minutes=5)
    answer = await owner.rotates(old, overlap_days=7)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    new = answer.json()
    assert new["api_key"]["requests_per_minute"] == 7
    assert _days(new["api_key"]) == 60
    listed = {each["id"]: each for each in await owner.keys()}
    assert listed[old["api_key"]["id"]]["replaced_by"] == new["api_key"]["id"]
    for ahead, expected in ((timedelta(days=6), 200), (timedelta(days=8), 401)):
        service.clock.ahead = ahead
        assert (await _used(service, old["key"])).status_code == expected
        assert (await _used(service, new["key"])).status_code == 200


async def test_rotation_without_overlap_ends_the_old_key_at_once(service: Service, owner: Owner) -> None:
    old = await owner.makes()
    assert (await _used(service, old["key"])).status_code == 200
    new = (await owner.rotates(old)).json()
    assert (await _used(service, old["key"])).status_code == 401
    assert (await _used(service, new["key"])).status_code == 200


async def test_rotation_lengthens_no_life(service: Service, owner: Owner) -> None:
    old = await owner.makes(expires_in_days=2)
    await owner.rotates(old, overlap_days=30)
    service.clock.ahead = timedelta(days=2)
    assert (await _used(service, old["key"])).status_code == 401


async def test_a_key_is_rotated_once_while_its_successor_works(owner: Owner) -> None:
    old = await owner.makes()
    answers = await asyncio.gather(*(owner.rotates(old, overlap_days=30) for _ in range(3)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    new = next(each.json() for each in answers if each.status_code == 201)
    refused = next(each.json() for each in answers if each.status_code == 409)
    assert (refused["code"], refused["replaced_by"]) == ("api-key-replaced", new["api_key"]["id"])
    await owner.send("DELETE", f"{KEYS}/{new['api_key']['id']}")
    assert (await owner.rotates(old, overlap_days=30)).status_code == 201


@pytest.mark.parametrize("days", [-1, 31])
async def test_an_overlap_lasts_a_month_at_most(owner: Owner, days: int) -> None:
    assert (await owner.rotates(await owner.makes(), overlap_days=days)).status_code == 422


async def test_the_last_use_is_noted_once_a_minute(
    service: Service, owner: Owner, another_process: Callable[[], Service]
) -> None:
    made, elsewhere = await owner.makes(), another_process()
    await _used(service, made["key"], agent="first/1.0")
    await service.identity.key_uses.settled()
    (first,) = await owner.keys()
    assert (first["last_used_agent"], first["last_used_ip"]) == ("first/1.0", "127.0.0.1")
    for process in (service, elsewhere):
        await _used(process, made["key"], agent="second/1.0")
        await process.identity.key_uses.settled()
    assert await owner.keys() == [first]
    elsewhere = another_process()
    elsewhere.clock.ahead = timedelta(seconds=61)
    await _used(elsewhere, made["key"], agent="third/1.0")
    await elsewhere.identity.key_uses.settled()
    assert (await owner.keys())[0]["last_used_agent"] == "third/1.0"


async def test_a_use_out_of_scope_is_a_use(service: Service, owner: Owner) -> None:
    made = await owner.makes("usage:read")
    assert (await _used(service, made["key"])).status_code == 403
    await service.identity.key_uses.settled()
    assert (await owner.keys())[0]["last_used_at"]


async def test_pages_of_keys_leave_nothing_out(owner: Owner) -> None:
    made = [(await owner.makes())["api_key"]["id"] for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await owner.send("GET", f"{KEYS}?limit=2{cursor}")).json()
        seen += [each["id"] for each in page["api_keys"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
        await owner.makes()
    assert seen == made[::-1]


@pytest.mark.parametrize("cursor", ["", "x", "=", "AAAA", "é"])
async def test_a_cursor_that_nobody_gave_is_refused(owner: Owner, cursor: str) -> None:
    answer = await owner.person.browser.get(
        KEYS, params={"cursor": cursor}, headers={"Authorization": f"Bearer {owner.token}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")


async def test_a_person_holds_so_many_keys_and_no_more(
    service: Service, owner: Owner, stranger: Owner, database: Database
) -> None:
    await _given_keys(database, owner, MOST_KEYS - 1)
    body = {"name": "my script", "scopes": ["account:read"]}
    answers = await asyncio.gather(*(owner.send("POST", KEYS, body) for _ in range(3)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    refused = next(each.json() for each in answers if each.status_code == 409)
    assert (refused["code"], refused["limit"]) == ("too-many-api-keys", MOST_KEYS)
    made = next(each.json() for each in answers if each.status_code == 201)
    assert (await owner.rotates(made, overlap_days=30)).status_code == 201
    await owner.send("DELETE", f"{KEYS}/{made['api_key']['id']}")
    await stranger.makes()


async def test_keys_are_due_after_ninety_days_and_one_mail_says_so(service: Service, owner: Owner) -> None:
    old, rotated, _ = [await owner.makes() for _ in range(3)]
    new = (await owner.rotates(rotated, overlap_days=30)).json()
    await owner.send("DELETE", f"{KEYS}/{new['api_key']['id']}")
    await service.deliver_mails(owner.person.email)
    assert [each["rotation_due"] for each in await owner.keys()] == [False] * 3
    service.clock.ahead = timedelta(days=89)
    await forget_expired(service.database, service.clock)
    assert await service.deliver_mails(owner.person.email) == []
    service.clock.ahead = timedelta(days=90)
    for mails in (1, 0, 0):
        await forget_expired(service.database, service.clock)
        assert len(await service.deliver_mails(owner.person.email)) == mails
    mail = service.mails_to(owner.person.email)[-1]
    assert "rotate" in mail.subject.lower()
    assert f"ending in {old['api_key']['hint']}" in mail.text
    assert mail.text.count("ending in") == 2


async def test_a_reminder_whose_key_was_rotated_meanwhile_is_needless(service: Service, owner: Owner) -> None:
    made = await owner.makes()
    await service.deliver_mails(owner.person.email)
    before = len(service.mails_to(owner.person.email))
    service.clock.ahead = timedelta(days=91)
    await forget_expired(service.database, service.clock)
    async with service.database.transaction(purpose="identity") as db:
        await db.execute(text("update api_keys set revoked_at = now() where id = :id"), {"id": made["api_key"]["id"]})
    assert len(await service.deliver_mails(owner.person.email)) == 1
    assert len(service.mails_to(owner.person.email)) == before


async def test_a_mail_tells_that_there_is_a_new_key(service: Service, owner: Owner) -> None:
    body = {"name": "visit evil.example", "scopes": ["account:read", "library:write"]}
    headers = {"Authorization": f"Bearer {owner.token}", "User-Agent": "buy-now.example/1.0"}
    made = (await owner.person.browser.post(KEYS, json=body, headers=headers)).json()
    await service.deliver_mails(owner.person.email)
    mail = service.mails_to(owner.person.email)[-1]
    assert f"ending in {made['api_key']['hint']}" in mail.text
    assert "library:write" in mail.text
    assert "example/1.0" not in mail.text + mail.html
    assert "visit evil" not in mail.text + mail.html


async def test_every_change_of_a_key_has_one_entry_in_the_audit_log(service: Service, owner: Owner) -> None:
    old = await owner.makes()
    new = (await owner.rotates(old, overlap_days=1)).json()
    await owner.send("DELETE", f"{KEYS}/{new['api_key']['id']}")
    async with service.database.transaction(purpose="identity") as db:
        rows = await db.execute(
            text(
                "select action, subject_id::text, actor_kind, actor_id::text from audit_entries"
                " where tenant_id = :id and subject_kind = 'api-key' order by position"
            ),
            {"id": owner.id},
        )
    old_id, new_id = old["api_key"]["id"], new["api_key"]["id"]
    assert [tuple(row) for row in rows] == [
        ("api-key.created", old_id, "user", owner.id),
        ("api-key.rotated", old_id, "user", owner.id),
        ("api-key.revoked", new_id, "user", owner.id),
    ]


@pytest.mark.parametrize("change", ["is_active = false", "delete_after = now() + interval '30 days'"])
async def test_the_keys_of_who_is_switched_off_do_nothing(
    service: Service, owner: Owner, another_process: Callable[[], Service], change: str
) -> None:
    key = (await owner.makes())["key"]
    await _change_user(service, owner, change)
    assert (await _used(another_process(), key)).status_code == 401


@pytest.mark.parametrize("scope", ["admin:read", "admin:write"])
async def test_scopes_of_administrators_are_for_administrators_with_a_second_factor(
    service: Service, owner: Owner, scope: str
) -> None:
    body = {"name": "operations", "scopes": [scope]}
    refused = await owner.send("POST", KEYS, body)
    assert (refused.status_code, refused.json()["code"]) == (403, "administrators-only")
    await _change_user(service, owner, "is_superuser = true")
    _forget_sessions(service)
    refused = await owner.send("POST", KEYS, body)
    assert (refused.status_code, refused.json()["code"]) == (403, "second-factor-missing")
    await _with_second_factor(service, owner)
    made = await owner.makes(scope)
    await _change_user(service, owner, "is_superuser = false")
    _forget_sessions(service)
    refused = await owner.rotates(made)
    assert (refused.status_code, refused.json()["code"]) == (403, "administrators-only")


async def test_a_key_that_ended_long_ago_is_forgotten(service: Service, owner: Owner) -> None:
    kept, revoked, _ = await owner.makes(), await owner.makes(), await owner.makes(expires_in_days=1)
    await owner.send("DELETE", f"{KEYS}/{revoked['api_key']['id']}")
    count = text("select count(*) from api_keys where user_id = :id")
    for days, left in ((29, 3), (32, 1)):
        service.clock.ahead = timedelta(days=days)
        await forget_expired(service.database, service.clock)
        async with service.database.transaction(purpose="identity") as db:
            assert await db.scalar(count, {"id": owner.id}) == left
    assert (await _used(service, kept["key"])).status_code == 200


async def test_a_key_with_a_wrong_letter_does_not_reach_the_database(service: Service, database: Database) -> None:
    key = new_key()
    wrong = key[:12] + ("a" if key[12] != "a" else "b") + key[13:]
    assert is_well_formed(key)
    assert not is_well_formed(wrong)
    assert (await _used(service, wrong)).json()["code"] == "token-invalid"


def test_scanners_know_a_key_by_its_form() -> None:
    documented = re.compile(r"\bsak_live_[0-9A-Za-z]{38}\b")
    assert all(documented.fullmatch(new_key()) for _ in range(100))


def _days(key: dict[str, Any]) -> float:
    return (
        datetime.fromisoformat(key["expires_at"]) - datetime.fromisoformat(key["created_at"])
    ).total_seconds() / 86400


async def _change_user(service: Service, owner: Owner, change: str) -> None:
    async with service.database.transaction(purpose="identity") as db:
        await db.execute(text(f"update users set {change} where id = :id"), {"id": owner.id})


async def _with_second_factor(service: Service, owner: Owner) -> None:
    async with service.database.transaction(purpose="identity") as db:
        await db.execute(text("update sessions set second_factor = true where user_id = :id"), {"id": owner.id})
    _forget_sessions(service)


def _forget_sessions(service: Service) -> None:
    service.identity.sessions._answers.clear()


async def _given_keys(database: Database, owner: Owner, count: int) -> None:
    async with database.transaction(purpose="identity") as db:
        await db.execute(
            text(
                "insert into api_keys (id, user_id, name, key_hash, hint, scopes)"
                " select gen_random_uuid(), :id, 'many', sha256(random()::text::bytea), '', array['account:read']"
                " from generate_series(1, :count)"
            ),
            {"id": owner.id, "count": count},
        )
