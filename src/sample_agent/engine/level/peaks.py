"""Sample peak and true peak (ITU-R BS.1770-5 annex 2), streamed."""

from functools import cache

import numpy as np

from sample_agent.engine.native import Kernel, address, kernel
from sample_agent.engine.signal.frames import Floats

_TAPS = 12
# Only around samples that are no smaller than their neighbours and at least half as large as the peak so far is the
# signal oversampled: the overshoot between samples that matters stands beside them.
_NEIGHBOURHOOD = 0.5


class PeakMeter:
    """Largest sample and largest value between samples, over all channels.

    Attributes:
        sample_peak: the largest sample so far in size, 1 being full scale; 0 for silence.
        true_peak: the largest value in size after oversampling (fourfold up to 80 kHz, twofold up to 160 kHz) by a
            windowed sinc of twelve samples, no smaller than `sample_peak`.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.sample_peak = 0.0
        self.true_peak = 0.0
        # Above 96 kHz the samples already lie as close as the standard asks for.
        self._oversampling = 4 if sample_rate < 80_000 else 2 if sample_rate < 160_000 else 1
        self._held = np.zeros((channels, _TAPS), np.float32)

    def feed(self, block: Floats, *, last: bool = False) -> float:
        """Take the next samples, shape (channels, samples); the largest in size of them and a few before.

        After the last ones the filter runs out into silence.
        """
        pieces = (self._held, block, np.zeros_like(self._held)) if last else (self._held, block)
        samples = np.concatenate(pieces, axis=1)
        self._held = samples[:, -_TAPS:]
        if loaded := kernel():
            return self._measure_natively(loaded, samples)
        size = np.abs(samples)
        largest = float(size.max())
        self.sample_peak = max(self.sample_peak, largest)
        self.true_peak = max(self.true_peak, self.sample_peak)
        if self._oversampling > 1:
            self._oversample(samples, size)
        return largest

    def _measure_natively(self, loaded: Kernel, samples: Floats) -> float:
        taps = _interpolation(self._oversampling) if self._oversampling > 1 else None
        peaks = np.array((self.sample_peak, self.true_peak))
        where = address(taps), self._oversampling - 1, address(peaks)
        largest: float = loaded.find_peaks(address(samples), *samples.shape, *where)
        self.sample_peak, self.true_peak = peaks.tolist()
        return largest

    def _oversample(self, samples: Floats, size: Floats) -> None:
        middle = _TAPS // 2
        # A value between samples depends on the twelve around it. The first and last six have had or will have their
        # turn with the neighbouring block.
        size[:, :middle] = size[:, -middle:] = 0
        flat, size = samples.reshape(-1), size.reshape(-1)
        large = np.flatnonzero(size >= max(self.true_peak * _NEIGHBOURHOOD, 1e-6))
        height = size[large]
        tops = large[(height >= size[large - 1]) & (height >= size[large + 1])]
        if len(tops):
            step = flat.strides[0]
            # Thirteen samples around each: the last or the first of them for the point before or behind the top.
            around = np.ndarray((len(flat) - _TAPS, _TAPS + 1), np.float32, flat, 0, (step, step))[tops - middle]
            taps = _interpolation(self._oversampling)
            for windows in (around[:, :-1], around[:, 1:]):
                between = windows @ taps
                self.true_peak = max(self.true_peak, float(between.max()), -float(between.min()))


@cache
def _interpolation(oversampling: int) -> Floats:
    """(12, oversampling - 1): Kaiser-windowed sinc at the points between the two middle samples."""
    between = np.arange(1, oversampling) / oversampling
    distance = np.arange(_TAPS)[:, None] - (_TAPS // 2 - 1) - between[None, :]
    kaiser = np.i0(5.0 * np.sqrt(np.maximum(1 - (distance / (_TAPS / 2)) ** 2, 0))) / np.i0(5.0)
    taps = np.sinc(distance) * kaiser
    normalised: Floats = (taps / taps.sum(axis=0)).astype(np.float32)
    return normalised
