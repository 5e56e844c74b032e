"""Drum sounds: one-shots of the manifest, and others synthesised from random parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cache

import numpy as np
import scipy.signal
import soundfile
import soxr

from sample_agent.engine.signal.frames import Floats
from training.places import recordings

RATE = 44_100
Kit = dict[str, Floats]

_LONGEST_SECONDS = {"open": 0.6, "crash": 3.0, "ride": 1.2}
_FROM_MANIFEST = {
    "kick": "kick", "snare": "snare", "clap": "clap", "rim": "rim", "hat": "hat", "open": "hat", "crash": "cymbal",
    "ride": "cymbal", "tom": "tom", "perc": "perc", "cowbell": "perc", "shaker": "hat",
}  # fmt: skip


@cache
def one_shots() -> dict[tuple[str, str], list[Floats]]:
    """Mono one-shots of the manifest at 44.1 kHz, by class and source, at most 2 seconds long."""
    found: dict[tuple[str, str], list[Floats]] = defaultdict(list)
    for recording in recordings("class"):
        if recording.label not in _FROM_MANIFEST.values() or recording.duration > 6:
            continue
        samples, rate = soundfile.read(recording.path, dtype="float32", always_2d=True)
        mono = soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32)
        loud = np.flatnonzero(np.abs(mono) > 0.02 * max(float(np.abs(mono).max(initial=0)), 1e-6))
        if len(loud):
            mono = mono[max(0, loud[0] - 20) : loud[0] + 3 * RATE]
            found[recording.label, recording.source].append(mono / np.abs(mono).max())
    return dict(found)


def random_kit(random: np.random.Generator) -> Kit:
    """One sound for every drum: of one source, of many, or synthesised."""
    sources = sorted({source for _, source in one_shots()})
    share_synthetic = float(random.choice([0.0, 0.2, 1.0], p=[0.45, 0.2, 0.35]))
    source = str(random.choice(sources)) if random.random() < 0.6 else None
    pitch = float(random.normal(0, 2))
    return {drum: _sound(drum, source, share_synthetic, pitch, random) for drum in _FROM_MANIFEST}


def _sound(drum: str, source: str | None, synthetic: float, pitch: float, random: np.random.Generator) -> Floats:
    wanted = _FROM_MANIFEST[drum]
    shots = one_shots()
    choices = shots.get((wanted, source), []) if source else []
    if not choices:
        choices = [sound for (label, _), sounds in sorted(shots.items()) if label == wanted for sound in sounds]
    if not choices or random.random() < synthetic or drum in ("cowbell", "shaker"):
        sound = SYNTHESISERS[drum](random)
    else:
        sound = choices[int(random.integers(len(choices)))]
        if drum == "hat":
            sound = sound[: int(random.uniform(0.03, 0.12) * RATE)]
    step = 2 ** (np.clip(pitch + random.normal(0, 0.5), -7, 7) / 12)
    sound = np.interp(np.arange(0, len(sound) - 1, step), np.arange(len(sound)), sound).astype(np.float32)
    sound = sound[: int(_LONGEST_SECONDS.get(drum, 1.0) * RATE)].copy()
    fade = min(len(sound), 400)
    sound[len(sound) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return sound


def _time(seconds: float) -> Floats:
    return np.arange(int(seconds * RATE), dtype=np.float32) / RATE


def _noise(seconds: float, low: float, high: float, random: np.random.Generator) -> Floats:
    white = random.standard_normal(len(_time(seconds))).astype(np.float32)
    sections = scipy.signal.butter(2, [low, min(high, 21_000)], "bandpass", fs=RATE, output="sos")
    noise = scipy.signal.sosfilt(sections, white)
    return np.asarray(noise / np.abs(noise).max(), np.float32)


def _scaled(sound: Floats) -> Floats:
    return np.asarray(sound / max(float(np.abs(sound).max()), 1e-6), np.float32)


def kick(random: np.random.Generator) -> Floats:
    """A sine that falls in pitch, with a click."""
    length = random.uniform(0.12, 0.7)
    time = _time(length)
    low, high = random.uniform(38, 65), random.uniform(120, 400)
    hertz = low + (high - low) * np.exp(-time / random.uniform(0.008, 0.05))
    body = np.sin(2 * np.pi * np.cumsum(hertz) / RATE) * np.exp(-time / (length / 3))
    click = _noise(length, 1000, 8000, random) * np.exp(-time / 0.004) * random.uniform(0, 0.5)
    return _scaled(np.tanh((body + click) * random.uniform(1, 4)))


def snare(random: np.random.Generator) -> Floats:
    """Two partials and a burst of noise."""
    length = random.uniform(0.12, 0.4)
    time = _time(length)
    tone = random.uniform(150, 260)
    body = np.sin(2 * np.pi * tone * time) + 0.6 * np.sin(2 * np.pi * tone * random.uniform(1.4, 1.9) * time)
    noise = _noise(length, random.uniform(300, 1500), random.uniform(6000, 16_000), random)
    mix = random.uniform(0.2, 0.8)
    return _scaled(mix * body * np.exp(-time / 0.05) + (1 - mix) * noise * np.exp(-time / (length / 3.5)))


def clap(random: np.random.Generator) -> Floats:
    """Three bursts of noise and a tail."""
    length = random.uniform(0.2, 0.4)
    time = _time(length)
    noise = _noise(length, 700, random.uniform(3000, 8000), random)
    level = np.zeros_like(time)
    for start in (0.0, 0.011, 0.022):
        level += np.where(time >= start, np.exp(-np.maximum(time - start, 0) / 0.006), 0)
    level += np.where(time >= 0.03, np.exp(-np.maximum(time - 0.03, 0) / random.uniform(0.04, 0.1)), 0)
    return _scaled(noise * level)


def hat(random: np.random.Generator) -> Floats:
    """Short noise from 6 kHz on."""
    length = random.uniform(0.02, 0.1)
    noise = _noise(length, random.uniform(4000, 9000), 20_000, random)
    return _scaled(noise * np.exp(-_time(length) / (length / 4)))


def open_hat(random: np.random.Generator) -> Floats:
    """Longer noise from 6 kHz on."""
    length = random.uniform(0.2, 0.6)
    noise = _noise(length, random.uniform(4000, 8000), 20_000, random)
    return _scaled(noise * np.exp(-_time(length) / (length / 2.5)))


def cymbal(random: np.random.Generator) -> Floats:
    """Long noise and unrelated partials."""
    length = random.uniform(0.6, 2.5)
    time = _time(length)
    partials = sum(np.sin(2 * np.pi * random.uniform(2500, 9000) * time + random.uniform(0, 6)) for _ in range(6))
    noise = _noise(length, 3000, 18_000, random)
    return _scaled((noise + 0.15 * partials) * np.exp(-time / (length / 4)))


def tom(random: np.random.Generator) -> Floats:
    """A sine that falls a little."""
    length = random.uniform(0.2, 0.6)
    time = _time(length)
    hertz = random.uniform(70, 260) * (1 + 0.4 * np.exp(-time / 0.05))
    return _scaled(np.sin(2 * np.pi * np.cumsum(hertz) / RATE) * np.exp(-time / (length / 4)))


def percussion(random: np.random.Generator) -> Floats:
    """A short tone: block, bongo, agogo."""
    length = random.uniform(0.05, 0.3)
    time = _time(length)
    hertz = float(2 ** random.uniform(np.log2(200), np.log2(2500)))
    tone = np.sin(2 * np.pi * hertz * time) + 0.5 * np.sin(2 * np.pi * hertz * random.uniform(1.3, 2.8) * time)
    return _scaled(tone * np.exp(-time / (length / 5)))


def shaker(random: np.random.Generator) -> Floats:
    """Noise with a soft start."""
    length = random.uniform(0.05, 0.12)
    time = _time(length)
    noise = _noise(length, random.uniform(3000, 6000), 16_000, random)
    return _scaled(noise * np.minimum(time / 0.015, 1) * np.exp(-time / (length / 3)))


SYNTHESISERS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "kick": kick, "snare": snare, "clap": clap, "rim": percussion, "hat": hat, "open": open_hat, "crash": cymbal,
    "ride": cymbal, "tom": tom, "perc": percussion, "cowbell": percussion, "shaker": shaker,
}  # fmt: skip
