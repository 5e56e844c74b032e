"""Narrowing, sorting and paging the list."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import event

from tests.people import Person
from tests.sounds import tone, wav

SAMPLES: dict[str, dict[str, Any]] = {
    "Dusty Kick 01": {"kind": "one-shot", "tags": ["soul"]},
    "dusty break 87": {"kind": "loop", "tempo": 87, "key": "Am", "favourite": True},
    "Jungle break 174": {"kind": "loop", "tempo": 174, "key": "Em"},
    "Rhodes chords": {"kind": "loop", "tempo": 120, "key": "C", "tags": ["soul", "keys"]},
    "Vocal_hook 100%": {"kind": "loop", "tempo": 100, "key": "F#"},
}


@pytest_asyncio.fixture
async def crate(alice: Person) -> Person:
    """Alice with five samples that she described herself."""
    for index, (name, said) in enumerate(SAMPLES.items()):
        sample_id = await alice.uploaded(wav(tone(200 + 10 * index, seconds=0.2 * (index + 1))), f"{name}.wav")
        response = await alice.http.patch(f"/api/samples/{sample_id}", json=said)
        assert response.status_code == 200, response.text
    return alice


async def names(person: Person, query: str) -> list[str]:
    response = await person.http.get(f"/api/samples?{query}")
    assert response.status_code == 200, response.text
    return [row["name"] for row in response.json()["samples"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=break&sort=name", ["dusty break 87", "Jungle break 174"]),
        ("q=dusty -kick", ["dusty break 87"]),
        ("q=BREAK 174", ["Jungle break 174"]),
        ('q="kick 01"', ["Dusty Kick 01"]),
        ("q=100%25", ["Vocal_hook 100%"]),
        ("q=l_h", ["Vocal_hook 100%"]),
        ("q=soul&sort=name", ["Dusty Kick 01", "Rhodes chords"]),
        ("kind=one-shot", ["Dusty Kick 01"]),
        ("tempo_min=80&tempo_max=90", ["dusty break 87"]),
        ("tempo_min=80&tempo_max=90&tempo_multiples=true&sort=name", ["dusty break 87", "Jungle break 174"]),
        ("key=Am", ["dusty break 87"]),
        ("key=Am&key_compatible=true&sort=name", ["dusty break 87", "Jungle break 174", "Rhodes chords"]),
        ("key=F%23", ["Vocal_hook 100%"]),
        ("tag=keys", ["Rhodes chords"]),
        ("favourite=true", ["dusty break 87"]),
        ("q=nothing like it", []),
    ],
)
async def test_filters_narrow_the_list(crate: Person, query: str, expected: list[str]) -> None:
    assert await names(crate, query) == expected


@pytest.mark.usefixtures("worker")
async def test_what_the_analysis_found_can_be_filtered_by(crate: Person) -> None:
    for row in (await crate.http.get("/api/samples")).json()["samples"]:
        await crate.analysed(row["id"])
    assert await names(crate, "duration_min=0.5&duration_max=0.7") == ["Jungle break 174"]
    assert await names(crate, "status=completed&sort=duration&limit=1") == ["Dusty Kick 01"]
    assert await names(crate, "status=failed") == []


@pytest.mark.parametrize(
    ("sort", "first", "last"),
    [
        ("name", "Dusty Kick 01", "Vocal_hook 100%"),
        ("-name", "Vocal_hook 100%", "dusty break 87"),
        ("created_at", "Dusty Kick 01", "Vocal_hook 100%"),
        ("-created_at", "Vocal_hook 100%", "Dusty Kick 01"),
        ("-tempo", "Jungle break 174", "Dusty Kick 01"),
        ("tempo", "dusty break 87", "Dusty Kick 01"),
        ("-size", "Vocal_hook 100%", "Dusty Kick 01"),
        ("key", "dusty break 87", "Dusty Kick 01"),
    ],
)
async def test_the_list_can_be_sorted_and_the_unknown_comes_last(
    crate: Person, sort: str, first: str, last: str
) -> None:
    listed = await names(crate, f"sort={sort}")
    if sort in ("name", "-name"):
        assert sorted(listed, key=str.lower, reverse=sort == "-name") == listed
    else:
        assert (listed[0], listed[-1]) == (first, last)


@pytest.mark.parametrize("sort", ["-created_at", "name", "tempo", "-tempo", "key", "size", "-duration", "loudness"])
async def test_a_cursor_walks_the_whole_list_without_seeing_anything_twice(crate: Person, sort: str) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await crate.http.get(f"/api/samples?limit=2&sort={sort}{cursor}")).json()
        seen += [row["name"] for row in page["samples"]]
        assert page["total"] == 5
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == await names(crate, f"sort={sort}")


async def test_a_sample_added_while_paging_moves_nothing(crate: Person) -> None:
    first = (await crate.http.get("/api/samples?limit=2")).json()
    await crate.uploaded(wav(tone(999)), "newcomer.wav")
    rest = await names(crate, f"limit=50&cursor={first['next_cursor']}")
    assert len(rest) == 3
    assert not set(rest) & {row["name"] for row in first["samples"]}


async def test_limit_and_offset_page_too(crate: Person) -> None:
    assert await names(crate, "limit=2&offset=1") == (await names(crate, ""))[1:3]


@pytest.mark.parametrize(
    "query",
    ["cursor=nonsense", "cursor=WzFd", "limit=0", "limit=501", "sort=colour", "key=H", "tempo_min=-1", "unknown=1",
     "sort=position", "kind=song", "duration_min=nan"],
)  # fmt: skip
async def test_a_query_that_makes_no_sense_is_refused(alice: Person, query: str) -> None:
    response = await alice.http.get(f"/api/samples?{query}")
    assert response.status_code == 422
    assert response.json()["code"] == "validation-failed"


async def test_a_cursor_belongs_to_its_sort_order(crate: Person) -> None:
    cursor = (await crate.http.get("/api/samples?limit=2&sort=name")).json()["next_cursor"]
    assert (await crate.http.get(f"/api/samples?sort=tempo&cursor={cursor}")).status_code == 422


async def test_facets_count_what_can_be_filtered_by(crate: Person) -> None:
    facets = (await crate.http.get("/api/facets")).json()
    assert facets["total"] == 5
    assert facets["kinds"] == {"loop": 4, "one-shot": 1}
    assert facets["keys"]["Am"] == 1
    assert facets["tags"][0] == {"tag": "soul", "count": 2}
    assert facets["tempo"] == {"min": 87, "max": 174}


@pytest.mark.parametrize(
    ("sort", "value"),
    [("name", "a\0b"), ("-created_at", "2026-01-01T00:00:00"), ("-created_at", "0001-01-01T00:00:00+23:59")],
)
async def test_a_cursor_that_somebody_made_up_is_no_defect_of_ours(alice: Person, sort: str, value: str) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([sort, value, str(UUID(int=0))]).encode()).decode()
    response = await alice.http.get("/api/samples", params={"sort": sort, "cursor": cursor})
    assert response.status_code in (200, 422)


@pytest.mark.parametrize(
    "path", ["/api/samples", "/api/samples?q=kick&sort=tempo", "/api/facets", "/api/jobs", "/api/collections"]
)
async def test_a_list_names_its_owner_so_that_an_index_finds_the_rows(alice: Person, app: FastAPI, path: str) -> None:
    await alice.uploaded(wav(tone(344)))
    statements: list[str] = []
    engine = app.state.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    assert (await alice.http.get(path)).status_code == 200
    lists = [each for each in statements if re.search(r"FROM (samples|processing_jobs|collections|\()", each)]
    assert lists
    assert all(re.search(r"(samples|processing_jobs|collections)\.user_id = \$", each) for each in lists), lists
