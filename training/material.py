"""What class, kind and embedding learn from: recordings, soundfonts, speech and synthesis, as descriptors in one table.

python -m training.material      # make the table anew (a quarter of an hour)
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from sample_agent.engine.descriptors import describe
from sample_agent.engine.listening import Listening
from sample_agent.engine.sound_class import SOUND_CLASSES
from training import soundfonts
from training.drum_machine import DRUMS, RATE, Random, Samples, drum
from training.places import Recording, cache_folder, recordings
from training.sequencer import Pool, drum_loop, melodic_loop, song
from training.speech import phrases
from training.synthesizer import TONES, tone
from training.wear import worn

COARSE = {
    "closed-hat": "hat",
    "open-hat": "hat",
    "chord": "melodic",
    "percussion": "perc",
    "drum-loop": "drumloop",
    "melodic-loop": "melloop",
}
"""Classes whose name in the manifest is another, or covers two."""

MADE = ("synthesis", "fluid", "musescore", "speech", "loops", "songs")
"""Sources that are no recordings: always learned from, never judged on."""

_TEMPO_CLASSES = {"drum-machine-patterns": "drumloop", "switchangel": "drumloop", "POP909-loop": "melloop"}
_SYNTHESISED, _SPOKEN, _LOOPS, _SONGS, _LONG_SOUNDS = 150, 120, 260, 150, 150
_VERSIONS = {"class": 5, "tempo": 3, "key": 2}
"""How many times a recording is heard: once as it is, then worn."""


@dataclass(frozen=True)
class Example:
    """A sound: its class ("" when it has none), source, kind, and whether it is a recording as it was found."""

    samples: Samples
    label: str
    source: str
    kind: str
    original: bool = False


@dataclass(frozen=True, eq=False)
class Table:
    """Descriptors of many examples.

    Attributes:
        values: float32, shape (examples, numbers).
        label, source, kind: strings, shape (examples,).
        original: whether it is a recording as it was found.
    """

    values: npt.NDArray[np.float32]
    label: npt.NDArray[np.str_]
    source: npt.NDArray[np.str_]
    kind: npt.NDArray[np.str_]
    original: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)

    def where(self, chosen: npt.NDArray[np.bool_]) -> Table:
        return Table(*(column[chosen] for column in (self.values, self.label, self.source, self.kind, self.original)))

    def with_class(self) -> Table:
        return self.where(self.label != "")

    def judged(self) -> npt.NDArray[np.bool_]:
        """Recordings as they were found, whose class is known."""
        return self.original & (self.label != "") & ~np.isin(self.source, [*MADE, *_TEMPO_CLASSES])

    def coarse(self) -> npt.NDArray[np.str_]:
        return np.array([coarse_name(label) for label in self.label])

    def allowed(self) -> npt.NDArray[np.float32]:
        """Which classes each example may be: those its label covers. Shape (examples, classes)."""
        rows = {
            label: [
                float(name == label or (is_coarse(label) and coarse_name(name) == label.rstrip("?")))
                for name in SOUND_CLASSES
            ]
            for label in set(self.label)
        }
        return np.array([rows[label] for label in self.label], np.float32)


def coarse_name(label: str) -> str:
    """The name that the manifest has for a class."""
    return COARSE.get(label, label.rstrip("?"))


def is_coarse(label: str) -> bool:
    """Whether a label is one of the manifest's, which may cover several classes."""
    return label.endswith("?")


def described(*, anew: bool = False) -> Table:
    """The table, made on first use."""
    path = cache_folder("class") / "descriptors.npz"
    if anew or not path.exists():
        _make(path)
    with np.load(path, allow_pickle=False) as arrays:
        return Table(*(arrays[name] for name in ("values", "label", "source", "kind", "original")))


def _make(path: Path) -> None:
    values, rows = [], []
    for count, example in enumerate(_examples(), 1):
        if len(example.samples) < 300 or not np.abs(example.samples).max() > 0:
            continue
        values.append(descriptors_of(example.samples))
        rows.append((example.label, example.source, example.kind, example.original))
        if count % 500 == 0:
            print(f"{count} sounds, now {example.source}", file=sys.stderr, flush=True)
    label, source, kind, original = zip(*rows, strict=True)
    np.savez_compressed(
        path,
        values=np.stack(values),
        label=np.array(label),
        source=np.array(source),
        kind=np.array(kind),
        original=np.array(original),
    )


def descriptors_of(samples: Samples, rate: int = RATE) -> npt.NDArray[np.float32]:
    """What the engine hears in samples (mono), scaled to a peak of 1."""
    samples = np.asarray(samples / max(float(np.abs(samples).max()), 1e-9), np.float32)
    listening = Listening(rate, 1)
    listening.feed(np.ascontiguousarray(samples[:, None]))
    listening.finish()
    return describe(listening.mel, listening.mel_rate, listening.cells, listening.tonal).values


def read(path: Path) -> Samples:
    """A file as mono samples at 44.1 kHz."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    return np.asarray(soxr.resample(mono, rate, RATE) if rate != RATE else mono, np.float32)


def _examples() -> Iterator[Example]:
    random = np.random.default_rng(7)
    for name in ("class", "tempo", "key"):
        for recording in recordings(name):
            yield from _versions(recording, random)
    pool: Pool = defaultdict(list)
    for name in (*DRUMS, *TONES):
        for _ in range(_SYNTHESISED):
            sound = drum(name, random) if name in DRUMS else tone(name, random)
            pool[name].append(sound)
            yield Example(_maybe_worn(sound, random), name, "synthesis", "one-shot")
    cache = cache_folder("class")
    with tempfile.TemporaryDirectory() as folder:
        for source, font in soundfonts.fonts(cache).items():
            for label, sound in soundfonts.one_shots(font, Path(folder), random):
                if len(sound) > 1000:
                    pool[label].append(np.asarray(sound / np.abs(sound).max(), np.float32))
                    yield Example(_maybe_worn(sound, random), label, source, "one-shot")
        for phrase in phrases(cache, Path(folder), random, _SPOKEN):
            yield Example(_maybe_worn(phrase, random), "vocal", "speech", "one-shot")
    yield from _sequenced(pool, random)
    yield from _long(random)


def _long(random: Random) -> Iterator[Example]:
    """Pads, drones, swells and cymbals that last as long as loops and excerpts do, and are one sound all the same."""
    for index in range(_LONG_SOUNDS):
        name = ("chord", "melodic", "chord", "fx", "bass")[index % 5]
        sound = tone(name, random)
        seconds = float(random.uniform(3, 16))
        stretched = held(sound, seconds, random)
        yield Example(_maybe_worn(stretched, random), name, "synthesis", "one-shot")


def held(sound: Samples, seconds: float, random: Random) -> Samples:
    """A sound that lasts longer: its middle crossfaded with itself, with an attack and an end of its own."""
    piece = sound[len(sound) // 6 : max(len(sound) * 2 // 3, len(sound) // 6 + 4000)]
    fade = len(piece) // 3
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    length = int(seconds * RATE)
    made = np.zeros(length + len(piece), np.float32)
    step = len(piece) - fade
    for start in range(0, length, step):
        part = piece.copy()
        part[:fade] *= np.sqrt(ramp)
        part[-fade:] *= np.sqrt(ramp[::-1])
        made[start : start + len(part)] += part
    time = np.arange(length) / length
    rise, fall = random.uniform(0.002, 0.5), random.uniform(0.02, 0.8)
    level = np.minimum(time / rise, 1) * np.minimum((1 - time) / fall, 1) ** random.uniform(0.7, 2.5)
    return np.asarray(made[:length] * level, np.float32)


def _versions(recording: Recording, random: Random) -> Iterator[Example]:
    label = recording.label if recording.set == "class" else _TEMPO_CLASSES.get(recording.source, "")
    kind = {"class": "loop" if label.endswith("loop") else "one-shot", "tempo": "loop", "key": "track"}[recording.set]
    label = f"{label}?" if label else ""
    samples = read(recording.path)
    yield Example(samples, label, recording.source, kind, original=True)
    for _ in range(_VERSIONS[recording.set] - 1):
        yield Example(worn(samples, random, cut=kind == "one-shot"), label, recording.source, kind)


def _sequenced(pool: Pool, random: Random) -> Iterator[Example]:
    for _ in range(_LOOPS):
        for make, label in ((drum_loop, "drum-loop"), (melodic_loop, "melodic-loop")):
            bpm, bars = float(random.uniform(65, 178)), int(random.choice((1, 1, 2, 2, 4, 8)))
            loop = make(pool, random, bpm, bars if bars * 240 / bpm <= 22 else 2)
            yield Example(_maybe_worn(loop, random, cut=False), label, "loops", "loop")
    for _ in range(_SONGS):
        yield Example(song(pool, random, float(np.exp(random.uniform(np.log(12), np.log(44))))), "", "songs", "track")


def _maybe_worn(sound: Samples, random: Random, *, cut: bool = True) -> Samples:
    return worn(sound, random, cut=cut) if random.random() < 0.6 else sound


if __name__ == "__main__":
    print(f"{len(described(anew=True))} sounds")
