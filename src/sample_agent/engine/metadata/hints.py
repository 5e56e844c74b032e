"""What a file says about its own tempo and key, in its name and in its tags.

Reported beside what is heard, never in its place: names are typed by people and tags are copied from other files.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from sample_agent.engine.metadata.spelling import named_key

Subject = Literal["tempo", "key", "root", "kind"]

_NUMBER = r"(\d{2,3}(?:[.,]\d{1,2})?)"
_BPM = re.compile(
    rf"(?<![\d.]){_NUMBER}[\s_-]?bpm(?![a-z])|(?<![a-z])bpm[\s_=:-]?{_NUMBER}(?!\d)", re.IGNORECASE | re.ASCII
)
_BARE_NUMBER = re.compile(r"(?<![^\s_\-()\[\]])(\d{2,3})(?![^\s_\-()\[\]])", re.ASCII)
_TAGGED_TEMPO = re.compile(r"\s*(\d{1,6}(?:[.,]\d{0,12})?)\s*(?:bpm)?\s*", re.IGNORECASE | re.ASCII)
SLOWEST_HINT, FASTEST_HINT = 40.0, 300.0
# A number that stands alone is a tempo only where most music is; 01, 09 and 808 are not.
_SLOWEST_BARE, _FASTEST_BARE = 60.0, 200.0


@dataclass(frozen=True)
class Hint:
    """One thing a file says about itself.

    Attributes:
        subject: what of; "root" is a note without a mode, "kind" is "one-shot" or "loop".
        value: a number of beats per minute, a key ("F#m"), a note ("F#") or a kind, as text.
        source: where it says so: "file name", "acid chunk", "Apple loop", "ID3", "Vorbis comment", "MP4".
    """

    subject: Subject
    value: str
    source: str


@dataclass(frozen=True)
class Hints:
    """What a file says about itself: `tempo` in beats per minute and `key` ("F#m"), each None when nothing says it.

    Where several sources speak, the file name is believed first, then the tags in their order; `found` has them all.
    """

    tempo: float | None = None
    key: str | None = None
    found: tuple[Hint, ...] = ()


def read_hints(filename: str, tags: Iterable[Hint] = ()) -> Hints:
    """Hints in a file name ("Dusty Break 92bpm F#min.wav" says 92 and F#m), and those that `read_tags` found."""
    name = PurePath(filename.replace("\\", "/")).name
    stem = re.sub(r"\.[A-Za-z0-9]{2,4}$", "", name)
    tempo, key = _tempo(stem), named_key(stem)
    found: list[Hint] = []
    if tempo is not None:
        found.append(Hint("tempo", f"{tempo:g}", "file name"))
    if key is not None:
        found.append(Hint("key", key, "file name"))
    found.extend(tags)
    tempos = [float(hint.value) for hint in found if hint.subject == "tempo"]
    keys = [hint.value for hint in found if hint.subject == "key"]
    return Hints(tempos[0] if tempos else None, keys[0] if keys else None, tuple(found))


def tagged_tempo(text: str) -> str | None:
    """The tempo a tag gives, as text; None when it gives none that music has."""
    written = _TAGGED_TEMPO.fullmatch(text)
    if not written:
        return None
    bpm = float(written.group(1).replace(",", "."))
    return f"{bpm:.6g}" if SLOWEST_HINT <= bpm <= FASTEST_HINT else None


def _tempo(stem: str) -> float | None:
    marked = _BPM.search(stem)
    if marked:
        bpm = float((marked.group(1) or marked.group(2)).replace(",", "."))
        return bpm if SLOWEST_HINT <= bpm <= FASTEST_HINT else None
    bare = [float(number) for number in _BARE_NUMBER.findall(stem)]
    plausible = [bpm for bpm in bare if _SLOWEST_BARE <= bpm <= _FASTEST_BARE]
    # Two candidates contradict each other: better none.
    return plausible[0] if len(plausible) == 1 else None
