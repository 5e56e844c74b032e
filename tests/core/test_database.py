"""What goes wrong in the database, as it is logged and answered."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sample_agent.core.database import Database


async def test_an_error_does_not_repeat_the_values_it_is_about(database: Database) -> None:
    with pytest.raises(DBAPIError) as failure:
        async with database.transaction() as session:
            await session.execute(text("select 1 / length(cast(:it as text)) * 0 / 0"), {"it": "argon2-of-somebody"})
    assert "argon2-of-somebody" not in str(failure.value)


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
