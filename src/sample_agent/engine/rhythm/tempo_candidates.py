"""How a clip repeats, and the tempi that follow from it."""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.rhythm.onsets import OnsetEnvelopes

Array = npt.NDArray[np.float64]

SLOWEST_BPM, FASTEST_BPM = 50.0, 220.0
LONGEST_LOOP_SECONDS = 35.0
"""A clip up to this long may be a loop, whose end joins its beginning."""

FULL, LOW, MIDDLE, HIGH = range(4)
_LONGEST_LAG_SECONDS = 16.0
_LONGEST_WHOLE_FRAMES = 4096
_SEGMENT_FRAMES = 2048
_MAX_BEATS = 64


@dataclass(frozen=True)
class Repeat:
    """The shortest time after which the clip says the same again: `seconds`, and how much the same, from 0 to 1.

    `seconds` is 0 where nothing repeats.
    """

    seconds: float
    likeness: float


class Repetition:
    """Autocorrelation and Fourier transform of the onset envelopes of a clip.

    The one says after how long it repeats, be it a beat or several; the other, how often it pulses, be it once a beat
    or more (G. Peeters, "Template-based estimation of time-varying tempo", EURASIP Journal on Advances in Signal
    Processing, 2007).

    Attributes:
        rate: frames of the envelopes per second; `duration`: of the clip, in seconds.
        may_loop: whether the clip is short enough to be a loop.
        repeat: after how long it repeats.
        periods: lengths of a beat, in seconds, after which the onsets repeat most; those of all bands together first,
            strongest first.
        phases: whether the Fourier transform is of the clip in one piece and its phases mean something.
    """

    def __init__(self, envelopes: OnsetEnvelopes, duration: float) -> None:
        self.rate, self.duration = envelopes.rate, duration
        self.may_loop = duration <= LONGEST_LOOP_SECONDS
        bands = np.stack((envelopes.full, envelopes.low, envelopes.middle, envelopes.high)).astype(np.float64)
        self._bands = bands - bands.mean(axis=1, keepdims=True)
        self._frames = bands.shape[1]
        self._correlate()
        self._transform()
        self.repeat = self._find_repeat()
        self.periods = self._find_periods()

    def after(self, band: int, seconds: Array) -> Array:
        """Correlation of the clip with itself so many seconds later, -1 to 1; 0 where it is too short to tell."""
        return _interpolated(self._linear_wide[band], seconds * self.rate)

    def around(self, band: int, seconds: Array) -> Array:
        """The same for the clip played in a circle; 0 for clips too long to be loops."""
        if not self.may_loop:
            return np.zeros_like(seconds)
        return _interpolated(self._circular_wide[band], np.mod(seconds, self.duration) * self.rate)

    def exactly_after(self, seconds: Array) -> Array:
        """`after` for the full band, without the frame of tolerance to each side."""
        return _interpolated(self._linear[FULL], seconds * self.rate)

    def pulse(self, band: int, hertz: Array) -> npt.NDArray[np.complex128]:
        """How strongly, and (in the phase) when, the clip pulses at a frequency: magnitude from 0 to about 1."""
        spectrum = self._spectra[band]
        at = np.minimum(np.rint(hertz * self._bins_per_hertz).astype(np.int64), len(spectrum) - 1)
        return np.asarray(spectrum[at])

    def _find_periods(self, most: int = 10) -> list[float]:
        curves = [self._linear[FULL], self._linear[LOW]]
        if self.may_loop:
            curves.append(self._circular[FULL])
        found: list[float] = []
        for curve in curves:
            for lag in _highest_peaks(curve, 60 / FASTEST_BPM * self.rate, 60 / SLOWEST_BPM * self.rate, most):
                seconds = _sharpened(curve, lag) / self.rate
                if all(abs(seconds / other - 1) > 0.004 for other in found):
                    found.append(seconds)
        return found

    def _correlate(self) -> None:
        frames = self._frames
        lags = frames if self.may_loop else min(frames, int(_LONGEST_LAG_SECONDS * self.rate))
        size = _fast_size(2 * frames)
        spectrum = np.fft.rfft(self._bands, size)
        raw = np.fft.irfft(np.square(spectrum.real) + np.square(spectrum.imag), size)[:, :lags]
        energy = np.maximum(raw[:, :1], 1e-12)
        squares = np.concatenate((np.zeros((4, 1)), np.cumsum(np.square(self._bands), axis=1)), axis=1)
        lag = np.arange(lags)
        head, tail = squares[:, frames - lag], squares[:, -1:] - squares[:, lag]
        # What is left to compare gets short towards the end: a tenth of the whole is the least it is measured by.
        overlap = np.sqrt(np.maximum(head, 0.1 * energy) * np.maximum(tail, 0.1 * energy))
        self._linear = raw / overlap
        self._linear_wide = _widened(self._linear)
        if self.may_loop:
            back = np.maximum(self.duration * self.rate - lag, 0.0)
            circular = np.stack([raw[band] + _interpolated(raw[band], back) for band in range(4)])
            circular[:, 0] = energy[:, 0]
            self._circular = circular / energy
            self._circular_wide = _widened(self._circular)

    def _transform(self) -> None:
        self.phases = self._frames <= _LONGEST_WHOLE_FRAMES
        if self.phases:
            size = 8 * _fast_size(self._frames)
            energy = np.sqrt(np.maximum(np.square(self._bands).sum(axis=1, keepdims=True) * self._frames, 1e-12))
            self._spectra = np.fft.rfft(self._bands, size) / energy
        else:
            size = 4 * _SEGMENT_FRAMES
            pieces = np.lib.stride_tricks.sliding_window_view(self._bands, _SEGMENT_FRAMES, axis=1)
            pieces = pieces[:, :: _SEGMENT_FRAMES // 2]
            magnitude = np.abs(np.fft.rfft(pieces, size)).mean(axis=1)
            energy = np.sqrt(np.maximum(np.square(pieces).sum(axis=2).mean(axis=1) * _SEGMENT_FRAMES, 1e-12))
            self._spectra = (magnitude / energy[:, None]).astype(np.complex128)
        self._bins_per_hertz = size / self.rate

    def _find_repeat(self) -> Repeat:
        # At least a quarter of the clip must be there twice, or the likeness means nothing.
        curve = (self._linear[FULL] + self._linear[LOW] + self._linear[MIDDLE] + self._linear[HIGH]) / 4
        longest = min(len(curve) - 1.0, 0.8 * self._frames)
        peaks = _highest_peaks(curve, 0.4 * self.rate, longest, 16)
        if not peaks:
            return Repeat(0.0, 0.0)
        best = max(curve[peak] for peak in peaks)
        shortest = min(peak for peak in peaks if curve[peak] >= best - 0.06)
        return Repeat(_sharpened(curve, shortest) / self.rate, float(np.clip(curve[shortest], 0.0, 1.0)))


def candidate_tempi(repetition: Repetition) -> Array:
    """Tempi worth judging, in beats per minute, 50 to 220, rising, none within 0.4 % of another: shape (candidates,).

    They are the tempi at which the clip, or what repeats in it, lasts a whole number of beats, and those whose beat is
    a period of the onsets or its half, double, 2/3 or 3/2.
    """
    beats = np.arange(1, _MAX_BEATS + 1)
    proposals: list[float] = []
    # The most exact first: where two say nearly the same, the first one stays.
    if repetition.may_loop:
        proposals.extend((60.0 * beats / repetition.duration).tolist())
    if repetition.repeat.likeness > 0.3:
        proposals.extend((60.0 * beats[:32] / repetition.repeat.seconds).tolist())
    for seconds in repetition.periods:
        proposals.extend(60.0 / seconds * factor for factor in (1.0, 0.5, 2.0, 2 / 3, 1.5, 4 / 3, 0.75))
    kept: list[float] = []
    for bpm in proposals:
        place = bisect_left(kept, bpm)
        nearest = kept[max(0, place - 1) : place + 1]
        if SLOWEST_BPM <= bpm <= FASTEST_BPM and all(abs(bpm / other - 1) > 0.004 for other in nearest):
            kept.insert(place, bpm)
    return np.array(kept)


def _highest_peaks(curve: Array, lowest: float, highest: float, most: int) -> list[int]:
    """Indices of the highest local maxima between two indices, highest first."""
    first, last = max(1, int(lowest)), min(len(curve) - 2, int(highest) + 1)
    if last <= first:
        return []
    window = curve[first - 1 : last + 2]
    peaks = np.flatnonzero((window[1:-1] > window[:-2]) & (window[1:-1] >= window[2:])) + first
    return [int(peak) for peak in peaks[np.argsort(-curve[peaks], kind="stable")][:most]]


def _sharpened(curve: Array, lag: float) -> float:
    """A lag refined by the peaks near its multiples: an error of one frame at eight beats is an eighth at one."""
    start = curve[round(lag)]
    for multiple in (1, 2, 4, 8):
        centre = round(lag * multiple)
        reach = 1 + multiple
        if centre + reach + 1 >= len(curve):
            break
        nearby = curve[centre - reach : centre + reach + 1]
        top = centre - reach + int(nearby.argmax())
        if curve[top - 1] <= curve[top] >= curve[top + 1] and curve[top] > 0.3 * start:
            lag = (top + _vertex(curve[top - 1], curve[top], curve[top + 1])) / multiple
    return float(lag)


def _vertex(before: float, top: float, after: float) -> float:
    """Where between -0.5 and 0.5 the parabola through three points has its top."""
    curvature = before - 2 * top + after
    return max(-0.5, min(0.5, float(0.5 * (before - after) / curvature))) if curvature < 0 else 0.0


def _interpolated(curve: Array, at: Array) -> Array:
    """Values of the curve between its points; 0 beyond its end."""
    low = np.floor(at).astype(np.int64)
    inside = (low >= 0) & (low < len(curve) - 1)
    low = np.clip(low, 0, max(len(curve) - 2, 0))
    if len(curve) < 2:
        return np.zeros_like(at)
    share = at - low
    return np.asarray(np.where(inside, curve[low] * (1 - share) + curve[low + 1] * share, 0.0))


def _widened(curves: Array) -> Array:
    """The highest of each value and its two neighbours: an onset is a frame or two wide."""
    wide = curves.copy()
    np.maximum(wide[:, 1:], curves[:, :-1], out=wide[:, 1:])
    np.maximum(wide[:, :-1], curves[:, 1:], out=wide[:, :-1])
    return wide


def _fast_size(size: int) -> int:
    return 1 << max(0, size - 1).bit_length()
