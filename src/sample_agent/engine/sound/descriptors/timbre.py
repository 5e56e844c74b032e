"""How the spectrum of a sound is shaped and how it moves: cepstrum, noisiness, and its course after the start."""

from functools import cache

import numpy as np

from sample_agent.engine.signal.mel import BANDS
from sample_agent.engine.sound.descriptors.heard import GROUPS, RANGE_DB, Heard, Numbers, decibels, means_between

TIMBRE = 169
"""How many numbers `describe_timbre` gives."""

_COEFFICIENTS = 13
_MOMENTS = (0.0, 0.012, 0.024, 0.047, 0.093, 0.186, 0.372, 0.743, 1.486, 2.972)
"""Seconds after the start between which the spectrum is averaged: fine where hits differ, coarse where they ring."""
_EARLY_MOMENTS = (0.0, 0.02, 0.05, 0.12, 0.3)
_THIRDS, _THIRD_SIZES = np.array((0, 10, 24)), np.array((10, 14, 16))
"""First mel band of lows (up to 900 Hz), middles (3.8 kHz) and highs, and how many bands each has."""
_OCTAVES_HZ = (40.0, 70.0, 140.0, 280.0, 560.0, 1100.0, 2200.0, 4400.0)


def describe_timbre(heard: Heard) -> Numbers:
    """Shape and movement of the spectrum.

    Returns:
        Shape (169,), float64; means over frames are weighed by amplitude:

        - 13: cepstrum, the orthonormal DCT-II of the mean of `heard.decibels` (S. Davis and P. Mermelstein, IEEE Trans.
          ASSP, 1980); the first is the overall level.
        - 13: how far levels stray over time (standard deviation) in each group of bands, summed and divided by 3.
        - 117: `_course`, nine stretches after the start by 13 groups of bands.
        - 6: flatness of lows, middles and highs, 0 (a tone) to 1 (noise): mean and standard deviation of each.
        - 14: `_noisiness`, flatness and prominence of peaks in seven octaves.
        - 2: how much levels change from frame to frame: mean and standard deviation, in units of 6 dB.
        - 4: `_course_of_centre`.
    """
    level, weights = heard.decibels, heard.weights
    mean = weights @ level
    spread = np.sqrt(np.maximum(weights @ np.square(level) - np.square(mean), 0))
    change = np.abs(np.diff(level, axis=0)).mean(axis=1) if len(level) > 1 else np.zeros(1)
    return np.concatenate(
        (
            _cosines() @ mean,
            np.add.reduceat(spread, GROUPS) / 3,
            _course(heard),
            _flatness(heard),
            _noisiness(heard),
            [10 * float(change.mean()), 10 * float(change.std())],
            _course_of_centre(heard),
        )
    )


@cache
def _cosines() -> Numbers:
    """Cosine transform from 40 bands to 13 coefficients, orthonormal, shape (13, 40)."""
    order, band = np.arange(_COEFFICIENTS)[:, None], np.arange(BANDS)[None, :]
    cosines = np.sqrt(2 / BANDS) * np.cos(np.pi * order * (band + 0.5) / BANDS)
    cosines[0] /= np.sqrt(2)
    return np.asarray(cosines)


def _course(heard: Heard) -> Numbers:
    """Energy of the 13 groups of bands in each stretch after the start, 0 to 1 below the loudest: shape (117,)."""
    course = means_between(np.add.reduceat(heard.power, GROUPS, axis=1), np.array(_MOMENTS) * heard.rate)
    return decibels(course / max(float(course.max()), 1e-20)).ravel()


def _flatness(heard: Heard) -> Numbers:
    """Geometric over arithmetic mean of the bands of each third, 0 to 1: mean and spread over time, shape (6,).

    A. Gray and J. Markel, "A spectral-flatness measure" (IEEE Trans. ASSP, 1974).
    """
    bands = heard.power + 1e-20
    flat = np.exp(np.add.reduceat(np.log(bands), _THIRDS, axis=1) / _THIRD_SIZES)
    flat /= np.add.reduceat(bands, _THIRDS, axis=1) / _THIRD_SIZES
    levels = heard.weights @ flat
    spread = np.sqrt(heard.weights @ np.square(flat - levels))
    return np.stack((levels, spread), axis=1).ravel()


def _noisiness(heard: Heard) -> Numbers:
    """In each of seven octaves of the long spectrum: how flat it is, and how far its peaks stand out: shape (14,).

    Flatness from 0 (a tone) to 1; highest bin over the median, in units of 60 dB, at most 1.5. After the contrast of
    D.-N. Jiang et al., "Music type classification by spectral contrast feature" (ICME 2002). Zeros where the sample
    rate leaves an octave out.
    """
    octaves = len(_OCTAVES_HZ) - 1
    edges = [int(hertz / heard.bin_hz) for hertz in _OCTAVES_HZ]
    size = np.diff(edges)
    bins = heard.spectrum[: edges[-1]].astype(np.float64)
    if size.min() < 3 or len(bins) < edges[-1]:
        return np.zeros(2 * octaves)
    starts = np.array(edges[:-1])
    loudest = np.maximum.reduceat(bins, starts)
    logs = np.log(bins[edges[0] :] + np.repeat(1e-9 * loudest + 1e-300, size))
    starts -= edges[0]
    flat = np.exp(np.add.reduceat(logs, starts) / size) / np.maximum(
        np.add.reduceat(bins, starts + edges[0]) / size, 1e-300
    )
    middle = np.zeros(octaves)
    for index, (start, count) in enumerate(zip(starts.tolist(), size.tolist(), strict=True)):
        # Sorting beats np.median on rows this short.
        row = logs[start : start + count]
        row.sort()
        middle[index] = (row[(count - 1) // 2] + row[count // 2]) / 2
    contrast = np.minimum((logs[starts + size - 1] - middle) * (10 / np.log(10) / RANGE_DB), 1.5)
    return np.concatenate((np.where(loudest > 0, flat, 0.0), np.where(loudest > 0, contrast, 0.0)))


def _course_of_centre(heard: Heard) -> Numbers:
    """Middle of the spectrum in four stretches of the first 0.3 s, as a share of all bands: shape (4,)."""
    course = means_between(heard.power, np.array(_EARLY_MOMENTS) * heard.rate)
    amplitude = np.sqrt(course)
    centre = amplitude @ np.arange(BANDS) / np.maximum(amplitude.sum(axis=1), 1e-12)
    return np.asarray(centre / BANDS)
