"""What a sound is like in a fixed row of numbers: what kind, class and embedding are told from.

Everything is read from what the shared pass kept: mel bands, the fine outline of the level, the long-term spectrum.
Levels are relative to the loudest moment and times are in seconds, so gain, sample rate and silence around the sound
do not matter. Two numbers mean the same in every file, however long: at most 47 s from its middle are looked at, or
from where the sound is when that is elsewhere.
"""

import itertools
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import Kernel, address, checked, kernel
from sample_agent.engine.signal.cells import Cells
from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.signal.mel import BANDS
from sample_agent.engine.signal.tonal import TonalFrames
from sample_agent.engine.sound.looping import LOOPING, looping, note_edges, whole_beats

Numbers = npt.NDArray[np.float64]

PARTS = ("spectrum", "timbre", "tonality", "rhythm", "envelope", "looping")
"""The aspects that descriptors are grouped in, in the order of the row."""

_SIZES = {"spectrum": 59, "timbre": 169, "tonality": 37, "rhythm": 20, "envelope": 35, "looping": LOOPING}
"""How many numbers each part has."""

SOUND_NUMBERS = sum(_SIZES.values()) - LOOPING
"""The numbers that are about the sound; the rest, about how it was cut, comes last."""

_MAX_SECONDS = 47.0
_RANGE_DB = 60.0
_SILENCE = 1e-5
"""Frames this far (50 dB) below the loudest one at either end do not belong to the sound."""

_MOMENTS = (0.0, 0.012, 0.024, 0.047, 0.093, 0.186, 0.372, 0.743, 1.486, 2.972)
"""Seconds after the start between which the spectrum is averaged: fine where hits differ, coarse where they ring."""
_LEVEL_MOMENTS = (0.0, 0.003, 0.006, 0.012, 0.024, 0.047, 0.093, 0.186, 0.372, 0.743, 1.486, 2.972, 5.944)
_GROUPS = np.array((0, 2, 4, 6, 8, 11, 14, 17, 20, 24, 28, 32, 36))
"""First mel band of each of 13 groups."""

_THIRDS, _THIRD_SIZES = np.array((0, 10, 24)), np.array((10, 14, 16))
_BAND_NUMBERS = np.arange(float(BANDS))
_ROLLOFFS = np.array((0.05, 0.25, 0.5, 0.75, 0.95))

_PITCHES_PER_OCTAVE, _PITCH_OCTAVES, _LOWEST_PITCH_HZ = 36, 7, 32.703
_OVERTONES = 8
_OVERTONE_LEVELS = 0.8 ** np.arange(_OVERTONES)
_HIGHEST_TONAL_HZ = 4400.0
_OCTAVES_HZ = (40.0, 70.0, 140.0, 280.0, 560.0, 1100.0, 2200.0, 4400.0)
_LOW_HZ = (25.0, 45.0, 60.0, 80.0, 105.0, 140.0, 190.0, 260.0, 400.0, 600.0)


@dataclass(frozen=True, eq=False)
class Descriptors:
    """A sound in numbers.

    Attributes:
        values: float32, shape (numbers,): the parts one after another.
        parts: where in `values` each part lies.
    """

    values: Floats
    parts: dict[str, slice]


def describe(mel: Floats, mel_rate: float, cells: Cells, tonal: TonalFrames) -> Descriptors:
    """Describe a sound.

    Args:
        mel: power in mel bands, shape (frames, 40).
        mel_rate: frames per second.
        cells: the downmix in cells of 1.5 ms.
        tonal: its long frames.
    """
    duration = len(mel) / mel_rate
    energy = mel.sum(axis=1, dtype=np.float64)
    moved = _seconds_off_middle(energy, mel_rate)
    mel, energy = _excerpt(mel, mel_rate, moved), _excerpt(energy, mel_rate, moved)
    pairs, level_rate = _excerpt(_pairs(cells), cells.rate / 2, moved), cells.rate / 2
    if not energy.max(initial=0.0) > 0:
        return _joined(dict.fromkeys(PARTS, np.zeros(0)), silent=True)
    heard = np.flatnonzero(energy > _SILENCE * energy.max())
    start, stop = int(heard[0]), int(heard[-1]) + 1
    if loaded := kernel():
        return _described_natively(loaded, mel, energy, (start, stop), mel_rate, duration, pairs, level_rate, tonal)
    level: Floats = np.sqrt(pairs.sum(axis=1))
    long_spectrum, bin_hz = _long_spectrum(tonal), tonal.width_hz
    power: Numbers = mel[start:stop].astype(np.float64)
    decibels = _decibels(power / power.max())
    weights = np.sqrt(power.sum(axis=1))
    weights /= weights.sum()
    flux = _flux(decibels)
    # With the silence at both ends: they are part of the length.
    pulses = np.zeros(len(mel))
    pulses[start:stop] = flux.sum(axis=1)
    return _joined(
        {
            "spectrum": _spectrum(power, decibels, weights, long_spectrum, bin_hz),
            "timbre": _timbre(power, decibels, weights, long_spectrum, bin_hz, mel_rate),
            "tonality": _tonality(power, long_spectrum, bin_hz, mel_rate),
            "rhythm": _rhythm(decibels, weights, flux, mel_rate, duration),
            "envelope": _envelope(level, level_rate),
            "looping": looping(energy, pulses, mel_rate, tonal),
        }
    )


def _described_natively(
    loaded: Kernel,
    mel: Floats,
    energy: Numbers,
    heard: tuple[int, int],
    mel_rate: float,
    duration: float,
    pairs: Floats,
    level_rate: float,
    tonal: TonalFrames,
) -> Descriptors:
    """The same by the kernel, but for the share of whole beats, which takes a transform of any length."""
    power, width = tonal.power, tonal.width_hz
    values, pulses = np.zeros(sum(_SIZES.values())), np.empty(len(mel))
    edges = note_edges(width, power.shape[1])
    mel, pairs = np.ascontiguousarray(mel), np.ascontiguousarray(pairs)
    checked(
        loaded.describe_sound(
            *(address(mel), address(energy), len(mel), *heard, mel_rate, duration),
            *(address(pairs), len(pairs), level_rate),
            *(address(power), *power.shape, min(int(_HIGHEST_TONAL_HZ / width), power.shape[1]), width, address(edges)),
            *(address(pulses), address(values)),
        )
    )
    beats = whole_beats(pulses, mel_rate)
    values[-len(beats) :] = beats
    return Descriptors(np.nan_to_num(values).astype(np.float32), part_slices())


def _pairs(cells: Cells) -> Floats:
    """Energy of the downmix in stretches of 3 ms, each as two: shape (stretches, 2)."""
    energy = cells.energy
    return energy[: len(energy) // 2 * 2].reshape(-1, 2) if len(energy) > 1 else np.array([[energy[0], 0]], np.float32)


def _long_spectrum(tonal: TonalFrames) -> Floats:
    """Power spectrum of long frames up to 4.4 kHz, loud frames counting by their amplitude, shape (bins,)."""
    power = tonal.power[:, : int(_HIGHEST_TONAL_HZ / tonal.width_hz)]
    energy = power.sum(axis=1)
    spectrum: Floats = (1 / np.sqrt(energy + np.float32(1e-12))) @ power
    return spectrum


@cache
def part_slices() -> dict[str, slice]:
    """Where each part lies in the row of numbers."""
    ends = np.cumsum([_SIZES[name] for name in PARTS]).tolist()
    return {name: slice(end - _SIZES[name], end) for name, end in zip(PARTS, ends, strict=True)}


def _joined(parts: dict[str, Numbers], *, silent: bool = False) -> Descriptors:
    values = np.zeros(sum(_SIZES.values())) if silent else np.concatenate([parts[name] for name in PARTS])
    return Descriptors(np.nan_to_num(values).astype(np.float32), part_slices())


def _seconds_off_middle(energy: Numbers, rate: float) -> float:
    """How far the excerpt lies behind the middle of the file, to hold all that is heard, or nothing else."""
    heard = np.flatnonzero(energy > _SILENCE * energy.max(initial=0.0))
    most = int(_MAX_SECONDS * rate)
    if not len(heard) or len(energy) <= most:
        return 0.0
    middle = (len(energy) - most) // 2
    first, last = int(heard[0]), int(heard[-1]) + 1 - most
    start = max(min(middle, max(first, last)), min(first, last))
    if not ((heard >= start) & (heard < start + most)).any():
        # Sounds far apart, and silence between them.
        start = first
    return (start - middle) / rate


def _excerpt(values: npt.NDArray[Any], rate: float, moved: float) -> npt.NDArray[Any]:
    most = int(_MAX_SECONDS * rate)
    start = max(0, (len(values) - most) // 2 + round(moved * rate))
    return values[start : start + most]


def _decibels(power: Numbers) -> Numbers:
    """From 0 (60 dB below 1.0, or less) to 1."""
    return np.asarray(10 * np.log10(power + 10 ** (-_RANGE_DB / 10)) / _RANGE_DB + 1)


def _flux(decibels: Numbers) -> Numbers:
    """How much louder each frame is than the one before, in each group of bands: shape (frames, 13)."""
    rise = np.maximum(np.diff(decibels, axis=0, prepend=np.zeros((1, BANDS))), 0)
    return np.asarray(np.add.reduceat(rise, _GROUPS, axis=1))


def _spectrum(mel: Numbers, decibels: Numbers, weights: Numbers, long_spectrum: Floats, bin_hz: float) -> Numbers:
    """Where the energy lies: 40 bands, their moments, and finer stretches at the bottom."""
    mean = mel.mean(axis=0)
    amplitude = np.sqrt(mean)
    amplitude /= amplitude.sum()
    bands = _BAND_NUMBERS
    centre = float(amplitude @ bands)
    spread = float(np.sqrt(amplitude @ (bands - centre) ** 2))
    skew = float(amplitude @ (bands - centre) ** 3) / max(spread, 0.1) ** 3
    cumulative = np.cumsum(mean) / mean.sum()
    rolloffs = np.searchsorted(cumulative, _ROLLOFFS) / BANDS
    roots = np.sqrt(mel)
    centres = roots @ bands / np.maximum(roots.sum(axis=1), 1e-12)
    centre_spread = float(np.sqrt(weights @ (centres - weights @ centres) ** 2))
    low = _shares(long_spectrum, bin_hz, _LOW_HZ)
    moments = [centre / BANDS, spread / BANDS, skew, centre_spread / BANDS, float(weights @ centres) / BANDS]
    return np.concatenate((_decibels(mean / mean.max()), moments, rolloffs, _decibels(low)))


def _timbre(
    mel: Numbers, decibels: Numbers, weights: Numbers, long_spectrum: Floats, bin_hz: float, rate: float
) -> Numbers:
    """How the spectrum is shaped and how it moves: cepstrum, noisiness, and its course after the start."""
    mean = weights @ decibels
    spread = np.sqrt(np.maximum(weights @ np.square(decibels) - np.square(mean), 0))
    cepstrum = _cosines() @ mean
    course = _means_between(np.add.reduceat(mel, _GROUPS, axis=1), np.array(_MOMENTS) * rate)
    course = _decibels(course / max(float(course.max()), 1e-20))
    bands = mel + 1e-20
    flat = np.exp(np.add.reduceat(np.log(bands), _THIRDS, axis=1) / _THIRD_SIZES)
    flat /= np.add.reduceat(bands, _THIRDS, axis=1) / _THIRD_SIZES
    levels = weights @ flat
    flatness = np.stack((levels, np.sqrt(weights @ np.square(flat - levels))), axis=1).ravel()
    change = np.abs(np.diff(decibels, axis=0)).mean(axis=1) if len(decibels) > 1 else np.zeros(1)
    return np.concatenate(
        (
            cepstrum,
            np.add.reduceat(spread, _GROUPS) / 3,
            course.ravel(),
            flatness,
            _noisiness(long_spectrum, bin_hz),
            [10 * float(change.mean()), 10 * float(change.std())],
            _course_of_centre(mel, rate),
        )
    )


def _course_of_centre(mel: Numbers, rate: float) -> Numbers:
    course = _means_between(mel, np.array((0.0, 0.02, 0.05, 0.12, 0.3)) * rate)
    amplitude = np.sqrt(course)
    centre = amplitude @ np.arange(BANDS) / np.maximum(amplitude.sum(axis=1), 1e-12)
    return np.asarray(centre / BANDS)


def _noisiness(long_spectrum: Floats, bin_hz: float) -> Numbers:
    """In each of seven octaves: how flat the spectrum is, and how far its peaks stand out, in units of 60 dB."""
    octaves = len(_OCTAVES_HZ) - 1
    edges = [int(hertz / bin_hz) for hertz in _OCTAVES_HZ]
    size = np.diff(edges)
    bins = long_spectrum[: edges[-1]].astype(np.float64)
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
    contrast = np.minimum((logs[starts + size - 1] - middle) * (10 / np.log(10) / _RANGE_DB), 1.5)
    return np.concatenate((np.where(loudest > 0, flat, 0.0), np.where(loudest > 0, contrast, 0.0)))


def _tonality(mel: Numbers, long_spectrum: Floats, bin_hz: float, rate: float) -> Numbers:
    """Whether there are notes, how high, how many at once, and whether the pitch falls."""
    energy = _pitch_energy(long_spectrum, bin_hz)
    amplitude = np.sqrt(energy)
    amplitude /= max(float(amplitude.max()), 1e-12)
    around = np.convolve(amplitude, np.ones(13) / 13, "same")
    peaks = np.zeros_like(amplitude)
    inner = (
        (amplitude[1:-1] >= amplitude[:-2])
        & (amplitude[1:-1] >= amplitude[2:])
        & (amplitude[1:-1] > 1.8 * around[1:-1])
    )
    peaks[1:-1] = amplitude[1:-1] * inner
    share = float(np.square(peaks).sum() / max(np.square(amplitude).sum(), 1e-12))
    notes = []
    left = amplitude.copy()
    strongest = 0.0
    for _ in range(4):
        salience = _salience(left)
        note = int(salience.argmax())
        strongest = max(strongest, float(salience[note]))
        notes.append((note / _PITCHES_PER_OCTAVE, float(salience[note]) / max(strongest, 1e-12)))
        left = _without(left, note)
    chroma = np.square(peaks).reshape(_PITCH_OCTAVES, 12, 3).sum(axis=(0, 2))
    chroma = chroma / max(float(chroma.sum()), 1e-12)
    entropy = float(-(chroma * np.log(chroma + 1e-9)).sum() / np.log(12))
    intervals = chroma[_interval_places()] @ chroma
    low = np.sqrt(_means_between(mel[:, :10], np.array((0.0, 0.012, 0.03, 0.06, 0.12, 0.25, 0.6)) * rate))
    sweep = low @ np.arange(10) / np.maximum(low.sum(axis=1), 1e-12) / 10
    around_best = np.square(left).sum() / max(np.square(amplitude).sum(), 1e-12)
    return np.concatenate(
        (
            [share, strongest, notes[0][0] / 7, entropy, float(chroma.max()), float(around_best)],
            [strength for _, strength in notes[1:]],
            [((note - notes[0][0]) * 12 % 12) / 12 for note, _ in notes[1:]],
            intervals,
            sweep,
            [float(np.count_nonzero(peaks > 0.1)) / 20, float(np.count_nonzero(peaks > 0.03)) / 40],
            np.add.reduceat(np.square(amplitude), np.arange(0, len(amplitude), 36 * 7 // 6))[:6]
            / max(float(np.square(amplitude).sum()), 1e-12),
            _harmonics(amplitude, int(notes[0][0] * _PITCHES_PER_OCTAVE)),
        )
    )


def _harmonics(amplitude: Numbers, note: int) -> Numbers:
    places = np.minimum(note + _overtone_steps()[:5], len(amplitude) - 1)
    return np.asarray(amplitude[places])


def _pitch_energy(long_spectrum: Floats, bin_hz: float) -> Numbers:
    """Energy in thirds of a semitone from C1 over seven octaves."""
    cumulative = np.cumsum(long_spectrum, dtype=np.float64)
    return np.asarray(np.diff(np.interp(_pitch_edges() / bin_hz - 0.5, np.arange(len(cumulative)), cumulative)))


@cache
def _pitch_edges() -> Numbers:
    steps = _PITCHES_PER_OCTAVE * _PITCH_OCTAVES
    return np.asarray(_LOWEST_PITCH_HZ * 2 ** ((np.arange(steps + 1) - 0.5) / _PITCHES_PER_OCTAVE))


@cache
def _interval_places() -> npt.NDArray[np.int64]:
    """Where each pitch class finds the one so many semitones below it, for intervals up to a tritone: shape (6, 12)."""
    return np.asarray((np.arange(12) - np.arange(1, 7)[:, None]) % 12)


@cache
def _overtone_steps() -> npt.NDArray[np.int64]:
    return np.round(_PITCHES_PER_OCTAVE * np.log2(np.arange(1, _OVERTONES + 1))).astype(np.int64)


@cache
def _overtone_places() -> npt.NDArray[np.int64]:
    return np.asarray(np.arange(_PITCHES_PER_OCTAVE * _PITCH_OCTAVES)[:, None] + _overtone_steps())


def _salience(amplitude: Numbers) -> Numbers:
    """How well each pitch explains the spectrum as its overtones, falling by 0.8 each (Klapuri 2006, simplified)."""
    padded = np.concatenate((amplitude, np.zeros(_PITCHES_PER_OCTAVE * 3 + 1)))
    return np.asarray(padded[_overtone_places()] @ _OVERTONE_LEVELS)


def _without(amplitude: Numbers, note: int) -> Numbers:
    """The spectrum less one note and its overtones."""
    places = note + _overtone_surroundings()
    left = amplitude.copy()
    left[places[(places >= 0) & (places < len(left))]] = 0
    return left


@cache
def _overtone_surroundings() -> npt.NDArray[np.int64]:
    return np.asarray((_overtone_steps()[:, None] + np.arange(-1, 2)).ravel())


def _rhythm(decibels: Numbers, weights: Numbers, flux: Numbers, rate: float, duration: float) -> Numbers:
    """How many sounds, how regular, how much comes back."""
    total = flux.sum(axis=1)
    strongest = max(float(total.max()), 1e-9)
    relative = total / strongest
    gap = max(1, round(0.05 * rate))
    padded = np.zeros(len(relative) + 2 * gap)
    padded[gap:-gap] = relative
    highest = relative
    for shift in range(2 * gap + 1):
        highest = np.maximum(highest, padded[shift : shift + len(relative)])
    onsets = np.flatnonzero((relative >= highest) & (relative > 0.15))
    seconds = len(decibels) / rate
    gaps = np.diff(onsets) / rate
    early = max(1, round(0.1 * rate))
    loudness = decibels.mean(axis=1)
    half = len(decibels) // 2
    alike = _likeness(decibels[:half], decibels[half : 2 * half]) if half > 8 else 0.0
    lag, strength, low_strength = _period(total, flux[:, :5].sum(axis=1), rate)
    level = weights / weights.max()
    tenth = max(1, len(level) // 10)
    return np.array(
        [
            np.log2(1 + len(onsets)) / 4,
            np.log2(1 + len(onsets) / max(seconds, 0.1)) / 4,
            _median(gaps),
            float(gaps.std() / gaps.mean()) if len(gaps) > 1 else 0.0,
            float(total[:early].sum() / total.sum()) if total.sum() > 0 else 1.0,
            float(relative[early:].max(initial=0.0)),
            float(relative.mean()),
            float((flux[early:, :5].sum() + 1e-3) / (flux[early:].sum() + 1e-2)),
            lag,
            strength,
            low_strength,
            alike,
            np.log2(max(duration, 0.02)) / 4,
            np.log2(max(seconds, 0.02)) / 4,
            float((level > 0.03).mean()),
            float((level > 0.3).mean()),
            float(level[-tenth:].mean()),
            float(level.mean()),
            float((np.arange(len(level)) @ level) / level.sum() / len(level)),
            float(loudness.std()),
        ]
    )


def _median(values: Numbers) -> float:
    """Of no values 0."""
    ordered = sorted(values.tolist())
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2 if ordered else 0.0


def _likeness(first: Numbers, second: Numbers) -> float:
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    scale = np.sqrt(np.square(first).sum() * np.square(second).sum())
    return float((first * second).sum() / scale) if scale > 1e-9 else 0.0


def _period(total: Numbers, low: Numbers, rate: float) -> tuple[float, float, float]:
    """Lag in octaves of a second and height of the highest autocorrelation between 0.12 and 2 s; the latter also of
    the low bands."""
    first, last = round(0.12 * rate), min(round(2.0 * rate), len(total) * 2 // 3)
    if last <= first + 2:
        return 0.0, 0.0, 0.0
    both = _autocorrelation(np.stack((total, low)))[:, first:last]
    lag = int(both[0].argmax()) + first
    return float(np.log2(lag / rate)) / 4, float(both[0].max()), float(both[1].max())


def _autocorrelation(values: Numbers) -> Numbers:
    from sample_agent.engine.signal.transforms import fast_length, irfft, rfft

    length = values.shape[1]
    values = values - values.mean(axis=1, keepdims=True)
    size = fast_length(2 * length)
    spectrum = rfft(values, size)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    correlation = irfft(power, size)[:, :length]
    return np.asarray(correlation / np.maximum(correlation[:, :1], 1e-12))


def _envelope(level: Floats, rate: float) -> Numbers:
    """How the level rises and falls."""
    relative = level.astype(np.float64) / max(float(level.max(initial=0.0)), 1e-12)
    heard = np.flatnonzero(relative > 0.05)
    start = int(heard[0]) if len(heard) else 0
    relative = relative[start:]
    peak = int(relative.argmax())
    falls = []
    for decibels in (6, 12, 20, 30, 40):
        above = np.flatnonzero(relative[peak:] > 10 ** (-decibels / 20))
        falls.append(np.log2(1 + 100 * (above[-1] if len(above) else 0) / rate) / 8)
    power = np.square(relative)
    course = _decibels(_means_between(power[:, None], np.array(_LEVEL_MOMENTS) * rate)[:, 0])
    length = int(np.flatnonzero(relative > 0.01)[-1]) + 1
    tenths = _decibels(_means_between(power[:length, None], np.linspace(0, length, 9))[:, 0])
    centre = float(np.arange(len(power)) @ relative / max(relative.sum(), 1e-12))
    burst = relative[: max(8, round(0.08 * rate))]
    return np.concatenate(
        (
            [np.log2(1 + 200 * peak / rate) / 8, float(np.log2(1 + 100 * centre / rate)) / 8],
            falls,
            course,
            tenths,
            [
                centre / max(length, 1),
                float(np.sqrt(power[:length].mean())),
                np.log2(1 + 100 * length / rate) / 8,
                *_bursts(burst, rate),
                *_trembling(relative[:length], rate),
            ],
        )
    )


def _bursts(level: Numbers, rate: float) -> tuple[float, float, float]:
    """Hands that clap fall apart: how many peaks the first 80 ms have, how deep the dips between, how rough it is."""
    inner = (level[1:-1] > level[:-2]) & (level[1:-1] >= level[2:]) & (level[1:-1] > 0.25)
    peaks = np.flatnonzero(inner) + 1
    dips = [1 - level[a:b].min() / min(level[a], level[b]) for a, b in itertools.pairwise(peaks)]
    rough = float(np.abs(np.diff(level)).sum() / max(level.max() * 2, 1e-9))
    return len(peaks) / 5, float(max(dips, default=0.0)), rough / 3


def _trembling(level: Numbers, rate: float) -> tuple[float, float]:
    """How much the level moves against its own mean over 50 ms, over all and after the first 100 ms."""
    width = max(3, round(0.05 * rate) | 1)
    if len(level) < 2 * width:
        return 0.0, 0.0
    smooth = np.convolve(level, np.ones(width) / width, "same")
    moving = np.abs(level - smooth) / np.maximum(smooth, 0.02)
    return float(moving.mean()), float(moving[2 * width :].mean()) if len(moving) > 3 * width else 0.0


def _means_between(values: Numbers, edges: Numbers) -> Numbers:
    """Mean of the rows between each two edges (rows counted with fractions rounded, at least one); zero past the
    end. Shape (edges - 1, columns)."""
    starts = np.round(edges[:-1]).astype(np.int64)
    stops = np.maximum(np.round(edges[1:]).astype(np.int64), starts + 1)
    cumulative = np.concatenate((np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)))
    last = len(values)
    sums = cumulative[np.minimum(stops, last)] - cumulative[np.minimum(starts, last)]
    return np.asarray(np.maximum(sums, 0) / (stops - starts)[:, None])


def _shares(power: Floats, bin_hz: float, edges: tuple[float, ...]) -> Numbers:
    """Energy between each two frequencies, as a share of the strongest stretch."""
    cumulative = np.cumsum(power, dtype=np.float64)
    at = np.interp(np.array(edges) / bin_hz - 0.5, np.arange(len(cumulative)), cumulative)
    parts = np.maximum(np.diff(at), 0)
    return np.asarray(parts / max(float(cumulative[-1]), 1e-20))


@cache
def _cosines() -> Numbers:
    """Cosine transform from 40 bands to 13 coefficients, orthonormal, shape (13, 40)."""
    order, band = np.arange(13)[:, None], np.arange(BANDS)[None, :]
    cosines = np.sqrt(2 / BANDS) * np.cos(np.pi * order * (band + 0.5) / BANDS)
    cosines[0] /= np.sqrt(2)
    return np.asarray(cosines)
