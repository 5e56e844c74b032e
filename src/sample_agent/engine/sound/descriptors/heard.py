"""A sound as the parts read it: computed once, on scales that neither gain nor length changes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.signal.mel import BANDS
from sample_agent.engine.signal.tonal import TonalFrames
from sample_agent.engine.sound.descriptors.excerpt import Excerpt

Numbers = npt.NDArray[np.float64]

RANGE_DB = 60.0

GROUPS = np.array((0, 2, 4, 6, 8, 11, 14, 17, 20, 24, 28, 32, 36))
"""First mel band of each of 13 groups."""

_HIGHEST_TONAL_HZ = 4400.0


@dataclass(frozen=True, eq=False)
class Heard:
    """What is heard of an excerpt, without the silence at both ends.

    Attributes:
        power: float64, shape (frames, 40), power in mel bands.
        decibels: float64, shape (frames, 40), the same below the loudest of all, on the scale of `decibels`.
        weights: float64, shape (frames,), amplitude of each frame as a share of all: what frames count by.
        flux: float64, shape (frames, 13), rise of `decibels` since the frame before in each of `GROUPS`, at least 0.
        rate: frames per second.
        spectrum: float32, shape (bins,), power spectrum up to 4.4 kHz; see `long_spectrum`.
        bin_hz: distance of two bins in Hz.
        duration: seconds of the whole clip, silence and what the excerpt leaves out included.
    """

    power: Numbers
    decibels: Numbers
    weights: Numbers
    flux: Numbers
    rate: float
    spectrum: Floats
    bin_hz: float
    duration: float


def hear(excerpt: Excerpt, tonal: TonalFrames) -> Heard:
    """What is heard of an excerpt that is not silent, and of its long frames."""
    power: Numbers = excerpt.mel[excerpt.start : excerpt.stop].astype(np.float64)
    level = decibels(power / power.max())
    weights = np.sqrt(power.sum(axis=1))
    weights /= weights.sum()
    spectrum = long_spectrum(tonal)
    return Heard(power, level, weights, _flux(level), excerpt.rate, spectrum, tonal.width_hz, excerpt.duration)


def decibels(power: Numbers) -> Numbers:
    """Power on a scale from 0 (60 dB below 1.0, or less) to 1, which is what it is for 1.0; any shape."""
    return np.asarray(10 * np.log10(power + 10 ** (-RANGE_DB / 10)) / RANGE_DB + 1)


def long_spectrum(tonal: TonalFrames) -> Floats:
    """Power spectrum of long frames up to 4.4 kHz, loud frames counting by their amplitude, shape (bins,)."""
    power = tonal.power[:, : tonal_bins(tonal)]
    energy = power.sum(axis=1)
    spectrum: Floats = (1 / np.sqrt(energy + np.float32(1e-12))) @ power
    return spectrum


def tonal_bins(tonal: TonalFrames) -> int:
    """How many bins reach up to 4.4 kHz; at low sample rates there may be fewer."""
    return int(_HIGHEST_TONAL_HZ / tonal.width_hz)


def means_between(values: Numbers, edges: Numbers) -> Numbers:
    """Mean of the rows between each two edges, which are rounded to at least one row; zero past the end.

    Args:
        values: shape (rows, columns), at least 0.
        edges: row numbers with fractions, rising, shape (edges,).

    Returns:
        Shape (edges - 1, columns).
    """
    starts = np.round(edges[:-1]).astype(np.int64)
    stops = np.maximum(np.round(edges[1:]).astype(np.int64), starts + 1)
    cumulative = np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)))
    last = len(values)
    sums = cumulative[np.minimum(stops, last)] - cumulative[np.minimum(starts, last)]
    return np.asarray(np.maximum(sums, 0) / (stops - starts)[:, None])


def _flux(level: Numbers) -> Numbers:
    """How much louder each frame is than the one before, in each group of bands: shape (frames, 13)."""
    rise = np.maximum(np.diff(level, axis=0, prepend=np.zeros((1, BANDS))), 0)
    return np.asarray(np.add.reduceat(rise, GROUPS, axis=1))
