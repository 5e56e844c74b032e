"""Tempo of loops and tracks: candidate tempi, then a fixed and explained score for each.

A candidate is a tempo at which the onset envelope repeats, its relatives by 2 and 3/2, and, since a loop lasts a whole
number of beats, every tempo at which the clip does. Each candidate is scored by how strongly the envelope repeats at
one, two and four of its beats, by how plausible the clip's length is at that tempo, by how many onsets fall on a beat,
and by how usual the tempo is.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.frames import Floats
from sample_agent.engine.onsets import OnsetEnvelopes

SLOWEST_BPM, FASTEST_BPM = 50.0, 220.0
LONGEST_LOOP_SECONDS = 35.0
"""A clip up to this long may be a loop, whose end joins its beginning."""

_FULL, _LOW, _MIDDLE, _HIGH = range(4)
_MAX_BEATS = 64
_ALTERNATIVES = 4


@dataclass(frozen=True)
class TempoCandidate:
    """A tempo and how likely it is: `bpm` in beats per minute, `confidence` from 0 to 1."""

    bpm: float
    confidence: float


@dataclass(frozen=True)
class Tempo:
    """The most likely tempo, with the next ones (among them half and double, where they are in range)."""

    bpm: float
    confidence: float
    alternatives: tuple[TempoCandidate, ...]


def estimate_tempo(envelopes: OnsetEnvelopes, duration: float, onsets: int) -> Tempo | None:
    """Tempo of a clip, or None when nothing in it repeats.

    Args:
        envelopes: onset envelopes of the whole clip.
        duration: its length in seconds.
        onsets: how many onsets it has.
    """
    if envelopes.full.max(initial=0.0) <= 0 or duration < 0.3:
        return None
    repetition = Repetition(envelopes, duration)
    candidates = candidate_tempi(repetition, duration)
    if not len(candidates):
        return None
    scores = np.array([_score(tempo_features(bpm, repetition, duration, onsets)) for bpm in candidates])
    likelihood = np.exp(scores - scores.max())
    likelihood /= likelihood.sum()
    return _ranked(candidates, likelihood)


class Repetition:
    """Autocorrelation of the onset envelopes; for clips that may be loops, around their ends."""

    def __init__(self, envelopes: OnsetEnvelopes, duration: float) -> None:
        self.rate = envelopes.rate
        self.circular = duration <= LONGEST_LOOP_SECONDS
        self.duration = duration
        self.curves = tuple(
            _autocorrelation(envelope, self.circular)
            for envelope in (envelopes.full, envelopes.low, envelopes.middle, envelopes.high)
        )

    def at(self, curve: int, seconds: float) -> float:
        """Correlation of the clip with itself `seconds` later, from about -1 to 1; 0 beyond what can be said."""
        values = self.curves[curve]
        lag = seconds * self.rate
        if self.circular:
            lag = lag * len(values) / (self.duration * self.rate) % len(values)
        low = int(lag)
        if low + 1 >= len(values):
            return float(values[-1]) if self.circular else 0.0
        # An onset is a frame or two wide: the best of the neighbourhood, not the exact lag.
        return float(max(values[low], values[low + 1]))


def candidate_tempi(repetition: Repetition, duration: float) -> npt.NDArray[np.float64]:
    """Tempi worth scoring, in beats per minute, rising, none within 0.5 % of another."""
    repeating = np.array([60.0 / seconds for seconds in _repeating_periods(repetition)])
    relatives = (repeating[:, None] * np.array([0.5, 2 / 3, 1.0, 1.5, 2.0])).ravel()
    whole = 60.0 * np.arange(1, _MAX_BEATS + 1) / duration if repetition.circular else np.zeros(0)
    kept: list[float] = []
    # Whole beat counts first: where both say nearly the same, the length of the clip is the more exact.
    for bpm in (*whole.tolist(), *relatives.tolist()):
        if SLOWEST_BPM <= bpm <= FASTEST_BPM and all(abs(bpm / other - 1) > 0.005 for other in kept):
            kept.append(bpm)
    return np.array(sorted(kept))


def tempo_features(bpm: float, repetition: Repetition, duration: float, onsets: int) -> dict[str, float]:
    """What speaks for a tempo, under the names of `WEIGHTS`."""
    beat = 60.0 / bpm
    beats = duration / beat
    fits = repetition.circular and beats >= 0.9 and abs(beats - round(beats)) < 0.02 * max(1.0, beats / 16)
    count = round(beats) if fits else 0
    octaves = float(np.log2(bpm / 120.0))
    density = float(np.log2(max(onsets, 1) / max(beats, 0.25)))
    return {
        "repeats after a beat": repetition.at(_FULL, beat),
        "repeats after four beats": repetition.at(_FULL, 4 * beat),
        "repeats after half a beat": repetition.at(_FULL, beat / 2),
        "repeats after a quarter": repetition.at(_FULL, beat / 4),
        "lows repeat after a beat": repetition.at(_LOW, beat),
        "highs repeat after half a beat": repetition.at(_HIGH, beat / 2),
        "highs repeat after a beat": repetition.at(_HIGH, beat),
        "whole beats": float(fits),
        "whole bars of four": float(count > 0 and count % 4 == 0),
        "1, 2, 4, 8 or 16 bars": float(count in (4, 8, 16, 32, 64)),
        "2 or 4 bars": float(count in (8, 16)),
        "distance from 120": octaves**2,
        "onsets per beat": density,
        "distance from one onset per beat": density**2,
    }


# A conditional logistic regression over the candidates of 108 development loops, each also played up to a quarter
# faster and slower; rounded. With whole sources left out it picks the labelled tempo for 89 %.
WEIGHTS = {
    "repeats after a beat": 0.3,
    "repeats after four beats": 2.3,
    "repeats after half a beat": 0.3,
    "repeats after a quarter": 1.2,
    "lows repeat after a beat": 0.4,
    "highs repeat after half a beat": 0.4,
    "highs repeat after a beat": -0.5,
    "whole beats": 0.8,
    "whole bars of four": 1.6,
    "1, 2, 4, 8 or 16 bars": 2.0,
    "2 or 4 bars": 1.9,
    "distance from 120": -2.0,
    "onsets per beat": 1.4,
    "distance from one onset per beat": -0.9,
}


def _score(features: dict[str, float]) -> float:
    return sum(WEIGHTS[name] * value for name, value in features.items())


def _autocorrelation(envelope: Floats, circular: bool) -> npt.NDArray[np.float64]:
    """Autocorrelation of the envelope about its mean, 1.0 at lag 0."""
    centred = envelope - envelope.mean()
    size = len(centred) if circular else 2 * len(centred)
    spectrum = np.fft.rfft(centred, size)
    values = np.fft.irfft(np.square(np.abs(spectrum)), size)[: len(centred)]
    if not circular:
        values = values / np.maximum(1.0 - np.arange(len(values)) / len(values), 0.25)
    return np.asarray(values / max(float(values[0]), 1e-12))


def _repeating_periods(repetition: Repetition, most: int = 8) -> list[float]:
    """Periods of one beat, in seconds, at which the envelope repeats most strongly, sharpened at 2, 4 and 8 times."""
    values = repetition.curves[0]
    shortest = max(1, int(60.0 / FASTEST_BPM * repetition.rate))
    longest = min(len(values) - 2, int(60.0 / SLOWEST_BPM * repetition.rate) + 1)
    if longest <= shortest + 1:
        return []
    window = values[shortest - 1 : longest + 2]
    peaks = np.flatnonzero((window[1:-1] > window[:-2]) & (window[1:-1] >= window[2:])) + shortest
    best = peaks[np.argsort(-values[peaks], kind="stable")][:most]
    return [_sharpened(values, float(lag)) / repetition.rate for lag in best]


def _sharpened(values: npt.NDArray[np.float64], lag: float) -> float:
    """A lag refined by the peaks near its multiples: an error of one frame at eight beats is an eighth at one."""
    for multiple in (1, 2, 4, 8):
        centre = round(lag * multiple)
        if centre + multiple + 2 >= len(values):
            break
        start = centre - multiple - 1
        nearby = values[start : centre + multiple + 2]
        top = start + int(nearby.argmax())
        if 0 < top < len(values) - 1 and values[top] > 0.3 * values[round(lag)]:
            lag = (top + _vertex(values[top - 1], values[top], values[top + 1])) / multiple
    return lag


def _vertex(before: float, top: float, after: float) -> float:
    """Where between -0.5 and 0.5 the parabola through three points has its top."""
    curvature = before - 2 * top + after
    return float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)) if curvature < 0 else 0.0


def _ranked(candidates: npt.NDArray[np.float64], likelihood: npt.NDArray[np.float64]) -> Tempo:
    order = np.argsort(-likelihood, kind="stable")
    best = float(candidates[order[0]])
    near = np.abs(candidates / best - 1) < 0.02
    confidence = float(likelihood[near].sum())
    alternatives = [TempoCandidate(float(candidates[i]), float(likelihood[i])) for i in order if not near[i]][
        :_ALTERNATIVES
    ]
    for bpm in (best / 2, best * 2):
        if SLOWEST_BPM <= bpm <= FASTEST_BPM and all(abs(other.bpm / bpm - 1) > 0.02 for other in alternatives):
            alternatives.append(TempoCandidate(bpm, 0.0))
    return Tempo(best, confidence, tuple(alternatives))
