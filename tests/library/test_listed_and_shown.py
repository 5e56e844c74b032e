"""What a list says of a sample is what its own page says."""

from __future__ import annotations

import pytest

from sample_agent.library.schemas import SampleList, SampleSummary
from tests.people import Person
from tests.sounds import tone, wav


@pytest.mark.usefixtures("worker")
async def test_a_sample_reads_the_same_in_the_list_and_on_its_own(alice: Person) -> None:
    sample_id = await alice.uploaded(wav(tone(220, seconds=1)), "Loop.one.wav", tags="soul", folder="Crates")
    await alice.analysed(sample_id)
    corrected = {"name": "Renamed", "tempo": 87.125, "key": "Am", "favourite": True}
    assert (await alice.http.patch(f"/api/samples/{sample_id}", json=corrected)).status_code == 200
    broken = await alice.uploaded(wav(tone(330, seconds=0.5))[:200], "broken.wav")
    await alice.analysed(broken)

    listed = (await alice.http.get("/api/samples")).json()

    assert set(SampleList.model_validate(listed, strict=False).model_fields_set) == set(SampleList.model_fields)
    assert [row["id"] for row in listed["samples"]] == [broken, sample_id]
    for row in listed["samples"]:
        assert set(row) == set(SampleSummary.model_fields)
        detail = (await alice.http.get(f"/api/samples/{row['id']}")).json()
        assert row == {name: detail[name] for name in row}


async def test_the_total_is_known_behind_the_last_page_too(alice: Person) -> None:
    await alice.uploaded(wav(tone(220, seconds=0.2)), "a.wav")
    await alice.uploaded(wav(tone(330, seconds=0.2)), "b.wav")
    behind = (await alice.http.get("/api/samples?offset=5")).json()
    assert (behind["samples"], behind["total"], behind["next_cursor"]) == ([], 2, None)
