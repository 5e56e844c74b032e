"""Loops and tracks made of one-shots: patterns of hits, melodies, and songs that add and drop them."""

from __future__ import annotations

import numpy as np

from training.drum_machine import RATE, Random, Samples

Pool = dict[str, list[Samples]]
"""One-shots by class."""

_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 7, 10), (0, 2, 4, 7, 9))


def drum_loop(pool: Pool, random: Random, bpm: float, bars: int) -> Samples:
    """A pattern of kick, snare or clap, hats and percussion in 16 steps a bar, as long as its bars."""
    length, step = _length(bpm, bars), RATE * 60 / bpm / 4
    loop = np.zeros(length)
    swing = random.choice((0.0, 0.0, random.uniform(0, 0.33)))
    parts = [
        ("kick", _pattern(random, (0,), (8, 6, 10, 3, 14, 7), 0.35), 1.0),
        (str(random.choice(("snare", "snare", "clap", "rim"))), _pattern(random, (4, 12), (7, 9, 15, 14), 0.15), 0.9),
        (str(random.choice(("closed-hat", "closed-hat", "percussion"))), _steady(random), 0.5),
    ]
    parts += [
        (
            str(random.choice(("open-hat", "percussion", "tom", "cymbal"))),
            _pattern(random, (), (2, 6, 10, 14, 3, 11), 0.3),
            0.5,
        )
    ]
    for name, steps, volume in parts:
        if name != "kick" and random.random() < 0.15:
            continue
        sound = _chosen(pool[name], random)
        for bar in range(bars):
            for at in steps:
                if random.random() < 0.06:
                    continue
                late = swing * step if at % 2 else 0.0
                start = round((bar * 16 + at) * step + late)
                _mix(loop, sound, start, volume * random.uniform(0.6, 1))
    return _level(loop)


def melodic_loop(pool: Pool, random: Random, bpm: float, bars: int) -> Samples:
    """A melody, a bass line, an arpeggio or chords from one or two sounds, as long as its bars."""
    length, step = _length(bpm, bars), RATE * 60 / bpm / 4
    loop = np.zeros(length)
    scale = _SCALES[random.integers(len(_SCALES))]
    for name in random.choice(("bass", "melodic", "chord", "melodic"), size=random.integers(1, 3), replace=False):
        sound = _chosen(pool[str(name)], random)
        spacing = int(random.choice((4, 8, 16) if name == "chord" else (1, 2, 2, 4)))
        degrees = random.integers(0, len(scale), 16 * bars)
        repeats = int(random.choice((16, 32, 64)))
        for at in range(0, 16 * bars, spacing):
            if random.random() < (0.05 if spacing > 2 else 0.25):
                continue
            shift = scale[degrees[at % repeats % len(degrees)]] + 12 * int(random.choice((0, 0, 0, 1, -1)))
            if name == "chord":
                shift = (0, 5, 7, -3, -4, 3)[degrees[at % repeats % len(degrees)] % 6]
            note = _pitched(sound, shift)[: round(step * spacing * random.uniform(0.8, 2.0))]
            fade = min(len(note), 800)
            note = note.copy()
            note[len(note) - fade :] *= np.linspace(1, 0, fade)
            _mix(loop, note, round(at * step), random.uniform(0.6, 1))
    return _level(loop)


def song(pool: Pool, random: Random, seconds: float) -> Samples:
    """Sections that add and drop drums, bass and melody, cut anywhere; begins and ends as recordings do."""
    bpm = float(random.uniform(65, 175))
    bars = int(random.choice((2, 4)))
    section = _length(bpm, bars)
    total = int(seconds * RATE)
    made = np.zeros(total + section)
    layers = [melodic_loop(pool, random, bpm, bars) for _ in range(3)] + [
        drum_loop(pool, random, bpm, bars) for _ in range(2)
    ]
    present = random.random(len(layers)) < 0.5
    for start in range(0, total, section):
        if random.random() < 0.5:
            present = random.random(len(layers)) < 0.6
        if random.random() < 0.25:
            layers[random.integers(3)] = melodic_loop(pool, random, bpm, bars)
        for layer, on in zip(layers, present, strict=True):
            if on:
                made[start : start + section] += layer * random.uniform(0.7, 1)
    offset = int(random.integers(0, section)) if random.random() < 0.6 else 0
    made = made[offset : offset + total]
    if random.random() < 0.3:
        made[-total // 8 :] *= np.linspace(1, 0, len(made[-total // 8 :]))
    if random.random() < 0.2:
        made[: total // 10] *= np.linspace(0, 1, len(made[: total // 10]))
    return _level(made)


def _length(bpm: float, bars: int) -> int:
    return round(bars * 4 * 60 / bpm * RATE)


def _pattern(random: Random, always: tuple[int, ...], maybe: tuple[int, ...], chance: float) -> list[int]:
    return sorted({*always, *(step for step in maybe if random.random() < chance)})


def _steady(random: Random) -> list[int]:
    spacing = int(random.choice((1, 2, 2, 2, 4)))
    offset = int(random.choice((0, 0, spacing // 2)))
    return list(range(offset, 16, spacing))


def _chosen(sounds: list[Samples], random: Random) -> Samples:
    return sounds[int(random.integers(len(sounds)))]


def _pitched(sound: Samples, semitones: float) -> Samples:
    places = np.arange(0, len(sound) - 1, 2 ** (semitones / 12))
    return np.interp(places, np.arange(len(sound)), sound).astype(np.float32)


def _mix(loop: np.ndarray, sound: Samples, start: int, volume: float) -> None:
    """Add a sound; what hangs over the end comes back at the start, as in a loop that was played round and round."""
    sound = sound[: len(loop)]
    start %= len(loop)
    fits = min(len(sound), len(loop) - start)
    loop[start : start + fits] += volume * sound[:fits]
    loop[: len(sound) - fits] += volume * sound[fits:]


def _level(sound: np.ndarray) -> Samples:
    return np.asarray(sound / max(float(np.abs(sound).max()), 1e-9), np.float32)
