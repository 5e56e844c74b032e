"""What notes a sound has: whether there are any, how high, how many at once, and whether the pitch falls."""

from functools import cache

import numpy as np
import numpy.typing as npt

from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.sound.descriptors.heard import Heard, Numbers, means_between

TONALITY = 37
"""How many numbers `describe_tonality` gives."""

_PITCHES_PER_OCTAVE, _PITCH_OCTAVES, _LOWEST_PITCH_HZ = 36, 7, 32.703
_SIXTH = 42
"""Pitches in a sixth of the seven octaves."""
_NOTES = 4
_OVERTONES, _HARMONICS = 8, 5
_OVERTONE_LEVELS = 0.8 ** np.arange(_OVERTONES)
_PROMINENCE = 1.8
"""A peak is this many times as high as the mean of the thirteen pitches around it."""

_SWEEP_BANDS = 10
_SWEEP_MOMENTS = (0.0, 0.012, 0.03, 0.06, 0.12, 0.25, 0.6)


def describe_tonality(heard: Heard) -> Numbers:
    """Notes and their course.

    Amplitudes are those of 252 pitches, thirds of a semitone from C1 up, the strongest being 1.

    Returns:
        Shape (37,), float64:

        - 6: share of the energy in peaks; salience of the strongest note (see `_salience`), 0 to 4.2; its height,
          0 (C1) to 1 (C8); entropy of the twelve pitch classes of the peaks, 0 (one) to 1 (all alike), and the share of
          the fullest; share of the energy that is left without the four strongest notes.
        - 3: salience of the second to fourth note beside the strongest, 0 to 1.
        - 3: their distance above the strongest note, octaves left out, 0 to below 1 for 12 semitones.
        - 6: how much of the peaks lies 1 to 6 semitones apart: autocorrelation of the pitch classes, 0 to 0.5.
        - 6: `_sweep`.
        - 2: peaks above 0.1, in units of 20, and above 0.03, in units of 40.
        - 6: share of the energy in each sixth of the seven octaves.
        - 5: amplitude at the first five harmonics of the strongest note.
    """
    amplitude = np.sqrt(_pitch_energy(heard.spectrum, heard.bin_hz))
    amplitude /= max(float(amplitude.max()), 1e-12)
    energy = max(float(np.square(amplitude).sum()), 1e-12)
    peaks = _peaks(amplitude)
    notes, saliences, left = _strongest_notes(amplitude)
    heights = [note / _PITCHES_PER_OCTAVE for note in notes]
    chroma = np.square(peaks).reshape(_PITCH_OCTAVES, 12, 3).sum(axis=(0, 2))
    chroma = chroma / max(float(chroma.sum()), 1e-12)
    entropy = float(-(chroma * np.log(chroma + 1e-9)).sum() / np.log(12))
    return np.concatenate(
        (
            [float(np.square(peaks).sum() / energy), saliences[0], heights[0] / _PITCH_OCTAVES],
            [entropy, float(chroma.max()), float(np.square(left).sum() / energy)],
            [salience / max(saliences[0], 1e-12) for salience in saliences[1:]],
            [((height - heights[0]) * 12 % 12) / 12 for height in heights[1:]],
            chroma[_interval_places()] @ chroma,
            _sweep(heard),
            [float(np.count_nonzero(peaks > 0.1)) / 20, float(np.count_nonzero(peaks > 0.03)) / 40],
            np.add.reduceat(np.square(amplitude), np.arange(0, len(amplitude), _SIXTH)) / energy,
            _harmonics(amplitude, int(heights[0] * _PITCHES_PER_OCTAVE)),
        )
    )


def _pitch_energy(long_spectrum: Floats, bin_hz: float) -> Numbers:
    """Energy in thirds of a semitone from C1 over seven octaves: shape (252,)."""
    cumulative = np.cumsum(long_spectrum, dtype=np.float64)
    return np.asarray(np.diff(np.interp(_pitch_edges() / bin_hz - 0.5, np.arange(len(cumulative)), cumulative)))


@cache
def _pitch_edges() -> Numbers:
    steps = _PITCHES_PER_OCTAVE * _PITCH_OCTAVES
    return np.asarray(_LOWEST_PITCH_HZ * 2 ** ((np.arange(steps + 1) - 0.5) / _PITCHES_PER_OCTAVE))


def _peaks(amplitude: Numbers) -> Numbers:
    """Amplitudes no lower than their neighbours that stand out from what is around them; zeros elsewhere."""
    around = np.convolve(amplitude, np.ones(13) / 13, "same")
    peaks = np.zeros_like(amplitude)
    inner = (
        (amplitude[1:-1] >= amplitude[:-2])
        & (amplitude[1:-1] >= amplitude[2:])
        & (amplitude[1:-1] > _PROMINENCE * around[1:-1])
    )
    peaks[1:-1] = amplitude[1:-1] * inner
    return peaks


def _strongest_notes(amplitude: Numbers) -> tuple[list[int], list[float], Numbers]:
    """Four notes, each the most salient one without those before it, their saliences, and what is left without them."""
    notes, saliences = [], []
    for _ in range(_NOTES):
        salience = _salience(amplitude)
        notes.append(int(salience.argmax()))
        saliences.append(float(salience[notes[-1]]))
        amplitude = _without(amplitude, notes[-1])
    return notes, saliences, amplitude


def _salience(amplitude: Numbers) -> Numbers:
    """How well each pitch explains the spectrum as its overtones, each counting 0.8 of the one below: shape (252,).

    After A. Klapuri, "Multiple fundamental frequency estimation by summing harmonic amplitudes" (ISMIR 2006), with
    fixed weights.
    """
    padded = np.concatenate((amplitude, np.zeros(_PITCHES_PER_OCTAVE * 3 + 1)))
    return np.asarray(padded[_overtone_places()] @ _OVERTONE_LEVELS)


def _without(amplitude: Numbers, note: int) -> Numbers:
    """The spectrum less one note and its overtones."""
    places = note + _overtone_surroundings()
    left = amplitude.copy()
    left[places[(places >= 0) & (places < len(left))]] = 0
    return left


def _sweep(heard: Heard) -> Numbers:
    """Middle of the lowest ten mel bands in six stretches after the start, as a share of them: shape (6,).

    It falls in a kick or a tom, and does not in a bass.
    """
    low = np.sqrt(means_between(heard.power[:, :_SWEEP_BANDS], np.array(_SWEEP_MOMENTS) * heard.rate))
    return np.asarray(low @ np.arange(_SWEEP_BANDS) / np.maximum(low.sum(axis=1), 1e-12) / _SWEEP_BANDS)


def _harmonics(amplitude: Numbers, note: int) -> Numbers:
    places = np.minimum(note + _overtone_steps()[:_HARMONICS], len(amplitude) - 1)
    return np.asarray(amplitude[places])


@cache
def _interval_places() -> npt.NDArray[np.int64]:
    """Where each pitch class finds the one so many semitones below it, for intervals up to a tritone: shape (6, 12)."""
    return np.asarray((np.arange(12) - np.arange(1, 7)[:, None]) % 12)


@cache
def _overtone_steps() -> npt.NDArray[np.int64]:
    """Pitches from a note to each of its overtones, the note itself being the first: shape (8,)."""
    return np.round(_PITCHES_PER_OCTAVE * np.log2(np.arange(1, _OVERTONES + 1))).astype(np.int64)


@cache
def _overtone_places() -> npt.NDArray[np.int64]:
    return np.asarray(np.arange(_PITCHES_PER_OCTAVE * _PITCH_OCTAVES)[:, None] + _overtone_steps())


@cache
def _overtone_surroundings() -> npt.NDArray[np.int64]:
    return np.asarray((_overtone_steps()[:, None] + np.arange(-1, 2)).ravel())
