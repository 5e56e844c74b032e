"""A folder of samples as a producer has it: several formats in several folders, and litter between them."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from tests import sounds

ROOT = Path(__file__).parents[2]
AUDIO = Path(os.environ.get("SAMPLE_AGENT_AUDIO", ROOT / ".." / "shared" / "audio"))
"""Real recordings, where there are some: folders `classes`, `tempo` and `key`."""

REAL_SETS = {"classes": "one-shots", "tempo": "loops", "key": "songs"}
REAL_PER_SET = 3


@dataclass(frozen=True)
class Crate:
    """`folder` with audio files in it, by name without ending, and `litter` files that are no audio."""

    folder: Path
    names: tuple[str, ...]
    litter: int


def fill(folder: Path) -> Crate:
    """Twelve sounds and a text file: nine of them recordings where there are any, three of them made to be known."""
    _write(folder / "loops" / "dusty break 90.wav", sounds.drum_loop(90, beats=16), "WAV")
    # It dies away, as a chord that is struck does: one that stops at full level could be a loop.
    struck = sounds.chord(220, 277.18, 329.63) * np.exp(-np.linspace(0, 4, 2 * sounds.RATE))
    _write(folder / "keys" / "warm chord.aiff", struck, "AIFF")
    shutil.copy(ROOT / "tests" / "audio" / "chord.m4a", folder / "keys" / "tape chord.m4a")
    if AUDIO.is_dir():
        _copy_recordings(folder)
    else:
        _make_recordings(folder)
    (folder / "notes.txt").write_text("not a sound")
    (folder / ".DS_Store").write_bytes(b"\0" * 16)
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _FORMATS)
    assert len(files) == 12
    return Crate(folder, tuple(path.stem for path in files), litter=1)


_FORMATS = {".wav", ".aiff", ".flac", ".mp3", ".ogg", ".m4a"}


def _copy_recordings(folder: Path) -> None:
    for source, name in REAL_SETS.items():
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        files = sorted(path for path in (AUDIO / source).iterdir() if path.suffix in _FORMATS)
        for path in files[:: len(files) // REAL_PER_SET][:REAL_PER_SET]:
            shutil.copy(path, target / path.name)


def _make_recordings(folder: Path) -> None:
    for number in range(3):
        _write(folder / "one-shots" / f"tom {number + 1}.flac", sounds.tone(110 + 40 * number, 0.6), "FLAC")
        _write(folder / "loops" / f"beat {number + 1}.mp3", sounds.drum_loop(84 + 12 * number, seed=number), "MP3")
        _write(folder / "songs" / f"pad {number + 1}.ogg", sounds.chord(196, 246.94, 293.66, seconds=8 + number), "OGG")


def _write(path: Path, samples: object, format_: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, sounds.RATE, format=format_)
