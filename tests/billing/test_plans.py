"""Plans and their limits through the API."""

from __future__ import annotations

import asyncio

import httpx
from fastapi import FastAPI

from sample_agent.billing.plans import MIB
from tests.conftest import SignUp
from tests.sounds import tone, wav


async def test_anyone_can_see_the_plans(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:8000") as nobody:
        plans = {plan["id"]: plan for plan in (await nobody.get("/api/billing/plans")).json()["plans"]}
    assert list(plans) == ["free", "pro", "enterprise"]
    assert plans["free"]["features"]["storage_gb"] == 0.1
    assert (plans["pro"]["price"], plans["pro"]["trial_days"]) == (29, 14)
    assert (plans["enterprise"]["price"], plans["enterprise"]["contact_sales"]) == (None, True)


async def test_a_file_above_the_plans_size_is_refused_and_costs_nothing(sign_up: SignUp) -> None:
    person = await sign_up("free")
    response = await person.upload(wav(tone(seconds=0.1)) + bytes(10 * MIB))
    assert response.status_code == 413
    assert response.json()["code"] == "file-too-large"
    usage = (await person.http.get("/api/usage")).json()
    assert (usage["plan"], usage["storage"]["used_bytes"]) == ("free", 0)


async def test_storage_ends_where_the_plan_ends(sign_up: SignUp) -> None:
    person = await sign_up("free")
    files = [wav(tone(100 + n, seconds=0.05)) + bytes(9 * MIB) for n in range(14)]
    responses = [await person.upload(content, f"{n}.wav") for n, content in enumerate(files)]
    codes = [response.status_code for response in responses]
    assert codes == [201] * 11 + [429] * 3
    assert responses[-1].json()["code"] == "quota-exceeded/storage"
    usage = (await person.http.get("/api/usage")).json()["storage"]
    assert usage["used_bytes"] == sum(len(content) for content in files[:11])
    assert usage["used_bytes"] <= usage["limit_bytes"] == 100 * MIB


async def test_collections_end_where_the_plan_ends_even_at_once(sign_up: SignUp) -> None:
    person = await sign_up("free")
    responses = await asyncio.gather(
        *(person.http.post("/api/collections", json={"name": f"Kit {n}"}) for n in range(12))
    )
    assert sorted(response.status_code for response in responses) == [201] * 5 + [429] * 7
    assert len((await person.http.get("/api/collections")).json()["collections"]) == 5
