"""Administrators search the audit log and take it with them."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from sample_agent.accounts.audit import INSTALLATION, Action, Actor, Subject, record
from sample_agent.accounts.client import Client
from sample_agent.core.identifiers import new_id
from tests.accounts.deployment import Service
from tests.admin.office import Signed, entries

FORMULA = '=HYPERLINK("http://evil.example")'


async def write(service: Service, tenant: UUID, action: Action, *, agent: str = "", **more: Any) -> None:
    async with service.database.transaction(purpose="identity") as db:
        actor = Actor("user", tenant, Client(agent, "203.0.113.7"))
        await record(db, action, tenant_id=tenant, actor=actor, **more)


async def found(boss: Signed, **params: Any) -> list[str]:
    answer = await boss.get("/api/admin/audit", **params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return [each["action"] for each in answer.json()["entries"]]


async def test_each_filter_narrows_the_search(service: Service, boss: Signed) -> None:
    tenant, session = new_id(), new_id()
    past = datetime.now(UTC) - timedelta(days=400)
    await write(service, tenant, Action.SIGNED_IN, agent="100%_Firefox", subject=Subject("session", session), now=past)
    await write(service, tenant, Action.SIGNED_OUT, detail={"why": f"mark-{tenant}"})
    await write(service, tenant, Action.API_KEY_CREATED)
    everything = ["api-key.created", "session.ended", "session.began"]
    of = {"tenant_id": str(tenant)}
    assert await found(boss, **of) == everything
    assert await found(boss, actor_id=str(tenant)) == everything
    assert await found(boss, **of, action="session.ended") == ["session.ended"]
    assert await found(boss, **of, action="session.") == everything[1:]
    between = {"since": past.isoformat(), "until": (past + timedelta(days=1)).isoformat()}
    assert await found(boss, **of, **between) == ["session.began"]
    assert await found(boss, **of, since=(past + timedelta(days=1)).isoformat()) == everything[:2]
    assert await found(boss, **of, until=past.isoformat()) == []
    assert await found(boss, q=f"MARK-{tenant}") == ["session.ended"]
    assert await found(boss, **of, q="100%_fire") == ["session.began"]
    assert await found(boss, **of, q="100__fire") == []
    assert await found(boss, **of, q="203.0.113.7") == everything
    entry = (await boss.get("/api/admin/audit", **of, action="session.began")).json()["entries"][0]
    assert (entry["position"], entry["subject_id"], entry["user_agent"]) == (1, str(session), "100%_Firefox")


@pytest.mark.parametrize(
    "params",
    [
        {"tenant_id": "me"},
        {"action": "x'; drop table"},
        {"since": "yesterday"},
        {"since": "2026-01-01T00:00:00"},
        {"q": "\0"},
        {"limit": 0},
        {"limit": 201},
        {"cursor": "nonsense"},
    ],
)
async def test_what_cannot_be_searched_for_is_refused(boss: Signed, params: dict[str, Any]) -> None:
    assert (await boss.get("/api/admin/audit", **params)).status_code == 422


async def test_pages_show_each_entry_once(service: Service, boss: Signed) -> None:
    tenant = new_id()
    for number in range(5):
        await write(service, tenant, Action.SIGNED_IN, detail={"number": number})
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await boss.get("/api/admin/audit", tenant_id=str(tenant), limit=2, **cursor)).json()
        seen += [each["detail"]["number"] for each in page["entries"]]
        await write(service, tenant, Action.SIGNED_OUT, detail={"number": -1})
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [4, 3, 2, 1, 0]


async def test_a_csv_holds_everything_oldest_first_and_no_formula(
    service: Service, boss: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sample_agent.accounts.audit.search.BATCH", 3)
    tenant = new_id()
    for number in range(7):
        await write(service, tenant, Action.SIGNED_IN, agent=FORMULA, detail={"number": number})
    answer = await boss.get("/api/admin/audit/export", tenant_id=str(tenant))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [orjson.loads(row["detail"])["number"] for row in rows] == list(range(7))
    assert {row["user_agent"] for row in rows} == {f"'{FORMULA}"}


async def test_lines_of_json_hold_what_the_log_holds(service: Service, boss: Signed) -> None:
    tenant = new_id()
    await write(service, tenant, Action.SIGNED_IN, agent=FORMULA)
    answer = await boss.get("/api/admin/audit/export", tenant_id=str(tenant), format="json")
    assert answer.headers["content-type"] == "application/x-ndjson"
    (line,) = [orjson.loads(line) for line in answer.text.splitlines()]
    assert (line["tenant_id"], line["action"], line["user_agent"]) == (str(tenant), "session.began", FORMULA)
    assert (await boss.get("/api/admin/audit/export", format="xml")).status_code == 422


async def test_that_the_log_was_taken_is_recorded(service: Service, boss: Signed) -> None:
    before = len(await entries(service, INSTALLATION))
    tenant = new_id()
    await boss.get("/api/admin/audit/export", tenant_id=str(tenant), format="json")
    last = (await entries(service, INSTALLATION))[before:]
    mine = [each for each in last if each.actor_id == boss.id]
    assert [(each.action, each.detail) for each in mine] == [
        ("installation.audit-exported", {"format": "json", "tenant_id": str(tenant)})
    ]
