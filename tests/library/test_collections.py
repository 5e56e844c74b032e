"""Collections through the API."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from sample_agent.core.database import Database
from tests.people import Person
from tests.sounds import tone, wav


async def collection(person: Person, name: str = "Kit") -> str:
    response = await person.http.post("/api/collections", json={"name": name})
    assert response.status_code == 201, response.text
    collection_id: str = response.json()["id"]
    return collection_id


async def three_samples(person: Person) -> list[str]:
    return [await person.uploaded(wav(tone(300 + n)), f"{n}.wav") for n in range(3)]


async def order(person: Person, collection_id: str) -> list[str]:
    listed = (await person.http.get(f"/api/samples?collection={collection_id}&sort=position")).json()
    return [row["id"] for row in listed["samples"]]


async def test_a_collection_is_made_filled_ordered_and_deleted(alice: Person) -> None:
    kit = await collection(alice)
    samples = await three_samples(alice)
    added = await alice.http.post(f"/api/collections/{kit}/samples", json={"sample_ids": samples[:2]})
    assert added.json() == {"added": 2, "sample_count": 2}
    again = await alice.http.post(f"/api/collections/{kit}/samples", json={"sample_ids": samples})
    assert again.json() == {"added": 1, "sample_count": 3}
    assert await order(alice, kit) == samples
    turned = samples[::-1]
    assert (await alice.http.put(f"/api/collections/{kit}/order", json={"sample_ids": turned})).status_code == 204
    assert await order(alice, kit) == turned
    assert (await alice.http.delete(f"/api/collections/{kit}/samples/{samples[0]}")).status_code == 204
    assert await order(alice, kit) == turned[:2]
    assert (await alice.http.delete(f"/api/collections/{kit}")).status_code == 204
    assert (await alice.http.get(f"/api/collections/{kit}")).status_code == 404
    assert (await alice.http.get("/api/samples")).json()["total"] == 3


async def test_a_collection_can_be_renamed_and_described(alice: Person) -> None:
    kit = await collection(alice)
    changed = await alice.http.patch(f"/api/collections/{kit}", json={"name": "Dusty kit", "description": "for Sunday"})
    assert (changed.json()["name"], changed.json()["description"]) == ("Dusty kit", "for Sunday")


async def test_two_collections_of_one_name_are_one_too_many(alice: Person, bob: Person) -> None:
    await collection(alice, "Kit")
    response = await alice.http.post("/api/collections", json={"name": "kit"})
    assert response.status_code == 409
    assert response.json()["code"] == "name-taken"
    await collection(bob, "Kit")


async def test_an_order_that_leaves_something_out_is_refused(alice: Person) -> None:
    kit = await collection(alice)
    samples = await three_samples(alice)
    await alice.http.post(f"/api/collections/{kit}/samples", json={"sample_ids": samples})
    for wrong in (samples[:2], [*samples, str(uuid4())], [samples[0], samples[0], samples[1]]):
        response = await alice.http.put(f"/api/collections/{kit}/order", json={"sample_ids": wrong})
        assert response.status_code == 422
    assert await order(alice, kit) == samples


async def test_a_sample_in_the_trash_is_not_shown_in_its_collection(alice: Person) -> None:
    kit = await collection(alice)
    samples = await three_samples(alice)
    await alice.http.post(f"/api/collections/{kit}/samples", json={"sample_ids": samples})
    await alice.http.delete(f"/api/samples/{samples[1]}")
    assert await order(alice, kit) == [samples[0], samples[2]]
    assert (await alice.http.get(f"/api/collections/{kit}")).json()["sample_count"] == 2
    await alice.http.post(f"/api/samples/{samples[1]}/restore")
    assert await order(alice, kit) == samples


async def test_what_does_not_exist_cannot_be_collected(alice: Person) -> None:
    kit = await collection(alice)
    response = await alice.http.post(f"/api/collections/{kit}/samples", json={"sample_ids": [str(uuid4())]})
    assert response.status_code == 404


async def test_the_same_idempotency_key_makes_one_collection(alice: Person) -> None:
    headers = {"Idempotency-Key": "a-key-of-my-own"}
    first = await alice.http.post("/api/collections", json={"name": "Kit"}, headers=headers)
    again = await alice.http.post("/api/collections", json={"name": "Kit"}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    other = await alice.http.post("/api/collections", json={"name": "Other"}, headers=headers)
    assert other.json()["code"] == "idempotency-key-reused"
    assert len((await alice.http.get("/api/collections")).json()["collections"]) == 1


@pytest.mark.parametrize("name", ["", "   ", "a" * 121, "two\nlines"])
async def test_a_name_has_to_be_a_name(alice: Person, name: str) -> None:
    assert (await alice.http.post("/api/collections", json={"name": name})).status_code == 422


async def test_a_collection_takes_ten_thousand_samples_at_once(alice: Person, database: Database) -> None:
    kit = await collection(alice)
    owner = UUID((await alice.http.get("/api/auth/me")).json()["id"])
    async with database.transaction(owner) as session:
        ids = [str(each) for each in await session.scalars(_TEN_THOUSAND, {"owner": owner})]
    added = await alice.http.post(f"/api/collections/{kit}/samples", json={"sample_ids": ids})
    assert added.json() == {"added": 10_000, "sample_count": 10_000}


async def test_a_description_that_no_database_takes_is_refused(alice: Person) -> None:
    response = await alice.http.post("/api/collections", json={"name": "Kit", "description": "a\0b"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "description"]


_TEN_THOUSAND = text("""
insert into samples (id, user_id, filename, name, folder, favourite, file_key, file_size, sha256, format, content_type,
                     status, search_text, version)
select gen_random_uuid(), :owner, 'a.wav', 'a', '', false, 'uploads/' || n, 1, int8send(n), 'wav', 'audio/wav',
       'completed', 'a', 1
  from generate_series(1, 10000) n
returning id
""")
