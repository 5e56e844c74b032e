"""What a layout has to know of a sample: what it is, how fast, in which key, how loud and how long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

SampleKind = Literal["one-shot", "loop", "track"]
SoundClass = Literal[
    "kick", "snare", "clap", "rim", "closed-hat", "open-hat", "cymbal", "tom", "percussion",
    "bass", "melodic", "chord", "vocal", "fx", "drum-loop", "melodic-loop",
]  # fmt: skip

PlayedAs = SoundClass | Literal["track", "unknown"]

SOUND_CLASSES: tuple[SoundClass, ...] = get_args(SoundClass)
DRUM_CLASSES = frozenset[SoundClass](
    {"kick", "snare", "clap", "rim", "closed-hat", "open-hat", "cymbal", "tom", "percussion"}
)

SLOWEST_TEMPO, FASTEST_TEMPO = 40.0, 200.0
"""Beats per minute that a pad, a bank and a project can be set to."""

_NOUNS: dict[PlayedAs, str] = {
    "unknown": "sound",
    "fx": "effect",
    "melodic": "melodic sound",
    "percussion": "percussion sound",
}
_KEY = re.compile(r"([A-G])(#|b|s)?(m)?")
_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True)
class KitSample:
    """One sample that may go onto a pad.

    Attributes:
        id: whatever tells it from the others of the same call.
        name: what its owner calls it, in any script.
        kind: whether it is a one-shot, a loop or a track.
        sound_class: what makes the sound; None when nobody knows.
        certain: whether that is beyond doubt; of two kicks the doubtful one gets the kick's pad last.
        tempo: beats per minute; key: "F#m", "Eb", …; duration: in seconds.
        loudness: integrated, in LUFS; peak_db: highest peak, dBFS.
        channels: of its source.
        slices: where its parts begin, in seconds.
        group: the folder or pack it comes from; drums of one group are taken for a kit.
        embedding: how it sounds as numbers, for comparison with other samples of the same engine.
    """

    id: str
    name: str
    kind: SampleKind = "one-shot"
    sound_class: SoundClass | None = None
    certain: bool = True
    tempo: float | None = None
    key: str | None = None
    loudness: float | None = None
    peak_db: float | None = None
    duration: float = 0.0
    channels: int = 2
    slices: tuple[float, ...] = ()
    group: str | None = None
    embedding: tuple[float, ...] | None = None

    @property
    def played_as(self) -> PlayedAs:
        """Its class for playing: what goes round is a loop whatever makes the sound, and a track is a track."""
        if self.kind == "track":
            return "track"
        if self.kind == "loop" or self.sound_class in ("drum-loop", "melodic-loop"):
            drums = self.sound_class == "drum-loop" or self.sound_class in DRUM_CLASSES
            return "drum-loop" if drums or (self.sound_class is None and self.key is None) else "melodic-loop"
        return self.sound_class or "unknown"

    @property
    def is_drum(self) -> bool:
        """Whether it is a single hit of a drum."""
        return self.played_as in DRUM_CLASSES

    @property
    def is_rhythm(self) -> bool:
        """Whether drums make the sound, as hit or as loop."""
        return self.is_drum or self.played_as == "drum-loop"

    @property
    def is_loop(self) -> bool:
        """Whether it is to go round."""
        return self.played_as in ("drum-loop", "melodic-loop")


def fold_tempo(tempo: float) -> float:
    """The tempo, doubled or halved until the unit can be set to it, in hundredths: 240 → 120, 35 → 70.

    Raises ValueError for what is no tempo.
    """
    if not 0 < tempo < float("inf"):
        raise ValueError(f"{tempo} is no tempo.")
    while tempo < SLOWEST_TEMPO:
        tempo *= 2
    while tempo > FASTEST_TEMPO:
        tempo /= 2
    return round(tempo, 2)


@dataclass(frozen=True, order=True)
class Camelot:
    """A key on the wheel that DJs mix by: neighbours differ in one note. `minor` sorts before major (A before B)."""

    number: int
    major: bool

    def __str__(self) -> str:
        return f"{self.number}{'B' if self.major else 'A'}"

    def steps_to(self, other: Camelot) -> int:
        """0 for the same key, 1 for the relative and the two neighbours, and so on around the wheel, at most 7."""
        around = abs(self.number - other.number) % 12
        return min(around, 12 - around) + (self.major != other.major)


def camelot(key: str | None) -> Camelot | None:
    """Place on the wheel of a key such as "F#m", "Fsm" or "Eb"; None for what is no key."""
    match = _KEY.fullmatch(key or "")
    if match is None:
        return None
    letter, accidental, minor = match.groups()
    pitch = _SEMITONES[letter] + {None: 0, "#": 1, "s": 1, "b": -1}[accidental]
    relative_major = pitch + 3 if minor else pitch
    return Camelot((relative_major * 7 + 7) % 12 + 1, major=not minor)


def around_the_wheel(keys: Iterable[Camelot]) -> list[Camelot]:
    """The different keys in an order in which neighbours lie side by side: it starts behind the widest gap."""
    found = sorted(set(keys))
    if not found:
        return []
    numbers = sorted({key.number for key in found})
    gaps = [((number - numbers[index - 1] - 1) % 12, -number, number) for index, number in enumerate(numbers)]
    first = max(gaps)[2]
    return sorted(found, key=lambda key: ((key.number - first) % 12, key.major))


def class_noun(name: PlayedAs) -> str:
    """A class in a sentence: "closed hat", "melodic sound"."""
    return _NOUNS.get(name, name.replace("-", " "))


def class_nouns(name: PlayedAs) -> str:
    """Several of a class: "closed hats"."""
    return f"{class_noun(name)}s"


def a_class(name: PlayedAs) -> str:
    """One of a class: "an open hat"."""
    noun = class_noun(name)
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
