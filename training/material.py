"""What class, kind and embedding learn from: recordings, soundfonts, speech and synthesis, as descriptors in one table.

python -m training.material      # describe every sound anew (five minutes the first time, then one and a half)
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from sample_agent.engine.listening import Listening
from sample_agent.engine.sound.descriptors import SOUND_NUMBERS, describe
from sample_agent.engine.sound.sound_class import SOUND_CLASSES
from training import soundfonts
from training.drum_machine import DRUMS, RATE, Random, Samples, drum
from training.fluid import SOUNDFONTS, Player
from training.loops import arrange, compose, perform, render, unusual
from training.places import MANIFEST_CLASSES, Recording, cache_folder, recordings
from training.sequencer import Pool, drum_loop, melodic_loop, song
from training.speech import phrases
from training.synthesizer import TONES, tone
from training.wear import worn

MADE = ("synthesis", "fluid", "musescore", "speech", "loops", "songs", "played note", "played track")
"""Sources that are no recordings and no kind of loop of their own: judged by fifths."""

_TEMPO_CLASSES = {"drum-machine-patterns": "drumloop", "switchangel": "drumloop", "POP909-loop": "melloop"}
_SYNTHESISED, _SPOKEN, _LOOPS, _SONGS, _LONG_SOUNDS = 150, 120, 260, 150, 150
_PLAYED_LOOPS, _PLAYED_NOTES, _PLAYED_TRACKS = 600, 400, 100
_VERSIONS = {"class": 5, "tempo": 3, "key": 2}
"""How many times a recording is heard: once as it is, then worn."""
_ASKED = 8
"""How many of the kept sounds are described to see whether the engine still describes them so."""


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

    def of_sound(self) -> Table:
        """With the descriptors of the sound alone, not of how it was cut."""
        return replace(self, values=self.values[:, :SOUND_NUMBERS])

    def with_class(self) -> Table:
        return self.where(self.label != "")

    def judged(self) -> npt.NDArray[np.bool_]:
        """Recordings as they were found, whose class is known."""
        return self.original & (self.label != "") & ~np.isin(self.source, list(_TEMPO_CLASSES))

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
    return MANIFEST_CLASSES.get(label, label.rstrip("?"))


def is_coarse(label: str) -> bool:
    """Whether a label is one of the manifest's, which may cover several classes."""
    return label.endswith("?")


def described(*, anew: bool = False) -> Table:
    """The table: sounds are made on first use, and described anew when the engine describes them in other numbers."""
    path = cache_folder("class") / "descriptors.npz"
    table = None if anew or not path.exists() else _kept(path)
    if table is None or not _still_heard(table):
        _describe_all(path)
        table = _kept(path)
    return table


def _kept(path: Path) -> Table:
    with np.load(path, allow_pickle=False) as arrays:
        return Table(*(arrays[name] for name in ("values", "label", "source", "kind", "original")))


def _still_heard(table: Table) -> bool:
    """Whether the engine still has the same numbers for the first sounds."""
    first = np.stack([descriptors_of(example.samples) for example in islice(made(next(iter(_MAKERS))), _ASKED)])
    kept = table.values[:_ASKED]
    return first.shape == kept.shape and bool(np.allclose(first, kept, rtol=0, atol=1e-4))


def _describe_all(path: Path) -> None:
    values, rows = [], []
    for name in _MAKERS:
        for example in made(name):
            values.append(descriptors_of(example.samples))
            rows.append((example.label, example.source, example.kind, example.original))
        print(f"{len(rows)} sounds, with {name}", file=sys.stderr, flush=True)
    label, source, kind, original = zip(*rows, strict=True)
    np.savez_compressed(
        path,
        values=np.stack(values),
        label=np.array(label),
        source=np.array(source),
        kind=np.array(kind),
        original=np.array(original),
    )


def examples() -> Iterator[Example]:
    """The sounds that the rows of the table describe, in their order."""
    for name in _MAKERS:
        yield from made(name)


def made(name: str) -> Iterator[Example]:
    """One part of the material, as 16-bit samples kept in the cache folder; made on first use."""
    folder = cache_folder("class")
    sounds, rows = folder / f"{name}.i16", folder / f"{name}.json"
    if not rows.exists():
        random = np.random.default_rng([7, list(_MAKERS).index(name)])
        described_as = []
        with sounds.open("wb") as file:
            for example in _MAKERS[name](random):
                peak = float(np.abs(example.samples).max(initial=0.0))
                if len(example.samples) >= 300 and peak > 0:
                    file.write(np.round(example.samples * (32767 / peak)).astype(np.int16).tobytes())
                    length = len(example.samples)
                    described_as.append((length, example.label, example.source, example.kind, example.original))
        rows.write_text(json.dumps(described_as))
    with sounds.open("rb") as file:
        for length, label, source, kind, original in json.loads(rows.read_text()):
            samples = np.frombuffer(file.read(2 * length), np.int16).astype(np.float32) / np.float32(32767)
            yield Example(samples, label, source, kind, original)


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


def _recorded(name: str, random: Random) -> Iterator[Example]:
    for recording in recordings(name):
        yield from _versions(recording, random)


def _synthesised(random: Random) -> Iterator[Example]:
    for name in (*DRUMS, *TONES):
        for _ in range(_SYNTHESISED):
            sound = drum(name, random) if name in DRUMS else tone(name, random)
            yield Example(_maybe_worn(sound, random), name, "synthesis", "one-shot")


def _from_soundfonts(random: Random) -> Iterator[Example]:
    with tempfile.TemporaryDirectory() as folder:
        for source, font in soundfonts.fonts(cache_folder("class")).items():
            for label, sound in soundfonts.one_shots(font, Path(folder), random):
                if len(sound) > 1000:
                    yield Example(_maybe_worn(sound, random), label, source, "one-shot")


def _spoken(random: Random) -> Iterator[Example]:
    with tempfile.TemporaryDirectory() as folder:
        for phrase in phrases(cache_folder("class"), Path(folder), random, _SPOKEN):
            yield Example(_maybe_worn(phrase, random), "vocal", "speech", "one-shot")


def _long(random: Random) -> Iterator[Example]:
    """Pads, drones, swells and cymbals that last as long as loops and excerpts do, and are one sound all the same."""
    for index in range(_LONG_SOUNDS):
        name = ("chord", "melodic", "chord", "fx", "bass")[index % 5]
        sound = tone(name, random)
        seconds = float(random.uniform(3, 16))
        stretched = held(sound, seconds, random)
        yield Example(_maybe_worn(stretched, random), name, "synthesis", "one-shot")


def _played_loops(random: Random) -> Iterator[Example]:
    """Loops of the kinds that tempo is learned from, exactly as long as their beats."""
    players = [Player(font) for font in SOUNDFONTS]
    for index in range(_PLAYED_LOOPS):
        if index % 6 == 5:
            loop, _, kind = unusual(random)
            source, label = kind, "drum-loop" if kind == "chopped break" else ""
        else:
            played = ("melodic", "melodic", "drums", "melodic", "both")[index % 6]
            music = compose(random, played)
            by_fluid = random.random() < 0.6
            loop = perform(music, players[index % 2], random) if by_fluid else render(music, random)
            source = f"{'played' if by_fluid else 'sequenced'} {played}"
            label = {"melodic": "melodic-loop", "drums": "drum-loop", "both": ""}[played]
        yield Example(_maybe_worn(loop, random, cut=False), label, source, "loop")


def _played_notes(random: Random) -> Iterator[Example]:
    """Notes, chords and stabs of the instruments that loops are played with: short, held, ringing on, with an echo."""
    players = [Player(font) for font in SOUNDFONTS]
    for index in range(_PLAYED_NOTES):
        program = int(random.choice([*range(52), *range(56, 96), *range(104, 112)]))
        low = 32 <= program < 40
        root = int(random.integers(26, 48) if low else random.integers(40, 84))
        steps = (0,) if low or random.random() < 0.5 else ((0, 4, 7), (0, 3, 7), (0, 7, 12), (0, 3, 7, 10))[index % 4]
        length = float(np.exp(random.uniform(np.log(0.1), np.log(9))))
        strum = random.uniform(0, 0.04) if random.random() < 0.3 else 0.0
        notes = [(strum * place, length, 0, root + step, 100) for place, step in enumerate(steps)]
        sound = players[index % 2].play(notes, {0: program}, length + 4, bool(random.random() < 0.5))
        sound = _without_silence(_echoed(sound, random) if random.random() < 0.15 else sound)
        label = "" if len(steps) == 1 and not low else "bass" if low else "chord"
        if len(sound) > 1000:
            yield Example(_maybe_worn(sound, random), label, "played note", "one-shot")


def _played_tracks(random: Random) -> Iterator[Example]:
    """Excerpts of arranged pieces, from anywhere in them."""
    players = [Player(font) for font in SOUNDFONTS]
    for index in range(_PLAYED_TRACKS):
        track, _ = arrange(random, float(random.uniform(40, 60)), players[index % 2] if index % 3 else None)
        length = min(int(random.uniform(10, 45) * RATE), len(track))
        start = int(random.integers(len(track) - length + 1))
        excerpt = track[start : start + length].copy()
        if random.random() < 0.5:
            fade = int(random.uniform(0.01, 3) * RATE)
            excerpt[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        yield Example(_maybe_worn(excerpt, random, cut=False), "", "played track", "track")


def _without_silence(sound: Samples) -> Samples:
    heard = np.flatnonzero(np.abs(sound) > 1e-3 * max(float(np.abs(sound).max()), 1e-4))
    return sound[heard[0] : heard[-1] + 1] if len(heard) > 300 else np.zeros(0, np.float32)


def _echoed(sound: Samples, random: Random) -> Samples:
    gap, level = int(random.uniform(0.12, 0.5) * RATE), float(random.uniform(0.25, 0.65))
    echoed = np.pad(sound, (0, 6 * gap))
    for count in range(1, 7):
        echoed[count * gap : count * gap + len(sound)] += sound[: len(echoed) - count * gap] * np.float32(level**count)
    return echoed


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


def _sequenced(random: Random) -> Iterator[Example]:
    pool: Pool = defaultdict(list)
    for name in ("synthesis", "soundfonts"):
        for example in made(name):
            pool[example.label].append(example.samples)
    for _ in range(_LOOPS):
        for make, label in ((drum_loop, "drum-loop"), (melodic_loop, "melodic-loop")):
            bpm, bars = float(random.uniform(65, 178)), int(random.choice((1, 1, 2, 2, 4, 8)))
            loop = make(pool, random, bpm, bars if bars * 240 / bpm <= 22 else 2)
            yield Example(_maybe_worn(loop, random, cut=False), label, "loops", "loop")
    for _ in range(_SONGS):
        yield Example(song(pool, random, float(np.exp(random.uniform(np.log(12), np.log(44))))), "", "songs", "track")


def _maybe_worn(sound: Samples, random: Random, *, cut: bool = True) -> Samples:
    return worn(sound, random, cut=cut) if random.random() < 0.6 else sound


_MAKERS: dict[str, Callable[[Random], Iterator[Example]]] = {
    "tempo": partial(_recorded, "tempo"),
    "key": partial(_recorded, "key"),
    "played-loops": _played_loops,
    "played-notes": _played_notes,
    "played-tracks": _played_tracks,
    "long": _long,
    "class": partial(_recorded, "class"),
    "synthesis": _synthesised,
    "soundfonts": _from_soundfonts,
    "speech": _spoken,
    "sequenced": _sequenced,
}
"""What makes each part of the material; their order seeds them."""

if __name__ == "__main__":
    print(f"{len(described(anew=True))} sounds")
