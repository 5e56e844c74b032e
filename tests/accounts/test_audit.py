"""The audit log: what is recorded stays recorded, and whatever was done to it since is found."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from sample_agent.accounts.audit import SYSTEM, Action, Actor, record
from sample_agent.accounts.audit.anchors import AnchorDraft, BadAnchors, read_anchors, with_head
from sample_agent.accounts.audit.chain import as_kept, entry_hash
from sample_agent.accounts.audit.erasing import ELSEWHERE, erase_contexts
from sample_agent.accounts.audit.export import exported
from sample_agent.accounts.audit.models import AuditEntry
from sample_agent.accounts.audit.search import Filters, find, find_all
from sample_agent.accounts.audit.verification import Broken, Damage, Head, Intact, verify
from sample_agent.accounts.client import Client
from sample_agent.core.database import Database
from sample_agent.core.errors import ValidationFailed
from sample_agent.core.identifiers import new_id

CLIENT = Client(user_agent="Firefox", ip_address="203.0.113.7")


@pytest_asyncio.fixture
async def owner(owner_url: str) -> AsyncIterator[Database]:
    """The database as the role that owns the tables: whoever holds it can do anything to them."""
    database = Database(owner_url, pool_size=1)
    yield database
    await database.close()


@pytest.fixture
def tenant() -> UUID:
    return new_id()


async def write(database: Database, tenant: UUID, entries: int = 5) -> None:
    for number in range(entries):
        async with database.transaction(purpose="identity") as db:
            actor = Actor("user", tenant, CLIENT)
            await record(db, Action.SIGNED_IN, tenant_id=tenant, actor=actor, detail={"number": number})


async def verified(database: Database, tenant: UUID, *anchors: Head) -> Intact | Broken:
    results = [each async for each in verify(database, iter(anchors), tenant_id=tenant)]
    assert len(results) == 1
    return results[0]


async def head(database: Database, tenant: UUID) -> Head:
    result = await verified(database, tenant)
    assert isinstance(result, Intact), result
    return result.head


async def found(database: Database, tenant: UUID, *anchors: Head) -> tuple[Damage, int]:
    result = await verified(database, tenant, *anchors)
    assert isinstance(result, Broken), result
    return result.damage, result.position


async def tamper(owner: Database, *statements: str, **values: Any) -> None:
    async with owner.transaction(purpose="identity") as db:
        for statement in statements:
            changed = await db.execute(text(statement), values)
            assert changed.rowcount != 0, statement  # type: ignore[attr-defined]


async def test_a_chain_nobody_touched_is_intact(database: Database, tenant: UUID) -> None:
    await write(database, tenant)
    assert (await head(database, tenant)).position == 5


async def test_fifty_entries_at_once_make_one_chain(database: Database, tenant: UUID) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(write(database, tenant, 1))
    assert (await head(database, tenant)).position == 50


async def test_what_is_rolled_back_leaves_no_entry(database: Database, tenant: UUID) -> None:
    with contextlib.suppress(LookupError):
        async with database.transaction(purpose="identity") as db:
            await record(db, Action.SIGNED_IN, tenant_id=tenant, actor=SYSTEM)
            raise LookupError
    assert [each async for each in verify(database, tenant_id=tenant)] == []


async def test_what_a_savepoint_takes_back_leaves_no_entry(database: Database, tenant: UUID) -> None:
    async with database.transaction(purpose="identity") as db:
        await record(db, Action.SIGNED_IN, tenant_id=tenant, actor=SYSTEM)
        with contextlib.suppress(LookupError):
            async with db.begin_nested():
                await record(db, Action.SIGNED_OUT, tenant_id=tenant, actor=SYSTEM)
                raise LookupError
        async with db.begin_nested():
            await record(db, Action.STEPPED_UP, tenant_id=tenant, actor=SYSTEM)
    recorded = [each.entry.action async for batch in find_all(database, Filters(tenant_id=tenant)) for each in batch]
    assert sorted(recorded) == sorted([Action.STEPPED_UP, Action.SIGNED_IN])
    assert (await head(database, tenant)).position == 2


async def test_several_entries_of_one_transaction_follow_one_another(database: Database, tenant: UUID) -> None:
    async with database.transaction(purpose="identity") as db:
        for action in (Action.PASSWORD_CHANGED, Action.SESSIONS_REVOKED, Action.SIGNED_IN):
            await record(db, action, tenant_id=tenant, actor=SYSTEM)
    recorded = [each.entry.action async for batch in find_all(database, Filters(tenant_id=tenant)) for each in batch]
    assert (await head(database, tenant)).position == 3
    assert set(recorded) == {Action.PASSWORD_CHANGED, Action.SESSIONS_REVOKED, Action.SIGNED_IN}


async def test_transactions_that_record_the_same_two_chains_the_other_way_round_do_not_deadlock(
    database: Database,
) -> None:
    one, other = new_id(), new_id()
    both_recorded = asyncio.Barrier(2)

    async def in_order(*tenants: UUID) -> None:
        async with database.transaction(purpose="identity") as db:
            for tenant in tenants:
                await record(db, Action.MEMBER_JOINED, tenant_id=tenant, actor=SYSTEM)
            await both_recorded.wait()

    for _ in range(5):
        await asyncio.gather(in_order(one, other), in_order(other, one))
    assert (await head(database, one)).position == (await head(database, other)).position == 10


async def test_recording_before_taking_a_row_does_not_deadlock(database: Database, tenant: UUID) -> None:
    """The one holds the chain and wants the row, the other holds the row and wants the chain: neither may happen."""
    async with database.transaction(purpose="identity") as db:
        await db.execute(
            text(
                "insert into users (id, email, password_hash, first_name, last_name, is_active, is_superuser)"
                " values (:id, :email, '', '', '', true, false)"
            ),
            {"id": tenant, "email": f"{tenant}@example.com"},
        )
    take_row = text("select from users where id = :id for update")
    first_recorded, second_has_row = asyncio.Event(), asyncio.Event()

    async def records_first() -> None:
        async with database.transaction(purpose="identity") as db:
            await record(db, Action.ACCOUNT_CHANGED, tenant_id=tenant, actor=SYSTEM)
            first_recorded.set()
            await second_has_row.wait()
            await db.execute(take_row, {"id": tenant})

    async def takes_row_first() -> None:
        await first_recorded.wait()
        async with database.transaction(purpose="identity") as db:
            await db.execute(take_row, {"id": tenant})
            second_has_row.set()
            await record(db, Action.ACCOUNT_CHANGED, tenant_id=tenant, actor=SYSTEM)

    await asyncio.gather(records_first(), takes_row_first())
    assert (await head(database, tenant)).position == 2


async def test_a_clock_that_goes_back_is_not_damage(database: Database, tenant: UUID) -> None:
    for ahead in (timedelta(hours=1), timedelta(0), timedelta(hours=-1)):
        async with database.transaction(purpose="identity") as db:
            await record(db, Action.SIGNED_IN, tenant_id=tenant, actor=SYSTEM, now=datetime.now(UTC) + ahead)
    assert (await head(database, tenant)).position == 3


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.uuids() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=8), _JSON, max_size=4), st.text(max_size=20), st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_whatever_is_said_is_hashed_as_it_is_read_back(detail: dict[str, Any], agent: str, address: str) -> None:
    kept = as_kept(detail)
    assert as_kept(kept) == kept
    assert orjson.loads(orjson.dumps(kept)) == kept


@pytest.mark.parametrize(
    "awkward",
    [1e16, -0.0, 1e-7, float("nan"), 2**70, "\0", "\ud800", "e\u0301", "é", "\N{SPEAKER}", new_id(), datetime.now(UTC)],
)
async def test_awkward_values_survive_the_database(database: Database, tenant: UUID, awkward: object) -> None:
    client = Client(user_agent="\0agent\ud800" * 100, ip_address="::1%" + "z" * 100)
    async with database.transaction(purpose="identity") as db:
        actor = Actor("user", tenant, client)
        detail = {"b": [awkward], "a": {"z": awkward, "ä": awkward}}
        await record(db, Action.SIGNED_IN, tenant_id=tenant, actor=actor, detail=detail)
    assert (await head(database, tenant)).position == 1


async def test_what_is_no_json_is_refused_at_once(database: Database, tenant: UUID) -> None:
    async with database.transaction(purpose="identity") as db:
        with pytest.raises(TypeError):
            await record(db, Action.SIGNED_IN, tenant_id=tenant, actor=SYSTEM, detail={"secret": b"bytes"})


@pytest.mark.parametrize("table", ["audit_entries", "audit_contexts"])
@pytest.mark.parametrize("statement", ["update {} set tenant_id = tenant_id", "truncate {} cascade", "delete from {}"])
async def test_the_application_may_only_add(database: Database, tenant: UUID, table: str, statement: str) -> None:
    if (table, statement) == ("audit_contexts", "delete from {}"):
        return  # this is what an erasure does
    await write(database, tenant, 1)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.transaction(purpose="identity") as db:
            await db.execute(text(statement.format(table)))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("action", "'session.ended'"),
        ("actor_kind", "'system'"),
        ("actor_id", "null"),
        ("actor_id", "gen_random_uuid()"),
        ("subject_kind", "'session'"),
        ("subject_id", "gen_random_uuid()"),
        ("at", "at + interval '1 microsecond'"),
        ("id", "gen_random_uuid()"),
        ("context_hash", "decode(repeat('00', 32), 'hex')"),
        ("previous_hash", "decode(repeat('00', 32), 'hex')"),
        ("hash", "decode(repeat('00', 32), 'hex')"),
    ],
)
async def test_a_changed_entry_is_found(
    database: Database, owner: Database, tenant: UUID, column: str, value: str
) -> None:
    await write(database, tenant)
    if column == "id":
        await tamper(owner, "delete from audit_contexts where tenant_id = :tenant", tenant=tenant)
    change = f"update audit_entries set {column} = {value} where tenant_id = :tenant and position = 3"
    await tamper(owner, change, tenant=tenant)
    expected = (Damage.CONTEXT_MISSING, 1) if column == "id" else (Damage.CHANGED, 3)
    assert await found(database, tenant) == expected


DELETED = (
    "delete from audit_contexts where entry_id in"
    " (select id from audit_entries where tenant_id = :tenant and position {})",
    "delete from audit_entries where tenant_id = :tenant and position {}",
)


async def test_a_deleted_entry_is_found(database: Database, owner: Database, tenant: UUID) -> None:
    await write(database, tenant)
    await tamper(owner, *(each.format("= 3") for each in DELETED), tenant=tenant)
    assert await found(database, tenant) == (Damage.MISSING, 3)


async def test_a_deleted_first_entry_is_found(database: Database, owner: Database, tenant: UUID) -> None:
    await write(database, tenant)
    await tamper(owner, *(each.format("= 1") for each in DELETED), tenant=tenant)
    assert await found(database, tenant) == (Damage.MISSING, 1)


async def test_an_entry_whose_gap_was_closed_is_found(database: Database, owner: Database, tenant: UUID) -> None:
    await write(database, tenant)
    close = "update audit_entries set position = position - 1 where tenant_id = :tenant and position > 3"
    await tamper(owner, *(each.format("= 3") for each in DELETED), close, tenant=tenant)
    assert await found(database, tenant) == (Damage.CHANGED, 3)


async def test_entries_in_another_order_are_found(database: Database, owner: Database, tenant: UUID) -> None:
    await write(database, tenant)
    move = "update audit_entries set position = {} where tenant_id = :tenant and position = {}"
    await tamper(owner, move.format(99, 2), move.format(2, 3), move.format(3, 99), tenant=tenant)
    assert await found(database, tenant) == (Damage.CHANGED, 2)


async def test_an_inserted_entry_is_found(database: Database, owner: Database, tenant: UUID) -> None:
    """Even one that is itself hashed as it should be, taken whole from the end of another chain of five."""
    await write(database, tenant)
    shift = "update audit_entries set position = position + {} where tenant_id = :tenant and position {}"
    insert = (
        "insert into audit_entries select gen_random_uuid(), tenant_id, 3, at, action, actor_kind, actor_id,"
        " subject_kind, subject_id, context_hash, previous_hash, hash from audit_entries"
        " where tenant_id = :tenant and position = 2"
    )
    await tamper(owner, shift.format(101, ">= 3"), shift.format(-100, "> 100"), insert, tenant=tenant)
    assert await found(database, tenant) == (Damage.CHANGED, 3)


async def test_an_entry_replaced_by_a_well_made_one_is_found(database: Database, owner: Database, tenant: UUID) -> None:
    """Its own hash is right; that of the entry after it refers to what stood there before."""
    await write(database, tenant, 2)
    await tamper(owner, *(each.format("= 2") for each in DELETED), tenant=tenant)
    await write(database, tenant, 1)
    before = await head(database, tenant)
    await write(database, tenant, 1)
    await tamper(owner, *(each.format("> 1") for each in DELETED), tenant=tenant)
    await write(database, tenant, 1)
    assert (await head(database, tenant)).position == before.position
    assert await found(database, tenant, before) == (Damage.REWRITTEN, 2)


async def test_a_link_to_another_entry_is_found(database: Database, owner: Database, tenant: UUID) -> None:
    """A forger who hashes anew what they changed and nothing after it."""
    await write(database, tenant)
    async with owner.transaction(purpose="identity") as db:
        entry = await db.scalar(select(AuditEntry).where(AuditEntry.tenant_id == tenant, AuditEntry.position == 3))
        assert entry is not None
        entry.action = Action.SIGNED_OUT
        entry.hash = entry_hash(entry)
    assert await found(database, tenant) == (Damage.OUT_OF_PLACE, 4)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("ip_address", "'198.51.100.1'"),
        ("user_agent", "''"),
        ("request_id", "'other'"),
        ("detail", "'{}'"),
        ("salt", "decode('00', 'hex')"),
        ("tenant_id", "gen_random_uuid()"),
    ],
)
async def test_a_changed_context_is_found(
    database: Database, owner: Database, tenant: UUID, column: str, value: str
) -> None:
    await write(database, tenant)
    third = "(select id from audit_entries where tenant_id = :tenant and position = 3)"
    await tamper(owner, f"update audit_contexts set {column} = {value} where entry_id = {third}", tenant=tenant)
    assert await found(database, tenant) == (Damage.CONTEXT_CHANGED, 3)


async def test_swapped_contexts_are_found(database: Database, owner: Database, tenant: UUID) -> None:
    await write(database, tenant)
    await tamper(
        owner,
        "update audit_contexts c set (salt, detail) = (select o.salt, o.detail from audit_contexts o"
        " join audit_entries e on e.id = o.entry_id and e.tenant_id = :tenant and e.position ="
        " (select 6 - position from audit_entries where id = c.entry_id)) where c.tenant_id = :tenant",
        tenant=tenant,
    )
    assert await found(database, tenant) == (Damage.CONTEXT_CHANGED, 1)


async def test_a_context_taken_away_without_an_erasure_is_found(database: Database, tenant: UUID) -> None:
    await write(database, tenant)
    fourth = "(select id from audit_entries where tenant_id = :t and position = 4)"
    async with database.transaction(purpose="identity") as db:
        await db.execute(text(f"delete from audit_contexts where entry_id = {fourth}"), {"t": tenant})
    assert await found(database, tenant) == (Damage.CONTEXT_MISSING, 4)


async def test_an_erasure_leaves_the_chain_intact(database: Database, tenant: UUID) -> None:
    await write(database, tenant)
    team = new_id()
    async with database.transaction(purpose="identity") as db:
        await record(db, Action.MEMBER_JOINED, tenant_id=team, actor=Actor("user", tenant, CLIENT))
    async with database.transaction(purpose="identity") as db:
        erase = (
            "delete from audit_contexts where entry_id in"
            " (select id from audit_entries where tenant_id = :t or actor_id = :t)"
        )
        await db.execute(text(erase), {"t": tenant})
        await db.execute(
            text("insert into erasures (user_id, requested_at, objects) values (:t, now(), 0)"), {"t": tenant}
        )
    assert (await head(database, tenant)).position == 5
    assert (await head(database, team)).position == 1


async def test_a_context_that_told_of_an_erased_person_is_excused_by_name_and_no_other(
    database: Database, tenant: UUID
) -> None:
    """An entry of one person can tell of another in its details alone; with both it stays one entry of the first."""
    gone, address = new_id(), f"{new_id().hex}@example.com"
    await write(database, tenant, 1)
    async with database.transaction(purpose="identity") as db:
        await record(db, Action.MEMBER_INVITED, tenant_id=tenant, actor=SYSTEM, detail={"email": address.upper()})
    await write(database, gone, 2)
    async with database.transaction(purpose="identity") as db:
        elsewhere = await erase_contexts(db, gone, address)
        await db.execute(
            text("insert into erasures (user_id, requested_at, objects) values (:id, now(), 0)"), {"id": gone}
        )
        await record(db, Action.ERASED, tenant_id=gone, actor=SYSTEM, detail={ELSEWHERE: elsewhere})
    assert len(elsewhere) == 1
    assert (await head(database, tenant)).position == 2
    assert (await head(database, gone)).position == 3
    async with database.transaction(purpose="identity") as db:
        await db.execute(text("delete from audit_contexts where tenant_id = :id"), {"id": tenant})
    assert await found(database, tenant) == (Damage.CONTEXT_MISSING, 1)


async def test_an_erasure_of_somebody_who_is_still_there_excuses_nothing(database: Database, tenant: UUID) -> None:
    await write(database, tenant)
    async with database.transaction(purpose="identity") as db:
        for statement in (
            "insert into users (id, email, password_hash, first_name, last_name, is_active, is_superuser)"
            " values (:t, :t || '@example.com', '', '', '', true, false)",
            "insert into erasures (user_id, requested_at, objects) values (:t, now(), 0)",
            "delete from audit_contexts where tenant_id = :t",
        ):
            await db.execute(text(statement.replace(":t ||", f"'{tenant}' ||")), {"t": tenant})
    assert await found(database, tenant) == (Damage.CONTEXT_MISSING, 1)


async def test_a_tail_that_was_cut_off_is_found_beside_an_anchor(
    database: Database, owner: Database, tenant: UUID
) -> None:
    await write(database, tenant)
    anchor = await head(database, tenant)
    await tamper(owner, *(each.format("> 3") for each in DELETED), tenant=tenant)
    assert (await head(database, tenant)).position == 3
    assert await found(database, tenant, anchor) == (Damage.CUT_OFF, 4)
    await write(database, tenant, 3)
    assert await found(database, tenant, anchor) == (Damage.REWRITTEN, 5)


async def test_a_chain_of_which_nothing_is_left_is_found_beside_an_anchor(
    database: Database, owner: Database, tenant: UUID
) -> None:
    await write(database, tenant)
    anchor = await head(database, tenant)
    await tamper(owner, *(each.format("> 0") for each in DELETED), tenant=tenant)
    assert await found(database, tenant, anchor) == (Damage.CUT_OFF, 1)


async def test_a_chain_longer_than_a_batch_and_its_neighbours_are_walked_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sample_agent.accounts.audit.verification.BATCH", 3)
    tenants = sorted(new_id() for _ in range(4))
    for entries, tenant in zip((1, 3, 7, 2), tenants, strict=True):
        await write(database, tenant, entries)
    heads = {each.head.tenant_id: each.head.position async for each in verify(database) if isinstance(each, Intact)}
    assert [heads[tenant] for tenant in tenants] == [1, 3, 7, 2]


def test_anchors_are_read_back_in_their_order_and_one_can_be_replaced(tmp_path: Path) -> None:
    file = tmp_path / "anchors"
    heads = [Head(UUID(int=number), number, bytes([number] * 32)) for number in (1, 2, 4)]
    assert list(read_anchors(file)) == []
    with AnchorDraft(file) as draft:
        for each in heads:
            draft.add(each)
        draft.keep()
    assert list(read_anchors(file)) == heads
    for number in (0, 2, 3, 5):
        new = Head(UUID(int=number), 99, bytes(32))
        merged = list(with_head(read_anchors(file), new))
        assert merged == sorted(
            [*(each for each in heads if each.tenant_id != new.tenant_id), new], key=lambda h: h.tenant_id
        )
    with AnchorDraft(file) as draft:
        draft.add(heads[0])
    assert list(read_anchors(file)) == heads, "what was not kept changes nothing"
    assert [each.name for each in tmp_path.iterdir()] == ["anchors"]


@pytest.mark.parametrize("content", [b"{}\n", b"nothing\n", b'{"tenant_id": 1}\n', b"[]\n", b"\xff\n"])
def test_a_file_that_holds_no_anchors_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "anchors").write_bytes(content)
    with pytest.raises(BadAnchors, match="line 1"):
        list(read_anchors(tmp_path / "anchors"))


async def test_pages_show_each_entry_once_whatever_is_added_meanwhile(database: Database, tenant: UUID) -> None:
    await write(database, tenant, 7)
    seen: list[int] = []
    cursor: str | None = None
    while True:
        async with database.transaction(purpose="identity") as db:
            page = await find(db, Filters(tenant_id=tenant), limit=2, cursor=cursor)
        seen += [each.entry.position for each in page.entries]
        await write(database, tenant, 1)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_a_cursor_of_somebody_else_s_making_is_refused(database: Database) -> None:
    async with database.transaction(purpose="identity") as db:
        for cursor in ("", "x", "////", "W10", "WzEsMl0", "bnVsbA"):
            with pytest.raises(ValidationFailed):
                await find(db, Filters(), limit=2, cursor=cursor)


async def test_cells_of_the_csv_are_no_formulas(database: Database, tenant: UUID) -> None:
    async with database.transaction(purpose="identity") as db:
        client = Client(user_agent='=HYPERLINK("http://evil.example","click")', ip_address="@SUM(1)")
        await record(db, Action.SIGNED_IN, tenant_id=tenant, actor=Actor("user", tenant, client), detail={"a": 'x,"\n'})
    content = b"".join([piece async for piece in exported(database, Filters(tenant_id=tenant), "csv")])
    (row,) = csv.DictReader(io.StringIO(content.decode(), newline=""))
    assert row["user_agent"] == '\'=HYPERLINK("http://evil.example","click")'
    assert row["ip_address"] == "'@SUM(1)"
    assert orjson.loads(row["detail"]) == {"a": 'x,"\n'}
    lines = b"".join([piece async for piece in exported(database, Filters(tenant_id=tenant), "json")]).splitlines()
    assert [orjson.loads(line)["user_agent"] for line in lines] == ['=HYPERLINK("http://evil.example","click")']
