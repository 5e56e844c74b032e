"""The archive for the SD card, through the API."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import numpy as np
import pytest
import soundfile

from tests.library.test_collections import collection
from tests.people import Person
from tests.sounds import RATE, chord, drum_loop, tone, wav


async def kit(person: Person, *sounds: tuple[bytes, str]) -> str:
    collection_id = await collection(person, "Dusty Kit")
    ids = [await person.uploaded(content, name) for content, name in sounds]
    response = await person.http.post(f"/api/collections/{collection_id}/samples", json={"sample_ids": ids})
    assert response.status_code == 200
    return collection_id


async def archive(person: Person, collection_id: str) -> zipfile.ZipFile:
    response = await person.http.get(f"/api/collections/{collection_id}/export")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/zip"
    return zipfile.ZipFile(io.BytesIO(response.content))


async def test_a_collection_becomes_wav_files_the_unit_reads(alice: Person) -> None:
    kit_id = await kit(
        alice,
        (wav(drum_loop(90)), "Dusty break F#m.wav"),
        (wav(chord(220, 277.18), format_="FLAC"), "Akkord für später, mit einem langen Namen.flac"),
        (wav(np.stack([tone(), tone(550)], axis=1), format_="MP3"), "stereo.mp3"),
    )
    card = await archive(alice, kit_id)
    assert card.testzip() is None
    waves = [name for name in card.namelist() if name.endswith(".WAV")]
    assert len(waves) == 3
    assert all(name.startswith("IMPORT/Dusty Kit/") for name in waves)
    for name in waves:
        content = card.read(name)
        assert len(name.rsplit("/", 1)[1].removesuffix(".WAV")) <= 23
        assert "#" not in name
        assert name.isascii()
        assert content[36:40] == b"data"  # a canonical header: 44 bytes and nothing but the format
        info = soundfile.info(io.BytesIO(content))
        assert (info.samplerate, info.subtype) == (48_000, "PCM_16")
    manifest = json.loads(card.read("MANIFEST.json"))
    assert [file["processing"]["original_file"] for file in manifest["files"]] == [
        "Dusty break F#m.wav",
        "Akkord für später, mit einem langen Namen.flac",
        "stereo.mp3",
    ]
    for file in manifest["files"]:
        assert hashlib.sha256(card.read(file["path"])).hexdigest() == file["sha256"]


async def test_the_sound_stays_what_it_was(alice: Person) -> None:
    sound = drum_loop(100, beats=4)
    card = await archive(alice, await kit(alice, (wav(sound, subtype="FLOAT"), "loop.wav")))
    [name] = [name for name in card.namelist() if name.endswith(".WAV")]
    exported, rate = soundfile.read(io.BytesIO(card.read(name)))
    assert rate == 48_000
    assert exported.size == pytest.approx(sound.size * 48_000 / RATE, abs=1)
    assert np.sqrt(np.mean(exported**2)) == pytest.approx(np.sqrt(np.mean(sound**2)), rel=0.01)


async def test_the_same_collection_gives_the_same_bytes(alice: Person) -> None:
    kit_id = await kit(alice, (wav(drum_loop(90)), "a.wav"), (wav(tone()), "b.wav"))
    path = f"/api/collections/{kit_id}/export"
    assert (await alice.http.get(path)).content == (await alice.http.get(path)).content


async def test_a_file_that_cannot_be_decoded_is_named_in_the_manifest(alice: Person) -> None:
    broken = wav(tone(), format_="FLAC")[:60] + bytes(4000)
    card = await archive(alice, await kit(alice, (broken, "broken.flac"), (wav(tone()), "fine.wav")))
    manifest = json.loads(card.read("MANIFEST.json"))
    assert [file["name"] for file in manifest["files"]] == ["fine"]
    [skipped] = manifest["skipped"]
    assert skipped["name"] == "broken"
    assert skipped["reason"]


async def test_an_empty_collection_is_not_exported(alice: Person) -> None:
    response = await alice.http.get(f"/api/collections/{await collection(alice)}/export")
    assert response.status_code == 422
    assert response.json()["code"] == "empty-collection"


async def test_a_link_to_the_archive_works_without_a_token(alice: Person, bob: Person) -> None:
    kit_id = await kit(alice, (wav(tone()), "b.wav"))
    link = (await alice.http.get(f"/api/collections/{kit_id}/export/link")).json()["url"]
    nobody = {"Authorization": ""}
    response = await alice.http.get(link, headers=nobody)
    assert response.status_code == 200
    assert response.headers["content-disposition"].startswith("attachment")
    other = await bob.http.get(link.replace(kit_id, await collection(bob)), headers=nobody)
    assert other.status_code == 403
    assert other.json()["code"] == "link-expired"
