"""What the tempo ranker learns from and is judged on: clips with a right tempo, as mel bands.

Loops are heard as they are, at other speeds, and cut at random out of an endless repetition of themselves, so that
their length says nothing. What is heard is kept in the cache folder.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
import soxr

from sample_agent.engine.listening import Listening
from sample_agent.engine.signal.frames import Floats
from training.fluid import SOUNDFONTS, Player
from training.kits import RATE
from training.loops import arrange, compose, perform, render, unusual
from training.places import Recording, cache_folder, recordings
from training.plain_loops import plain_loop

SHORTEST_CUT, LONGEST_CUT = 3.0, 12.0


@dataclass(frozen=True, eq=False)
class Clip:
    """`form` is "exact", "cut" or "track"; `judged`: as recorded, not one of the variants only learned from; `tempo` is
    0 where there is none."""

    name: str
    source: str
    form: str
    judged: bool
    tempo: float
    duration: float
    mel: Floats
    rate: float

    @property
    def made_up(self) -> bool:
        return self.source.startswith("made up")


def heard(name: str, source: str, form: str, judged: bool, tempo: float, samples: Floats) -> Clip:
    """A clip of mono samples at 44.1 kHz, as the engine hears it."""
    listening = Listening(RATE, 1)
    listening.feed(samples.astype(np.float32)[:, None])
    listening.finish()
    duration = len(samples) / RATE
    return Clip(name, source, form, judged, tempo, duration, listening.mel, listening.mel_rate)


def cut_at_random(loop: Floats, random: np.random.Generator, least: float, most: float) -> Floats:
    """A piece of the loop's endless repetition, between so many seconds long."""
    length = int(random.uniform(least, most) * RATE)
    start = int(random.integers(len(loop)))
    return np.resize(np.roll(loop, -start), length)


def faster(samples: Floats, factor: float) -> Floats:
    """Played so much faster, as a turntable does."""
    at = np.linspace(0, len(samples) - 1, max(2, round(len(samples) / factor)))
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


@dataclass(frozen=True, eq=False)
class JudgedLoop:
    """A recorded loop as it is ("exact") or a piece of its repetition ("cut"): mono samples at 44.1 kHz."""

    name: str
    source: str
    form: str
    tempo: float
    samples: Floats


CUTS = 3


def judged_loops() -> Iterator[JudgedLoop]:
    """What tempo is judged on: every loop of the manifest, and of each three pieces cut at random."""
    for number, recording in enumerate(recordings("tempo")):
        random = np.random.default_rng([1, number])
        yield from _judged(recording, random)


def _judged(recording: Recording, random: np.random.Generator) -> Iterator[JudgedLoop]:
    samples, rate = soundfile.read(recording.path, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32)
    name, tempo = recording.path.stem, float(recording.label)
    yield JudgedLoop(name, recording.source, "exact", tempo, mono)
    for _ in range(CUTS):
        piece = cut_at_random(mono, random, SHORTEST_CUT, LONGEST_CUT)
        yield JudgedLoop(name, recording.source, "cut", tempo, piece)


def recorded() -> list[Clip]:
    """The judged loops, and variants of them to learn from."""
    return _cached("recorded", _recorded)


def _recorded() -> Iterator[Clip]:
    for number, recording in enumerate(recordings("tempo")):
        random = np.random.default_rng([1, number])
        loops = list(_judged(recording, random))
        for loop in loops:
            yield heard(loop.name, loop.source, loop.form, True, loop.tempo, loop.samples)
        exact = loops[0]
        for index in range(8):
            factor = float(2 ** random.uniform(-0.3, 0.3))
            samples = faster(exact.samples, factor)
            form = "exact" if index % 2 else "cut"
            samples = cut_at_random(samples, random, 2.0, 20.0) if form == "cut" else samples
            yield heard(exact.name, exact.source, form, False, exact.tempo * factor, samples)


SHARD = 200


def made_up(loops: int) -> list[Clip]:
    """Loops made up for learning, each exact or cut: three quarters synthesised, a quarter played by General MIDI."""
    shards = range(-(-loops // SHARD))
    return [clip for shard in shards for clip in _cached(f"loops-{shard}", partial(_made_up, shard))]


def _made_up(shard: int) -> Iterator[Clip]:
    players = [Player(font) for font in SOUNDFONTS] if shard % 4 == 3 else []
    for number in range(SHARD):
        random = np.random.default_rng([2, shard, number])
        if players:
            music = compose(random, str(random.choice(["drums", "melodic", "both"], p=[0.3, 0.3, 0.4])))
            samples = perform(music, players[number % len(players)], random)
        else:
            music = compose(random)
            samples = render(music, random)
        source = f"made up: {music.style.name}" + (", played" if players else "")
        yield from variants(f"{shard}-{number}", source, music.tempo, samples, random)


def unusual_loops(loops: int) -> list[Clip]:
    """Loops whose tempo is hard to hear."""
    shards = range(-(-loops // SHARD))
    return [clip for shard in shards for clip in _cached(f"unusual-{shard}", partial(_unusual, shard))]


def _unusual(shard: int) -> Iterator[Clip]:
    for number in range(SHARD):
        random = np.random.default_rng([4, shard, number])
        samples, tempo, kind = unusual(random)
        yield from variants(f"u{shard}-{number}", f"made up: {kind}", tempo, samples, random)


def plain_loops(loops: int) -> list[Clip]:
    """Fast bars of three, clicks, and what has no tempo: `tempo` is 0 then."""
    shards = range(-(-loops // SHARD))
    return [clip for shard in shards for clip in _cached(f"plain-{shard}", partial(_plain, shard))]


def _plain(shard: int) -> Iterator[Clip]:
    for number in range(SHARD):
        random = np.random.default_rng([5, shard, number])
        samples, tempo, kind = plain_loop(random)
        name, source = f"p{shard}-{number}", f"made up: {kind}"
        if tempo:
            yield from variants(name, source, tempo, samples, random)
        else:
            yield heard(name, source, "exact", True, tempo, samples)


def variants(name: str, source: str, tempo: float, loop: Floats, random: np.random.Generator) -> Iterator[Clip]:
    """A loop as it may be met: exact, with something before or after it, or cut."""
    chance = random.random()
    if chance < 0.6:
        samples = loop
        if random.random() < 0.06:
            samples = np.concatenate((np.zeros(int(random.uniform(0.005, 0.06) * RATE), np.float32), loop))
        elif random.random() < 0.08:
            samples = np.concatenate((loop, np.zeros(int(random.uniform(0.02, 0.6) * RATE), np.float32)))
        elif random.random() < 0.05:
            samples = loop[: len(loop) - int(random.uniform(0.005, 0.05) * RATE)]
        elif random.random() < 0.06:
            samples = np.tile(loop, 2)
        yield heard(name, source, "exact", True, tempo, samples)
    if chance > 0.45:
        yield heard(name, source, "cut", True, tempo, cut_at_random(loop, random, 1.5, 20.0))


def tracks(count: int) -> list[Clip]:
    """Arranged pieces between 40 and 90 seconds."""
    return _cached(f"tracks-{count}", partial(_tracks, count))


def _tracks(count: int) -> Iterator[Clip]:
    players = [Player(font) for font in SOUNDFONTS]
    for number in range(count):
        random = np.random.default_rng([3, number])
        player = players[number // 2 % len(players)] if number % 2 else None
        samples, tempo = arrange(random, random.uniform(40, 80), player)
        yield heard(str(number), "made up: tracks", "track", True, tempo, samples)


def _cached(name: str, make: Callable[[], Iterator[Clip]]) -> list[Clip]:
    path: Path = cache_folder("tempo") / f"{name}.pickle"
    if not path.exists():
        clips = list(make())
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(pickle.dumps(clips))
        unfinished.rename(path)
    return list(pickle.loads(path.read_bytes()))
