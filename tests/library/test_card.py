"""The archive for the card, as somebody unpacks it."""

import asyncio
import hashlib
import io
import json
import os
import zipfile
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from sample_agent.library.card import CardItem, Convert, Converted, NotConverted, stream_card
from sample_agent.sp404.formats.wav import read_wav, write_wav
from sample_agent.sp404.sound.prepare import prepare

RNG = np.random.default_rng(3)
AUDIO = Path(os.environ.get("SAMPLE_AGENT_AUDIO", Path(__file__).parents[3] / "shared/audio"))


class Workshop:
    """Converts sounds held in memory into a folder that can be looked into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sounds: dict[str, tuple[np.ndarray, int]] = {}
        self.most_files_at_once = 0

    def add(self, name: str, samples: np.ndarray, rate: int = 48_000) -> CardItem:
        item = CardItem(f"id-{len(self.sounds)}", name)
        self.sounds[item.sample_id] = (samples, rate)
        return item

    async def convert(self, item: CardItem) -> Converted:
        prepared = prepare(*self.sounds[item.sample_id])
        path = self.folder / f"{item.sample_id}.wav"
        with path.open("wb") as file:
            write_wav(file, prepared.pcm)
        self.most_files_at_once = max(self.most_files_at_once, len(list(self.folder.iterdir())))
        return Converted(path, asdict(prepared.report))


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    (tmp_path / "work").mkdir()
    return Workshop(tmp_path / "work")


def real_files() -> list[Path]:
    return sorted(path for path in AUDIO.rglob("*") if path.suffix in {".wav", ".flac", ".ogg"})


async def whole(parts: AsyncIterator[bytes]) -> bytes:
    return b"".join([part async for part in parts])


async def opened(name: str, items: list[CardItem], convert: Convert) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(await whole(stream_card(name, items, convert))))
    assert archive.testzip() is None
    return archive


def manifest(archive: zipfile.ZipFile) -> dict:
    return json.loads(archive.read("MANIFEST.json"))


def noise(frames: int = 4800, channels: int = 1) -> np.ndarray:
    return RNG.uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)


async def test_a_collection_becomes_a_folder_of_wav_files_with_names_the_unit_takes(workshop: Workshop) -> None:
    items = [
        workshop.add("Kick.wav", noise()),
        workshop.add("kick", noise()),
        workshop.add("Rhodes F#m \u2013 très long et doux", noise(channels=2), 44_100),
    ]
    archive = await opened("Été 2026: Dusty/Drums", items, workshop.convert)
    folder = "IMPORT/Ete 2026 Dusty Drums"
    assert archive.namelist() == [
        "README.TXT",
        f"{folder}/Kick.WAV",
        f"{folder}/kick 2.WAV",
        f"{folder}/Rhodes Fsm - tres long.WAV",
        "MANIFEST.json",
    ]
    for name in archive.namelist()[1:-1]:
        assert len(read_wav(archive.read(name))) >= 4800


async def test_the_manifest_leads_from_each_file_back_to_its_sample(workshop: Workshop) -> None:
    items = [workshop.add("Kick.wav", noise()), workshop.add("Pad C#", noise(channels=2), 44_100)]
    archive = await opened("Drums", items, workshop.convert)
    found = manifest(archive)
    assert (found["collection"], found["device"], found["skipped"]) == ("Drums", "SP-404MK2", [])
    assert found["generator"].startswith("sample-agent ")
    assert [(file["sample_id"], file["name"], file["path"]) for file in found["files"]] == [
        ("id-0", "Kick.wav", "IMPORT/Drums/Kick.WAV"),
        ("id-1", "Pad C#", "IMPORT/Drums/Pad Cs.WAV"),
    ]
    for file in found["files"]:
        content = archive.read(file["path"])
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["size"] == len(content)
    assert found["files"][1]["processing"]["source_rate"] == 44_100
    assert found["files"][1]["processing"]["resampled"] is True


async def test_the_readme_says_where_the_samples_are_in_lines_any_computer_shows(workshop: Workshop) -> None:
    text = (await opened("Drums", [workshop.add("a", noise())], workshop.convert)).read("README.TXT")
    assert b"IMPORT/Drums/" in text
    assert text.isascii()
    assert text.count(b"\n") == text.count(b"\r\n")


async def test_the_same_collection_gives_the_same_bytes(workshop: Workshop) -> None:
    items = [workshop.add(f"Sound {number}", noise(), 44_100) for number in range(5)]
    first = await whole(stream_card("Drums", items, workshop.convert))
    assert await whole(stream_card("Drums", items, workshop.convert)) == first


async def test_a_full_folder_is_continued_in_the_next(workshop: Workshop) -> None:
    sound = np.zeros((4800, 1), np.float32)
    items = [workshop.add("Hit", sound) for _ in range(300)]
    names = (await opened("A collection with a name too long", items, workshop.convert)).namelist()[1:-1]
    folders = [name.split("/")[1] for name in names]
    assert [(folder, folders.count(folder)) for folder in dict.fromkeys(folders)] == [
        ("A collection with a nam", 128),
        ("A collection with a n 2", 128),
        ("A collection with a n 3", 44),
    ]
    assert len({name.lower() for name in names}) == 300
    assert names[128].endswith("/Hit.WAV")


async def test_a_sample_that_cannot_be_converted_is_left_out_with_its_reason(workshop: Workshop) -> None:
    items = [workshop.add(name, noise()) for name in ("a", "told", "b")]

    async def convert(item: CardItem) -> Converted:
        if item.name == "told":
            raise NotConverted("The file is damaged.")
        return await workshop.convert(item)

    found = manifest(await opened("Drums", items, convert))
    assert [file["name"] for file in found["files"]] == ["a", "b"]
    assert found["skipped"] == [{"sample_id": "id-1", "name": "told", "reason": "The file is damaged."}]
    assert list(workshop.folder.iterdir()) == []


@pytest.mark.parametrize("failure", ["unforeseen", "not canonical", "gone"])
async def test_a_failure_of_ours_breaks_the_archive_off(workshop: Workshop, failure: str) -> None:
    items = [workshop.add(name, noise()) for name in ("a", failure)]

    async def convert(item: CardItem) -> Converted:
        match item.name:
            case "unforeseen":
                raise RuntimeError("the engine is away")
            case "not canonical":
                path = workshop.folder / "odd.wav"
                soundfile.write(path, noise(), 44_100, subtype="FLOAT")
                return Converted(path)
            case "gone":
                return Converted(workshop.folder / "none.wav")
        return await workshop.convert(item)

    with pytest.raises((RuntimeError, ValueError, OSError)):
        await opened("Drums", items, convert)
    assert list(workshop.folder.iterdir()) == []


async def test_there_is_never_more_than_one_converted_file(workshop: Workshop) -> None:
    items = [workshop.add(f"{number}", noise(48_000)) for number in range(6)]
    await opened("Drums", items, workshop.convert)
    assert workshop.most_files_at_once == 1
    assert list(workshop.folder.iterdir()) == []


async def test_nothing_is_converted_before_it_is_asked_for(workshop: Workshop) -> None:
    asked: list[str] = []

    async def convert(item: CardItem) -> Converted:
        asked.append(item.name)
        return await workshop.convert(item)

    parts = stream_card("Drums", [workshop.add(name, noise()) for name in "abc"], convert)
    await anext(parts)
    assert asked == []
    await anext(parts)
    assert asked == ["a"]
    await parts.aclose()


@pytest.mark.parametrize("parts_read", [1, 2, 3, 4])
async def test_a_reader_who_goes_away_leaves_no_file(workshop: Workshop, parts_read: int) -> None:
    parts = stream_card("Drums", [workshop.add("a", noise(500_000)), workshop.add("b", noise())], workshop.convert)
    for _ in range(parts_read):
        await anext(parts)
    await parts.aclose()
    assert list(workshop.folder.iterdir()) == []


async def test_a_reader_who_goes_away_stops_the_conversion(workshop: Workshop) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def convert(item: CardItem) -> Converted:
        begun.set()
        try:
            return await asyncio.Event().wait()
        finally:
            stopped.set()

    reading = asyncio.create_task(whole(stream_card("Drums", [workshop.add("a", noise())], convert)))
    await begun.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert stopped.is_set()


async def test_a_16_bit_48_khz_file_arrives_bit_for_bit(workshop: Workshop, tmp_path: Path) -> None:
    source = RNG.integers(-32_768, 32_768, (20_000, 2), dtype=np.int16)
    soundfile.write(tmp_path / "source.wav", source, 48_000, subtype="PCM_16")
    item = workshop.add("a", *soundfile.read(tmp_path / "source.wav", dtype="float32", always_2d=True))
    archive = await opened("Drums", [item], workshop.convert)
    samples, rate = soundfile.read(io.BytesIO(archive.read("IMPORT/Drums/a.WAV")), dtype="int16", always_2d=True)
    assert rate == 48_000
    assert np.array_equal(samples, source)


@pytest.mark.skipif(not AUDIO.is_dir(), reason="no folder of real audio (SAMPLE_AGENT_AUDIO)")
async def test_real_samples_arrive_as_an_independent_conversion_makes_them(workshop: Workshop) -> None:
    sources = {}
    for path in real_files()[:8]:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True, frames=5 * 48_000)
        sources[workshop.add(path.name, samples, rate)] = samples, rate
    assert sources
    archive = await opened("Real", list(sources), workshop.convert)
    for (samples, rate), file in zip(sources.values(), manifest(archive)["files"], strict=True):
        arrived, _ = soundfile.read(io.BytesIO(archive.read(file["path"])), dtype="float64", always_2d=True)
        expected = soxr.resample(samples.astype(np.float64), rate, 48_000, quality="HQ")
        expected *= 10 ** (file["processing"]["gain_db"] / 20)
        # One step, and what rounding of the reported gain makes of it.
        assert np.abs(arrived[: len(expected)] - expected).max() * 32_768 < 3
        assert np.sqrt(np.mean((arrived[: len(expected)] - expected) ** 2)) * 32_768 < 1
