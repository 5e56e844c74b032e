"""Simple synthesisers for the pitched parts of made-up loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.signal

from sample_agent.engine.signal.frames import Floats
from training.kits import RATE

Instrument = Callable[[tuple["Note", ...], float, int], Floats]


@dataclass(frozen=True)
class Note:
    """A pitch (MIDI number) from a beat on, held for so many beats, `level` loud (0 to 1)."""

    beat: float
    pitch: int
    held: float
    level: float


def random_instrument(random: np.random.Generator) -> Instrument:
    """A synthesiser of its own sound, which plays notes at a tempo into so many samples."""
    wave = str(random.choice(["saw", "square", "sine", "bell", "pluck"], p=[0.25, 0.15, 0.15, 0.2, 0.25]))
    attack = float(random.choice([0.002, 0.01, 0.08, 0.3], p=[0.5, 0.25, 0.15, 0.1]))
    decay = random.uniform(0.1, 1.5)
    cutoff = random.uniform(500, 9000)

    def play(notes: tuple[Note, ...], tempo: float, length: int) -> Floats:
        mix = np.zeros(length, np.float32)
        for note in notes:
            held = note.held * 60 / tempo
            time = np.arange(int((held + 0.15) * RATE), dtype=np.float32) / RATE
            hertz = 440 * 2 ** ((note.pitch - 69) / 12)
            level = np.minimum(time / attack, 1) * np.exp(-time / decay) * np.clip((held + 0.15 - time) / 0.1, 0, 1)
            sound = _wave(wave, hertz, time) * level * np.float32(note.level)
            at = int(note.beat * 60 / tempo * RATE)
            mix[at : at + len(sound)] += sound[: max(0, length - at)]
        sections = scipy.signal.butter(2, cutoff, "low", fs=RATE, output="sos")
        return np.asarray(scipy.signal.sosfilt(sections, mix), np.float32)

    return play


def _wave(wave: str, hertz: float, time: Floats) -> Floats:
    turns = hertz * time
    if wave == "saw":
        return np.asarray(2 * np.mod(turns, 1) - 1 + 0.5 * (2 * np.mod(turns * 1.006, 1) - 1), np.float32)
    if wave == "square":
        return np.asarray(np.where(np.mod(turns, 1) < 0.5, 1.0, -1.0), np.float32)
    if wave == "bell":
        return np.asarray(np.sin(2 * np.pi * turns + 2 * np.exp(-time * 4) * np.sin(4 * np.pi * turns)), np.float32)
    if wave == "pluck":
        partials = sum(np.sin(2 * np.pi * turns * k) * np.exp(-time * 2 * k) / k for k in range(1, 7))
        return np.asarray(partials, np.float32)
    return np.asarray(np.sin(2 * np.pi * turns), np.float32)
