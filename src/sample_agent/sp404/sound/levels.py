"""How loud a sound is along its length: what trimming, fades, mono detection and gain are decided from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_agent.sp404.sound.scratch import Scratch
from sample_agent.sp404.sound.treatment import MIN_FRAMES, Treatment

CELL = 64
"""Frames that share one figure for their level: 1.3 ms, the grain of a trim."""

BLOCK = 1200 * CELL
"""Frames looked at in one go: many, because threads get in each other's way between two steps and not within one."""

_DC_WINDOW = 75 * CELL
_FEWEST_WINDOWS = 4
_MEAN = np.full((1, _DC_WINDOW), 1 / _DC_WINDOW, dtype=np.float32)
_LEAST_DC = 1e-4
_DOUBT = 7.0
"""An offset is believed when it is four standard errors away from nothing (1.25 × 1.48 median deviations each)."""

_LEAD_IN = 96
_LEAD_OUT = 960
_ATTACK = 0.1
_AT_ZERO = 2 / 32_768
_SHORTEST_FADE = 12

# A resampler answers to the step where an offset begins and ends, as every steep filter does: at the very edge with up
# to all of it, further in with a little ringing.
_STEP_CELLS = 2
_RINGING = 0.01


@dataclass(frozen=True)
class Levels:
    """A measured sound.

    Attributes:
        peak: the highest level, of all channels, offset taken away.
        cells: float32[⌈frames / `CELL`⌉], the same for each cell, without the edges of an offset that was taken away.
        difference: the largest difference between two channels; 0 for mono.
        sixteen_bit: nothing but whole steps of 16 bits.
        hidden: what is below this level may be an echo of the treatment itself.
    """

    frames: int
    peak: float
    cells: NDArray[np.float32]
    difference: float
    sixteen_bit: bool
    hidden: float = 0.0


@dataclass(frozen=True)
class Edges:
    """The part of a sound to keep, from `start` up to `end`, and how long its fades are, all in frames."""

    start: int
    end: int
    fade_in: int = 0
    fade_out: int = 0


def measure_dc(scratch: Scratch) -> tuple[float, ...]:
    """The constant offset of each channel, full scale at 1, or nothing when there is none to hear of.

    It is the median of the means of 0.1 s each: an offset is there all the time, while the mean of a drum that swings
    to one side more than to the other is not. Offsets under -80 dBFS, or that noise could make, are left alone,
    and so are sounds too short to tell.
    """
    means: list[NDArray[np.floating]] = []
    for block in scratch.blocks(BLOCK):
        whole = len(block) - len(block) % _DC_WINDOW
        if whole:
            means.append((_MEAN @ block[:whole].reshape(-1, _DC_WINDOW, block.shape[1]))[:, 0])
    every = np.concatenate(means or [np.empty((0, 1), np.float32)])
    if len(every) < _FEWEST_WINDOWS:
        return ()
    offsets = _median(every)
    doubt = _DOUBT * _median(np.abs(every - offsets)) / len(every) ** 0.5
    there = (np.abs(offsets) >= _LEAST_DC) & (np.abs(offsets) >= doubt)
    return tuple(float(offset) for offset in offsets) if there.any() else ()


def _median(values: NDArray[np.floating]) -> NDArray[np.floating]:
    # numpy's own takes ten times as long for so few.
    ranked = np.sort(values, axis=0)
    middle = ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]
    return np.asarray(middle * np.float32(0.5))


def measure_levels(scratch: Scratch, offset: tuple[float, ...], *, resampled: bool) -> Levels:
    cells: list[NDArray[np.float32]] = []
    difference = 0.0
    sixteen_bit = not resampled and not offset
    for block in scratch.blocks(BLOCK):
        sound = block - np.array(offset, dtype=np.float32) if offset else block
        cells.append(_cells(sound))
        if sound.shape[1] == 2:
            apart = sound[:, 0] - sound[:, 1]
            difference = max(difference, float(apart.max()), -float(apart.min()))
        if sixteen_bit:
            steps = sound * np.float32(32_768)
            sixteen_bit = bool((steps == np.rint(steps)).all()) and float(steps.max()) <= 32_767
    every = np.concatenate(cells or [np.empty(0, np.float32)])
    peak = float(every.max(initial=0.0))
    step = max(map(abs, offset), default=0.0) if resampled else 0.0
    for edge in (every[:_STEP_CELLS], every[-_STEP_CELLS:]):
        edge[edge <= 1.1 * step] = 0
    hidden = _RINGING * step
    return Levels(scratch.frames, peak, every, difference, sixteen_bit, hidden)


def find_edges(levels: Levels, treatment: Treatment, first: float, last: float) -> Edges:
    """Where the sound starts and ends, and its fades; `first` and `last` are the levels of its outermost frames.

    A part of 100 ms is kept at least, as long as there is that much.
    """
    start, end = 0, levels.frames
    if treatment.trim_below_db is not None and levels.peak > 0:
        start, end = _loud_part(levels, max(levels.peak * 10 ** (treatment.trim_below_db / 20), levels.hidden))
    longest = min(round(treatment.fade_seconds * 48_000), (end - start) // 2)
    if longest == 0:
        return Edges(start, end)
    fade_in = min(longest, max(_SHORTEST_FADE, _attack(levels, start) - start))
    return Edges(
        start,
        end,
        fade_in if start > 0 or first > _AT_ZERO else 0,
        longest if end < levels.frames or last > _AT_ZERO else 0,
    )


def _cells(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    whole = len(sound) // CELL
    rows = np.abs(sound[: whole * CELL]).reshape(whole, CELL * sound.shape[1])
    while rows.shape[1] > 1:  # halving is several times faster than a maximum along so short an axis
        half = rows.shape[1] // 2
        rows = np.maximum(rows[:, :half], rows[:, half:])
    levels = rows[:, 0]
    rest = sound[whole * CELL :]
    return np.append(levels, np.abs(rest).max()) if len(rest) else levels


def _loud_part(levels: Levels, threshold: float) -> tuple[int, int]:
    loud = np.flatnonzero(levels.cells > threshold)
    if len(loud) == 0:
        return 0, levels.frames
    start = max(0, int(loud[0]) * CELL - _LEAD_IN)
    end = min(levels.frames, (int(loud[-1]) + 1) * CELL + _LEAD_OUT)
    # Real sound is better than the padding it would get.
    return start, min(levels.frames, max(end, start + MIN_FRAMES))


def _attack(levels: Levels, start: int) -> int:
    """The frame from which on the sound is loud."""
    return int(np.argmax(levels.cells >= levels.peak * _ATTACK)) * CELL if levels.peak > 0 else start
