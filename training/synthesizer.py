"""Basses, melodic notes, chords, voices and effects by synthesis, with every knob at random."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from training.drum_machine import RATE, Random, Samples, band, fall

Signal = npt.NDArray[np.float64]

_CHORDS = (
    (0, 4, 7),
    (0, 3, 7),
    (0, 4, 7, 11),
    (0, 3, 7, 10),
    (0, 5, 7),
    (0, 4, 7, 10),
    (0, 7, 12),
    (0, 3, 7, 14),
    (0, 4, 9),
)
_VOWELS = (
    (730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410),
    (660, 1720, 2410), (440, 1020, 2240)
)  # fmt: skip
"""Formants of spoken vowels in Hz (Peterson and Barney 1952)."""


def tone(name: str, random: Random) -> Samples:
    """One sound of the class `name`, one of `TONES`, mono at 44.1 kHz, peak 1."""
    sound = TONES[name](random)
    return np.asarray(sound / max(float(np.abs(sound).max()), 1e-9), np.float32)


def _log(random: Random, low: float, high: float) -> float:
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def hertz(midi: float) -> float:
    """Frequency of a MIDI note number."""
    return float(440 * 2 ** ((midi - 69) / 12))


def voice(random: Random, frequency: float, seconds: float, brightness: float) -> Signal:
    """An oscillator, band-limited: overtones with a slope, a few of them detuned or beating."""
    time = np.arange(int(seconds * RATE)) / RATE
    count = int(min(28, 0.45 * RATE / frequency, max(1, brightness / frequency)))
    overtones = np.arange(1, count + 1)
    slope = random.uniform(0.7, 2.2)
    level = overtones**-slope * np.where(overtones % 2 == 0, random.choice((1.0, 1.0, 0.1)), 1.0)
    vibrato = random.choice((0.0, 0.0, random.uniform(0.001, 0.008))) * np.sin(2 * np.pi * random.uniform(4, 7) * time)
    sound = np.zeros(len(time))
    for detune in (0.0,) if random.random() < 0.5 else (0.0, random.uniform(0.001, 0.012)):
        phase = 2 * np.pi * frequency * (1 + detune) * (time + np.cumsum(vibrato) / RATE)
        damping = random.choice((0.0, random.uniform(0, 2.0)))
        for overtone, strength in zip(overtones, level, strict=True):
            sound += strength * np.sin(overtone * phase + random.uniform(0, 6)) * np.exp(-damping * overtone * time)
    return sound


def shape(random: Random, sound: Signal, *, held: bool) -> Signal:
    """Plucked or held, with an attack."""
    time = np.arange(len(sound)) / RATE
    seconds = len(sound) / RATE
    attack = _log(random, 0.002, 0.3 if held else 0.02)
    level = np.minimum(time / attack, 1)
    if held:
        level *= np.clip((seconds - time) / max(random.uniform(0.05, 0.5) * seconds, 1e-3), 0, 1)
    else:
        level *= fall(time, _log(random, 0.3, 1.0) * seconds)
    return np.asarray(sound * level)


def _bass(random: Random) -> Signal:
    seconds = _log(random, 0.25, 3.0)
    frequency = hertz(random.uniform(24, 45))
    time = np.arange(int(seconds * RATE)) / RATE
    style = random.random()
    if style < 0.3:
        sound = np.sin(2 * np.pi * np.cumsum(frequency * (1 + random.choice((0, 0.5)) * np.exp(-time / 0.02))) / RATE)
        sound = np.tanh(sound * random.uniform(0.5, 4))
    elif style < 0.5:
        # Frequency modulation.
        index = random.uniform(0.5, 5) * fall(time, _log(random, 0.1, 2))
        sound = np.sin(
            2 * np.pi * frequency * time + index * np.sin(2 * np.pi * frequency * random.choice((0.5, 1, 2, 3)) * time)
        )
    else:
        sound = voice(random, frequency, seconds, _log(random, 300, 5000))
        if random.random() < 0.4:
            sound = np.tanh(sound * random.uniform(1, 5))
    if random.random() < 0.25:
        sound = sound * (0.55 + 0.45 * np.sin(2 * np.pi * random.uniform(2, 10) * time))
    return shape(random, sound, held=random.random() < 0.5)


def _melodic(random: Random) -> Signal:
    seconds = _log(random, 0.3, 4.0)
    frequency = hertz(random.uniform(45, 88))
    time = np.arange(int(seconds * RATE)) / RATE
    style = random.random()
    if style < 0.25:
        index = random.uniform(0.3, 6) * fall(time, _log(random, 0.1, 2))
        sound = np.sin(
            2 * np.pi * frequency * time
            + index * np.sin(2 * np.pi * frequency * random.choice((1, 2, 3, 3.5, 7)) * time)
        )
    elif style < 0.4:
        sound = _string(random, frequency, seconds)
    else:
        sound = voice(random, frequency, seconds, _log(random, 1500, 16_000))
    return shape(random, sound, held=random.random() < 0.45)


def _string(random: Random, frequency: float, seconds: float) -> Signal:
    """A plucked string (Karplus and Strong 1983)."""
    period = max(2, round(RATE / frequency))
    start = np.zeros(int(seconds * RATE))
    start[:period] = band(random.normal(size=period), None, _log(random, 1500, 15_000))
    loop = np.zeros(period + 2)
    loop[0], loop[period:] = 1.0, -0.5 * random.uniform(0.985, 0.9995)
    return np.asarray(lfilter([1.0], loop, start))


def _chord(random: Random) -> Signal:
    root = random.uniform(40, 66)
    seconds = _log(random, 0.4, 7.0)
    notes = [root + step for step in _CHORDS[random.integers(len(_CHORDS))]]
    if random.random() < 0.5:
        notes.append(root - 12)
    brightness = _log(random, 1200, 7000)
    style = np.random.default_rng(int(random.integers(1 << 30))).bit_generator.state
    sound = np.zeros(int(seconds * RATE))
    for note in notes:
        # The same patch for every note of the chord.
        same = np.random.default_rng()
        same.bit_generator.state = style
        sound += random.uniform(0.6, 1) * voice(same, hertz(note), seconds, brightness)[: len(sound)]
    return shape(random, sound, held=random.random() < 0.65)


def _vocal(random: Random) -> Signal:
    """Syllables or a held vowel: pulses of the glottis and breath through formants that glide."""
    seconds = _log(random, 0.25, 3.0)
    length = int(seconds * RATE)
    time = np.arange(length) / RATE
    pitch = hertz(random.uniform(42, 72)) * 2 ** (
        np.interp(time, np.linspace(0, seconds, 6), random.normal(0, random.choice((1, 3)), 6)) / 12
    )
    pitch *= 1 + random.uniform(0, 0.02) * np.sin(2 * np.pi * random.uniform(4.5, 6.5) * time)
    phase = np.cumsum(pitch) / RATE
    pulses = (phase % 1) ** random.uniform(1, 3) - 0.3 + random.uniform(0.02, 0.25) * random.normal(size=length)
    size = random.uniform(0.9, 1.25)
    sound = np.zeros(length)
    syllables = max(1, int(seconds / random.uniform(0.15, 0.7)))
    edges = np.linspace(0, length, syllables + 1).astype(int)
    for start, stop in pairwise(edges):
        part = pulses[start:stop]
        vowel = _VOWELS[random.integers(len(_VOWELS))]
        voiced = sum(
            strength * band(part, max(formant * size * 0.93, 60), formant * size * 1.07, 1)
            for formant, strength in zip(vowel, (1.0, 0.6, 0.35), strict=True)
        )
        level = np.sin(np.pi * np.linspace(0, 1, len(part))) ** random.uniform(0.2, 1)
        syllable = np.asarray(voiced) * level
        if random.random() < 0.5 and len(part) > 3000:
            hiss = int(random.uniform(0.03, 0.12) * RATE)
            noise = band(random.normal(size=len(part)), _log(random, 1500, 5000), 14_000) * 0.2
            noise[hiss:] = 0
            syllable += noise * np.abs(syllable).max()
        sound[start:stop] += syllable
    return sound


def _effect(random: Random) -> Signal:
    effects: tuple[Callable[[Random], Signal], ...] = (_riser, _zap, _impact, _machine, _crackle, _swirl)
    return effects[random.integers(len(effects))](random)


def _riser(random: Random) -> Signal:
    """Noise that sweeps up or down."""
    seconds = _log(random, 0.6, 6.0)
    length = int(seconds * RATE)
    noise = random.normal(size=length)
    low, high = sorted((_log(random, 100, 1000), _log(random, 2000, 14_000)))
    edges = np.geomspace(low, high, 24)
    parts = [band(noise, edge * 0.7, edge * 1.4, 1) for edge in edges]
    place = np.linspace(0, 23, length)
    if random.random() < 0.4:
        place = place[::-1]
    sound = sum(part * np.maximum(1 - np.abs(place - index), 0) for index, part in enumerate(parts))
    level = np.linspace(0, 1, length) ** random.uniform(0.3, 2)
    return np.asarray(sound * (level if random.random() < 0.7 else level[::-1]))


def _zap(random: Random) -> Signal:
    seconds = _log(random, 0.15, 1.5)
    time = np.arange(int(seconds * RATE)) / RATE
    high, low = _log(random, 1500, 9000), _log(random, 60, 600)
    if random.random() < 0.3:
        high, low = low, high
    frequency = low * (high / low) ** (np.exp(-time / (seconds * random.uniform(0.1, 0.6))))
    frequency = frequency * (1 + random.choice((0, 0.4)) * np.sin(2 * np.pi * random.uniform(5, 60) * time))
    sound = np.sin(2 * np.pi * np.cumsum(frequency) / RATE)
    return np.asarray(
        (np.sign(sound) if random.random() < 0.3 else sound) * fall(time, seconds * random.uniform(0.7, 3))
    )


def _impact(random: Random) -> Signal:
    seconds = _log(random, 1.0, 5.0)
    time = np.arange(int(seconds * RATE)) / RATE
    boom = np.sin(2 * np.pi * np.cumsum(_log(random, 28, 60) * (1 + 3 * np.exp(-time / 0.1))) / RATE) * fall(
        time, seconds
    )
    noise = band(random.normal(size=len(time)), None, _log(random, 800, 8000), 1) * fall(
        time, seconds * random.uniform(0.4, 1.2)
    )
    return np.asarray(boom * random.uniform(0.2, 1) + noise * random.uniform(0.3, 1))


def _machine(random: Random) -> Signal:
    """A hum or rumble that stays."""
    seconds = _log(random, 1.0, 8.0)
    time = np.arange(int(seconds * RATE)) / RATE
    wobble = 1 + 0.05 * np.sin(2 * np.pi * random.uniform(0.2, 6) * time)
    sound = np.sin(
        2 * np.pi * np.cumsum(_log(random, 40, 900) * wobble) / RATE
        + random.uniform(1, 8) * np.sin(2 * np.pi * _log(random, 20, 700) * time)
    )
    sound += random.uniform(0, 1.5) * band(
        random.normal(size=len(time)), _log(random, 50, 500), _log(random, 800, 9000), 1
    )
    return shape(random, sound, held=True)


def _crackle(random: Random) -> Signal:
    """A record's surface, rain, fire."""
    seconds = _log(random, 0.8, 6.0)
    length = int(seconds * RATE)
    clicks = (random.random(length) < random.uniform(5, 400) / RATE) * random.normal(size=length) ** 3
    return np.asarray(
        band(clicks, _log(random, 100, 1500), None, 1)
        + random.uniform(0, 0.05) * band(random.normal(size=length), None, 6000, 1)
    )


def _swirl(random: Random) -> Signal:
    """A chirp of bubbles, birds or a computer thinking."""
    seconds = _log(random, 0.5, 4.0)
    time = np.arange(int(seconds * RATE)) / RATE
    steps = np.repeat(
        np.exp(random.uniform(np.log(150), np.log(6000), int(seconds * random.uniform(4, 30)) + 1)), 4 * RATE
    )
    stretched = np.interp(
        np.linspace(0, 1, len(time)),
        np.linspace(0, 1, len(steps) // (2 * RATE)),
        steps[:: 2 * RATE][: len(steps) // (2 * RATE)],
    )
    sound = np.sin(2 * np.pi * np.cumsum(stretched) / RATE)
    return shape(random, sound, held=True)


TONES: dict[str, Callable[[Random], Signal]] = {
    "bass": _bass,
    "melodic": _melodic,
    "chord": _chord,
    "vocal": _vocal,
    "fx": _effect,
}
