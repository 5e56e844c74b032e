"""Samples through the API: upload, find, correct, delete, restore."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from fastapi import FastAPI
from starlette.types import Message

from tests.people import Person
from tests.sounds import chord, drum_loop, tone, wav

pytestmark = pytest.mark.usefixtures("worker")


async def test_an_upload_is_analysed_and_shows_in_the_list(alice: Person) -> None:
    sample_id = await alice.uploaded(wav(drum_loop(96)), "Dusty Break.wav", tags="soul, Breaks", folder="packs/dusty")
    detail = await alice.analysed(sample_id)
    assert detail["status"] == "completed"
    assert detail["kind"] == "loop"
    assert detail["tempo"] == pytest.approx(96, rel=0.02)
    assert detail["tags"] == ["soul", "breaks"]
    assert detail["folder"] == "packs/dusty"
    assert detail["duration"] == pytest.approx(5.0, abs=0.01)
    assert detail["vibe"]
    assert len(detail["waveform"]) == 172
    assert detail["analysis"]["engine_version"]
    listed = (await alice.http.get("/api/samples")).json()
    assert [row["id"] for row in listed["samples"]] == [sample_id]
    assert listed["total"] == 1


async def test_the_answer_to_an_upload_says_where_to_look(alice: Person) -> None:
    response = await alice.upload(wav(tone()))
    assert response.status_code == 201
    body = response.json()
    assert response.headers["location"] == f"/api/samples/{body['sample_id']}"
    assert body["status"] == "pending"
    assert body["duplicate"] is False
    job = (await alice.http.get(f"/api/jobs/{body['job_id']}")).json()
    assert job["sample_id"] == body["sample_id"]


async def test_the_same_bytes_are_kept_once(alice: Person, bob: Person) -> None:
    content = wav(tone(330))
    first = await alice.uploaded(content, "one.wav")
    again = await alice.upload(content, "two.wav")
    assert again.status_code == 200
    assert again.json()["duplicate"] is True
    assert again.json()["sample_id"] == first
    assert (await alice.http.get("/api/samples")).json()["total"] == 1
    assert (await alice.http.get("/api/usage")).json()["storage"]["used_bytes"] == len(content)
    assert (await bob.upload(content, "mine.wav")).status_code == 201


async def test_a_duplicate_comes_back_out_of_the_trash(alice: Person) -> None:
    content = wav(tone(331))
    sample_id = await alice.uploaded(content)
    await alice.analysed(sample_id)
    await alice.http.delete(f"/api/samples/{sample_id}")
    assert (await alice.upload(content)).json()["sample_id"] == sample_id
    assert (await alice.http.get("/api/samples")).json()["total"] == 1


async def test_an_upload_that_breaks_off_leaves_nothing_and_is_no_defect_of_ours(alice: Person, app: FastAPI) -> None:
    begun = b'--B\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n' + wav(tone(332))[:9000]
    messages: list[Message] = [
        {"type": "http.request", "body": begun, "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = {**alice.http.headers, "content-type": "multipart/form-data; boundary=B", "content-length": "99999"}
    scope = {
        "type": "http", "method": "POST", "path": "/api/samples", "raw_path": b"/api/samples", "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    await app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert [stored async for stored in app.state.storage.list("uploads")] == []
    assert (await alice.http.get("/api/usage")).json()["storage"]["used_bytes"] == 0


@pytest.mark.parametrize(
    ("content", "filename", "status", "code"),
    [
        (b"", "nothing.wav", 422, "empty-file"),
        (b"GIF89a" + bytes(600), "picture.wav", 415, "unsupported-audio"),
        (b"#!/bin/sh\nrm -rf /\n", "script.mp3", 415, "unsupported-audio"),
    ],
)
async def test_what_is_no_audio_is_refused_and_costs_nothing(
    alice: Person, content: bytes, filename: str, status: int, code: str
) -> None:
    response = await alice.upload(content, filename)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert (await alice.http.get("/api/samples")).json()["total"] == 0
    assert (await alice.http.get("/api/usage")).json()["storage"]["used_bytes"] == 0


async def test_a_form_without_a_file_says_so(alice: Person) -> None:
    response = await alice.http.post("/api/samples", files={"tags": (None, "a,b")})
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"] == ["body", "audio"]


async def test_a_body_that_is_no_form_says_so(alice: Person) -> None:
    response = await alice.http.post("/api/samples", content=b"RIFF", headers={"Content-Type": "audio/wav"})
    assert response.status_code == 400
    assert response.json()["code"] == "bad-request"


async def test_a_corrupt_file_fails_with_a_reason_and_costs_no_quota(alice: Person) -> None:
    whole = wav(tone(seconds=1), format_="FLAC")
    sample_id = await alice.uploaded(whole[:60] + bytes(4000), "broken.flac")
    detail = await alice.analysed(sample_id)
    assert detail["status"] == "failed"
    assert detail["error"]["message"]
    assert detail["job"]["status"] == "failed"
    assert (await alice.http.get("/api/usage")).json()["storage"]["used_bytes"] == 0


@pytest.mark.parametrize("format_", ["WAV", "AIFF", "FLAC", "MP3", "OGG"])
async def test_every_preview_plays_in_browsers(alice: Person, format_: str) -> None:
    sample_id = await alice.uploaded(wav(chord(220, 277.18, 329.63), format_=format_), f"chord.{format_.lower()}")
    detail = await alice.analysed(sample_id)
    assert detail["status"] == "completed"
    preview = await alice.http.get(f"/api/samples/{sample_id}/preview")
    assert preview.status_code == 200
    assert preview.headers["content-type"] in ("audio/flac", "audio/mpeg")
    sound, _ = soundfile.read(io.BytesIO(preview.content))
    assert np.abs(sound).max() > 0.01


async def test_downloads_and_previews_answer_ranges(alice: Person) -> None:
    content = wav(tone(seconds=1))
    sample_id = await alice.uploaded(content, "Ton für Ton.wav")
    await alice.analysed(sample_id)
    whole = await alice.http.get(f"/api/samples/{sample_id}/download")
    assert whole.content == content
    assert "filename*=UTF-8''Ton%20f%C3%BCr%20Ton.wav" in whole.headers["content-disposition"]
    part = await alice.http.get(f"/api/samples/{sample_id}/download", headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(content)}"
    preview = await alice.http.get(f"/api/samples/{sample_id}/preview", headers={"Range": "bytes=0-3"})
    assert preview.status_code == 206
    assert preview.content == b"fLaC"
    beyond = await alice.http.get(f"/api/samples/{sample_id}/download", headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416


async def test_links_work_without_a_token_until_they_are_changed(alice: Person) -> None:
    sample_id = await alice.uploaded(wav(tone(seconds=1)))
    await alice.analysed(sample_id)
    link = (await alice.http.get(f"/api/samples/{sample_id}/preview/link")).json()["url"]
    nobody = {"Authorization": ""}
    assert (await alice.http.get(link, headers=nobody)).status_code == 200
    assert (await alice.http.get(link.replace("signature=", "signature=A"), headers=nobody)).status_code == 403


async def test_a_correction_wins_and_survives_a_new_analysis(alice: Person) -> None:
    sample_id = await alice.uploaded(wav(drum_loop(87)))
    machine = await alice.analysed(sample_id)
    changed = await alice.http.patch(f"/api/samples/{sample_id}", json={"tempo": 174, "key": "F#m", "kind": "track"})
    assert changed.status_code == 200
    assert changed.json()["tempo"] == 174
    assert (await alice.http.post(f"/api/samples/{sample_id}/analyze")).status_code == 202
    detail = await alice.analysed(sample_id)
    assert (detail["tempo"], detail["key"], detail["camelot"], detail["kind"]) == (174, "F#m", "11A", "track")
    assert sorted(detail["corrected"]) == ["key", "kind", "tempo"]
    assert detail["analysis"]["tempo"] == machine["analysis"]["tempo"]
    assert "174" in detail["vibe"]
    assert "F#m" in detail["vibe"]
    cleared = await alice.http.patch(f"/api/samples/{sample_id}", json={"tempo": None, "key": None, "kind": None})
    assert cleared.json()["tempo"] == machine["tempo"]
    assert cleared.json()["corrected"] == []
    assert cleared.json()["vibe"] == machine["vibe"]


@pytest.mark.parametrize("change", [{"key": "H"}, {"tempo": 0}, {"kind": "song"}, {"owner": "me"}, {"tags": ["a,b"]}])
async def test_an_impossible_correction_is_refused(alice: Person, change: dict[str, object]) -> None:
    sample_id = await alice.uploaded(wav(tone()))
    response = await alice.http.patch(f"/api/samples/{sample_id}", json=change)
    assert response.status_code == 422
    assert response.json()["code"] == "validation-failed"


async def test_a_deleted_sample_can_be_restored_until_the_trash_is_emptied(alice: Person) -> None:
    sample_id = await alice.uploaded(wav(tone()))
    await alice.analysed(sample_id)
    assert (await alice.http.delete(f"/api/samples/{sample_id}")).status_code == 204
    assert (await alice.http.get("/api/samples")).json()["total"] == 0
    assert (await alice.http.get("/api/samples?deleted=true")).json()["total"] == 1
    restored = await alice.http.post(f"/api/samples/{sample_id}/restore")
    assert restored.status_code == 200
    assert (await alice.http.get("/api/samples")).json()["total"] == 1
    await alice.http.delete(f"/api/samples/{sample_id}")
    assert (await alice.http.delete("/api/trash")).json() == {"deleted": 1}
    assert (await alice.http.get(f"/api/samples/{sample_id}")).status_code == 404
    assert (await alice.http.get("/api/usage")).json()["storage"]["used_bytes"] == 0


async def test_an_unchanged_list_is_not_sent_twice(alice: Person) -> None:
    await alice.analysed(await alice.uploaded(wav(tone())))
    first = await alice.http.get("/api/samples")
    again = await alice.http.get("/api/samples", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


async def test_the_waveform_can_be_drawn_at_several_widths(alice: Person) -> None:
    sample_id = await alice.uploaded(wav(tone(level=0.5, seconds=1)))
    await alice.analysed(sample_id)
    for points in (128, 2048):
        waveform = (await alice.http.get(f"/api/samples/{sample_id}/waveform?points={points}")).json()
        assert len(waveform["minimum"]) == len(waveform["maximum"]) == points
        assert max(waveform["maximum"]) == pytest.approx(0.5, abs=0.02)
        assert min(waveform["minimum"]) == pytest.approx(-0.5, abs=0.02)
