"""The note of a one-shot.

Candidates are the peaks of the normalised square difference function of P. McLeod and G. Wyvill, "A smarter way to find
pitch" (2005), computed by FFT over the steady part of the sound, and, for bells and bars, the strongest partials. Which
of them is the note (they are mostly octaves and fifths of each other), or whether there is none, a small trained net
says from what the spectrum holds at the multiples of each.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sample_agent.engine.level.silence import SILENCE
from sample_agent.engine.models.nets import read_weights
from sample_agent.engine.native import Kernel, address, checked, kernel
from sample_agent.engine.signal.cells import Cells
from sample_agent.engine.signal.frames import Floats, frame_size
from sample_agent.engine.tonality.key import TONICS
from sample_agent.engine.tonality.tuning import A4, A4_HZ

_WINDOW_SECONDS = 0.186
"""Four periods of the lowest note and more; 8192 samples at 44.1 kHz."""
_WINDOWS = 2
_AFTER_PEAK, _REACH = 0.04, 0.3
"""The steady part begins so many seconds after the loudest moment; the last window begins so much later at most."""
_AUDIBLE = 1e-4
"""Share of the loudest cells' energy below which a sound has ended."""

_LOWEST_HZ, _HIGHEST_HZ = 23.0, 4500.0
_MOST, _MOST_PARTIALS = 8, 3
_SAME_OCTAVES = 0.15 / 12
_HARMONICS = np.arange(1, 13)

FEATURES = 16
"""Columns of `PitchCandidates.features`."""


@dataclass(frozen=True)
class Pitch:
    """A note.

    Attributes:
        note: the nearest note of the tempered scale, with its octave: "F#2"; middle C is "C4".
        midi: its number with the deviation as a fraction: 69.0 is A4 at 440 Hz.
        frequency: in Hz, 23 to 4500.
        confidence: 0 to 1, how likely note and octave are right.
    """

    note: str
    midi: float
    frequency: float
    confidence: float


@dataclass(frozen=True, eq=False)
class PitchCandidates:
    """Frequencies that a sound repeats at, with what tells the right one.

    Attributes:
        frequency: float32, shape (candidates,), in Hz.
        features: float32, shape (candidates, `FEATURES`).
        sound: float32, shape (4,), about all of them: best periodicity, steadiness of it, share of energy in the best
            harmonic series, log of the length in seconds.
    """

    frequency: Floats
    features: Floats
    sound: Floats


class _Curves(NamedTuple):
    """How windows repeat, and their spectrum.

    Attributes:
        alike: shape (windows, lags): how alike each is to itself after lags from one sample on.
        periodicity: shape (lags,), its mean: a faint end counts as much as a loud beginning, for pitch settles.
        amplitude: float32, shape (size + 1,), mean spectrum as under a Hann window, windows weighed alike.
        highest: of each bin and its neighbours; nothing at either end, where places beyond the spectrum are put.
    """

    alike: npt.NDArray[np.float64]
    periodicity: npt.NDArray[np.float64]
    amplitude: Floats
    highest: Floats


def estimate_pitch(head: Floats, sample_rate: int, cells: Cells) -> Pitch | None:
    """The note of a one-shot, or None for what has no pitch.

    Args:
        head: the downmix, shape (samples,).
        sample_rate: in Hz.
        cells: outline of the same samples.
    """
    peak = cells.peak
    first = int((peak > SILENCE * peak.max()).argmax())
    # How long a sound is counts, and silence before it is none of it.
    candidates = pitch_candidates(head[first * cells.size :], sample_rate, cells.since(first) if first else cells)
    if candidates is None:
        return None
    likelihood = pitch_likelihoods(candidates)
    best = int(np.argmax(likelihood))
    if best == len(candidates.frequency):
        return None
    frequency = float(candidates.frequency[best])
    midi = A4 + 12 * float(np.log2(frequency / A4_HZ))
    nearest = round(midi)
    same = np.abs(np.log2(candidates.frequency / frequency)) < 0.5 / 12
    return Pitch(f"{TONICS[nearest % 12]}{nearest // 12 - 1}", midi, frequency, float(likelihood[:-1][same].sum()))


def pitch_likelihoods(candidates: PitchCandidates) -> npt.NDArray[np.float64]:
    """How likely each candidate is the note, and last how likely there is none: shape (candidates + 1,), sum 1."""
    weights = load_weights()
    if loaded := kernel():
        likelihood = np.empty(len(candidates.frequency) + 1)
        inputs = address(candidates.features), len(candidates.frequency), address(candidates.sound)
        layers = (address(weights[name]) for name in _LAYERS)
        loaded.ask_about_pitch(*inputs, *layers, len(weights["score"]), address(likelihood))
        return likelihood
    hidden = np.maximum(candidates.features @ weights["candidate"] + weights["candidate_bias"], 0)
    none = np.maximum(candidates.sound @ weights["sound"] + weights["sound_bias"], 0) @ weights["none"]
    logits = np.append(hidden @ weights["score"], none + weights["none_bias"]).astype(np.float64)
    likelihood = np.exp(logits - logits.max())
    return np.asarray(likelihood / likelihood.sum())


def pitch_candidates(head: Floats, sample_rate: int, cells: Cells) -> PitchCandidates | None:
    """What the note may be, or None when nothing repeats; see `estimate_pitch` for what it is told from."""
    size = frame_size(_WINDOW_SECONDS, sample_rate)
    windows = _steady_windows(head, size, sample_rate, cells)
    curves = _curves(windows, min(size // 2, int(sample_rate / _LOWEST_HZ) + 2))
    if curves is None:
        return None
    if loaded := kernel():
        return _candidates_natively(loaded, curves, sample_rate, len(head) / sample_rate)
    alike, periodicity, amplitude, highest = curves
    peaks = _peaks(periodicity)
    if not len(peaks):
        return None
    before, at, after = periodicity[peaks - 1], periodicity[peaks], periodicity[peaks + 1]
    offset = 0.5 * (before - after) / np.minimum(before - 2 * at + after, -1e-12)
    height = at - 0.25 * (before - after) * offset
    chosen = _promising(height)
    width = sample_rate / (2 * size)
    # Entry 0 is a lag of one sample.
    repeating = sample_rate / (peaks + 1 + offset)[chosen]
    partials = _partials(amplitude[: int(_HIGHEST_HZ / width)]) * width
    apart = np.abs(np.log2(partials[:, None] / repeating)).min(axis=1) > _SAME_OCTAVES
    partials = partials[apart & (partials > _LOWEST_HZ)]
    lag_of_partial = np.clip(np.rint(sample_rate / partials).astype(np.int64) - 1, 0, len(periodicity) - 1)
    frequency = np.concatenate((repeating, partials))
    height = np.concatenate((height[chosen], periodicity[lag_of_partial]))
    place = np.concatenate((peaks[chosen], lag_of_partial))
    inside = (frequency > _LOWEST_HZ) & (frequency < _HIGHEST_HZ)
    if not inside.any():
        return None
    partial = (np.arange(len(frequency)) >= len(chosen))[inside]
    frequency, height, place = frequency[inside], height[inside], place[inside]
    steadiness = alike[:, place].min(axis=0)
    features, harmonic = _features(frequency, height, steadiness, partial, amplitude, highest, width)
    about = np.array([height.max(), steadiness.max(), harmonic, np.log(len(head) / sample_rate)], np.float32)
    return PitchCandidates(frequency.astype(np.float32), features, about)


def _candidates_natively(loaded: Kernel, curves: _Curves, sample_rate: int, seconds: float) -> PitchCandidates | None:
    """The same by the kernel."""
    alike, periodicity, amplitude, highest = curves
    frequency, features = (
        np.empty(_MOST + 1 + _MOST_PARTIALS, np.float32),
        np.empty((_MOST + 1 + _MOST_PARTIALS, FEATURES), np.float32),
    )
    about = np.empty(4, np.float32)
    width = sample_rate / (2 * (len(amplitude) - 1))
    where = (address(array) for array in (amplitude, highest))
    sizes = len(amplitude), float(sample_rate), width
    results = (address(array) for array in (frequency, features, about))
    count = loaded.pitch_candidates(
        address(alike), len(alike), address(periodicity), len(periodicity), *where, *sizes, *results
    )
    checked(count)
    about[3] = math.log(seconds)
    return PitchCandidates(frequency[:count], features[:count], about) if count else None


def _steady_windows(head: Floats, size: int, sample_rate: int, cells: Cells) -> Floats:
    """Windows of the sound just after its loudest moment, shape (up to `_WINDOWS`, size), filled up with silence."""
    energy = cells.energy[: len(head) // cells.size + 1]
    energy = energy[: len(energy) // 4 * 4].reshape(-1, 4).sum(axis=1) if len(energy) >= 4 else energy
    step = cells.size * (4 if len(cells.energy) >= 4 else 1)
    loudest = int(np.argmax(energy))
    end = (int(np.flatnonzero(energy >= _AUDIBLE * energy[loudest])[-1]) + 1) * step
    first = min(loudest * step + round(_AFTER_PEAK * sample_rate), max(0, end - size // 2))
    last = min(max(first, end - size), first + round(_REACH * sample_rate))
    starts = [first, last] if last - first > size // 8 else [first]
    windows = np.zeros((len(starts), size), np.float32)
    for window, start in zip(windows, starts, strict=True):
        part = head[start : start + size]
        window[: len(part)] = part
    return windows


def _peaks(periodicity: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Indices of the maxima after the first fall below zero."""
    below = np.flatnonzero(periodicity <= 0)
    if not len(below):
        return np.zeros(0, np.int64)
    tail = periodicity[below[0] :]
    inner = tail[1:-1]
    return np.asarray(np.flatnonzero((inner > tail[:-2]) & (inner >= tail[2:]) & (inner > 0.1)) + 1 + below[0])


def _promising(height: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Indices of the first high peaks and of the highest, in order."""
    best = height.max()
    first = np.flatnonzero(height >= 0.9 * best)[:1].tolist()
    high = np.flatnonzero(height > 0.4 * best)[: _MOST // 2].tolist()
    highest = np.argsort(-height, kind="stable")[: _MOST // 2].tolist()
    return np.array(sorted({*first, *high, *highest}))


def _curves(windows: Floats, lags: int) -> _Curves | None:
    """Of windows, shape (windows, size), lags up to `lags` samples; None for silence."""
    count, size = windows.shape
    if loaded := kernel():
        alike, mean = np.empty((count, lags - 1)), np.empty(lags - 1)
        amplitude, highest = np.empty((2, size + 1), np.float32)
        results = (address(array) for array in (alike, mean, amplitude, highest))
        sounds = loaded.pitch_curves(_tables(2 * size), address(windows), count, size, lags - 1, *results)
        checked(sounds)
        return _Curves(alike, mean, amplitude, highest) if sounds else None
    # Here, because the kernel has a transform of its own.
    from sample_agent.engine.signal.transforms import irfft, rfft

    windows = windows - windows.mean(axis=1, keepdims=True)
    energy = np.vecdot(windows, windows)
    if energy.max(initial=0) <= 0:
        return None
    spectrum = rfft(windows, 2 * size)
    correlation = irfft(spectrum.real**2 + spectrum.imag**2, 2 * size)[:, 1:lags]
    # What a lag leaves out at both ends is not in its norm.
    ends = np.square(windows[:, : lags - 1]) + np.square(windows[:, :-lags:-1])
    norm = 2 * energy[:, None] - np.cumsum(ends, axis=1, dtype=np.float64)
    alike = 2 * correlation / np.maximum(norm, 1e-12)
    amplitude = _hann_amplitude(spectrum, energy)
    highest = np.zeros_like(amplitude)
    np.maximum(amplitude[:-2], amplitude[2:], out=highest[1:-1])
    np.maximum(highest[1:-1], amplitude[1:-1], out=highest[1:-1])
    return _Curves(alike, alike.mean(axis=0) if count > 1 else alike[0], amplitude, highest)


@cache
def _tables(size: int) -> Any:
    """The kernel's tables for transforms of one signal of `size` samples; made once and kept."""
    loaded = kernel()
    tables = loaded.long_transform_new(size) if loaded else None
    if not tables:
        raise MemoryError("the kernel got no memory")
    return tables


def _hann_amplitude(spectrum: npt.NDArray[np.complexfloating], energy: Floats) -> Floats:
    """Amplitudes as under a Hann window, by convolution of a spectrum of twice the window's length; mean of windows."""
    # As pairs of real numbers, two bins are four places apart.
    pairs = np.ascontiguousarray(spectrum, np.complex64).view(np.float32)
    smooth = np.float32(0.5) * pairs
    quarter = np.float32(0.25) * pairs
    smooth[:, 4:] -= quarter[:, :-4]
    smooth[:, :-4] -= quarter[:, 4:]
    np.square(smooth, out=smooth)
    power = (1 / np.maximum(energy, np.float32(1e-12))) @ (smooth[:, ::2] + smooth[:, 1::2])
    return np.asarray(np.sqrt(power), np.float32)


def _partials(amplitude: Floats) -> npt.NDArray[np.floating]:
    """Where the highest maxima of a spectrum are, in bins."""
    inner = amplitude[1:-1]
    tops = np.flatnonzero((inner > amplitude[:-2]) & (inner >= amplitude[2:])) + 1
    tops = tops[np.argsort(-amplitude[tops], kind="stable")[:_MOST_PARTIALS]]
    before, at, after = np.log(amplitude[tops + _BESIDE] + np.float32(1e-12))
    offset = 0.5 * (before - after) / np.minimum(before - 2 * at + after, -1e-12)
    return np.asarray(tops + np.minimum(np.maximum(offset, -0.5), 0.5))


_BESIDE = np.array([[-1], [0], [1]])


def _features(
    frequency: npt.NDArray[np.floating],
    height: npt.NDArray[np.floating],
    steadiness: npt.NDArray[np.floating],
    partial: npt.NDArray[np.bool_],
    amplitude: Floats,
    highest: Floats,
    width_hz: float,
) -> tuple[Floats, float]:
    """Of each candidate; and the largest share of energy in the harmonics of one."""
    whole = max(math.sqrt(np.vdot(amplitude, amplitude)), 1e-12)
    loudest = max(float(amplitude.max()), 1e-12)
    place = np.rint(frequency[:, None] * (_MULTIPLES / width_hz)).astype(np.int64)
    at = highest[np.minimum(place, len(highest) - 1)]
    # Levels beside the whole, then the first harmonic and the strongest beside the loudest bin.
    amounts = np.empty((len(frequency), 8), np.float32)
    np.sqrt((at * at) @ _SERIES, out=amounts[:, :6])
    amounts[:, :6] /= whole
    amounts[:, 6] = at[:, 0]
    at[:, :12].max(axis=1, out=amounts[:, 7])
    amounts[:, 6:] /= loudest
    series, first = amounts[:, 0], amounts[:, 6]
    every, odd, even, not_thirds, halves, thirds, root, strongest = np.log(amounts + np.float32(0.01)).T
    octaves = np.log2(frequency / 220.0)
    best = height.max()
    columns = np.empty((len(frequency), FEATURES), np.float32)
    columns[:, 0] = height
    columns[:, 1] = height / best
    columns[:, 2] = steadiness
    columns[:, 3] = 0
    columns[np.argmax(height >= 0.9 * best), 3] = 1
    columns[:, 4] = series
    columns[:, 5] = odd - even
    columns[:, 6] = not_thirds - every
    columns[:, 7] = root - strongest
    columns[:, 8] = halves - every
    columns[:, 9] = thirds - every
    columns[:, 10] = octaves / 2
    columns[:, 11] = octaves * octaves / 8
    columns[:, 12] = first
    columns[:, 13:15] = at[:, (1, 12)] / loudest
    columns[:, 15] = partial
    return columns, float(series.max())


def _series() -> Floats:
    """What of `_MULTIPLES` is summed: all harmonics, odd ones, even ones, all but thirds; halves; thirds."""
    series = np.zeros((48, 6), np.float32)
    series[:12, 0] = series[0:12:2, 1] = series[1:12:2, 2] = series[:12, 3] = 1
    series[2:12:3, 3] = 0
    series[12:24, 4] = series[24:, 5] = 1
    return series


_MULTIPLES = np.concatenate((_HARMONICS, _HARMONICS - 1 / 2, _HARMONICS - 1 / 3, _HARMONICS - 2 / 3))
"""1 to 12 times a frequency, and between them at halves and thirds."""
_SERIES = _series()
_LAYERS = ("candidate", "candidate_bias", "sound", "sound_bias", "none", "none_bias", "score")


@cache
def load_weights() -> dict[str, Floats]:
    """Of the net that chooses among candidates; read once."""
    arrays = read_weights("pitch")
    return {name: np.ascontiguousarray(arrays[name], np.float32) for name in _LAYERS}
