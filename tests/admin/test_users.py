"""What administrators see of accounts and do to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from sample_agent.accounts import create_user
from sample_agent.accounts.audit import OPERATOR
from sample_agent.accounts.errors import LastAdministrator
from sample_agent.accounts.live_keys import key_hash, new_key
from sample_agent.accounts.live_sessions import REVOCATION_SECONDS
from sample_agent.admin.people import service as people
from sample_agent.core.errors import NotFound
from sample_agent.core.identifiers import new_id
from tests.accounts.deployment import PASSWORD, Service, fresh_address
from tests.admin.office import Signed, actions, entries, set_up_app, sign_in

ROUTES = [
    ("GET", "/api/admin/users"),
    ("GET", "/api/admin/users/{id}"),
    ("PUT", "/api/admin/users/{id}"),
    ("DELETE", "/api/admin/users/{id}"),
    ("POST", "/api/admin/users/{id}/sign-out"),
    ("POST", "/api/admin/users/{id}/reset-factors"),
    ("POST", "/api/admin/users/{id}/impersonation"),
    ("GET", "/api/admin/audit"),
    ("GET", "/api/admin/audit/export"),
]


async def api_key(service: Service, user_id: UUID, *scopes: str) -> str:
    key = new_key()
    async with service.database.transaction(purpose="identity") as db:
        await db.execute(
            text(
                "insert into api_keys (id, user_id, name, key_hash, hint, scopes)"
                " values (:id, :user, 'a program', :hash, :hint, :scopes)"
            ),
            {"id": new_id(), "user": user_id, "hash": key_hash(key), "hint": key[-4:], "scopes": list(scopes)},
        )
    return key


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_nobody_but_an_administrator_gets_in(service: Service, somebody: Signed, method: str, path: str) -> None:
    for wanted in (somebody.id, new_id()):
        answer = await somebody.request(method, path.format(id=wanted), json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "administrators-only")
    without_token = await somebody.person.browser.request(method, path.format(id=somebody.id), json={})
    assert without_token.status_code == 401


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_an_administrator_without_second_factor_does_nothing(
    service: Service, somebody: Signed, method: str, path: str
) -> None:
    async with service.visitor() as visitor:
        careless = await sign_in(service, visitor, admin=True, second_factor=False)
        answer = await careless.request(method, path.format(id=somebody.id), json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-missing")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"is_active": False}),
        ("DELETE", "", None),
        ("POST", "/reset-factors", None),
        ("POST", "/impersonation", {"reason": "a look"}),
    ],
)
async def test_what_is_dangerous_needs_a_recent_proof(
    service: Service, boss: Signed, somebody: Signed, method: str, path: str, body: dict[str, object] | None
) -> None:
    service.clock.ahead = timedelta(minutes=11)
    answer = await boss.request(method, f"/api/admin/users/{somebody.id}{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "step-up-required")
    assert await somebody.is_signed_in()
    assert await actions(service, somebody.id) == ["session.began"]


async def test_a_search_finds_people_by_address_name_and_id(service: Service, boss: Signed) -> None:
    mark = new_id().hex
    database, passwords = service.database, service.identity.passwords
    ids = {}
    for name, first, last in (("a", f"Ann{mark}", "Lee"), ("b", "Ben", f"O'Neil{mark}"), (f"c_{mark}%", "", "")):
        ids[name] = await create_user(
            database,
            passwords,
            email=f"{name}-{mark}@example.com",
            password="four bars of nothing",
            first_name=first,
            last_name=last,
        )

    async def found(q: str) -> list[str]:
        return [each["id"] for each in (await boss.get("/api/admin/users", q=q)).json()["users"]]

    a, b, c = (str(each) for each in ids.values())
    assert await found(mark.upper()) == [c, b, a]
    assert await found(f"ann{mark} lee") == [a]
    assert await found(f"o'neil{mark}") == [b]
    assert await found(f"_{mark}%") == [c]
    assert await found(b) == [b]
    assert await found(f"a%{mark}") == []
    assert await found(f"a_{mark}") == []
    assert (await boss.get("/api/admin/users", q="\0")).status_code == 422


async def test_the_filters_tell_people_apart(service: Service, boss: Signed, somebody: Signed) -> None:
    async def statuses(person: Signed) -> set[str]:
        found = set()
        for status in ("active", "suspended", "admin", "deleting"):
            users = (await boss.get("/api/admin/users", q=person.email, status=status)).json()["users"]
            found |= {status} if users else set()
        return found

    assert await statuses(boss) == {"active", "admin"}
    assert await statuses(somebody) == {"active"}
    await boss.request("DELETE", f"/api/admin/users/{somebody.id}")
    assert await statuses(somebody) == {"active", "deleting"}
    await boss.request("PUT", f"/api/admin/users/{somebody.id}", json={"is_active": False})
    assert await statuses(somebody) == {"suspended", "deleting"}
    assert (await boss.get("/api/admin/users", status="happy")).status_code == 422


async def test_pages_show_everybody_once_whoever_signs_up_meanwhile(service: Service, boss: Signed) -> None:
    mark = new_id().hex

    async def sign_up() -> str:
        user_id = await create_user(
            service.database,
            service.identity.passwords,
            email=f"{new_id().hex}-{mark}@example.com",
            password="four bars of nothing",
        )
        return str(user_id)

    there = [await sign_up() for _ in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await boss.get("/api/admin/users", q=mark, limit=2, **cursor)).json()
        seen += [each["id"] for each in page["users"]]
        await sign_up()
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == there[::-1]
    assert (await boss.get("/api/admin/users", cursor="nonsense")).status_code == 422


async def test_the_detail_counts_what_hangs_on_an_account(service: Service, boss: Signed, somebody: Signed) -> None:
    await api_key(service, somebody.id, "library:read")
    await somebody.person.login()
    async with service.database.transaction(purpose="identity") as db:
        for statement in (
            "insert into mail_log (id, user_id, email, mail, status, attempts)"
            " values (gen_random_uuid(), :id, 'x@example.com', 'verify-email', 'refused', 1)",
            "insert into authenticators (user_id, sealed_seed, last_step, confirmed_at) values (:id, '', 0, now())",
        ):
            await db.execute(text(statement), {"id": somebody.id})
    detail = (await boss.get(f"/api/admin/users/{somebody.id}")).json()
    assert detail["email"] == somebody.email
    counts = ("sessions", "api_keys", "passkeys", "authenticator", "organizations", "troubled_mails")
    assert [detail[name] for name in counts] == [2, 1, 0, True, 0, 1]
    assert (detail["tier"], detail["second_factor"], detail["is_active"], detail["is_admin"]) == (
        "free",
        True,
        True,
        False,
    )
    assert detail["last_seen_at"] is not None
    assert "password" not in str(detail)
    assert (await boss.get(f"/api/admin/users/{new_id()}")).status_code == 404


async def test_suspending_ends_sessions_and_stops_keys_on_every_process(
    service: Service, another_process: Callable[[], Service], boss: Signed, somebody: Signed
) -> None:
    elsewhere = another_process()
    key = await api_key(service, somebody.id, "account:read")
    async with elsewhere.visitor() as there:
        for token in (somebody.token, key):
            assert (await there.me(token)).status_code == 200
        answer = await boss.request("PUT", f"/api/admin/users/{somebody.id}", json={"is_active": False})
        assert (answer.status_code, answer.json()["is_active"], answer.json()["sessions"]) == (200, False, 0)
        assert not await somebody.is_signed_in()
        await asyncio.sleep(REVOCATION_SECONDS)
        for token in (somebody.token, key):
            assert (await there.me(token)).status_code == 401
        assert (await there.refresh(somebody.refresh_token)).status_code == 401
        assert (await somebody.person.login()).json()["code"] == "account-disabled"
        restored = await boss.request("PUT", f"/api/admin/users/{somebody.id}", json={"is_active": True})
        assert restored.json()["is_active"] is True
        await asyncio.sleep(REVOCATION_SECONDS)
        assert not await somebody.is_signed_in(), "what was ended stays ended"
        assert (await there.me(key)).status_code == 200
    assert (await somebody.person.login()).status_code == 200
    recorded = await entries(service, somebody.id)
    assert [each.action for each in recorded] == [
        "session.began",
        "account.suspended",
        "account.restored",
        "session.began",
    ]
    assert {(each.actor_kind, each.actor_id) for each in recorded[1:3]} == {("admin", boss.id)}


async def test_each_change_is_recorded_once_and_what_is_as_it_was_not_at_all(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    change = {"first_name": "Ann", "last_name": "Lee", "plan": "pro", "is_admin": True}
    for _ in range(2):
        answer = await boss.request("PUT", f"/api/admin/users/{somebody.id}", json=change)
        assert answer.status_code == 200, answer.text
    assert (answer.json()["tier"], answer.json()["first_name"], answer.json()["is_admin"]) == ("pro", "Ann", True)
    recorded = {each.action: each.detail for each in (await entries(service, somebody.id))[1:]}
    assert recorded == {
        "account.promoted": {},
        "account.plan-changed": {"before": "free", "after": "pro"},
        "account.changed": {"fields": ["first_name", "last_name"]},
    }
    assert len(await entries(service, somebody.id)) == 4


async def test_what_cannot_be_changed_here_is_refused(service: Service, boss: Signed, somebody: Signed) -> None:
    for body in ({"email": "x@example.com"}, {"plan": "gold"}, {"first_name": "a\0b"}, {"is_superuser": True}):
        assert (await boss.request("PUT", f"/api/admin/users/{somebody.id}", json=body)).status_code == 422
    assert (await boss.request("PUT", f"/api/admin/users/{new_id()}", json={"plan": "pro"})).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"is_active": False}),
        ("PUT", "", {"is_admin": False}),
        ("DELETE", "", None),
        ("POST", "/reset-factors", None),
        ("POST", "/impersonation", {"reason": "a look"}),
    ],
)
async def test_an_administrator_does_none_of_it_to_themselves(
    service: Service, boss: Signed, method: str, path: str, body: dict[str, object] | None
) -> None:
    answer = await boss.request(method, f"/api/admin/users/{boss.id}{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "own-account")
    assert await actions(service, boss.id) == ["session.began"]


@asynccontextmanager
async def no_other_administrators(service: Service) -> AsyncIterator[None]:
    """The shared database has other administrators; meanwhile they are none."""
    async with service.database.transaction(purpose="identity") as db:
        others = list(await db.scalars(text("update users set is_superuser = false where is_superuser returning id")))
    try:
        yield
    finally:
        async with service.database.transaction(purpose="identity") as db:
            await db.execute(text("update users set is_superuser = id = any(:ids)"), {"ids": others})


async def test_administrators_who_leave_at_once_leave_one(service: Service) -> None:
    async with no_other_administrators(service), service.visitor() as one, service.visitor() as other:
        pair = [await sign_in(service, visitor, admin=True) for visitor in (one, other)]
        leaving = {"json": {"password": PASSWORD}}
        answers = await asyncio.gather(*(each.request("POST", "/api/account/deletion", **leaving) for each in pair))
        assert sorted(answer.status_code for answer in answers) == [202, 409]
        (stays,) = (each for each, answer in zip(pair, answers, strict=True) if answer.status_code == 409)
        refused = await stays.request("POST", "/api/account/deletion", **leaving)
        assert refused.json()["code"] == "last-administrator"
        assert (await stays.get("/api/auth/me")).json()["delete_after"] is None


async def test_administrators_who_demote_each_other_leave_one(service: Service) -> None:
    database = service.database
    async with no_other_administrators(service):
        pair = [
            await create_user(
                database,
                service.identity.passwords,
                email=fresh_address(),
                password="four bars of nothing",
                is_admin=True,
            )
            for _ in range(2)
        ]

        async def change(user_id: UUID, **changes: bool) -> None:
            await people.change(
                database,
                user_id,
                people.Change(**changes),
                actor=OPERATOR,
                now=datetime.now(UTC),
                default_plan="free",
            )

        for changes in ({"is_admin": False}, {"is_active": False}):
            outcomes = await asyncio.gather(*(change(each, **changes) for each in pair), return_exceptions=True)
            assert sorted(type(each) for each in outcomes if each is not None) == [LastAdministrator]
            for each in pair:
                await change(each, is_admin=True, is_active=True)
        deletions = await asyncio.gather(
            *(people.ask_for_deletion(database, each, actor=OPERATOR, now=datetime.now(UTC)) for each in pair),
            return_exceptions=True,
        )
        assert [type(each) for each in deletions if isinstance(each, Exception)] == [LastAdministrator]


async def test_a_deletion_leaves_thirty_days_in_which_the_person_can_sign_in(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    first = await boss.request("DELETE", f"/api/admin/users/{somebody.id}")
    assert first.status_code == 202
    delete_after = datetime.fromisoformat(first.json()["delete_after"])
    assert timedelta(days=29, hours=23) < delete_after - datetime.now(UTC) < timedelta(days=30, minutes=1)
    assert not await somebody.is_signed_in()
    service.clock.ahead = timedelta(minutes=5)
    again = await boss.request("DELETE", f"/api/admin/users/{somebody.id}")
    assert again.json()["delete_after"] == first.json()["delete_after"], "asking again gives no more time"
    assert (await somebody.person.login()).status_code == 200
    assert await actions(service, somebody.id) == ["session.began", "data.deletion-asked", "session.began"]
    assert (await boss.request("DELETE", f"/api/admin/users/{new_id()}")).status_code == 404
    await service.deliver_mails(somebody.email)
    (mail,) = [each for each in service.mails_to(somebody.email) if "will be deleted" in each.subject]
    assert "An administrator asked" in mail.text
    assert "password" not in mail.text
    assert "/keep-account?token=" in mail.text


async def test_signing_out_everywhere_works_at_once(service: Service, boss: Signed, somebody: Signed) -> None:
    second = (await somebody.person.login(mode="body")).json()["token"]
    answer = await boss.request("POST", f"/api/admin/users/{somebody.id}/sign-out")
    assert answer.status_code == 204
    assert not await somebody.is_signed_in()
    assert (await somebody.person.me(second)).status_code == 401
    last = (await entries(service, somebody.id))[-1]
    assert (last.action, last.detail, last.actor_id) == ("session.all-revoked", {"sessions": 2}, boss.id)


async def test_resetting_factors_removes_them_all_and_mails_the_person(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    async with service.database.transaction(purpose="identity") as db:
        for statement in (
            "insert into authenticators (user_id, sealed_seed, last_step, confirmed_at) values (:id, '', 0, now())",
            "insert into recovery_codes (id, user_id, sealed_hash) values (gen_random_uuid(), :id, '')",
            "insert into passkeys (id, user_id, name, credential_id, public_key, sign_count, transports, backed_up)"
            " values (gen_random_uuid(), :id, 'key', decode(replace(:id ::text, '-', ''), 'hex'), '', 0, '{}', false)",
        ):
            await db.execute(text(statement.replace(":id ::text", f"'{somebody.id}'")), {"id": somebody.id})
    assert (await boss.get(f"/api/admin/users/{somebody.id}")).json()["second_factor"] is True
    answer = await boss.request("POST", f"/api/admin/users/{somebody.id}/reset-factors")
    assert answer.status_code == 204
    detail = (await boss.get(f"/api/admin/users/{somebody.id}")).json()
    assert (detail["second_factor"], detail["authenticator"], detail["passkeys"]) == (False, False, 0)
    assert not await somebody.is_signed_in()
    assert (await somebody.person.login()).status_code == 200
    recorded = {each.action: each.detail for each in await entries(service, somebody.id)}
    assert recorded["factor.all-removed"] == {"apps": 1, "passkeys": 1, "recovery_codes": 1}
    payloads = await service.take_queued_mails(somebody.email)
    assert [payload["mail"] for payload in payloads if "factor" in payload["mail"]] == ["factor-notice"]


async def test_a_key_of_an_administrator_does_what_its_scope_allows_and_promotes_nobody(
    service: Service, boss: Signed, somebody: Signed
) -> None:
    reading, writing = await api_key(service, boss.id, "admin:read"), await api_key(service, boss.id, "admin:write")
    path = f"/api/admin/users/{somebody.id}"
    await set_up_app(service.database, boss.id)
    assert (await boss.get(path, reading)).status_code == 200
    assert (await boss.request("PUT", path, reading, json={"plan": "pro"})).json()["code"] == "missing-scope"
    assert (await boss.request("PUT", path, writing, json={"plan": "pro"})).status_code == 200
    assert (await boss.request("PUT", path, writing, json={"is_admin": True})).json()["code"] == "session-required"
    looked = await boss.request("POST", f"{path}/impersonation", writing, json={"reason": "a look"})
    assert looked.json()["code"] == "session-required"
    theirs = await api_key(service, somebody.id, "admin:read", "admin:write")
    assert (await somebody.get(path, theirs)).json()["code"] == "administrators-only"


async def test_a_key_of_an_administrator_is_worth_no_more_than_they_are_without_a_second_factor(
    service: Service, another_process: Callable[[], Service], boss: Signed, somebody: Signed
) -> None:
    async with service.visitor() as visitor, another_process().visitor() as elsewhere:
        other = await sign_in(service, visitor, admin=True)
        await set_up_app(service.database, other.id)
        key = await api_key(service, other.id, "admin:read", "admin:write", "account:read")
        assert (await other.get("/api/admin/users", key)).status_code == 200
        assert (await boss.request("POST", f"/api/admin/users/{other.id}/reset-factors")).status_code == 204
        authorization = {"Authorization": f"Bearer {key}"}
        for method, path in (("GET", "/api/admin/users"), ("PUT", f"/api/admin/users/{somebody.id}")):
            answer = await elsewhere.browser.request(method, path, json={"is_active": False}, headers=authorization)
            assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-missing")
        assert (await elsewhere.me(key)).status_code == 200
    assert await somebody.is_signed_in()


async def test_administration_can_be_kept_to_some_networks(service: Service, boss: Signed) -> None:
    restricted = service.settings.model_validate(
        {**service.settings.model_dump(), "admin_allowed_networks": "10.1.0.0/16, 2001:db8::/32"}
    )
    service.identity.settings = restricted
    async with AsyncExitStack() as stack:
        for address, allowed in (("10.1.2.3", True), ("2001:db8::1", True), ("10.2.0.1", False), ("testclient", False)):
            visitor = await stack.enter_async_context(service.visitor(address=address))
            answer = await visitor.browser.get(
                "/api/admin/users",
                headers={"Authorization": f"Bearer {boss.token}", "X-Forwarded-For": "10.1.2.3"},
            )
            assert (answer.status_code == 200) is allowed, answer.text
            if not allowed:
                assert answer.json()["code"] == "not-from-here"


async def test_what_an_operator_does_to_nobody_says_so(service: Service) -> None:
    with pytest.raises(NotFound):
        await people.sign_out(service.database, new_id(), actor=OPERATOR, now=datetime.now(UTC))
