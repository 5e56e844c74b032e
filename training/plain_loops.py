"""Clips whose tempo is easily mistaken: fast bars of three, clicks that say nothing but their beat, beats with nothing
but another sound between them, and sounds without any tempo."""

from __future__ import annotations

import numpy as np
import scipy.signal

from sample_agent.engine.signal.frames import Floats
from training.kits import RATE, random_kit
from training.loops import compose, effects, render
from training.styles import FAST_THREES

_CLICK_DRUMS = ("kick", "snare", "rim", "hat", "clap", "cowbell", "tom")


def plain_loop(random: np.random.Generator) -> tuple[Floats, float, str]:
    """Samples at 44.1 kHz, tempo (0 for none), and what it is."""
    kind = str(random.choice(["three", "click", "off-beat", "none"], p=[0.3, 0.2, 0.3, 0.2]))
    if kind == "three":
        music = compose(random, styles=FAST_THREES)
        return render(music, random), music.tempo, "fast three"
    if kind == "click":
        return *_click(random), kind
    if kind == "off-beat":
        return *_off_beat(random), kind
    return _without_tempo(random), 0.0, "no tempo"


def _click(random: np.random.Generator) -> tuple[Floats, float]:
    """One sound on every beat, now and then another one where bars begin."""
    tempo = float(random.uniform(52, 218))
    tempo = round(tempo) if random.random() < 0.6 else tempo
    bar = int(random.choice([3, 4, 4, 4]))
    beats = bar * int(random.choice([1, 2, 4, 8]))
    while beats * 60 / tempo > 20 and beats > bar:
        beats //= 2
    length = round(beats * 60 / tempo * RATE)
    accented = random.random() < 0.4
    sounds = [_tick(random), _tick(random)]
    mix = np.zeros(length + 4 * RATE, np.float32)
    for beat in range(beats):
        first = accented and beat % bar == 0
        sound = sounds[0] if first else sounds[1]
        at = round(beat * 60 / tempo * RATE)
        mix[at : at + len(sound)] += sound[: len(mix) - at] * np.float32(1.0 if first or not accented else 0.6)
    mix = mix[:length]
    return effects(mix, random) if random.random() < 0.3 else mix, tempo


def _off_beat(random: np.random.Generator) -> tuple[Floats, float]:
    """A low drum on every beat and a high one in the middle between, now and then a snare on every other beat; under
    them, perhaps, chords for bars or half bars."""
    tempo = float(random.uniform(68, 152))
    tempo = round(tempo) if random.random() < 0.6 else tempo
    beats = 4 * int(random.choice([1, 2, 2, 4, 8]))
    while beats * 60 / tempo > 20 and beats > 4:
        beats //= 2
    length = round(beats * 60 / tempo * RATE)
    kit = random_kit(random)
    low, high = kit["kick"], kit[str(random.choice(["hat", "hat", "open", "shaker", "rim", "perc"]))]
    loud, on_beats = random.uniform(0.15, 0.9), random.random() < 0.25
    backbeat = kit["snare"] * np.float32(random.uniform(0.3, 0.9)) if random.random() < 0.3 else None
    mix = np.zeros(length + 4 * RATE, np.float32)
    for half in range(2 * beats):
        at = round(half * 30 / tempo * RATE)
        sounds = [low] if half % 2 == 0 else [high * np.float32(loud)]
        if half % 2 == 0 and on_beats:
            sounds.append(high * np.float32(loud))
        if half % 4 == 2 and backbeat is not None:
            sounds.append(backbeat)
        for sound in sounds:
            mix[at : at + len(sound)] += sound[: len(mix) - at]
    mix = mix[:length]
    if random.random() < 0.5:
        mix += _chords(length, beats, tempo, random) * np.float32(random.uniform(0.2, 1.2) * np.abs(mix).max())
    return effects(mix, random) if random.random() < 0.4 else mix / np.abs(mix).max(), tempo


def _chords(length: int, beats: int, tempo: float, random: np.random.Generator) -> Floats:
    """Held tones that change every two or four beats, with a peak of 1."""
    out = np.zeros(length)
    change = int(random.choice([2, 4, 4]))
    for start in range(0, beats, change):
        first = round(start * 60 / tempo * RATE)
        time = np.arange(min(round(change * 60 / tempo * RATE), length - first)) / RATE
        for step in random.choice([0, 3, 4, 5, 7, 10, 12], size=3, replace=False):
            for overtone in (1, 2, 3):
                hertz = 196 * 2 ** (step / 12) * overtone
                out[first : first + len(time)] += np.sin(2 * np.pi * hertz * time) / overtone
    return np.asarray(out / np.abs(out).max(), np.float32)


def _tick(random: np.random.Generator) -> Floats:
    if random.random() < 0.4:
        return np.asarray(random_kit(random)[str(random.choice(_CLICK_DRUMS))][: RATE // 3], np.float32)
    time = np.arange(int(random.uniform(0.01, 0.1) * RATE)) / RATE
    sound = np.sin(2 * np.pi * np.exp(random.uniform(np.log(300), np.log(4000))) * time)
    if random.random() < 0.3:
        sound = random.standard_normal(len(time))
    return np.asarray(sound * np.exp(-time * 5 / time[-1]) * 0.8, np.float32)


def _without_tempo(random: np.random.Generator) -> Floats:
    """A held tone or chord, noise, a sweep: for any time, with nothing in it that repeats."""
    seconds = random.uniform(1.5, 16)
    time = np.arange(int(seconds * RATE)) / RATE
    kind = str(random.choice(["tone", "chord", "noise", "sweep"], p=[0.35, 0.3, 0.2, 0.15]))
    if kind == "noise":
        sound = random.standard_normal(len(time))
        if random.random() < 0.7:
            sound = scipy.signal.lfilter([0.1], [1, -random.uniform(0.3, 0.98)], sound)
    elif kind == "sweep":
        from_hz, to_hz = np.exp(random.uniform(np.log(60), np.log(6000), 2))
        sound = np.sin(2 * np.pi * np.cumsum(np.geomspace(from_hz, to_hz, len(time))) / RATE)
    else:
        root = np.exp(random.uniform(np.log(50), np.log(1200)))
        steps = random.choice([0, 4, 7, 12, 15, 19], size=int(random.integers(2, 5))) if kind == "chord" else [0]
        overtones = random.uniform(0, 0.8) ** np.arange(int(random.integers(1, 8)))
        sound = np.zeros(len(time))
        for step in steps:
            hertz = root * 2 ** (step / 12) * (1 + random.normal(0, 0.001))
            for number, level in enumerate(overtones, 1):
                if hertz * number < RATE / 2.2:
                    sound += level * np.sin(2 * np.pi * hertz * number * time + random.uniform(0, 6))
    if random.random() < 0.5:
        sound = sound * np.minimum(time / random.uniform(0.002, 1.5), 1)
        sound *= np.minimum((time[-1] - time) / random.uniform(0.005, 2.0), 1)
    sound = np.asarray(sound / max(float(np.abs(sound).max()), 1e-9) * random.uniform(0.2, 0.95), np.float32)
    return effects(sound, random) if random.random() < 0.3 else sound
