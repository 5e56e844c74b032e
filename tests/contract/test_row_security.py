"""Row-level security, shown on every table by statements without a predicate."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import Column, Table, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from sample_agent.apps.openapi import api_description
from sample_agent.core.database import Database, Model, Purpose, UnsafeRoleError
from sample_agent.core.identifiers import new_id
from tests.people import new_email

api_description()  # loads every feature, and with them every table

OPENED_BY: dict[Purpose, set[str]] = {
    "user": set(),
    "identity": {
        "users", "registrations", "sessions", "refresh_tokens", "one_time_tokens", "refused_sign_ins", "entitlements",
        "user_preferences", "authenticators", "recovery_codes", "passkeys", "challenges", "api_keys",
        "organizations", "memberships", "invitations", "data_exports", "erasures", "mail_log",
        "audit_entries", "audit_contexts",
    },
    "worker": {"usage_reservations", "samples", "processing_jobs", "job_attempts", "idempotency_keys"},
}  # fmt: skip
"""The tables that a transaction for a purpose sees whole. Everything else shows one person's rows or none."""

SEEN_BY_NO_PERSON = {"registrations", "erasures"}
"""What is not yet, or no longer, anybody's."""

OF_NOBODY_AT_TIMES = {"challenges", "mail_log", "one_time_tokens"}
"""Tables with rows that belong to nobody: of somebody who signs in, or of an address without an account."""

OUTLIVING = {"audit_entries": "tenant_id", "audit_contexts": "tenant_id", "erasures": "user_id"}
"""Tables whose rows are kept when their person is gone, and the column that names them; it refers to nothing."""

KEPT: dict[str, set[str]] = {
    "audit_entries": {"update", "delete"},
    "audit_contexts": {"update"},
    "erasures": {"update", "delete"},
}
"""What the application may not do with a table, for whatever purpose and to whosever rows."""

WITHOUT_ROWS_OF_PEOPLE = {
    "alembic_version",
    "pgqueuer",
    "pgqueuer_log",
    "pgqueuer_schedules",
    "pgqueuer_statistics",
}

TABLES = {table.name: table for table in Model.metadata.sorted_tables}
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


@dataclass
class Tenant:
    """Someone who owns a row in each table."""

    id: UUID = field(default_factory=new_id)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def new_row(self, table: Table) -> dict[str, Any]:
        """A row for `table` that could stand beside the tenant's others."""
        return {column.name: self._value(table, column) for column in table.columns if column.computed is None}

    def mark(self, table: Table) -> Any:
        """What stands in the column by which the tenant's row is known."""
        return self.rows[table.name][owner_of(table).name]

    def _value(self, table: Table, column: Column[Any]) -> Any:
        if column is owner_of(table) and table.name not in ("organizations", "registrations"):
            return self.id
        for key in column.foreign_keys:
            return None if key.column.table is table else self.rows[key.column.table.name][key.column.name]
        if column.name == "email":
            return new_email()
        if column.name == "id":
            return new_id()
        return _any_value(column)


def owner_of(table: Table) -> Column[Any]:
    """The column that says whose a row is; an organization is its members', a registration nobody's."""
    if table.name in ("users", "organizations", "registrations"):
        return table.c.id
    return table.c[OUTLIVING.get(table.name, "user_id")]


def _any_value(column: Column[Any]) -> Any:
    kind = column.type.python_type
    if kind is str:
        return os.urandom(16).hex()[: getattr(column.type, "length", None) or 32]
    made: dict[type, Any] = {
        UUID: new_id(),
        int: 1,
        float: 1.0,
        bool: True,
        bytes: os.urandom(16),
        datetime: datetime.now(UTC),
        list: [],
        dict: {},
        object: {},  # JSON
    }
    return made[kind]


@pytest_asyncio.fixture
async def tenants(database: Database, owner_url: str) -> AsyncIterator[tuple[Tenant, Tenant]]:
    """Two people with a row in every table, written through the application's role."""
    pair = (Tenant(), Tenant())
    for tenant in pair:
        async with database.transaction(tenant.id, purpose="identity") as session:
            for table in TABLES.values():
                tenant.rows[table.name] = row = tenant.new_row(table)
                await session.execute(insert(table).values(row))
    yield pair
    owner = Database(owner_url, pool_size=1)
    async with owner.transaction(purpose="identity") as session:
        for name in ("users", "organizations", "registrations", "audit_contexts", "audit_entries", "erasures"):
            marks = [tenant.mark(TABLES[name]) for tenant in pair]
            await session.execute(delete(TABLES[name]).where(owner_of(TABLES[name]).in_(marks)))
    await owner.close()


def _allowed(table: Table, change: str) -> contextlib.AbstractContextManager[Any]:
    """Nothing unless the application has no right to change the table like that."""
    if change in KEPT.get(table.name, ()):
        return pytest.raises(DBAPIError, match="permission denied")
    return contextlib.nullcontext()


@every_table
def test_every_row_has_an_owner(table: Table) -> None:
    owner = owner_of(table)
    assert owner.nullable == (table.name in OF_NOBODY_AT_TIMES)
    referred = {key.target_fullname for key in owner.foreign_keys}
    free = {"users", "organizations", "registrations", *OUTLIVING}
    assert referred == (set() if table.name in free else {"users.id"})


@every_table
async def test_a_query_without_a_predicate_gives_ones_own_rows(
    database: Database, tenants: tuple[Tenant, Tenant], table: Table
) -> None:
    for tenant in tenants:
        async with database.transaction(tenant.id) as session:
            seen = set(await session.scalars(select(owner_of(table))))
        assert seen == (set() if table.name in SEEN_BY_NO_PERSON else {tenant.mark(table)})


@pytest.mark.parametrize("name", sorted(OF_NOBODY_AT_TIMES))
async def test_what_belongs_to_nobody_is_seen_by_no_person(
    database: Database, tenants: tuple[Tenant, Tenant], name: str
) -> None:
    table, tenant = TABLES[name], tenants[0]
    row = {**tenant.new_row(table), "user_id": None}
    async with database.transaction(purpose="identity") as session:
        await session.execute(insert(table).values(row))
    for user_id in (None, tenant.id):
        async with database.transaction(user_id) as session:
            assert row["id"] not in set(await session.scalars(select(table.c.id)))
    async with database.transaction(purpose="identity") as session:
        await session.execute(delete(table).where(table.c.id == row["id"]))


@every_table
async def test_nobody_sees_nothing(database: Database, tenants: tuple[Tenant, Tenant], table: Table) -> None:
    async with database.transaction() as session:
        assert (await session.execute(select(table))).all() == []
    async with database.engine.connect() as connection:
        assert (await connection.execute(select(table))).all() == []


@every_table
@pytest.mark.parametrize("purpose", OPENED_BY)
async def test_a_purpose_opens_what_it_is_meant_to(
    database: Database, tenants: tuple[Tenant, Tenant], table: Table, purpose: Purpose
) -> None:
    marks = {tenant.mark(table) for tenant in tenants}
    async with database.transaction(purpose=purpose) as session:
        seen = set(await session.scalars(select(owner_of(table)))) & marks
    assert seen == (marks if table.name in OPENED_BY[purpose] else set())


@every_table
@pytest.mark.parametrize("change", ["update", "delete"])
async def test_changes_without_a_predicate_reach_ones_own_rows(
    database: Database, tenants: tuple[Tenant, Tenant], table: Table, change: str
) -> None:
    mine, _ = tenants
    owner = owner_of(table)
    statement = update(table).values({owner: owner}) if change == "update" else delete(table)
    async with database.engine.connect() as connection:
        await connection.execute(text(f"select set_config('app.user_id', '{mine.id}', true)"))
        with _allowed(table, change):
            reached = set(await connection.scalars(statement.returning(owner)))
            assert reached == (set() if table.name in SEEN_BY_NO_PERSON else {mine.mark(table)})
        await connection.rollback()


@every_table
@pytest.mark.parametrize("change", ["update", "delete"])
async def test_rows_of_others_cannot_be_changed_or_deleted(
    database: Database, tenants: tuple[Tenant, Tenant], table: Table, change: str
) -> None:
    mine, theirs = tenants
    owner = owner_of(table)
    statement = update(table).values({owner: owner}) if change == "update" else delete(table)
    with _allowed(table, change):
        async with database.transaction(mine.id) as session:
            reached = await session.scalars(statement.where(owner == theirs.mark(table)).returning(owner))
            assert reached.all() == []
    async with database.transaction(theirs.id, purpose="identity") as session:
        left = await session.scalars(select(owner).where(owner == theirs.mark(table)))
        assert left.all() == [theirs.mark(table)]


@pytest.mark.parametrize(
    ("name", "change"), [(name, change) for name, changes in KEPT.items() for change in sorted(changes)]
)
@pytest.mark.parametrize("purpose", OPENED_BY)
async def test_what_is_kept_cannot_be_changed_for_any_purpose(
    database: Database, tenants: tuple[Tenant, Tenant], name: str, change: str, purpose: Purpose
) -> None:
    owner = owner_of(TABLES[name])
    statement = update(TABLES[name]).values({owner: owner}) if change == "update" else delete(TABLES[name])
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.transaction(tenants[0].id, purpose=purpose) as session:
            await session.execute(statement)


@every_table
async def test_rows_cannot_be_written_for_others(
    database: Database, tenants: tuple[Tenant, Tenant], table: Table
) -> None:
    mine, theirs = tenants
    stranger = Tenant(rows=theirs.rows) if table.name == "users" else theirs
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.transaction(mine.id) as session:
            await session.execute(insert(table).values(stranger.new_row(table)))


@every_table
async def test_rows_cannot_be_given_away(database: Database, tenants: tuple[Tenant, Tenant], table: Table) -> None:
    mine, theirs = tenants
    recipient = new_id() if table.name == "users" else theirs.mark(table)
    refusal = "permission denied" if "update" in KEPT.get(table.name, ()) else "row-level security"
    statement = update(table).values({owner_of(table): recipient})
    if table.name in SEEN_BY_NO_PERSON and "update" not in KEPT.get(table.name, ()):
        async with database.transaction(mine.id) as session:
            assert (await session.scalars(statement.returning(owner_of(table)))).all() == []
        return
    with pytest.raises(DBAPIError, match=refusal):
        async with database.transaction(mine.id) as session:
            await session.execute(statement)


async def test_a_connection_remembers_nothing_of_whom_it_served(app_url: str, tenants: tuple[Tenant, Tenant]) -> None:
    database = Database(app_url, pool_size=1)
    mine, theirs = tenants
    try:
        for broken in (False, True):
            with pytest.raises(ZeroDivisionError) if broken else contextlib.nullcontext():
                async with database.transaction(mine.id, purpose="worker") as session:
                    await session.execute(select(TABLES["samples"]))
                    if broken:
                        raise ZeroDivisionError
            async with database.engine.connect() as connection:
                assert (await connection.execute(select(TABLES["samples"]))).all() == []
            async with database.transaction(theirs.id) as session:
                assert set(await session.scalars(select(TABLES["samples"].c.user_id))) == {theirs.id}
    finally:
        await database.close()


async def test_every_table_of_the_database_is_protected(database: Database) -> None:
    async with database.engine.connect() as connection:
        relations = (
            await connection.execute(
                text(
                    "select relname, relkind, relrowsecurity and relforcerowsecurity as forced from pg_class"
                    " where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')"
                )
            )
        ).all()
    assert {row.relname for row in relations if row.relkind.decode() != "r"} == set()
    assert {row.relname for row in relations if not row.forced} == WITHOUT_ROWS_OF_PEOPLE
    assert {row.relname for row in relations if row.forced} == set(TABLES)


async def test_the_policies_say_what_is_listed_here(database: Database) -> None:
    async with database.engine.connect() as connection:
        policies = (await connection.execute(text("select * from pg_policies where schemaname = 'public'"))).all()
    assert sorted(policy.tablename for policy in policies) == sorted(TABLES), "one policy for each table"
    for policy in policies:
        assert (policy.permissive, policy.cmd) == ("PERMISSIVE", "ALL")
        assert policy.qual == policy.with_check
        opened_by = set(re.findall(r"'app\.purpose'.*?= '(\w+)'", policy.qual))
        assert opened_by == {purpose for purpose, tables in OPENED_BY.items() if policy.tablename in tables}


async def test_the_applications_role_can_not_step_around_it(database: Database, owner_url: str) -> None:
    await database.refuse_unsafe_role()
    async with database.engine.connect() as connection:
        role = (await connection.execute(text("select * from pg_roles where rolname = current_user"))).one()
        attributes = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication")
        assert [attribute for attribute in attributes if getattr(role, attribute)] == []
        memberships = await connection.execute(
            text("select rolname from pg_roles where rolname <> current_user and pg_has_role(current_user, oid, 'set')")
        )
        assert memberships.all() == []
        owned = await connection.execute(
            text(
                "select relname from pg_class where relowner = (select oid from pg_roles where rolname = current_user)"
            )
        )
        assert owned.all() == []
        assert not await connection.scalar(text("select has_schema_privilege('public', 'create')"))
        # TRUNCATE asks no policy, and a trigger runs as whoever touches the table.
        beyond = await connection.execute(
            text(
                "select tablename, privilege from pg_tables,"
                " unnest(array['truncate', 'references', 'trigger']) as privilege"
                " where schemaname = 'public' and has_table_privilege(format('%I', tablename), privilege)"
            )
        )
        assert beyond.all() == []


async def test_a_role_that_steps_around_it_is_refused(postgres: Any) -> None:
    unsafe = Database(postgres.backup_url)
    try:
        with pytest.raises(UnsafeRoleError, match="bypasses row-level security"):
            await unsafe.refuse_unsafe_role()
    finally:
        await unsafe.close()
