"""Sound for pieces: soundfonts, a small synthesizer of our own, drums, rooms, and other accidents of recordings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.signal

from training.fluid import DRUMS, RATE, Player
from training.key_compose import beat
from training.key_scores import Note, Piece

Rng = np.random.Generator
Samples = npt.NDArray[np.float32]

SECONDS = 25.0

# General MIDI programs by what they are good for.
_KEYBOARDS = (0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 16, 17, 18, 19, 19, 20, 21, 22)
_STRINGS_AND_CHOIRS = (40, 41, 42, 44, 45, 46, 48, 49, 50, 51, 52, 52, 53, 54, 60, 61, 62, 68, 71, 73)
_LEADS = (
    0,
    4,
    11,
    13,
    21,
    22,
    24,
    25,
    26,
    27,
    29,
    30,
    40,
    56,
    57,
    59,
    64,
    65,
    66,
    68,
    71,
    72,
    73,
    74,
    75,
    78,
    79,
    80,
    81,
    82,
    85,
    104,
    105,
    107,
    110,
)
_GUITARS = (24, 25, 26, 27, 28, 29, 30, 0, 1, 4, 5, 46, 104)
_BASSES = (32, 33, 33, 34, 35, 36, 37, 38, 39, 43, 58)
_PADS = (48, 49, 50, 51, 52, 54, 88, 89, 90, 91, 92, 93, 94, 95, 16, 18)


@dataclass(frozen=True)
class Rendering:
    """An excerpt, mono at 44.1 kHz, and its key."""

    samples: Samples
    tonic: int
    minor: bool


def render(piece: Piece, rng: Rng, player: Player) -> Rendering:
    """Up to 25 seconds of a piece, transposed at random, with instruments and a balance chosen at random."""
    whole = piece.source in ("bach", "fiddle")
    shift = int(rng.integers(-6, 6)) if whole else 0
    quarter = piece.quarter * float(rng.uniform(0.75, 1.3))
    length = max(note.start + note.length for note in piece.notes) * quarter
    # Most excerpts begin with the piece, as most files of music do; loops and cuts do not.
    begin = float(rng.uniform(0, max(0.0, length - SECONDS))) if rng.random() < 0.4 else 0.0
    seconds = min(length - begin + 0.5, SECONDS if rng.random() < 0.8 else float(rng.uniform(6, SECONDS)))
    notes = [
        Note(
            note.start * quarter - begin,
            note.length * quarter,
            note.pitch + (0 if note.part == DRUMS else shift),
            note.part,
            note.velocity,
        )
        for note in piece.notes
        if 0 <= note.start * quarter - begin < seconds
    ]
    synthetic = {"electronic": 0.6, "pop": 0.1, "folk": 0.1, "jazz": 0.05}.get(piece.source, 0.05)
    parts = sorted({note.part for note in notes})
    choice = _instruments(piece.source, parts, rng)
    mix = np.zeros(round(seconds * RATE), np.float32)
    for_player = [note for note in notes if note.part == DRUMS]
    for part in parts:
        if part != DRUMS and rng.random() < synthetic:
            own = [note for note in notes if note.part == part]
            mix += _level(rng) * _loudness_of(_synthesize(own, seconds, rng))
        elif part != DRUMS:
            for_player += [note for note in notes if note.part == part]
    if for_player:
        events = [
            (note.start, note.length, note.part, note.pitch, note.velocity) for note in for_player if note.part != DRUMS
        ]
        if events:
            mix += _level(rng) * _loudness_of(player.play(events, choice, seconds, bool(rng.random() < 0.5)))
        hits = [
            (note.start, note.length, DRUMS, note.pitch, note.velocity) for note in for_player if note.part == DRUMS
        ]
        if hits:
            mix += 0.8 * _level(rng) * _loudness_of(player.play(hits, {}, seconds, bool(rng.random() < 0.3)))
    return Rendering(_record(mix, rng), (piece.tonic + shift) % 12, piece.minor)


def render_drums(rng: Rng, player: Player, breaks: list[Samples]) -> Samples:
    """An excerpt without any key: a drum kit, a recorded break, or noise."""
    seconds = float(rng.uniform(2, 20))
    choice = rng.random()
    if choice < 0.45:
        quarter = float(rng.uniform(0.3, 0.7))
        bars = int(seconds / quarter / 4) + 1
        hits = [(note.start * quarter, 0.2, DRUMS, note.pitch, note.velocity) for note in beat(bars, rng)]
        drums = player.play(hits, {}, seconds, bool(rng.random() < 0.3))
    elif choice < 0.8:
        drums = np.resize(breaks[int(rng.integers(len(breaks)))], round(seconds * RATE))
    else:
        low, high = np.sort(rng.uniform(30, 15_000, 2))
        color = scipy.signal.butter(2, (low, high + 200), "band", fs=RATE, output="sos")
        drums = scipy.signal.sosfilt(color, rng.normal(0, 1, round(seconds * RATE))).astype(np.float32)
    return _record(drums, rng)


def _instruments(source: str, parts: list[int], rng: Rng) -> dict[int, int]:
    if source in ("bach", "hymn"):
        family = _KEYBOARDS if rng.random() < 0.55 else _STRINGS_AND_CHOIRS
        one = int(rng.choice(family))
        mixed = rng.random() < 0.25
        return {part: int(rng.choice(family)) if mixed else one for part in parts if part != DRUMS}
    if source == "fiddle":
        return {part: int(rng.choice((*_LEADS, 40, 40, 73, 0, 0, 0))) for part in parts}
    if rng.random() < 0.3:  # everything on one keyboard, as in a piano score
        one = int(rng.choice(_KEYBOARDS))
        return {part: one for part in parts if part != DRUMS}
    families = {0: _LEADS, 1: (*_KEYBOARDS, *_GUITARS), 2: _BASSES, 3: _PADS}
    return {part: int(rng.choice(families[part])) for part in parts if part != DRUMS}


def _level(rng: Rng) -> np.float32:
    return np.float32(10 ** (rng.uniform(-9, 3) / 20))


def _loudness_of(samples: Samples) -> Samples:
    power = float(np.sqrt(np.mean(np.square(samples))))
    return samples * np.float32(0.1 / power) if power > 0 else samples


def _synthesize(notes: list[Note], seconds: float, rng: Rng) -> Samples:
    """A subtractive voice: one period of a wave, its envelope, and a low-pass filter over all of it."""
    table, size = _wave(rng), 2048
    detuned = float(rng.choice([0.0, 0.0, rng.uniform(0.003, 0.012)]))
    attack, release = float(rng.choice([0.003, 0.01, 0.1])), 0.03
    fall = float(rng.choice([0.0, 0.0, rng.uniform(1, 8)]))
    out = np.zeros(round(seconds * RATE) + RATE, np.float32)
    for note in notes:
        start, count = round(note.start * RATE), round((note.length + release) * RATE)
        count = min(count, len(out) - start)
        if count < 64:
            continue
        time = np.arange(count, dtype=np.float32) / RATE
        hertz = 440 * 2 ** ((note.pitch - 69) / 12)
        harmonics = max(1, min(len(table) - 1, int(12_000 / hertz)))
        wave = table[min(harmonics, len(table) - 1)]
        voice = np.zeros(count, np.float32)
        for ratio in (1 - detuned, 1 + detuned) if detuned else (1.0,):
            phase = (time.astype(np.float64) * hertz * ratio + rng.random()) % 1.0
            voice += wave[(phase * size).astype(np.int64)]
        envelope = np.minimum(1, time / attack) * np.clip((note.length + release - time) / release, 0, 1)
        out[start : start + count] += voice * envelope * np.exp(-fall * time) * (note.velocity / 100)
    cutoff = float(np.exp(rng.uniform(np.log(200), np.log(12_000))))
    filtered: Samples = scipy.signal.sosfilt(scipy.signal.butter(2, cutoff, fs=RATE, output="sos"), out).astype(
        np.float32
    )
    return filtered[: round(seconds * RATE)]


def _wave(rng: Rng) -> list[Samples]:
    """One period of a sine, saw, square, triangle or bell-like wave, band-limited to 0, 1, 2, … 40 harmonics."""
    order = np.arange(1, 41)
    kind = rng.choice(["sine", "saw", "saw", "square", "triangle", "drawn"])
    amplitude = {
        "sine": (order == 1) * 1.0, "saw": 1 / order, "square": (order % 2) / order,
        "triangle": (order % 2) / order**2, "drawn": rng.exponential(1, 40) / order,
    }[str(kind)]  # fmt: skip
    angle = 2 * np.pi * np.arange(2048) / 2048
    partials = amplitude[:, None] * np.sin(
        np.outer(order, angle) + (rng.uniform(0, 6.28, (40, 1)) if kind == "drawn" else 0)
    )
    sums = np.concatenate([np.zeros((1, 2048)), np.cumsum(partials, axis=0)]).astype(np.float32)
    return list(sums)


def _record(mix: Samples, rng: Rng) -> Samples:
    """What happens to music before it is a file: equalisers, distortion, hiss, other speeds."""
    mix = _loudness_of(mix)
    if rng.random() < 0.3:
        band = scipy.signal.butter(1, float(rng.uniform(60, 300)), "high", fs=RATE, output="sos")
        mix = scipy.signal.sosfilt(band, mix).astype(np.float32)
    if rng.random() < 0.3:
        band = scipy.signal.butter(1, float(rng.uniform(1500, 8000)), "low", fs=RATE, output="sos")
        mix = scipy.signal.sosfilt(band, mix).astype(np.float32)
    if rng.random() < 0.2:
        drive = np.float32(rng.uniform(2, 12))
        mix = (np.tanh(mix * drive) / drive).astype(np.float32)
    if rng.random() < 0.3:
        mix = mix + rng.normal(0, 0.1 * 10 ** (rng.uniform(-50, -15) / 20), len(mix)).astype(np.float32)
    return mix
