"""What goes wrong in the database, as it is logged and answered."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Uuid, bindparam, column, func, select, table, text
from sqlalchemy.exc import DBAPIError

from sample_agent.core.database import Database, single
from sample_agent.core.identifiers import new_id


async def test_an_error_does_not_repeat_the_values_it_is_about(database: Database) -> None:
    with pytest.raises(DBAPIError) as failure:
        async with database.transaction() as session:
            await session.execute(text("select 1 / length(cast(:it as text)) * 0 / 0"), {"it": "argon2-of-somebody"})
    assert "argon2-of-somebody" not in str(failure.value)


async def test_a_single_question_sees_one_persons_rows_and_leaves_nothing_bound(database: Database) -> None:
    people = [new_id(), new_id()]
    users = table("users", column("id", Uuid()), column("email"))
    async with database.transaction(purpose="identity") as session:
        for person in people:
            await session.execute(
                text(
                    "insert into users (id, email, password_hash, first_name, last_name, is_active, is_superuser)"
                    " values (:id, :email, '', '', '', true, false)"
                ),
                {"id": person, "email": f"{person}@example.com"},
            )
    everybody = single(select(func.count().label("rows"), func.max(users.c.email).label("email")).select_from(users))
    for person in people:
        row = await database.row(everybody, person)
        assert row is not None
        assert tuple(row) == (1, f"{person}@example.com")
    of_another = single(select(users.c.email).where(users.c.id == bindparam("other")))
    assert await database.row(of_another, people[0], other=people[1]) is None
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("select coalesce(current_setting('app.user_id', true), '')")) == ""
        assert await connection.scalar(text("select count(*) from users")) == 0


@pytest.mark.parametrize("state", ["40P01", "40001", "55P03", "57014", "57P01", "53300"])
async def test_what_passes_by_itself_is_answered_with_503_and_when_to_come_back(app: FastAPI, state: str) -> None:
    @app.get("/api/unlucky")
    async def unlucky() -> None:
        async with app.state.database.transaction() as session:
            await session.execute(text(f"do $$ begin raise exception 'x' using errcode = '{state}'; end $$"))

    app.router.routes.insert(0, app.router.routes.pop())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000") as http:
        response = await http.get("/api/unlucky")
    assert response.status_code == 503
    assert response.headers["retry-after"]
