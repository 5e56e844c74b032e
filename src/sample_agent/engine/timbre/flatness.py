"""Spectral flatness: how much a spectrum resembles noise rather than tones."""

import numpy as np

from sample_agent.engine.signal.frames import Floats

_FLOOR = np.float32(1e-20)


def flatness(power: Floats) -> Floats:
    """Geometric over arithmetic mean of each frame's power spectrum.

    Args:
        power: shape (frames, bins).

    Returns:
        float32, shape (frames,), 0 for a tone, towards 1 for white noise (0.56 for one frame of it), 0 for silence.
        A. Gray and J. Markel, "A spectral-flatness measure for studying the autocorrelation method of linear
        prediction of speech analysis" (IEEE Trans. ASSP, 1974).
    """
    arithmetic = power.mean(axis=1)
    geometric = np.exp(np.log(np.maximum(power, _FLOOR)).mean(axis=1))
    ratio: Floats = np.where(arithmetic > _FLOOR, np.minimum(geometric / np.maximum(arithmetic, _FLOOR), 1), 0)
    return ratio.astype(np.float32)
