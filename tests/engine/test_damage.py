"""Damaged files give what is there, and say so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sample_agent.engine import decode
from sample_agent.engine.decoding.ogg import OggReport, inspect_ogg
from tests.engine.files import write
from tests.sounds import RATE, drum_loop, tone

SECONDS = 12.0

COMPRESSED = (
    ("FLAC", "PCM_16"),
    ("MP3", "MPEG_LAYER_III"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], bytes]:
    """Drums over a tone, in each encoding."""
    folder = tmp_path_factory.mktemp("whole")
    drums = np.resize(drum_loop(100, beats=8), int(SECONDS * RATE))
    samples = 0.5 * drums + 0.3 * tone(440, SECONDS)
    return {kind: write(folder / "-".join(kind), *kind, samples).read_bytes() for kind in COMPRESSED}


def _seconds(path: Path, content: bytes) -> tuple[float, tuple[str, ...]]:
    path.write_bytes(content)
    audio = decode(path)
    return len(audio.samples) / audio.sample_rate, audio.warnings


def _length(kind: tuple[str, str]) -> float:
    # Written as if at 48 kHz.
    return SECONDS * RATE / 48_000 if kind[1] == "OPUS" else SECONDS


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_whole_file_has_no_warning(
    tmp_path: Path, whole: dict[tuple[str, str], bytes], kind: tuple[str, str]
) -> None:
    seconds, warnings = _seconds(tmp_path / "file", whole[kind])
    assert seconds == pytest.approx(_length(kind), abs=0.1)
    assert warnings == ()


@pytest.mark.parametrize("kind", COMPRESSED)
def test_what_lies_behind_damage_is_heard_too(
    tmp_path: Path, whole: dict[tuple[str, str], bytes], kind: tuple[str, str]
) -> None:
    content = bytearray(whole[kind])
    middle = len(content) // 2
    content[middle : middle + 300] = np.random.default_rng(1).bytes(300)
    seconds, warnings = _seconds(tmp_path / "file", bytes(content))
    # A page of Ogg may hold a second and more.
    assert seconds > _length(kind) - (2.5 if kind[0] == "OGG" else 0.5)
    assert len(warnings) == 1
    assert "damaged" in warnings[0]


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_gap_is_heard_of(tmp_path: Path, whole: dict[tuple[str, str], bytes], kind: tuple[str, str]) -> None:
    content = whole[kind]
    middle = len(content) // 2
    seconds, warnings = _seconds(tmp_path / "file", content[:middle] + content[middle + 3000 :])
    assert _length(kind) / 3 < seconds < _length(kind) + 0.1
    assert warnings


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_file_that_stops_early_is_said_to(
    tmp_path: Path, whole: dict[tuple[str, str], bytes], kind: tuple[str, str]
) -> None:
    content = whole[kind]
    seconds, warnings = _seconds(tmp_path / "file", content[: len(content) * 6 // 10])
    assert _length(kind) / 3 < seconds < 0.8 * _length(kind)
    assert len(warnings) == 1


@pytest.mark.parametrize("part", [0.75, 0.9, 0.99])
def test_vorbis_whose_only_page_of_sound_is_cut_is_heard_up_to_there(tmp_path: Path, part: float) -> None:
    path = write(tmp_path / "whole.ogg", "OGG", "VORBIS", tone(440, 0.5))
    before = decode(path).samples
    content = path.read_bytes()
    sound = content.rindex(b"OggS")
    path.write_bytes(content[: sound + int(part * (len(content) - sound))])
    audio = decode(path)
    assert (part - 0.25) * len(before) < len(audio.samples) < len(before)
    assert np.allclose(audio.samples, before[: len(audio.samples)], atol=1e-6)
    assert audio.warnings


def test_vorbis_that_is_cut_or_damaged_in_its_headers_brings_no_process_down(
    tmp_path: Path, whole: dict[tuple[str, str], bytes]
) -> None:
    content, random = whole["OGG", "VORBIS"], np.random.default_rng(5)
    for cut in range(60, 6000, 90):
        (tmp_path / f"cut-{cut}").write_bytes(content[:cut])
    for number in range(60):
        damaged, at, length = bytearray(content), *random.integers((60, 1), (4000, 300)).tolist()
        damaged[at : at + length] = random.bytes(length)
        (tmp_path / f"damaged-{number}").write_bytes(damaged)
    done = subprocess.run(
        [sys.executable, "-c", _ALL_DECODED, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    codes = set(done.stdout.split())
    assert codes <= {"decoded", "corrupt-audio", "unsupported-format"}


def test_pages_of_ogg_that_overlap_are_not_all_checked(tmp_path: Path) -> None:
    # Every 27 bytes begins what claims to be a page of 65 kB: checking each would take minutes.
    path = tmp_path / "overlapping.ogg"
    path.write_bytes((b"OggS" + bytes(22) + b"\xff").ljust(282, b"\xff") + (b"OggS" + b"\xff" * 23) * 200_000)
    with path.open("rb") as file:
        assert inspect_ogg(file) == OggReport(damaged=True, ended=False)


_ALL_DECODED = """
import sys
from pathlib import Path
from sample_agent.engine import AudioError, decode

for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        decode(path)
        print("decoded")
    except AudioError as error:
        print(error.code)
"""


@pytest.mark.parametrize("kind", COMPRESSED)
def test_tags_behind_the_audio_are_no_damage(
    tmp_path: Path, whole: dict[tuple[str, str], bytes], kind: tuple[str, str]
) -> None:
    tagged = whole[kind] + b"TAG" + b"title".ljust(125, b"\0")
    assert _seconds(tmp_path / "file", tagged)[1] == ()


def test_rubbish_before_an_mp3_is_skipped(tmp_path: Path, whole: dict[tuple[str, str], bytes]) -> None:
    rubbish = np.random.default_rng(2).bytes(300)
    seconds, _ = _seconds(tmp_path / "file", rubbish + whole["MP3", "MPEG_LAYER_III"])
    assert seconds == pytest.approx(SECONDS, abs=0.2)


def test_a_wav_of_the_long_kind_that_is_cut_short_says_how_much_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", RATE, 1, format="RF64", subtype="PCM_16") as file:
        file.write(tone(440, 8.0))
    content = path.read_bytes()
    seconds, warnings = _seconds(path, content[: len(content) // 2])
    assert seconds == pytest.approx(4.0, abs=0.01)
    assert "4.0 seconds" in warnings[0]


def test_what_lies_behind_damage_in_bare_aac_is_heard_too(tmp_path: Path) -> None:
    once = (Path(__file__).parents[1] / "audio" / "chord.aac").read_bytes()
    path = tmp_path / "damaged.aac"
    path.write_bytes(once * 3)
    whole = decode(path)
    damaged = bytearray(once * 3)
    del damaged[len(once) + 300 : len(once) + 555]
    path.write_bytes(bytes(damaged))
    audio = decode(path)
    assert len(whole.samples) - len(audio.samples) <= 3 * 1024
    assert any("damaged" in warning for warning in audio.warnings)
    assert not whole.warnings


def test_a_tag_behind_bare_aac_is_no_damage(tmp_path: Path) -> None:
    once = (Path(__file__).parents[1] / "audio" / "chord.aac").read_bytes()
    path = tmp_path / "tagged.aac"
    path.write_bytes(once + b"TAG" + b"x" * 125)
    assert not decode(path).warnings
