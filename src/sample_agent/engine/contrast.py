"""Spectral contrast: how far peaks stand above valleys, band by band."""

from functools import cache
from itertools import pairwise

import numpy as np

from sample_agent.engine.frames import Floats

BANDS = 7
_EDGES_HZ = (0.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 22_050.0)
_SHARE = 0.02
_FLOOR = np.float32(1e-10)


def contrast(magnitude: Floats, sample_rate: int) -> Floats:
    """Level of each band's highest bins over its lowest, in dB.

    Args:
        magnitude: shape (frames, bins), bins evenly from 0 to half the sample rate.
        sample_rate: in Hz.

    Returns:
        float32, shape (frames, 7): below 200 Hz, then octaves from 200 Hz, the last one to 22.05 kHz. Highest and
        lowest are the mean of 2 % of the bins. D.-N. Jiang et al., "Music type classification by spectral contrast
        feature" (ICME 2002).
    """
    valleys = np.empty((BANDS, len(magnitude)), np.float32)
    peaks = np.empty_like(valleys)
    for band, (start, stop) in enumerate(_bands(magnitude.shape[1], sample_rate)):
        bins, count = magnitude[:, start:stop], max(1, round(_SHARE * (stop - start)))
        if count == 1:
            bins.min(axis=1, out=valleys[band])
            bins.max(axis=1, out=peaks[band])
        else:
            ordered = np.partition(bins, (count - 1, stop - start - count), axis=1)
            ordered[:, :count].mean(axis=1, out=valleys[band])
            ordered[:, -count:].mean(axis=1, out=peaks[band])
    decibels: Floats = 20 * np.log10((peaks + _FLOOR) / (valleys + _FLOOR)).T
    return decibels


@cache
def _bands(bins: int, sample_rate: int) -> list[tuple[int, int]]:
    """Bin ranges of the bands, at least two bins each, within what the sample rate offers."""
    edges = np.searchsorted(np.linspace(0, sample_rate / 2, bins), _EDGES_HZ).tolist()
    stops = [min(max(stop, start + 2), bins) for start, stop in pairwise(edges)]
    return [(min(start, stop - 2), stop) for start, stop in zip(edges, stops, strict=False)]
