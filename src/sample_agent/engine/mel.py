"""Mel bands of a power spectrum: what onsets, tempo and timbre are read from."""

from functools import cache

import numpy as np
import numpy.typing as npt

from sample_agent.engine.frames import Floats

BANDS = 40
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 16_000.0


def mel_bands(power: Floats, sample_rate: int) -> Floats:
    """Power in 40 mel bands from 30 Hz to 16 kHz, shape (frames, 40)."""
    bands: Floats = power @ mel_filters(power.shape[1], sample_rate)
    return bands


@cache
def mel_filters(bins: int, sample_rate: int) -> Floats:
    """Triangular filters of equal area, shape (bins, 40), on the mel scale of O'Shaughnessy (1987)."""
    highest = min(_HIGHEST_HZ, sample_rate / 2)
    edges = _hz(np.linspace(_mel(_LOWEST_HZ), _mel(highest), BANDS + 2))
    frequencies = np.arange(bins) * (sample_rate / 2 / (bins - 1))
    width = frequencies[1]
    # The lowest triangles are narrower than a bin: none may fall between two bins and stay empty.
    rising = (frequencies[:, None] - edges[None, :-2]) / np.maximum(np.diff(edges)[:-1], width)
    falling = (edges[None, 2:] - frequencies[:, None]) / np.maximum(np.diff(edges)[1:], width)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(filters / np.maximum(filters.sum(axis=0), 1e-6), np.float32)


def _mel(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))


def _hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(700 * (10 ** (mel / 2595) - 1))
