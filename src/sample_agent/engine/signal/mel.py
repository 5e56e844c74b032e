"""Mel bands of a power spectrum: what onsets, tempo and timbre are read from."""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sample_agent.engine.signal.frames import Floats

BANDS = 40
_LOWEST_HZ, _HIGHEST_HZ = 30.0, 16_000.0
_NARROW_BANDS = 25


def mel_bands(power: Floats, sample_rate: int) -> Floats:
    """Power in 40 mel bands from 30 Hz to 16 kHz, shape (frames, 40)."""
    parts = _parts(power.shape[1], sample_rate)
    bands = np.zeros((len(power), BANDS), np.float32)
    for part in parts:
        bands[:, part.bands] = power[:, part.bins] @ part.filters
    return bands


@cache
def mel_filters(bins: int, sample_rate: int) -> Floats:
    """Triangular filters of equal area, shape (bins, 40), on the mel scale of O'Shaughnessy (1987)."""
    # The same bands at every rate, so that what is read from them compares; those above half the rate stay empty.
    edges = _hz(np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), BANDS + 2))
    frequencies = np.arange(bins) * (sample_rate / 2 / (bins - 1))
    width = frequencies[1]
    # The lowest triangles are narrower than a bin: none may fall between two bins and stay empty.
    rising = (frequencies[:, None] - edges[None, :-2]) / np.maximum(np.diff(edges)[:-1], width)
    falling = (edges[None, 2:] - frequencies[:, None]) / np.maximum(np.diff(edges)[1:], width)
    filters = np.maximum(0.0, np.minimum(rising, falling))
    return np.asarray(filters / np.maximum(filters.sum(axis=0), 1e-6), np.float32)


class _Part(NamedTuple):
    bins: slice
    bands: slice
    filters: Floats


@cache
def _parts(bins: int, sample_rate: int) -> tuple[_Part, ...]:
    """The filters in two products with few zeros: most bands need few bins."""
    filters = mel_filters(bins, sample_rate)
    parts = []
    for bands in (slice(0, _NARROW_BANDS), slice(_NARROW_BANDS, BANDS)):
        used = np.flatnonzero(filters[:, bands].any(axis=1))
        if not len(used):
            continue
        span = slice(int(used[0]), int(used[-1]) + 1)
        parts.append(_Part(span, bands, np.ascontiguousarray(filters[span, bands])))
    return tuple(parts)


def _mel(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))


def _hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(700 * (10 ** (mel / 2595) - 1))
