"""Whether an address has an account is not to be found out: not from answers, not from the work they take, not from
the time."""

from __future__ import annotations

import contextlib
import json
import random
import statistics
import time
from collections.abc import Iterator
from typing import Any

import bcrypt
import httpx
import pytest
from scipy.stats import mannwhitneyu
from sqlalchemy import delete, event, update

from sample_agent.accounts import create_user
from sample_agent.accounts.models import Registration, User
from sample_agent.core.database import Database
from tests.accounts.deployment import PASSWORD, Person, Service, fresh_address

OTHER_PASSWORD = "five bars of something"

QUESTIONS: dict[str, dict[str, Any]] = {
    "register": {"password": OTHER_PASSWORD},
    "resend-verification": {},
    "forgot-password": {},
    "login": {"password": "none of all these bars"},
}
"""What anybody can ask about an address."""

KINDS = ("account", "registration", "nothing")

CHANCE = 1e-4
"""How unlikely the samples have to be, were there no difference, before one is believed."""


async def ask(person: Person, question: str, email: str) -> httpx.Response:
    return await person.post(f"/api/auth/{question}", {"email": email, **QUESTIONS[question]})


async def addresses(service: Service, database: Database, person: Person, kind: str, count: int) -> list[str]:
    """So many addresses that have an account, or a registration somebody has yet to confirm, or nothing at all."""
    made = [fresh_address() for _ in range(count)]
    for email in made:
        if kind == "account":
            await create_user(database, service.identity.passwords, email=email, password=PASSWORD)
        if kind == "registration":
            assert (await person.register(email=email)).status_code == 201
    return made


@pytest.mark.parametrize("question", QUESTIONS)
async def test_the_answer_is_the_same(service: Service, database: Database, person: Person, question: str) -> None:
    answers = {}
    for kind in KINDS:
        (email,) = await addresses(service, database, person, kind, 1)
        answers[kind] = [_blurred(await ask(person, question, email), email) for _ in range(2)]
    assert answers["account"] == answers["registration"] == answers["nothing"]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_the_database_is_asked_the_same(
    service: Service, database: Database, person: Person, question: str
) -> None:
    asked = {}
    for kind in KINDS:
        (email,) = await addresses(service, database, person, kind, 1)
        await ask(person, question, email)  # what is compiled and cached at the first time is so by now
        with _statements(database) as asked[kind]:
            await ask(person, question, email)
    assert asked["nothing"]
    assert asked["account"] == asked["registration"] == asked["nothing"]


@pytest.mark.parametrize(
    ("question", "rounds"), [("register", 3), ("resend-verification", 8), ("forgot-password", 8), ("login", 3)]
)
async def test_the_time_tells_nothing(
    service: Service, database: Database, person: Person, question: str, rounds: int
) -> None:
    each = {kind: await addresses(service, database, person, kind, 12) for kind in KINDS}
    await _assert_alike(person, question, each, rounds)


async def test_the_time_does_not_tell_an_account_whose_hash_costs_more(
    service: Service, database: Database, person: Person
) -> None:
    each = {kind: await addresses(service, database, person, kind, 8) for kind in KINDS}
    dear = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(11)).decode()
    async with database.transaction(purpose="identity") as db:
        for kind, table in (("account", User), ("registration", Registration)):
            await db.execute(update(table).where(table.email.in_(each[kind][::2])).values(password_hash=dear))
    each["account made here"] = each["account"][1::2]
    each["account from elsewhere"] = each.pop("account")[::2]
    each["registration"] = each["registration"][::2]
    try:
        await _assert_alike(person, "login", each, 4, within=1.5)  # untold it would be twice as long
    finally:  # lest every other test here pays for it
        async with database.transaction(purpose="identity") as db:
            for table in (User, Registration):
                await db.execute(delete(table).where(table.password_hash == dear))


async def _assert_alike(
    person: Person, question: str, each: dict[str, list[str]], rounds: int, *, within: float = 1.25
) -> None:
    """Each kind is asked about in turn, in a new order every round, so that what else this machine does falls on all
    of them alike."""
    seconds: dict[str, list[float]] = {kind: [] for kind in each}
    turns = [(kind, email) for kind in each for email in each[kind]]
    for number in range(rounds + 1):
        random.shuffle(turns)
        for kind, email in turns:
            started = time.perf_counter()
            await ask(person, question, email)
            if number > 0:
                seconds[kind].append(time.perf_counter() - started)
    medians = {kind: statistics.median(times) for kind, times in seconds.items()}
    for kind in each.keys() - {"nothing"}:
        assert mannwhitneyu(seconds[kind], seconds["nothing"]).pvalue > CHANCE, medians
        assert 1 / within < medians[kind] / medians["nothing"] < within, medians


@contextlib.contextmanager
def _statements(database: Database) -> Iterator[list[str]]:
    """What is executed meanwhile, without the parameters."""
    executed: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        executed.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)


def _blurred(answer: httpx.Response, email: str) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body without what differs between any two answers."""
    body = json.loads(answer.text.replace(email, "<email>"))
    if "request_id" in body:
        body["request_id"] = "<id>"
    if "user" in body:
        body["user"]["id"] = "<id>"
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    headers["content-length"] = str(int(answer.headers["content-length"]) - (len(email) if email in answer.text else 0))
    return answer.status_code, headers, body
