"""Spectral contrast: how far peaks stand above valleys, band by band."""

from functools import cache
from itertools import pairwise

import numpy as np

from sample_agent.engine.signal.frames import Floats

BANDS = 7
_EDGES_HZ = (0.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 22_050.0)
_GROUP = 50
_FLOOR = np.float32(1e-10)


def contrast(magnitude: Floats, sample_rate: int) -> Floats:
    """Level of each band's highest bins over its lowest, in dB.

    Args:
        magnitude: shape (frames, bins), bins evenly from 0 to half the sample rate.
        sample_rate: in Hz.

    Returns:
        float32, shape (frames, 7), at least 0: below 200 Hz, then octaves from 200 Hz, the last one to 22.05 kHz. After
        D.-N. Jiang et al., "Music type classification by spectral contrast feature" (ICME 2002): highest and lowest
        stand for 2 % of the bins. Here they are the mean over every fifty neighbours' highest and lowest, which takes
        no sorting.
    """
    frames = len(magnitude)
    valleys = np.empty((BANDS, frames), np.float32)
    peaks = np.empty_like(valleys)
    for band, (start, groups, each) in enumerate(contrast_bands(magnitude.shape[1], sample_rate)):
        bins = magnitude[:, start : start + groups * each].reshape(frames, groups, each)
        np.add.reduce(bins.min(axis=2), axis=1, out=valleys[band])
        np.add.reduce(bins.max(axis=2), axis=1, out=peaks[band])
        if groups > 1:
            valleys[band] /= groups
            peaks[band] /= groups
    decibels: Floats = 20 * np.log10((peaks + _FLOOR) / (valleys + _FLOOR)).T
    return decibels


@cache
def contrast_bands(bins: int, sample_rate: int) -> list[tuple[int, int, int]]:
    """First bin, groups, and bins in a group of each band: at least two bins, within what the sample rate offers."""
    edges = np.searchsorted(np.linspace(0, sample_rate / 2, bins), _EDGES_HZ).tolist()
    stops = [min(max(stop, start + 2), bins) for start, stop in pairwise(edges)]
    bands = []
    for edge, stop in zip(edges, stops, strict=False):
        start = min(edge, stop - 2)
        groups = max(1, (stop - start) // _GROUP)
        bands.append((start, groups, (stop - start) // groups))
    return bands
