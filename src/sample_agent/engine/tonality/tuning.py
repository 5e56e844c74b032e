"""Where the tones of a spectrum lie, and how far they are from A = 440 Hz."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import Kernel, address, checked, kernel
from sample_agent.engine.signal.frames import Floats

Integers = npt.NDArray[np.int64]

_LOWEST_HZ, _HIGHEST_HZ = 60.0, 3500.0
_PROMINENCE = 2.5
"""A peak is this many times as high as the mean of its surroundings."""
_BLOCK = 8
"""Surroundings are the three blocks of so many bins about a peak: 65 Hz at 2.7 Hz a bin."""

_LOBE_WIDTH = 1.5
"""Energy of a sine under a Hann window, in units of its highest bin."""

A4_HZ, A4 = 440.0, 69


@dataclass(frozen=True, eq=False)
class Tones:
    """The spectral peaks of a series of frames, frame by frame and from low to high.

    Attributes:
        frame: the frame each peak is in, shape (peaks,).
        pitch: MIDI numbers with fractions, 69.0 for 440 Hz, shape (peaks,).
        weight: how much a peak counts, shape (peaks,). Softened, so that neither a loud note nor a loud moment outvotes
            the rest; overtones count less than roots.
        frames: how many frames there are, with peaks or without.
        tonality: share of the spectral energy that sits in peaks, 0 (noise) to 1.
    """

    frame: Integers
    pitch: Floats
    weight: Floats
    frames: int
    tonality: float


def find_tones(power: Floats, width_hz: float) -> Tones:
    """Peaks between 60 and 3500 Hz that stand out from their surroundings.

    Each lies where the parabola through the logarithms of three bins has its top (J. Smith and X. Serra, "PARSHL",
    ICMC 1987).

    Args:
        power: power spectra of long frames, shape (frames, bins).
        width_hz: distance between two bins.
    """
    # A block more at both ends, for the surroundings of the first and the last peak.
    first = max(0, round(_LOWEST_HZ / width_hz) - _BLOCK)
    blocks = min(power.shape[1] - first, round(_HIGHEST_HZ / width_hz) - first + _BLOCK) // _BLOCK
    if blocks < 3 or not len(power):
        nothing = np.zeros(0, np.float32)
        return Tones(np.zeros(0, np.int64), nothing, nothing, len(power), 0.0)
    if loaded := kernel():
        return _found_natively(loaded, power, width_hz, first, blocks)
    columns = blocks * _BLOCK
    magnitude = np.sqrt(power[:, first : first + columns]).reshape(-1)
    inner = magnitude[1:-1]
    place = np.flatnonzero((inner > magnitude[:-2]) & (inner >= magnitude[2:])) + 1
    peak = magnitude[place]
    means = magnitude.reshape(-1, _BLOCK) @ np.full(_BLOCK, _PROMINENCE / (3 * _BLOCK), np.float32)
    around = means[:-2] + means[1:-1] + means[2:]
    stands_out = peak > around[np.minimum(place // _BLOCK, len(around)) - 1]
    frame, column = np.divmod(place, columns)
    stands_out &= (column >= _BLOCK) & (column < columns - _BLOCK)
    place, peak, frame, column = place[stands_out], peak[stands_out], frame[stands_out], column[stands_out]
    before, at, after = (np.log(magnitude[place + step] + _TINY) for step in (-1, 0, 1))
    offset = np.clip(0.5 * (before - after) / np.minimum(before - 2 * at + after, -_TINY), -0.5, 0.5)
    octaves = np.log2((first + column + offset) * (width_hz / A4_HZ)).astype(np.float32)
    weight = np.exp(0.6 * at - (0.3 * np.log(2)) * octaves)
    weight /= np.sqrt(np.bincount(frame, weight, minlength=len(power)) + _TINY)[frame]
    energy = float(power.sum())
    tonality = min(1.0, _LOBE_WIDTH * float(np.vdot(peak, peak)) / energy) if energy > 0 else 0.0
    return Tones(frame, A4 + 12 * octaves, weight.astype(np.float32), len(power), tonality)


def _found_natively(loaded: Kernel, power: Floats, width_hz: float, first: int, blocks: int) -> Tones:
    """The same by the kernel."""
    # No two of three neighbours are both peaks, unless they are equal.
    room = len(power) * blocks * _BLOCK
    frame, energies = np.empty(room, np.int64), np.empty(2)
    octaves, weight = np.empty((2, room), np.float32)
    where = first, blocks, width_hz / A4_HZ, _PROMINENCE, room
    results = (address(array) for array in (frame, octaves, weight, energies))
    power = np.ascontiguousarray(power)
    found = loaded.find_tones_in(address(power), *power.shape, *where, *results)
    checked(found)
    energy, in_peaks = energies.tolist()
    tonality = min(1.0, _LOBE_WIDTH * in_peaks / energy) if energy > 0 else 0.0
    # Copies, which do not keep the room.
    pitch = A4 + 12 * octaves[:found]
    return Tones(frame[:found].copy(), pitch, weight[:found].copy(), len(power), tonality)


_TINY = np.float32(1e-12)


def estimate_tuning(tones: Tones) -> float:
    """Deviation from A = 440 Hz in semitones, -0.5 to 0.5: the direction of the mean over one semitone.

    K. Dressler and S. Streich, "Tuning frequency estimation using circular statistics" (ISMIR 2007).
    """
    turn = 2 * np.pi * tones.pitch
    return float(np.arctan2((tones.weight * np.sin(turn)).sum(), (tones.weight * np.cos(turn)).sum()) / (2 * np.pi))
