"""What is drawn of a sample: its spectrogram, and an outline to look closer at."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI

from sample_agent.core.storage import Storage
from tests.people import Person
from tests.sounds import drum_loop, tone, wav

pytestmark = pytest.mark.usefixtures("worker")

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def storage(app: FastAPI) -> Storage:
    kept: Storage = app.state.storage
    return kept


async def analysed(person: Person, content: bytes) -> str:
    sample_id = await person.uploaded(content)
    assert (await person.analysed(sample_id))["status"] == "completed"
    return sample_id


async def previews(storage: Storage, sample_id: str) -> set[str]:
    """What lies in storage beside the sample's preview, by its ending."""
    return {stored.key.split(sample_id)[1] async for stored in storage.list("previews") if sample_id in stored.key}


async def test_the_spectrogram_is_a_picture_that_is_sent_once(alice: Person) -> None:
    sample_id = await analysed(alice, wav(drum_loop(92)))
    first = await alice.http.get(f"/api/samples/{sample_id}/spectrogram")
    assert (first.status_code, first.headers["content-type"]) == (200, "image/png")
    assert first.content.startswith(PNG)
    etag = {"If-None-Match": first.headers["etag"]}
    assert (await alice.http.get(f"/api/samples/{sample_id}/spectrogram", headers=etag)).status_code == 304


async def test_a_long_sample_can_be_looked_at_closely(alice: Person) -> None:
    sample_id = await analysed(alice, wav(drum_loop(92)))
    for points in (16, 2048, 5000, 16_384):
        waveform = (await alice.http.get(f"/api/samples/{sample_id}/waveform?points={points}")).json()
        assert waveform["points"] == len(waveform["minimum"]) == len(waveform["maximum"]) == points
    assert (await alice.http.get(f"/api/samples/{sample_id}/waveform?points=16385")).status_code == 422


async def test_a_short_sample_shows_all_there_is_in_fewer_points(alice: Person, storage: Storage) -> None:
    sample_id = await analysed(alice, wav(tone(seconds=0.5)))
    waveform = (await alice.http.get(f"/api/samples/{sample_id}/waveform?points=16384")).json()
    assert waveform["points"] == len(waveform["minimum"]) == 2048
    assert await previews(storage, sample_id) == {"", ".png"}


async def test_what_was_analysed_before_there_were_drawings_says_so(alice: Person, storage: Storage) -> None:
    sample_id = await analysed(alice, wav(drum_loop(100)))
    me = (await alice.http.get("/api/auth/me")).json()["id"]
    for beside in (".png", ".peaks"):
        await storage.delete(f"previews/{me}/{sample_id}{beside}")
    answer = await alice.http.get(f"/api/samples/{sample_id}/spectrogram")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-spectrogram")
    waveform = (await alice.http.get(f"/api/samples/{sample_id}/waveform?points=16384")).json()
    assert waveform["points"] == 2048
    await alice.http.post(f"/api/samples/{sample_id}/analyze")
    await alice.analysed(sample_id)
    assert (await alice.http.get(f"/api/samples/{sample_id}/spectrogram")).content.startswith(PNG)


async def test_what_could_not_be_analysed_has_no_spectrogram(alice: Person) -> None:
    sample_id = await alice.uploaded(b"fLaC" + bytes(range(256)) * 50, "broken.flac")
    assert (await alice.analysed(sample_id))["status"] == "failed"
    answer = await alice.http.get(f"/api/samples/{sample_id}/spectrogram")
    assert (answer.status_code, answer.json()["code"]) == (404, "no-spectrogram")


async def test_a_new_analysis_draws_everything_anew(alice: Person, storage: Storage) -> None:
    sample_id = await analysed(alice, wav(tone(seconds=0.4)))
    me = (await alice.http.get("/api/auth/me")).json()["id"]
    # As an engine with other ideas of what is short would have left them.
    for beside in (".png", ".peaks"):
        await storage.put(f"previews/{me}/{sample_id}{beside}", b"of an older analysis", "image/png")
    await alice.http.post(f"/api/samples/{sample_id}/analyze")
    await alice.analysed(sample_id)
    assert (await alice.http.get(f"/api/samples/{sample_id}/spectrogram")).content.startswith(PNG)
    assert await previews(storage, sample_id) == {"", ".png"}


async def test_what_is_deleted_for_good_leaves_no_drawings(alice: Person, storage: Storage) -> None:
    sample_id = await analysed(alice, wav(drum_loop(110)))
    assert await previews(storage, sample_id) == {"", ".png", ".peaks"}
    await alice.http.delete(f"/api/samples/{sample_id}")
    assert (await alice.http.get(f"/api/samples/{sample_id}/spectrogram")).status_code == 200
    await alice.http.delete("/api/trash")

    async with asyncio.timeout(30):
        while True:
            if not await previews(storage, sample_id):
                return
            await asyncio.sleep(0.05)
