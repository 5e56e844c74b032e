"""When sounds start: onset envelopes from mel bands, and onset times from the envelope."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import address, kernel
from sample_agent.engine.signal.cells import Cells
from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.signal.mel import BANDS

_COMPRESSION = 3000.0
_LOW_BANDS, _HIGH_BANDS = 8, 26
"""Bands below about 300 Hz and above about 3 kHz."""

_SMALLEST_GAP_SECONDS = 0.05
_SURROUNDINGS_SECONDS = 0.4
_THRESHOLD = 0.10
_MAX_ONSETS = 2000

_EARLIER_SECONDS, _LATER_SECONDS = 0.035, 0.015
"""Where, around a frame of 46 ms, the sound that makes it an onset may start."""
_STRETCH = 4


@dataclass(frozen=True, eq=False)
class OnsetEnvelopes:
    """How much louder each frame is than the one before, on a compressed scale, in four ranges of the spectrum.

    Attributes:
        full, low, middle, high: float32, shape (frames,), at least 0. The first frame counts as an onset when the
            file starts with sound, as a loop does.
        rate: frames per second.
    """

    full: Floats
    low: Floats
    middle: Floats
    high: Floats
    rate: float


@dataclass(frozen=True, eq=False)
class Onsets:
    """Starts of sounds.

    Attributes:
        time: float64, shape (onsets,), in seconds, rising.
        strength: float32, shape (onsets,), height of the onset envelope there; 1 is the highest.
    """

    time: npt.NDArray[np.float64]
    strength: Floats


def onset_envelopes(mel: Floats, rate: float) -> OnsetEnvelopes:
    """How much louder each frame is than the one before.

    Args:
        mel: power in mel bands, shape (frames, 40).
        rate: frames per second.

    Returns:
        Rises of ln(1 + 3000 p), p being power over that of the loudest band, so that gain cancels out; falls are
        left out, and bands averaged: 0 to 8. After A. Klapuri, "Sound onset detection by applying psychoacoustic
        knowledge" (ICASSP 1999).
    """
    if loaded := kernel():
        mel = np.ascontiguousarray(mel)
        gain = _COMPRESSION / max(float(mel.max(initial=0.0)), 1e-20)
        full, lows, middles, highs = rises = np.empty((4, len(mel)), np.float32)
        loaded.onset_rises(address(mel), len(mel), gain, _LOW_BANDS, _HIGH_BANDS, address(rises))
        return OnsetEnvelopes(full, lows, middles, highs, rate)
    level = np.log1p(mel * np.float32(_COMPRESSION / max(float(mel.max(initial=0.0)), 1e-20)))
    rise = np.maximum(np.diff(level, axis=0, prepend=np.zeros((1, BANDS), np.float32)), 0.0)
    return OnsetEnvelopes(
        rise.mean(axis=1),
        rise[:, :_LOW_BANDS].mean(axis=1),
        rise[:, _LOW_BANDS:_HIGH_BANDS].mean(axis=1),
        rise[:, _HIGH_BANDS:].mean(axis=1),
        rate,
    )


def find_onsets(envelopes: OnsetEnvelopes, cells: Cells) -> Onsets:
    """Onsets to within about two milliseconds: found in the envelope, placed in the outline of the signal.

    An onset is the highest frame within 50 ms that stands clear of its surroundings (S. Dixon, "Onset detection
    revisited", DAFx 2006); its time is where the level rises most steeply around it. There are 2000 at most.

    Args:
        envelopes: of the file.
        cells: outline of the same samples.
    """
    frames = _peaks(envelopes)
    if not len(frames):
        return Onsets(np.zeros(0), np.zeros(0, np.float32))
    strength = envelopes.full[frames]
    times = _placed(frames / envelopes.rate, cells)
    return Onsets(np.maximum.accumulate(times), strength / strength.max())


def onset_times(envelopes: OnsetEnvelopes) -> npt.NDArray[np.float64]:
    """Times of onsets in seconds, rising, to within a frame: float64, shape (onsets,)."""
    return np.asarray(_peaks(envelopes) / envelopes.rate)


def _peaks(envelopes: OnsetEnvelopes) -> npt.NDArray[np.intp]:
    envelope = envelopes.full
    peak = float(envelope.max(initial=0.0))
    if peak <= 0:
        return np.zeros(0, np.intp)
    gap = max(1, round(_SMALLEST_GAP_SECONDS * envelopes.rate))
    reach = max(1, round(_SURROUNDINGS_SECONDS * envelopes.rate))
    if loaded := kernel():
        found, clear = np.empty(_MAX_ONSETS, np.int64), _THRESHOLD * peak
        envelope = np.ascontiguousarray(envelope)
        sizes = len(envelope), gap, reach, clear, len(found)
        return found[: loaded.find_peaks_of_rise(address(envelope), *sizes, address(found))]
    highest = _moving_maximum(envelope, gap)
    surroundings = np.convolve(envelope, np.ones(2 * reach + 1, np.float32) / (2 * reach + 1), "same")
    # The window may be longer than the file: its middle is the file.
    surplus = (len(surroundings) - len(envelope)) // 2
    surroundings = surroundings[surplus : surplus + len(envelope)]
    frames = np.flatnonzero((envelope >= highest) & (envelope > surroundings + _THRESHOLD * peak))
    return frames[np.diff(frames, prepend=-gap - 1) > gap][:_MAX_ONSETS]


def _placed(times: npt.NDArray[np.float64], cells: Cells) -> npt.NDArray[np.float64]:
    """Each time moved to the cell near it before which it is quiet and after which it is loud."""
    if loaded := kernel():
        placed, at = np.empty(len(times)), np.ascontiguousarray(times * cells.rate)
        around = round(_EARLIER_SECONDS * cells.rate), round(_LATER_SECONDS * cells.rate)
        energy = np.ascontiguousarray(cells.energy)
        loaded.place_onsets(address(energy), len(energy), address(at), len(at), *around, address(placed))
        return placed / cells.rate
    size = _STRETCH
    offsets = np.arange(-round(_EARLIER_SECONDS * cells.rate), round(_LATER_SECONDS * cells.rate) + 1)
    padded = np.concatenate((np.zeros(size, np.float32), cells.energy, np.zeros(size, np.float32)))
    sums = np.cumsum(padded, dtype=np.float64)
    # Energy of the four cells before and after the start of each cell.
    before = sums[size - 1 : -size - 1] - np.concatenate(([0.0], sums[: -2 * size - 1]))
    after = sums[2 * size - 1 : -1] - sums[size - 1 : -size - 1]
    floor = 1e-4 * float(cells.energy.max()) * size
    rise = np.log((after + floor) / (before + floor))
    candidates = np.clip(np.round(times * cells.rate).astype(np.int64)[:, None] + offsets, 0, len(rise) - 1)
    best = candidates[np.arange(len(times)), rise[candidates].argmax(axis=1)]
    return np.asarray(best / cells.rate)


def _moving_maximum(values: Floats, reach: int) -> Floats:
    """Largest value within `reach` on both sides of each: of two overlapping windows of a power of two."""
    width, window = 1, 2 * reach + 1
    padded = np.zeros(len(values) + 2 * reach, np.float32)
    padded[reach : reach + len(values)] = values
    while 2 * width <= window:
        padded = np.maximum(padded[:-width], padded[width:])
        width *= 2
    rest = window - width
    return np.maximum(padded[: len(values)], padded[rest : rest + len(values)])
