"""Drums by synthesis, after the circuits of analogue and early digital drum machines, with every knob at random."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

Samples = npt.NDArray[np.float32]
Random = np.random.Generator

RATE = 44_100


def drum(name: str, random: Random) -> Samples:
    """One hit of the drum `name`, one of `DRUMS`, mono at 44.1 kHz, peak 1."""
    sound = DRUMS[name](random)
    if random.random() < 0.25:
        # The converters of early samplers: coarse steps, low rates.
        bits = random.integers(6, 12)
        sound = np.round(sound / np.abs(sound).max() * 2**bits) / 2**bits
    if random.random() < 0.35:
        sound = np.tanh(sound / np.abs(sound).max() * random.uniform(1.2, 6))
    peak = np.abs(sound).max()
    return np.asarray(sound / max(peak, 1e-9), np.float32)


def _time(seconds: float) -> npt.NDArray[np.float64]:
    return np.arange(int(seconds * RATE)) / RATE


def fall(time: npt.NDArray[np.float64], seconds: float) -> npt.NDArray[np.float64]:
    """Exponential decay that reaches -60 dB after `seconds`."""
    return np.asarray(np.exp(-6.9 * time / seconds))


def band(
    sound: npt.NDArray[np.float64], low: float | None, high: float | None, order: int = 2
) -> npt.NDArray[np.float64]:
    """Butterworth band-, high- or low-pass (None: open on that side)."""
    if low and high:
        return np.asarray(
            sosfilt(butter(order, (low, min(high, 0.49 * RATE)), "bandpass", fs=RATE, output="sos"), sound)
        )
    if low:
        return np.asarray(sosfilt(butter(order, low, "highpass", fs=RATE, output="sos"), sound))
    return np.asarray(sosfilt(butter(order, min(high or 20_000, 0.49 * RATE), "lowpass", fs=RATE, output="sos"), sound))


def _log(random: Random, low: float, high: float) -> float:
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _swept(
    time: npt.NDArray[np.float64], base: float, sweep: float, seconds: float, phase: float = 0.0
) -> npt.NDArray[np.float64]:
    """A sine that falls from base * (1 + sweep) to base."""
    hertz = base * (1 + sweep * np.exp(-time / seconds))
    return np.asarray(np.sin(2 * np.pi * np.cumsum(hertz) / RATE + phase))


def _kick(random: Random) -> npt.NDArray[np.float64]:
    decay = _log(random, 0.12, 2.2)
    time = _time(min(decay * 1.1, 2.5))
    base = _log(random, 36, 75)
    body = _swept(time, base, _log(random, 0.3, 8), _log(random, 0.005, 0.06), random.uniform(0, 1.5)) * fall(
        time, decay
    )
    if random.random() < 0.3:
        body = np.sin(body * random.uniform(1, 2.5))
    click = band(random.normal(size=len(time)), _log(random, 300, 3000), None) * fall(time, _log(random, 0.005, 0.05))
    if random.random() < 0.35:
        # A skin and a shell: a second, higher mode and a little of the room.
        body += (
            random.uniform(0.1, 0.5)
            * np.sin(2 * np.pi * base * random.uniform(1.5, 2.4) * time)
            * fall(time, decay * 0.4)
        )
        body += random.uniform(0, 0.15) * band(random.normal(size=len(time)), 60, 600) * fall(time, decay * 0.7)
    return np.asarray(body + random.uniform(0, 0.5) * click)


def _snare(random: Random) -> npt.NDArray[np.float64]:
    decay = _log(random, 0.1, 0.7)
    time = _time(decay * 1.2)
    base = _log(random, 140, 280)
    tone_decay = decay * random.uniform(0.3, 0.9)
    tone = _swept(time, base, random.uniform(0, 0.6), 0.02) * fall(time, tone_decay)
    tone += (
        random.uniform(0.2, 0.9)
        * _swept(time, base * random.uniform(1.4, 2.1), 0.2, 0.02)
        * fall(time, tone_decay * 0.7)
    )
    wires = band(random.normal(size=len(time)), _log(random, 400, 2500), _log(random, 6000, 20_000), 1) * fall(
        time, decay
    )
    if random.random() < 0.4:
        wires += 0.5 * band(random.normal(size=len(time)), 200, 1200) * fall(time, decay * 0.6)
    mix = random.uniform(0.15, 0.7)
    return np.asarray(mix * tone + (1 - mix) * wires / max(wires.std() * 3, 1e-9))


def _clap(random: Random) -> npt.NDArray[np.float64]:
    tail = _log(random, 0.08, 0.6)
    time = _time(tail + 0.08)
    noise = band(
        random.normal(size=len(time)), _log(random, 500, 1100), _log(random, 1800, 9000), random.integers(1, 3)
    )
    level = np.zeros(len(time))
    at = 0.0
    for _ in range(random.integers(2, 6)):
        start = int(at * RATE)
        level[start:] = np.maximum(
            level[start:], random.uniform(0.6, 1) * fall(time[: len(time) - start], random.uniform(0.02, 0.06))
        )
        at += random.uniform(0.006, 0.017)
    start = int(max(at - 0.005, 0) * RATE)
    level[start:] = np.maximum(level[start:], random.uniform(0.4, 1) * fall(time[: len(time) - start], tail))
    return np.asarray(noise * level)


def _rim(random: Random) -> npt.NDArray[np.float64]:
    decay = _log(random, 0.03, 0.16)
    time = _time(max(decay * 1.3, 0.05))
    sound = np.zeros(len(time))
    for low, high in ((400, 800), (1100, 2200), (1500, 4200)):
        sound += (
            random.uniform(0.2, 1)
            * np.sin(2 * np.pi * _log(random, low, high) * time)
            * fall(time, decay * random.uniform(0.5, 1))
        )
    sound += (
        random.uniform(0.1, 1) * band(random.normal(size=len(time)), 1000, None) * fall(time, _log(random, 0.006, 0.04))
    )
    return sound


def _metal(random: Random, seconds: float, lowest: float) -> npt.NDArray[np.float64]:
    """Six square waves out of tune, and noise, as cymbals of drum machines are made of."""
    time = _time(seconds)
    base = _log(random, 200, 500)
    ratios = np.array((1, 1.34, 1.48, 1.79, 2.54, 2.6)) * random.uniform(0.85, 1.15, 6)
    squares = sum(np.sign(np.sin(2 * np.pi * base * ratio * time + random.uniform(0, 6))) for ratio in ratios)
    mix = random.uniform(0, 1)
    sound = mix * np.asarray(squares) / 3 + (1 - mix) * random.normal(size=len(time))
    return band(sound, lowest, _log(random, 9000, 21_000), random.integers(1, 4))


def _closed_hat(random: Random) -> npt.NDArray[np.float64]:
    decay = _log(random, 0.03, 0.2)
    sound = _metal(random, max(decay * 1.2, 0.05), _log(random, 3000, 9000))
    return np.asarray(sound * fall(np.arange(len(sound)) / RATE, decay))


def _open_hat(random: Random) -> npt.NDArray[np.float64]:
    decay = _log(random, 0.35, 1.6)
    sound = _metal(random, decay, _log(random, 3000, 8500))
    level = fall(np.arange(len(sound)) / RATE, decay)
    if random.random() < 0.3:
        level *= np.clip((1 - np.arange(len(sound)) / len(sound)) * 8, 0, 1)
    return np.asarray(sound * level)


def _cymbal(random: Random) -> npt.NDArray[np.float64]:
    decay = _log(random, 1.2, 6)
    sound = _metal(random, min(decay, 4.0), _log(random, 350, 3500))
    time = np.arange(len(sound)) / RATE
    level = 0.5 * fall(time, decay) + 0.5 * fall(time, decay * 0.3)
    if random.random() < 0.4:
        # A ride: the stick's ping over the wash.
        ping = np.sin(2 * np.pi * _log(random, 2500, 6000) * time) * fall(time, random.uniform(0.2, 1))
        return np.asarray(sound * level * 0.4 + ping * random.uniform(0.1, 0.6))
    return np.asarray(sound * level)


def _tom(random: Random) -> npt.NDArray[np.float64]:
    decay = _log(random, 0.2, 1.3)
    time = _time(decay * 1.1)
    base = _log(random, 75, 260)
    sound = _swept(time, base, random.uniform(0.05, 1.0), _log(random, 0.02, 0.2)) * fall(time, decay)
    sound += (
        random.uniform(0, 0.4) * np.sin(2 * np.pi * base * random.uniform(1.5, 1.7) * time) * fall(time, decay * 0.5)
    )
    sound += (
        random.uniform(0, 0.25)
        * band(random.normal(size=len(time)), 100, _log(random, 800, 8000))
        * fall(time, _log(random, 0.02, 0.4))
    )
    return np.asarray(sound)


def _cowbell(random: Random) -> npt.NDArray[np.float64]:
    decay = _log(random, 0.1, 0.7)
    time = _time(decay)
    base = _log(random, 400, 900)
    pair = np.sign(np.sin(2 * np.pi * base * time)) + np.sign(
        np.sin(2 * np.pi * base * random.uniform(1.4, 1.6) * time)
    )
    return np.asarray(band(pair, base * 0.8, base * 5) * fall(time, decay))


def _skin(random: Random) -> npt.NDArray[np.float64]:
    """Conga, bongo, djembe: short and pitched, with the hand."""
    decay = _log(random, 0.08, 0.45)
    time = _time(decay * 1.2)
    base = _log(random, 180, 620)
    sound = _swept(time, base, random.uniform(0, 0.15), 0.02) * fall(time, decay)
    for ratio in (1.59, 2.14, 2.65):
        sound += random.uniform(0, 0.3) * np.sin(2 * np.pi * base * ratio * time) * fall(time, decay * 0.4)
    return np.asarray(
        sound + random.uniform(0.05, 0.5) * band(random.normal(size=len(time)), 800, 8000) * fall(time, 0.02)
    )


def _wood(random: Random) -> npt.NDArray[np.float64]:
    """Claves, wood block, triangle, bell: a few lasting tones."""
    ringing = random.random() < 0.4
    decay = _log(random, 0.5, 2.5) if ringing else _log(random, 0.03, 0.25)
    time = _time(min(decay * 1.1, 2.0))
    base = _log(random, 2000, 5500) if ringing else _log(random, 700, 2800)
    sound = np.sin(2 * np.pi * base * time) * fall(time, decay)
    for _ in range(3):
        sound += (
            random.uniform(0, 0.6)
            * np.sin(2 * np.pi * base * random.uniform(1.2, 3.5) * time)
            * fall(time, decay * random.uniform(0.3, 1))
        )
    return np.asarray(sound)


def _shaker(random: Random) -> npt.NDArray[np.float64]:
    seconds = _log(random, 0.05, 0.35)
    time = _time(seconds)
    swell = np.sin(np.pi * np.clip(time / seconds, 0, 1)) ** random.uniform(0.4, 4)
    sound = band(random.normal(size=len(time)), _log(random, 2500, 7000), _log(random, 9000, 20_000)) * swell
    if random.random() < 0.4:
        # Jingles of a tambourine.
        sound += random.uniform(0.2, 0.8) * _metal(random, seconds, 5000)[: len(time)] * fall(time, seconds) * 0.3
    return np.asarray(sound)


def _guiro(random: Random) -> npt.NDArray[np.float64]:
    seconds = random.uniform(0.1, 0.6)
    time = _time(seconds)
    scrape = (
        np.maximum(np.sin(2 * np.pi * np.cumsum(np.linspace(*random.uniform(25, 110, 2), len(time))) / RATE), 0) ** 4
    )
    return np.asarray(band(random.normal(size=len(time)), _log(random, 1200, 3500), 12_000) * scrape)


def _percussion(random: Random) -> npt.NDArray[np.float64]:
    kinds: tuple[Callable[[Random], npt.NDArray[np.float64]], ...] = (
        _cowbell,
        _skin,
        _skin,
        _wood,
        _wood,
        _shaker,
        _shaker,
        _guiro,
    )
    return kinds[random.integers(len(kinds))](random)


DRUMS: dict[str, Callable[[Random], npt.NDArray[np.float64]]] = {
    "kick": _kick,
    "snare": _snare,
    "clap": _clap,
    "rim": _rim,
    "closed-hat": _closed_hat,
    "open-hat": _open_hat,
    "cymbal": _cymbal,
    "tom": _tom,
    "percussion": _percussion,
}
