"""Sounds with known properties, made on the spot."""

from __future__ import annotations

import io

import numpy as np
import soundfile

RATE = 44_100


def wav(samples: np.ndarray, *, format_: str = "WAV", subtype: str | None = None) -> bytes:
    """The samples (frames, or frames x channels) as a file."""
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=format_, subtype=subtype)
    return file.getvalue()


def tone(frequency: float = 440.0, seconds: float = 0.5, level: float = 0.5) -> np.ndarray:
    """A sine that ends as it began."""
    time = np.arange(int(seconds * RATE)) / RATE
    return level * np.sin(2 * np.pi * frequency * time)


def drum_loop(tempo: float, beats: int = 8, seed: int = 0) -> np.ndarray:
    """Kicks on the beat and hats between, `beats` beats long."""
    random = np.random.default_rng(seed)
    length = round(beats * 60 / tempo * RATE)
    out = np.zeros(length)
    for half in range(beats * 2):
        start = round(half * 30 / tempo * RATE)
        hit = _kick() if half % 2 == 0 else _hat(random)
        end = min(start + hit.size, length)
        out[start:end] += hit[: end - start]
    return 0.7 * out / np.abs(out).max()


def chord(*frequencies: float, seconds: float = 2.0) -> np.ndarray:
    """Several sines with a few harmonics each."""
    return sum(tone(f * n, seconds, 0.2 / n) for f in frequencies for n in (1, 2, 3)) / len(frequencies)


def _kick() -> np.ndarray:
    time = np.arange(int(0.18 * RATE)) / RATE
    return np.sin(2 * np.pi * (55 * time + 4 * (1 - np.exp(-40 * time)))) * np.exp(-18 * time)


def _hat(random: np.random.Generator) -> np.ndarray:
    time = np.arange(int(0.04 * RATE)) / RATE
    return 0.4 * np.diff(random.normal(size=time.size + 1)) * np.exp(-120 * time)
