"""Mel-frequency cepstral coefficients: the shape of the spectrum in a few numbers."""

from functools import cache

import numpy as np

from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.signal.mel import BANDS

COEFFICIENTS = 13
FLOOR = np.float32(1e-10)
"""Mel power below this counts as this: -100 dB."""


def mel_decibels(mel: Floats) -> Floats:
    """Mel power in dB, at least -100; any shape."""
    decibels: Floats = 10 * np.log10(mel + FLOOR)
    return decibels


def mfcc(decibels: Floats) -> Floats:
    """Orthonormal DCT-II of mel bands.

    Args:
        decibels: float32, shape (..., 40), mel power in dB.

    Returns:
        float32, shape (..., 13), in dB; the first is the overall level. S. Davis and P. Mermelstein, "Comparison of
        parametric representations for monosyllabic word recognition" (IEEE Trans. ASSP, 1980).
    """
    coefficients: Floats = decibels @ _cosines()
    return coefficients


@cache
def _cosines() -> Floats:
    order, band = np.arange(COEFFICIENTS)[None, :], np.arange(BANDS)[:, None]
    matrix = np.cos(np.pi * order * (band + 0.5) / BANDS) * np.sqrt(2 / BANDS)
    matrix[:, 0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)
