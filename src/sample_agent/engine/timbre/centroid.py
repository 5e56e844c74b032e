"""Spectral centroid and bandwidth: where the spectrum has its middle, and how far it spreads."""

from functools import cache

import numpy as np

from sample_agent.engine.signal.frames import Floats

_FLOOR = np.float32(1e-10)


def centroid_and_bandwidth(magnitude: Floats, sample_rate: int) -> tuple[Floats, Floats]:
    """Mean and standard deviation of frequency under each frame's magnitude spectrum.

    Args:
        magnitude: shape (frames, bins), bins evenly from 0 to half the sample rate.
        sample_rate: in Hz.

    Returns:
        Centroid and bandwidth in Hz, float32, shape (frames,) each, 0 for silence; at most a half and a quarter of the
        sample rate. As in G. Peeters, "A large set of audio features for sound description" (IRCAM, 2004), on
        magnitudes.
    """
    total, first, second = (magnitude @ _moments(magnitude.shape[1])).T
    total = np.maximum(total, _FLOOR)
    centre = first / total
    spread = np.sqrt(np.maximum(second / total - centre * centre, 0))
    nyquist = np.float32(sample_rate / 2)
    return centre * nyquist, spread * nyquist


@cache
def _moments(bins: int) -> Floats:
    """(bins, 3): one, frequency and its square, with half the sample rate as 1, which float32 sums well."""
    frequency = np.linspace(0, 1, bins)
    return np.stack((np.ones(bins), frequency, frequency**2), axis=1).astype(np.float32)
