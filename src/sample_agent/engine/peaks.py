"""Sample peak and true peak (ITU-R BS.1770-5 annex 2), streamed."""

from functools import cache

import numpy as np

from sample_agent.engine.frames import Floats

_TAPS = 12
# Only neighbourhoods of samples at least half as large as the peak so far are oversampled: the overshoot between
# samples that matters stands beside large samples.
_NEIGHBOURHOOD = 0.5


class PeakMeter:
    """Largest sample and largest value between samples, over all channels."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.sample_peak = 0.0
        self.true_peak = 0.0
        # Above 96 kHz the samples already lie as close as the standard asks for.
        self._oversampling = 4 if sample_rate < 80_000 else 2 if sample_rate < 160_000 else 1
        self._held = np.zeros((_TAPS, channels), np.float32)

    def feed(self, block: Floats) -> None:
        """Take the next samples, shape (frames, channels)."""
        samples = np.concatenate((self._held, block))
        self._held = samples[-_TAPS:]
        self.sample_peak = max(self.sample_peak, float(np.abs(block).max()))
        self.true_peak = max(self.true_peak, self.sample_peak)
        if self._oversampling > 1:
            for channel in range(samples.shape[1]):
                self._oversample(np.ascontiguousarray(samples[:, channel]))

    def finish(self) -> None:
        """Let the filter run out behind the last sample."""
        self.feed(np.zeros_like(self._held))

    def _oversample(self, samples: Floats) -> None:
        large = np.abs(samples) >= max(self.true_peak * _NEIGHBOURHOOD, 1e-6)
        # A value between samples depends on the twelve around it: windows with a large sample in one of their two
        # middle places are looked at.
        middle = _TAPS // 2
        starts = np.flatnonzero(large[middle - 1 : -middle] | large[middle : len(large) - middle + 1])
        if len(starts):
            windows = np.lib.stride_tricks.sliding_window_view(samples, _TAPS)[starts]
            between = windows @ _interpolation(self._oversampling)
            self.true_peak = max(self.true_peak, float(np.abs(between).max()))


@cache
def _interpolation(oversampling: int) -> Floats:
    """(12, oversampling - 1): Kaiser-windowed sinc at the points between the two middle samples."""
    between = np.arange(1, oversampling) / oversampling
    distance = np.arange(_TAPS)[:, None] - (_TAPS // 2 - 1) - between[None, :]
    kaiser = np.i0(5.0 * np.sqrt(np.maximum(1 - (distance / (_TAPS / 2)) ** 2, 0))) / np.i0(5.0)
    taps = np.sinc(distance) * kaiser
    normalised: Floats = (taps / taps.sum(axis=0)).astype(np.float32)
    return normalised
