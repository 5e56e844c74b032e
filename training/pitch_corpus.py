"""One-shots with a known note, or none, to learn pitch from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.signal
import soundfile

from training.fluid import DRUMS, RATE, SOUNDFONTS, Player
from training.key_render import Rng, Samples
from training.places import recordings

# First and last program of a family of General MIDI instruments with a definite pitch, and the notes it plays.
_FAMILIES = (
    ((0, 7), 26, 100), ((8, 8), 60, 100), ((9, 9), 67, 100), ((10, 12), 53, 88), ((21, 23), 45, 90), ((24, 30), 40, 84),
    ((32, 39), 26, 55), ((40, 40), 55, 96), ((41, 41), 48, 84), ((42, 42), 36, 72), ((43, 43), 28, 55),
    ((44, 45), 40, 84),
    ((46, 46), 36, 96), ((48, 54), 36, 84), ((56, 56), 55, 82), ((57, 57), 40, 72), ((58, 58), 30, 55),
    ((59, 59), 55, 80),
    ((60, 60), 41, 77), ((64, 64), 56, 84), ((65, 65), 50, 78), ((66, 66), 45, 72), ((67, 67), 38, 66),
    ((68, 68), 58, 88),
    ((69, 69), 52, 78), ((70, 70), 34, 70), ((71, 71), 50, 88), ((72, 72), 74, 105), ((73, 75), 60, 96),
    ((76, 79), 60, 96),
    ((80, 85), 33, 96), ((87, 87), 33, 72), ((88, 95), 36, 84), ((104, 107), 48, 84), ((110, 111), 55, 88),
    ((114, 114), 55, 76),
)  # fmt: skip
_UNPITCHED_DRUMS = (35, 36, 37, 38, 39, 40, 42, 44, 46, 49, 51, 52, 54, 55, 57, 58, 59, 69, 70, 73, 74)
_UNPITCHED = ("kick", "snare", "hat", "cymbal", "clap")


@dataclass(frozen=True, eq=False)
class OneShot:
    """Mono samples, their rate, the MIDI number of their note (None: no pitch), and where they are from."""

    samples: Samples
    rate: int
    midi: float | None
    source: str


def one_shots() -> Iterator[OneShot]:
    """All of them, always the same."""
    for number, soundfont in enumerate(SOUNDFONTS):
        yield from _instruments(Player(soundfont), np.random.default_rng([7, number]), f"soundfont {number + 1}")
    rng = np.random.default_rng(8)
    for _ in range(1500):
        yield _synthetic(rng)
    for recording in recordings("class"):
        if recording.label in _UNPITCHED:
            samples, rate = soundfile.read(recording.path, dtype="float32", always_2d=True)
            yield OneShot(samples.mean(axis=1), rate, None, "recorded drums")


def _instruments(player: Player, rng: Rng, source: str) -> Iterator[OneShot]:
    for _ in range(1500):
        (first, last), low, high = _FAMILIES[int(rng.integers(len(_FAMILIES)))]
        program, note = int(rng.integers(first, last + 1)), int(rng.integers(low, high + 1))
        seconds, velocity = float(np.exp(rng.uniform(np.log(0.12), np.log(2.5)))), int(rng.integers(45, 120))
        samples = player.play(
            [(0.0, seconds, 0, note, velocity)], {0: program}, seconds + 0.4, bool(rng.random() < 0.3)
        )
        if np.abs(samples).max() > 1e-4:
            yield OneShot(_worn(samples, rng), RATE, float(note), source)
    for _ in range(300):
        note, velocity = int(rng.choice(_UNPITCHED_DRUMS)), int(rng.integers(45, 120))
        samples = player.play([(0.0, 0.5, DRUMS, note, velocity)], {}, 1.0, bool(rng.random() < 0.3))
        if np.abs(samples).max() > 1e-4:
            yield OneShot(_worn(samples, rng), RATE, None, source)


def _synthetic(rng: Rng) -> OneShot:
    """Basses, plucks, bells, missing fundamentals, vibrato; and bursts of noise, short drums, clicks."""
    seconds = float(np.exp(rng.uniform(np.log(0.15), np.log(2.5))))
    time = np.arange(round(seconds * RATE)) / RATE
    if rng.random() < 0.25:
        return OneShot(_worn(_noise(time, rng), rng), RATE, None, "synthetic noise")
    kind = str(rng.choice(["sine", "saw", "square", "pluck", "hollow", "bell", "boom", "boom", "voices"]))
    low, high = {"boom": (24, 43), "bell": (60, 100), "hollow": (36, 76)}.get(kind, (24, 100))
    midi = float(rng.uniform(low, high))
    hertz = 440 * 2 ** ((midi - 69) / 12)
    vibrato = rng.choice([0, 0, 0, 0.3]) * np.sin(2 * np.pi * rng.uniform(4, 7) * time)
    sweep = rng.uniform(4, 36) * np.exp(-time / rng.uniform(0.004, 0.04)) if kind == "boom" else 0.0
    phase = 2 * np.pi * np.cumsum(hertz * 2 ** ((vibrato + sweep) / 12)) / RATE
    order = np.arange(1, 31)
    ratio, level = order.astype(float), 1.0 / order
    fall = np.full(30, float(rng.choice([0.0, rng.uniform(0.5, 6)])))
    if kind in ("sine", "boom"):
        level = np.where(order == 1, 1.0, rng.uniform(0, 0.15) / order**2)
    elif kind == "square":
        level = (order % 2) / order
    elif kind == "pluck":
        ratio = order * np.sqrt(1 + rng.uniform(0, 4e-4) * order**2)
        level, fall = rng.uniform(0.2, 1, 30) / order, 1.0 + 0.5 * order * rng.uniform(0.2, 2)
    elif kind == "hollow":
        level = np.where((order > rng.integers(1, 4)) & (order < 12), rng.uniform(0.3, 1, 30), 0.0)
    elif kind == "bell":
        ratio = np.concatenate(([0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0], np.zeros(22)))
        level = np.concatenate((rng.uniform(0.1, 1, 8) * (0.4, 1.4, 0.8, 0.4, 1.0, 0.3, 0.4, 0.3), np.zeros(22)))
        fall = 0.5 + 2 * ratio
    elif kind == "voices":
        level = rng.exponential(1, 30) / order
        level[0] = max(level[0], 0.3)
    level = np.where(ratio * hertz < 0.45 * RATE, level, 0)
    samples = np.zeros(len(time))
    for partial in np.flatnonzero(level > 0):
        samples += (
            level[partial] * np.exp(-fall[partial] * time) * np.sin(ratio[partial] * phase + rng.uniform(0, 6.28))
        )
    if kind == "boom":
        samples = np.tanh(rng.uniform(0.5, 4) * samples) * np.exp(-time * rng.uniform(0.5, 3))
    samples *= np.minimum(1, time / rng.choice([0.001, 0.01, 0.08])) * np.minimum(1, (seconds - time) / 0.02)
    return OneShot(_worn(samples.astype(np.float32), rng), RATE, midi, f"synthetic {kind}")


def _noise(time: np.ndarray[tuple[int], np.dtype[np.float64]], rng: Rng) -> Samples:
    noise = rng.normal(0, 1, len(time)) * np.exp(-time * rng.uniform(2, 60))
    edges = np.sort(np.exp(rng.uniform(np.log(60), np.log(10_000), 2)))
    band = scipy.signal.butter(2, (edges[0], min(21_000, max(edges[1], 2 * edges[0]))), "band", fs=RATE, output="sos")
    samples = scipy.signal.sosfilt(band, noise)
    if rng.random() < 0.5:  # the thump of a short drum
        hertz = rng.uniform(40, 250) * (1 + rng.uniform(0.5, 6) * np.exp(-time / rng.uniform(0.005, 0.03)))
        thump = np.sin(2 * np.pi * np.cumsum(hertz) / RATE) * np.exp(-time * rng.uniform(15, 50))
        samples += rng.uniform(0.2, 4) * np.std(samples) * thump
    return np.asarray(samples, np.float32)


def _worn(samples: Samples, rng: Rng) -> Samples:
    """Hiss, silence in front, another level."""
    samples = samples / max(1e-6, float(np.abs(samples).max()))
    if rng.random() < 0.4:
        samples = samples + rng.normal(0, 10 ** (rng.uniform(-70, -30) / 20), len(samples))
    if rng.random() < 0.3:
        samples = np.concatenate((np.zeros(int(rng.integers(0, RATE // 5))), samples))
    return np.asarray(samples * rng.uniform(0.05, 1), np.float32)
