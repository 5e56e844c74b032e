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

# Key profiles of J. Albrecht and D. Shanahan, "The use of large corpora to train a new type of key-finding
# algorithm", Music Perception 31 (2013), starting on the tonic.
_MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
_MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)


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
        self._neighbours = max(3, round(40.0 / width))
        self.histogram = np.zeros(_OCTAVES * 12 * _STEPS)
        self.peak_energy = 0.0
        self.energy = 0.0

    def feed(self, power: Floats) -> None:
        """Take the next frames: power spectra of long frames (frames, bins)."""
        magnitude = np.sqrt(power[:, self._first - 2 : self._last + 2])
        surroundings = _moving_mean(magnitude, self._neighbours)
        inner, left, right = magnitude[:, 1:-1], magnitude[:, :-2], magnitude[:, 2:]
        strong = inner > 1.8 * surroundings[:, 1:-1]
        frame, column = np.nonzero((inner > left) & (inner >= right) & strong)
        self.energy += float(np.square(magnitude).sum())
        if not len(frame):
            return
        before, peak, after = left[frame, column], inner[frame, column], right[frame, column]
        # The top of the parabola through the logarithms of three bins: exact for a Gaussian, close for Hann.
        before, middle, after = np.log(before + 1e-12), np.log(peak + 1e-12), np.log(after + 1e-12)
        curvature = np.minimum(before - 2 * middle + after, -1e-9)
        offset = np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)
        hertz = (self._first - 1 + column + offset) * self._width
        steps = np.round(_STEPS * 12 * np.log2(hertz / _REFERENCE_HZ)).astype(np.int64)
        self.peak_energy += 2.0 * float(np.square(peak).sum())
        # Square roots keep one loud note from outvoting the rest of the piece.
        self.histogram += np.bincount(
            np.clip(steps, 0, len(self.histogram) - 1), np.sqrt(peak), minlength=len(self.histogram)
        )


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
    if meter.histogram.sum() <= 0:
        return None
    tuning = _tuning(meter.histogram)
    chroma = _chroma(meter.histogram, tuning)
    scores = _profile_scores(chroma)
    confidences = np.exp((scores - scores.max()) * _SHARPNESS)
    confidences /= confidences.sum()
    confidences *= _trust(tonality)
    order = np.argsort(-confidences, kind="stable")
    best, *others = (KeyCandidate(_KEYS[i], camelot(_KEYS[i]), float(confidences[i])) for i in order[:4])
    return Key(best.key, best.camelot, best.confidence, tuple(others), 10.0 * tuning, tonality)


_KEYS = (*TONICS, *(f"{tonic}m" for tonic in TONICS))
_SHARPNESS = 25.0


def _trust(tonality: float) -> float:
    return float(np.clip((tonality - 0.1) / 0.3, 0.0, 1.0))


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


def _profile_scores(chroma: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Correlation with the 24 rotated profiles: twelve major, then twelve minor."""
    profiles = np.array([np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)])
    profiles = profiles - profiles.mean(axis=1, keepdims=True)
    centred = chroma - chroma.mean()
    norms = np.linalg.norm(profiles, axis=1) * max(float(np.linalg.norm(centred)), 1e-12)
    return np.asarray(profiles @ centred / norms)
