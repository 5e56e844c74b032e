"""From an analysed file to what a layout needs to know of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sample_agent.description import describe_file
from sample_agent.placing import file_source, kit_sample
from sample_agent.sp404.cards.batch import UnreadableSourceError
from tests.engine.files import write
from tests.sounds import drum_loop


def features(**more: Any) -> dict[str, Any]:
    return {
        "kind": {"kind": "one-shot", "confidence": 0.9},
        "loudness": {"integrated_lufs": -14.0, "sample_peak_dbfs": -1.0},
        "spectral": {"centroid_hz": 1500.0},
        "duration": 0.5,
        "channels": 1,
        "tempo": None,
        "key": None,
        "hints": {"tempo": None, "key": None},
        "onsets": [0.0],
    } | more


LOOP = {"kind": {"kind": "loop", "confidence": 0.9}, "duration": 4.0}


@pytest.mark.parametrize(
    ("path", "heard", "sound_class"),
    [
        ("kit/Kick 1.wav", "snare", "kick"),
        ("Snares/1.wav", "tom", "snare"),
        ("kit/1.wav", "tom", "tom"),
        ("kit/1.wav", None, "percussion"),
    ],
)
def test_the_name_counts_before_the_folder_and_both_before_the_ear(
    path: str, heard: str | None, sound_class: str
) -> None:
    found = features(sound_class={"name": heard} if heard else None)
    assert kit_sample(found, Path(path)).sound_class == sound_class


@pytest.mark.parametrize(
    ("path", "confidence", "certain"), [("1.wav", 0.9, True), ("1.wav", 0.4, False), ("Kick.wav", 0.4, True)]
)
def test_what_was_heard_faintly_is_not_certain(path: str, confidence: float, certain: bool) -> None:
    found = features(sound_class={"name": "kick", "confidence": confidence})
    assert kit_sample(found, Path("kit") / path).certain == certain
    assert not kit_sample(features(), Path("kit/1.wav")).certain


def test_a_short_drum_that_seems_to_go_round_is_a_hit_and_a_named_loop_is_a_loop() -> None:
    assert kit_sample(features(**LOOP | {"duration": 1.0}), Path("Snare roll.wav")).kind == "one-shot"
    assert kit_sample(features(), Path("Snare loop 90bpm.wav")).played_as == "drum-loop"


@pytest.mark.parametrize(
    ("name", "hinted", "heard", "tempo"),
    [
        ("Loop 92bpm.wav", 92.0, 123.0, 92.0),
        ("Loop 92.wav", 92.0, 184.1, 92.0),
        ("Loop 92.wav", 92.0, 123.0, 123.0),
        ("Loop.wav", None, 123.0, 123.0),
        ("Loop 92.wav", 92.0, None, 92.0),
        ("Loop.wav", None, None, None),
    ],
)
def test_a_tempo_in_the_name_counts_when_it_is_certain(
    name: str, hinted: float | None, heard: float | None, tempo: float | None
) -> None:
    found = features(**LOOP, hints={"tempo": hinted}, tempo={"bpm": heard} if heard else None)
    assert kit_sample(found, Path(name)).tempo == tempo


def test_a_one_shot_has_no_tempo_and_a_key_only_when_it_is_one() -> None:
    found = features(hints={"tempo": 90.0, "key": None}, key={"key": "F#m", "confidence": 0.9})
    assert kit_sample(found, Path("Rhodes.wav")).tempo is None
    assert kit_sample(found, Path("Rhodes.wav")).key == "F#m"
    assert kit_sample(features(key={"key": "?"}), Path("Rhodes.wav")).key is None


def test_a_file_as_the_engine_sees_it_is_understood(tmp_path: Path) -> None:
    path = write(tmp_path / "Break 100bpm.wav", samples=drum_loop(100, beats=16))
    sample = kit_sample(describe_file(str(path)), path)
    assert (sample.played_as, sample.tempo, sample.group) == ("drum-loop", 100, str(tmp_path))
    assert sample.duration == pytest.approx(9.6, abs=0.01)
    assert len(sample.slices) > 8
    assert sample.loudness is not None
    assert sample.peak_db is not None


def test_a_file_can_be_opened_again_and_again(tmp_path: Path) -> None:
    source = file_source(write(tmp_path / "sine.wav"))
    for _ in range(2):
        with source() as sound:
            assert sum(len(block) for block in sound.blocks) == 2 * sound.sample_rate == 88_200


@pytest.mark.parametrize("content", [b"", b"buy milk", b"RIFF\0\0\0\0WAVE"])
def test_a_file_that_cannot_be_decoded_says_why(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.wav").write_bytes(content)
    with pytest.raises(UnreadableSourceError, match=r"\.$"), file_source(tmp_path / "bad.wav")():
        pass
