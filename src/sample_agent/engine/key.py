"""Musical key from the spectral peaks of a whole file."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.frames import Floats

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
"""How tonics are written: sharps only. A minor key has an "m" behind it."""

_LOWEST_HZ, _HIGHEST_HZ = 60.0, 3500.0
_STEPS = 10
"""Resolution of the pitch histogram: tenths of a semitone."""
_OCTAVES = 6
_BASS_HZ = 260.0

_PROMINENCE = 2.5
"""A peak is this many times as high as the mean of its surroundings."""
_SURROUNDINGS_HZ = 25.0
_LOBE_WIDTH = 1.5
"""Energy of a sine under a Hann window, in units of its highest bin."""

_LEAST_TONALITY, _FULL_TONALITY = 0.1, 0.4
_LEAST_CONFIDENCE = 0.05

# What each pitch class above the tonic says for a key, heard anywhere and heard below 260 Hz: a logistic regression on
# the development recordings (70 files; 81 % exact with whole sources left out in turn), held close to the profiles of
# J. Albrecht and D. Shanahan, "The use of large corpora to train a new type of key-finding algorithm" (2013).
_MAJOR = (2.01, -0.45, 0.74, -0.48, 1.03, 0.38, -0.35, 2.02, -0.41, 0.37, -0.72, 0.68)
_MAJOR_BASS = (0.14, 0.01, 0.15, -0.15, 0.22, -0.06, -0.19, 0.17, 0.00, -0.21, -0.32, 0.08)
_MINOR = (2.03, -0.54, 0.68, 1.15, -0.40, 0.47, -0.26, 1.94, 0.12, -0.47, 0.25, 0.21)
_MINOR_BASS = (0.34, -0.26, 0.18, 0.25, -0.19, 0.06, 0.02, 0.04, -0.09, -0.26, 0.03, 0.06)


@dataclass(frozen=True)
class KeyCandidate:
    """A key and how likely it is.

    Attributes:
        key: tonic with sharps, "m" behind it for minor: "F#m".
        camelot: the same on the wheel that DJs mix by: "11A".
        confidence: 0 to 1; all 24 keys together make 1.
    """

    key: str
    camelot: str
    confidence: float


@dataclass(frozen=True)
class Key:
    """The most likely key, with the next ones.

    Attributes:
        key, camelot, confidence: as in `KeyCandidate`.
        alternatives: the next most likely keys, best first.
        tuning_cents: how far the file is from A = 440 Hz, -50 to 50.
        tonality: share of the spectral energy that sits in stable peaks, 0 (noise) to 1.
    """

    key: str
    camelot: str
    confidence: float
    alternatives: tuple[KeyCandidate, ...]
    tuning_cents: float
    tonality: float


def camelot(key: str) -> str:
    """The Camelot code of a key: "Am" is "8A", "C" is "8B".

    Raises:
        ValueError: for anything that is no key.
    """
    minor = key.endswith("m")
    pitch_class = TONICS.index(key.removesuffix("m"))
    # One step on the wheel is a fifth; a minor key shares the number of its relative major.
    fifths = (7 * (pitch_class + (3 if minor else 0))) % 12
    return f"{(fifths + 7) % 12 + 1}{'A' if minor else 'B'}"


class PitchMeter:
    """Collects a histogram of spectral peaks over pitch, in tenths of a semitone."""

    def __init__(self, sample_rate: int, bins: int) -> None:
        width = sample_rate / 2 / (bins - 1)
        self._first = max(2, int(_LOWEST_HZ / width))
        self._last = min(bins - 2, int(_HIGHEST_HZ / width))
        self._width = width
        self._neighbours = max(3, round(_SURROUNDINGS_HZ / width))
        self.histogram = np.zeros(_OCTAVES * 12 * _STEPS)
        self.peak_energy = 0.0
        self.energy = 0.0

    def feed(self, power: Floats) -> None:
        """Take the next frames: power spectra of long frames (frames, bins)."""
        self.energy += float(power[:, self._first - 2 :].sum())
        magnitude = np.sqrt(power[:, self._first - 2 : self._last + 2])
        prominent = magnitude > _PROMINENCE * _moving_mean(magnitude, self._neighbours)
        inner, left, right = magnitude[:, 1:-1], magnitude[:, :-2], magnitude[:, 2:]
        frame, column = np.nonzero((inner > left) & (inner >= right) & prominent[:, 1:-1])
        if not len(frame):
            return
        peak = inner[frame, column]
        self.peak_energy += _LOBE_WIDTH * float(np.square(peak).sum())
        offset = _parabola_top(left[frame, column], peak, right[frame, column])
        hertz = (self._first - 1 + column + offset) * self._width
        # Softened, so that neither a loud note nor a loud moment outvotes the rest; overtones count less than roots.
        weight = peak**0.6 * (hertz / 200.0) ** -0.3
        weight /= np.sqrt(np.maximum(np.bincount(frame, weight)[frame], 1e-12))
        steps = np.round(_STEPS * 12 * np.log2(hertz / _REFERENCE_HZ)).astype(np.int64)
        steps = np.clip(steps, 0, len(self.histogram) - 1)
        self.histogram += np.bincount(steps, weight, minlength=len(self.histogram))


def _parabola_top(before: Floats, peak: Floats, after: Floats) -> Floats:
    """Where between two bins a peak lies, from the logarithms of three bins: -0.5 to 0.5."""
    before, peak, after = np.log(before + 1e-12), np.log(peak + 1e-12), np.log(after + 1e-12)
    offset: Floats = np.clip(0.5 * (before - after) / np.minimum(before - 2 * peak + after, -1e-9), -0.5, 0.5)
    return offset


_REFERENCE_HZ = 440.0 * 2 ** (-34 / 12)
"""Pitch of the histogram's first step: B1 at 61.7 Hz; a whole number of semitones below A."""


def _moving_mean(rows: Floats, reach: int) -> Floats:
    """Mean over `reach` columns to both sides."""
    padded = np.pad(rows, ((0, 0), (reach + 1, reach)), mode="edge")
    sums = np.cumsum(padded, axis=1, dtype=np.float64)
    mean: Floats = ((sums[:, 2 * reach + 1 :] - sums[:, : -2 * reach - 1]) / (2 * reach + 1)).astype(np.float32)
    return mean


def estimate_key(meter: PitchMeter) -> Key | None:
    """The key of what the meter heard, or None when there is too little pitch in it to say."""
    tonality = min(1.0, meter.peak_energy / meter.energy) if meter.energy > 0 else 0.0
    trust = float(np.clip((tonality - _LEAST_TONALITY) / (_FULL_TONALITY - _LEAST_TONALITY), 0.0, 1.0))
    if trust <= 0 or meter.histogram.sum() <= 0:
        return None
    tuning = _tuning(meter.histogram)
    scores = _scores(_chroma(meter.histogram, tuning), _chroma(_bass(meter.histogram), tuning))
    confidences = np.exp(scores - scores.max())
    confidences *= trust / confidences.sum()
    order = np.argsort(-confidences, kind="stable")
    best, *others = (KeyCandidate(_KEYS[i], camelot(_KEYS[i]), float(confidences[i])) for i in order[:4])
    if best.confidence < _LEAST_CONFIDENCE:
        return None
    return Key(best.key, best.camelot, best.confidence, tuple(others), 10.0 * tuning, tonality)


_KEYS = (*TONICS, *(f"{tonic}m" for tonic in TONICS))


def _tuning(histogram: npt.NDArray[np.float64]) -> float:
    """Deviation from A = 440 Hz in histogram steps, as the direction of the mean over one semitone."""
    fractions = histogram.reshape(-1, _STEPS).sum(axis=0)
    angle = np.angle((fractions * np.exp(2j * np.pi * np.arange(_STEPS) / _STEPS)).sum())
    return float(angle / (2 * np.pi) * _STEPS)


def _chroma(histogram: npt.NDArray[np.float64], tuning: float) -> npt.NDArray[np.float64]:
    """Twelve pitch classes from C, sum 1; peaks between two semitones count by the cosine of their distance."""
    distance = (np.arange(len(histogram)) - tuning) / _STEPS
    semitone = np.round(distance).astype(np.int64)
    weight = np.cos(np.pi * (distance - semitone)) ** 2
    # The histogram starts on B.
    chroma = np.bincount((semitone + 11) % 12, histogram * weight, minlength=12)
    return np.asarray(chroma / max(chroma.sum(), 1e-12))


def _bass(histogram: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    steps = round(_STEPS * 12 * float(np.log2(_BASS_HZ / _REFERENCE_HZ)))
    return np.where(np.arange(len(histogram)) < steps, histogram, 0.0)


def _scores(chroma: npt.NDArray[np.float64], bass: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Logarithmic odds of the 24 keys: twelve major, then twelve minor."""
    profiles = ((_MAJOR, _MAJOR_BASS), (_MINOR, _MINOR_BASS))
    return np.array(
        [
            12 * (np.roll(everywhere, tonic) @ chroma + np.roll(below, tonic) @ bass)
            for everywhere, below in profiles
            for tonic in range(12)
        ]
    )
