"""Pieces with a known key from public-domain collections that come with music21.

Bach's four-part chorales (scores in the public domain), the fiddle tunes of W. B. Ryan's "Mammoth Collection" (Boston
1883) and of F. O'Neill's "Music of Ireland" (Chicago 1903). Other collections of that corpus are left alone: the Essen
folk songs, for one, are not free for commercial use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MAJOR_OF_SHARPS = {sharps: (7 * sharps) % 12 for sharps in range(-7, 8)}


@dataclass(frozen=True)
class Note:
    """One note: start and length in quarter notes, MIDI pitch, and the part that plays it (0 is the highest)."""

    start: float
    length: float
    pitch: int
    part: int = 0
    velocity: int = 90


@dataclass(frozen=True)
class Piece:
    """Notes with their key.

    Attributes:
        source: "bach", "fiddle" or a style of `key_compose`.
        tonic: pitch class, 0 is C. minor: whether the third above it is small.
        quarter: seconds per quarter note, at the tempo it is meant for.
    """

    source: str
    name: str
    tonic: int
    minor: bool
    quarter: float
    notes: tuple[Note, ...]


def read_scores(cache: Path) -> list[Piece]:
    """All pieces whose key is beyond doubt; parsed once (minutes), then read from `cache`."""
    if not cache.exists():
        pieces = [asdict(piece) for piece in (*_chorales(), *_fiddle_tunes())]
        cache.write_text(json.dumps(pieces))
    return [
        Piece(**{**piece, "notes": tuple(Note(**note) for note in piece["notes"])})
        for piece in json.loads(cache.read_text())
    ]


def _chorales() -> Iterator[Piece]:
    from music21 import converter, corpus

    for path in sorted(corpus.getComposer("bach"), key=str):
        try:
            score = converter.parse(path)
        except Exception as error:  # one damaged score of four hundred is no loss, whatever music21 raises
            print(f"{path.name}: {error}")
            continue
        if len(score.parts) < 4:
            continue
        notes = _notes(score)
        signature = next(iter(score.recurse().getElementsByClass("KeySignature")), None)
        if signature is None or not notes:
            continue
        last = max(notes, key=lambda note: (note.start + note.length, -note.pitch))
        key = _key_of_ending(signature.sharps, last.pitch % 12)
        if key is not None:
            yield Piece("bach", path.stem, *key, 0.75, notes)


def _key_of_ending(sharps: int, bass: int) -> tuple[int, bool] | None:
    """The key of a piece that closes over `bass`: major, minor or Dorian; anything else is left out."""
    step = (bass - MAJOR_OF_SHARPS[sharps]) % 12
    return {0: (bass, False), 9: (bass, True), 2: (bass, True)}.get(step)


_ABC_KEY = re.compile(r"^K:\s*([A-G])([#b]?)\s*([A-Za-z]*)", re.MULTILINE)


def _fiddle_tunes() -> Iterator[Piece]:
    from music21 import common, converter

    root = Path(common.getCorpusFilePath())
    for path in sorted((root / "ryansMammoth").glob("*.abc")) + sorted((root / "oneills1850").glob("*.abc")):
        for number, tune in enumerate(re.split(r"(?m)^(?=X:)", path.read_text(errors="replace"))):
            keys = _ABC_KEY.findall(tune)
            if len(set(keys)) != 1:
                continue
            letter, accidental, mode = keys[0]
            mode = mode.lower()[:3]
            if mode not in ("", "maj", "min", "m", "dor", "mix"):
                continue
            tonic = ("C D EF G A B".index(letter) + (accidental == "#") - (accidental == "b")) % 12
            try:
                notes = _notes(converter.parseData(tune, format="abc"))
            except Exception as error:
                print(f"{path.name} {number}: {error}")
                continue
            # A tune that does not close on its tonic has been labelled by its signature alone.
            if len(notes) > 20 and notes[-1].pitch % 12 == tonic:
                yield Piece("fiddle", f"{path.stem}-{number}", tonic, mode in ("min", "m", "dor"), 0.5, notes)


def _notes(score: Any) -> tuple[Note, ...]:
    notes = []
    for part, voice in enumerate(getattr(score, "parts", None) or [score]):
        for element in voice.stripTies().flatten().notes:
            if element.quarterLength > 0:
                notes.extend(
                    Note(round(float(element.offset), 3), round(float(element.quarterLength), 3), pitch.midi, part)
                    for pitch in element.pitches
                )
    return tuple(sorted(notes, key=lambda note: note.start))
