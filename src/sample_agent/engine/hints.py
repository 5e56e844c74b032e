"""What a file name says about tempo and key. Reported beside what is heard, never in its place."""

import re
from dataclasses import dataclass
from pathlib import PurePath

from sample_agent.engine.key import TONICS

_BPM = re.compile(
    r"(?<!\d)(\d{2,3}(?:\.\d{1,2})?)[\s_-]?bpm(?![a-z])|bpm[\s_-]?(\d{2,3}(?:\.\d{1,2})?)(?!\d)", re.IGNORECASE
)
_BARE_NUMBER = re.compile(r"(?<![^\s_\-()\[\]])(\d{2,3})(?![^\s_\-()\[\]])")
_KEY = re.compile(
    r"(?<![A-Za-z0-9#])([A-Ga-g])(#|♯|b|♭|sharp|flat)?[\s_-]?"
    r"(major|minor|maj|min|Maj|Min|MAJ|MIN|m|M)?(?![A-Za-z#♯♭0-9])"
)
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SLOWEST, _FASTEST = 40.0, 300.0
# A number that stands alone is a tempo only where most music is; 01, 09 and 808 are not.
_SLOWEST_BARE, _FASTEST_BARE = 60.0, 200.0


@dataclass(frozen=True)
class Hints:
    """Tempo (beats per minute) and key ("F#m") that the file name gives, each None when it gives none."""

    tempo: float | None = None
    key: str | None = None


def read_hints(filename: str) -> Hints:
    """Hints in a file name: "Dusty Break 92bpm F#min.wav" says 92 and F#m."""
    name = PurePath(filename.replace("\\", "/")).name
    stem = re.sub(r"\.[A-Za-z0-9]{2,4}$", "", name)
    return Hints(_tempo(stem), _key(stem))


def _tempo(stem: str) -> float | None:
    marked = _BPM.search(stem)
    if marked:
        bpm = float(marked.group(1) or marked.group(2))
        return bpm if _SLOWEST <= bpm <= _FASTEST else None
    bare = [float(number) for number in _BARE_NUMBER.findall(stem)]
    plausible = [bpm for bpm in bare if _SLOWEST_BARE <= bpm <= _FASTEST_BARE]
    # Two candidates contradict each other: better none.
    return plausible[0] if len(plausible) == 1 else None


def _key(stem: str) -> str | None:
    for letter, accidental, mode in _KEY.findall(stem.replace("_", " ")):
        # A lone letter is an article, a take or a bank; and key letters are written large unless a mode follows.
        if not (accidental or mode) or (letter.islower() and len(mode) < 3):
            continue
        shift = {"": 0, "#": 1, "♯": 1, "sharp": 1}.get(accidental, -1)
        tonic = TONICS[(_SEMITONES[letter.upper()] + shift) % 12]
        return f"{tonic}m" if mode == "m" or mode.lower().startswith("min") else tonic
    return None
