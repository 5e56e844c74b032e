"""The note of a one-shot.

Candidates are the peaks of the normalised square difference function of P. McLeod and G. Wyvill, "A smarter way to find
pitch" (2005), computed by FFT over the steady part of the sound, and, for bells and bars, the strongest partials. Which
of them is the note (they are mostly octaves and fifths of each other), or whether there is none, a small trained net
says from what the spectrum holds at the multiples of each.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sample_agent.engine.cells import Cells
from sample_agent.engine.frames import Floats, frame_size
from sample_agent.engine.key import TONICS
from sample_agent.engine.tuning import A4, A4_HZ

_WEIGHTS = Path(__file__).parent / "weights" / "pitch.npz"

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
        frequency: in Hz.
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


def estimate_pitch(head: Floats, sample_rate: int, cells: Cells) -> Pitch | None:
    """The note of a one-shot, or None for what has no pitch.

    Args:
        head: the downmix, shape (samples,).
        sample_rate: in Hz.
        cells: outline of the same samples.
    """
    candidates = pitch_candidates(head, sample_rate, cells)
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
    weights = _weights()
    hidden = np.maximum(candidates.features @ weights["candidate"] + weights["candidate_bias"], 0)
    none = np.maximum(candidates.sound @ weights["sound"] + weights["sound_bias"], 0) @ weights["none"]
    logits = np.append(hidden @ weights["score"], none + weights["none_bias"]).astype(np.float64)
    likelihood = np.exp(logits - logits.max())
    return np.asarray(likelihood / likelihood.sum())


def pitch_candidates(head: Floats, sample_rate: int, cells: Cells) -> PitchCandidates | None:
    """What the note may be, or None when nothing repeats."""
    from sample_agent.engine.transforms import irfft, rfft

    size = frame_size(_WINDOW_SECONDS, sample_rate)
    windows = _steady_windows(head, size, sample_rate, cells)
    windows -= windows.mean(axis=1, keepdims=True)
    energy = np.vecdot(windows, windows)
    if energy.max(initial=0) <= 0:
        return None
    spectrum = rfft(windows, 2 * size)
    power = spectrum.real**2 + spectrum.imag**2
    lags = min(size // 2, int(sample_rate / _LOWEST_HZ) + 2)
    correlation = irfft(power, 2 * size)[:, 1:lags]
    sums = np.cumsum(np.square(windows, dtype=np.float64), axis=1)
    norm = sums[:, size - 2 : size - 1 - lags : -1] + sums[:, -1:] - sums[:, : lags - 1]
    alike = 2 * correlation / np.maximum(norm, 1e-12)
    # A faint end counts as much as a loud beginning: pitch settles.
    periodicity = alike.mean(axis=0)
    peaks = _peaks(periodicity)
    if not len(peaks):
        return None
    before, at, after = periodicity[peaks - 1], periodicity[peaks], periodicity[peaks + 1]
    offset = 0.5 * (before - after) / np.minimum(before - 2 * at + after, -1e-12)
    height = at - 0.25 * (before - after) * offset
    chosen = _promising(height)
    width = sample_rate / (2 * size)
    amplitude = _hann_amplitude(spectrum, energy)
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
    features, harmonic = _features(frequency, height, steadiness, partial, amplitude, width)
    about = np.array([height.max(), steadiness.max(), harmonic, np.log(len(head) / sample_rate)], np.float32)
    return PitchCandidates(frequency.astype(np.float32), features, about)


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
    return np.unique(
        np.concatenate(
            (
                np.flatnonzero(height >= 0.9 * best)[:1],
                np.flatnonzero(height > 0.4 * best)[: _MOST // 2],
                np.argsort(-height, kind="stable")[: _MOST // 2],
            )
        )
    )


def _hann_amplitude(spectrum: npt.NDArray[np.complexfloating], energy: Floats) -> Floats:
    """Amplitudes as under a Hann window, by convolution of a spectrum of twice the window's length; mean of windows."""
    smooth = 0.5 * spectrum
    smooth[:, 2:] -= 0.25 * spectrum[:, :-2]
    smooth[:, :-2] -= 0.25 * spectrum[:, 2:]
    power = (1 / np.maximum(energy, 1e-12)) @ (smooth.real**2 + smooth.imag**2)
    return np.asarray(np.sqrt(power), np.float32)


def _partials(amplitude: Floats) -> npt.NDArray[np.floating]:
    """Where the highest maxima of a spectrum are, in bins."""
    inner = amplitude[1:-1]
    tops = np.flatnonzero((inner > amplitude[:-2]) & (inner >= amplitude[2:])) + 1
    tops = tops[np.argsort(-amplitude[tops], kind="stable")[:_MOST_PARTIALS]]
    before, at, after = (np.log(amplitude[tops + step] + 1e-12) for step in (-1, 0, 1))
    offset = 0.5 * (before - after) / np.minimum(before - 2 * at + after, -1e-12)
    return np.asarray(tops + np.clip(offset, -0.5, 0.5))


def _features(
    frequency: npt.NDArray[np.floating],
    height: npt.NDArray[np.floating],
    steadiness: npt.NDArray[np.floating],
    partial: npt.NDArray[np.bool_],
    amplitude: Floats,
    width_hz: float,
) -> tuple[Floats, float]:
    """Of each candidate; and the largest share of energy in the harmonics of one."""
    whole = max(float(np.sqrt(np.vdot(amplitude, amplitude))), 1e-12)
    loudest = max(float(amplitude.max()), 1e-12)
    # At multiples 1 to 12 of a frequency, and between them at halves and thirds.
    multiples = np.concatenate((_HARMONICS, _HARMONICS - 1 / 2, _HARMONICS - 1 / 3, _HARMONICS - 2 / 3))
    place = np.rint(frequency[:, None] * multiples / width_hz).astype(np.int64)
    inside = (place > 0) & (place < len(amplitude) - 1)
    place = np.clip(place, 1, len(amplitude) - 2)
    at = np.maximum(np.maximum(amplitude[place - 1], amplitude[place]), amplitude[place + 1]) * inside
    harmonics, halves, thirds = at[:, :12], at[:, 12:24], at[:, 24:]

    def level(values: Floats) -> Floats:
        return np.asarray(np.sqrt(np.vecdot(values, values)) / whole)

    def ratio(one: Floats, other: Floats) -> Floats:
        return np.asarray(np.log((one + 0.01) / (other + 0.01)))

    series = level(harmonics)
    octaves = np.log2(frequency / 220.0)
    best = height.max()
    first_high = np.arange(len(height)) == np.argmax(height >= 0.9 * best)
    not_thirds = harmonics[:, [0, 1, 3, 4, 6, 7, 9, 10]]
    columns = (
        height,
        height / best,
        steadiness,
        first_high,
        series,
        ratio(level(harmonics[:, 0::2]), level(harmonics[:, 1::2])),
        ratio(level(not_thirds), series),
        ratio(harmonics[:, 0] / loudest, harmonics.max(axis=1) / loudest),
        ratio(level(halves), series),
        ratio(level(thirds), series),
        octaves / 2,
        octaves**2 / 8,
        harmonics[:, 0] / loudest,
        harmonics[:, 1] / loudest,
        halves[:, 0] / loudest,
        partial,
    )
    return np.stack(columns, axis=1).astype(np.float32), float(series.max())


@cache
def _weights() -> dict[str, Floats]:
    with np.load(_WEIGHTS, allow_pickle=False) as arrays:
        return {name: arrays[name].astype(np.float32) for name in arrays.files}
