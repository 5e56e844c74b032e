"""The shape of the spectrum, averaged over a file: brightness, spread, noisiness, contrast and timbre.

Averages weigh each frame by its amplitude, so that silence before, after or between sounds does not count and gain
cancels out.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sample_agent.engine.frames import Floats
from sample_agent.engine.mel import BANDS

_ROLLOFF = 0.85
_CONTRAST_EDGES_HZ = (0.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 22_050.0)
_CONTRAST_SHARE = 0.02
_CONTRAST_EVERY = 4
_MFCC = 13
_FLOOR = 1e-10


@dataclass(frozen=True)
class Spectral:
    """Averages over a file.

    Attributes:
        centroid_hz: centre of gravity of the magnitude spectrum (brightness).
        bandwidth_hz: its standard deviation around the centroid.
        rolloff_hz: frequency below which 85 % of the magnitude lies.
        flatness: geometric over arithmetic mean of the power spectrum; 0 for a tone, towards 1 for white noise.
        zero_crossing_rate: sign changes per sample, 0 to 1.
        contrast_db: peaks over valleys in seven octave bands from 200 Hz (Jiang et al., "Music type classification by
            spectral contrast feature", 2002).
        mfcc: 13 mel-frequency cepstral coefficients of 40 bands in dB.
    """

    centroid_hz: float
    bandwidth_hz: float
    rolloff_hz: float
    flatness: float
    zero_crossing_rate: float
    contrast_db: tuple[float, ...]
    mfcc: tuple[float, ...]


class SpectralMeter:
    """Collects weighted sums over frames."""

    def __init__(self, sample_rate: int, bins: int) -> None:
        self._frequencies = np.linspace(0, sample_rate / 2, bins, dtype=np.float32)
        self._moments = np.stack((np.ones(bins), self._frequencies, self._frequencies**2), axis=1).astype(np.float32)
        self._bands = _contrast_bands(self._frequencies)
        self._weight = 0.0
        self._sums = np.zeros(4)
        self._mel = np.zeros(BANDS)
        self._contrast = np.zeros(len(self._bands))
        self._contrast_weight = 0.0
        self._frames = 0

    def feed(self, power: Floats, mel: Floats) -> None:
        """Take the next frames: power spectra (frames, bins) and their mel bands (frames, 40)."""
        energy = np.maximum(power.sum(axis=1), 0)
        weights = np.sqrt(energy)
        magnitude = np.sqrt(power)
        total, first, second = (magnitude @ self._moments).T
        safe = np.maximum(total, _FLOOR)
        centroid = first / safe
        bandwidth = np.sqrt(np.maximum(second / safe - centroid**2, 0))
        cumulative = np.cumsum(magnitude, axis=1)
        below = np.count_nonzero(cumulative < _ROLLOFF * cumulative[:, -1:], axis=1)
        rolloff = self._frequencies[np.minimum(below, len(self._frequencies) - 1)]
        geometric = np.exp(np.log(power + 1e-20).mean(axis=1))
        flatness = geometric / np.maximum(energy / power.shape[1], 1e-20)
        self._sums += (weights[:, None] * np.stack((centroid, bandwidth, rolloff, flatness), axis=1)).sum(axis=0)
        self._mel += weights @ (10 * np.log10(mel + _FLOOR))
        self._weight += float(weights.sum())
        self._feed_contrast(magnitude, weights)

    def finish(self, zero_crossing_rate: float) -> Spectral:
        """The averages over everything fed; zeros for silence."""
        weight = max(self._weight, 1e-12)
        centroid, bandwidth, rolloff, flatness = self._sums / weight
        return Spectral(
            centroid_hz=float(centroid),
            bandwidth_hz=float(bandwidth),
            rolloff_hz=float(rolloff),
            flatness=float(min(flatness, 1.0)),
            zero_crossing_rate=zero_crossing_rate,
            contrast_db=tuple(float(value) for value in self._contrast / max(self._contrast_weight, 1e-12)),
            mfcc=tuple(float(value) for value in _cosine_transform() @ (self._mel / weight)),
        )

    def _feed_contrast(self, magnitude: Floats, weights: Floats) -> None:
        # Every fourth frame: sorting is the dearest step here, and neighbouring frames overlap by three quarters.
        chosen = slice(-self._frames % _CONTRAST_EVERY, None, _CONTRAST_EVERY)
        self._frames += len(magnitude)
        magnitude, weights = magnitude[chosen], weights[chosen]
        for index, (start, stop) in enumerate(self._bands):
            count = max(1, round(_CONTRAST_SHARE * (stop - start)))
            ordered = np.partition(magnitude[:, start:stop], (count - 1, stop - start - count), axis=1)
            valley, peak = ordered[:, :count].mean(axis=1), ordered[:, -count:].mean(axis=1)
            self._contrast[index] += float(weights @ (20 * np.log10((peak + _FLOOR) / (valley + _FLOOR))))
        self._contrast_weight += float(weights.sum())


def _contrast_bands(frequencies: Floats) -> list[tuple[int, int]]:
    """Bin ranges of the contrast bands, at least two bins each, within what the sample rate offers."""
    edges = np.searchsorted(frequencies, _CONTRAST_EDGES_HZ).tolist()
    stops = [min(max(stop, start + 2), len(frequencies)) for start, stop in pairwise(edges)]
    return [(min(start, stop - 2), stop) for start, stop in zip(edges, stops, strict=False)]


def _cosine_transform() -> npt.NDArray[np.float64]:
    """Orthonormal DCT-II, shape (13, 40)."""
    order, band = np.arange(_MFCC)[:, None], np.arange(BANDS)[None, :]
    matrix = np.cos(np.pi * order * (band + 0.5) / BANDS) * np.sqrt(2 / BANDS)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix)
