"""Silence before and after the sound."""

from dataclasses import dataclass

import numpy as np

from sample_agent.engine.signal.frames import Floats

SILENCE = 10 ** (-60 / 20)
"""What of a file's own peak is not heard beside it."""


@dataclass(frozen=True)
class Silence:
    """Seconds at the start and at the end that stay 60 dB below the file's own peak; all of a silent file is start."""

    start: float
    end: float


def measure_silence(peak: Floats, duration: float) -> Silence:
    """Silence at both ends.

    Args:
        peak: largest absolute sample of equal stretches of the file, shape (stretches,).
        duration: of the file in seconds.
    """
    loud = np.flatnonzero(peak > SILENCE * peak.max())
    if not len(loud):
        return Silence(duration, 0.0)
    seconds = duration / len(peak)
    return Silence(float(loud[0] * seconds), float((len(peak) - 1 - loud[-1]) * seconds))
