"""Recognising the same recording again: in another encoding, louder, trimmed, resampled.

A fingerprint is a small picture of the sound: levels in seventeen bands below 9 kHz, in quarter decibels below the
loudest, at two speeds, 12 ms a column for the first three seconds and 46 ms for the first 24. Two pictures are laid
over each other at every offset and compared where either is loud. It takes up to 13 kB, a one-shot of half a second
1 kB.

To find duplicates in a large library, compare only those whose embeddings are close (`embedding.similarities`).
"""

import struct
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import Kernel, address, checked, kernel
from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.signal.tonal import TonalFrames

_MAGIC, _VERSION = b"SAFP", 1
_HEADER = struct.Struct("<4sHHHdd")
"""Magic, version, columns of both pictures, start and duration; the pictures and the notes follow, a byte a level."""

_BANDS = 17
_NOTES = 84
_FINE_RATE, _COARSE_RATE = 86.13, 21.53
_FINE_COLUMNS, _COARSE_COLUMNS = 256, 512
_STEP_DB = 0.25
_FLOOR_DB = 63.75
_SILENCE = 1e-5

_MOST_SECONDS_APART = 0.4
"""How much one of the two may have been trimmed at its start."""
_LOUD_DB = 30.0
"""Cells this far below the loudest are compared; what is softer is the encoder's."""
_LEAST_OVERLAP = 0.6
_LEAST_COLUMNS = 4
_FULL_COLUMNS = 24
_SHORTLIST = 6
_COARSE_SHARE = 0.6
"""Long columns differ more where a hit falls on the edge of one."""
_SAME_NOTES_DB, _OTHER_NOTES_DB, _OTHER_NOTES_SHARE = 3.0, 10.0, 0.6
_MOVED, _SAME_PITCH = 5, 0.65
"""Notes that agree so much better when they are moved, by up to a fourth, are those of another pitch."""
_SAME_DB, _SLOPE = 1.6, 4.0
"""A mean difference at which it may as well be another sound, and how fast confidence falls around it."""


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """A picture of a sound.

    Attributes:
        fine, coarse: uint8, shape (columns, 17), quarter decibels below the loudest cell; 255 is 64 dB or more.
        notes: uint8, shape (84,), the same of each semitone from C1 over the whole sound.
        start: seconds before the first column, which is where the sound begins.
        duration: of the sound without silence at its ends, in seconds.
    """

    fine: npt.NDArray[np.uint8]
    coarse: npt.NDArray[np.uint8]
    notes: npt.NDArray[np.uint8]
    start: float
    duration: float

    def to_bytes(self) -> bytes:
        """The fingerprint as bytes to store, at most 13 kB; `from_bytes` reads them, on any machine."""
        header = _HEADER.pack(_MAGIC, _VERSION, len(self.fine), len(self.coarse), self.start, self.duration)
        return header + self.fine.tobytes() + self.coarse.tobytes() + self.notes.tobytes()

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """A fingerprint from its bytes.

        Raises:
            ValueError: they are no fingerprint, of another version, or not complete.
        """
        if len(stored) < _HEADER.size or not stored.startswith(_MAGIC):
            raise ValueError("these bytes are no fingerprint")
        _, version, fine, coarse, start, duration = _HEADER.unpack_from(stored)
        if version != _VERSION:
            raise ValueError(f"a fingerprint of version {version}; {_VERSION} is understood")
        if len(stored) != _HEADER.size + (fine + coarse) * _BANDS + _NOTES:
            raise ValueError("the fingerprint is not complete")
        levels = np.frombuffer(stored, np.uint8, offset=_HEADER.size)
        pictures = levels[: (fine + coarse) * _BANDS].reshape(-1, _BANDS)
        return cls(pictures[:fine], pictures[fine:], levels[-_NOTES:], start, duration)


@dataclass(frozen=True)
class Match:
    """Whether two files are the same recording.

    Attributes:
        confidence: 0 to 1; from 0.5 on they are taken for the same.
        offset: by how many seconds the sound starts later in the first file than in the second.
        difference_db: mean difference of the levels where they overlap.
    """

    confidence: float
    offset: float
    difference_db: float

    @property
    def same(self) -> bool:
        """Whether they are taken for the same recording."""
        return self.confidence >= 0.5


def fingerprint(mel: Floats, mel_rate: float, tonal: TonalFrames) -> Fingerprint:
    """The fingerprint of a sound from its mel bands, shape (frames, 40), and its long frames."""
    if loaded := kernel():
        return _pictured(loaded, mel, mel_rate, tonal)
    bands = mel[:, : 2 * _BANDS].reshape(len(mel), _BANDS, 2).sum(axis=2)
    energy = bands.sum(axis=1)
    loudest = float(energy.max(initial=0.0))
    if loudest <= 0:
        empty = np.zeros((0, _BANDS), np.uint8)
        return Fingerprint(empty, empty, np.zeros(_NOTES, np.uint8), 0.0, 0.0)
    heard = np.flatnonzero(energy > _SILENCE * loudest)
    bands = bands[heard[0] : heard[-1] + 1]
    fine = _resampled(bands, mel_rate / _FINE_RATE, _FINE_COLUMNS)
    coarse = _spread(_resampled(bands, mel_rate / _COARSE_RATE, _COARSE_COLUMNS))
    start, duration = float(heard[0] / mel_rate), len(bands) / mel_rate
    return Fingerprint(_quantized(fine), _quantized(coarse), _quantized(_notes(tonal)), start, duration)


def _pictured(loaded: Kernel, mel: Floats, mel_rate: float, tonal: TonalFrames) -> Fingerprint:
    """The same by the kernel."""
    sizes = np.array((_FINE_COLUMNS, _COARSE_COLUMNS, 0, 0))
    fine, coarse = np.empty((_FINE_COLUMNS, _BANDS), np.uint8), np.empty((_COARSE_COLUMNS, _BANDS), np.uint8)
    notes = np.zeros(_NOTES, np.uint8)
    mel = np.ascontiguousarray(mel)
    steps = mel_rate / _FINE_RATE, mel_rate / _COARSE_RATE
    long_frames = address(tonal.power), *tonal.power.shape, tonal.width_hz
    results = (address(array) for array in (sizes, fine, coarse, notes))
    checked(loaded.fingerprint_pictures(address(mel), len(mel), *steps, *long_frames, *results))
    fine_columns, coarse_columns, start, stop = sizes.tolist()
    # Copies, which do not keep room for the longest file.
    pictures = fine[:fine_columns].copy(), coarse[:coarse_columns].copy()
    return Fingerprint(*pictures, notes, start / mel_rate, (stop - start) / mel_rate)


def same_sound(a: Fingerprint, b: Fingerprint) -> Match:
    """Whether two fingerprints are of the same recording, and how far apart it starts in the two files.

    Gain, encoding, sample rate and trimmed ends do not matter; another pitch, speed or equalisation makes another
    recording. Takes of one drum machine that differ by a hair count as the same. Of a hit shorter than two seconds much
    is in its beginning: with 10 ms cut off 93 in 100 are known again, with 50 ms three quarters, with 200 ms half.
    """
    if not len(a.fine) or not len(b.fine):
        return Match(0.0, 0.0, _FLOOR_DB)
    if abs(a.duration - b.duration) > 2 * _MOST_SECONDS_APART:
        return Match(0.0, 0.0, _FLOOR_DB)
    fine, shift, columns = _nearest(a.fine, b.fine, round(_MOST_SECONDS_APART * _FINE_RATE), 2)
    difference = fine
    if max(len(a.coarse), len(b.coarse)) > _FINE_COLUMNS * _COARSE_RATE / _FINE_RATE:
        coarse, _, _ = _nearest(a.coarse, b.coarse, round(_MOST_SECONDS_APART * _COARSE_RATE) + 1, 4)
        difference = max(fine, _COARSE_SHARE * coarse)
    # A few columns agree by chance more easily than many.
    allowed = _SAME_DB * (0.7 + 0.3 * min(1.0, columns / _FULL_COLUMNS))
    # Two kicks a third apart fall and click alike: the bands are too wide to tell, the notes do. What was trimmed has
    # lost the start of its fall and with it some notes, so the more they differ, the better the bands must agree.
    notes = _notes_apart(a, b, 0)
    if notes > _SAME_NOTES_DB:
        moved = min(_notes_apart(a, b, semitones) for semitones in (*range(-_MOVED, 0), *range(1, _MOVED + 1)))
        same_pitch = moved >= _SAME_PITCH * notes
        share = np.interp(notes, (_SAME_NOTES_DB, _OTHER_NOTES_DB), (1.0, _OTHER_NOTES_SHARE))
        allowed *= float(share) if same_pitch else 0.0
    confidence = float(1 / (1 + np.exp(_SLOPE * (difference - allowed))))
    return Match(confidence, a.start - b.start + shift / _FINE_RATE, difference)


def _notes(tonal: TonalFrames) -> Floats:
    """Energy in semitones from C1 over seven octaves, long frames together."""
    cumulative = np.cumsum(tonal.power.sum(axis=0), dtype=np.float64)
    edges = 32.703 * 2 ** ((np.arange(_NOTES + 1) - 0.5) / 12) / tonal.width_hz - 0.5
    energy = np.diff(np.interp(edges, np.arange(len(cumulative)), cumulative))
    return np.asarray(np.maximum(energy, 0), np.float32)


def _notes_apart(a: Fingerprint, b: Fingerprint, moved: int) -> float:
    """Mean difference in dB of the semitones that are strong in either, with those of `b` moved down by some."""
    first = a.notes[_MOVED:-_MOVED].astype(np.float32) * np.float32(_STEP_DB)
    second = b.notes[_MOVED + moved : _NOTES - _MOVED + moved].astype(np.float32) * np.float32(_STEP_DB)
    weights = np.maximum(20 - np.minimum(first, second), 0)
    total = float(weights.sum())
    return float(weights @ np.minimum(np.abs(first - second), 15)) / total if total > 0 else 0.0


def _resampled(bands: Floats, step: float, most: int) -> Floats:
    """Columns `step` frames apart: in between where the step is near one, means over it where it is long."""
    count = min(most, max(1, int(len(bands) / step)))
    if step < 2:
        at = np.minimum(np.arange(count) * step, len(bands) - 1)
        low = at.astype(np.int64)
        share = (at - low)[:, None]
        high = np.minimum(low + 1, len(bands) - 1)
        columns: Floats = bands[low] * (1 - share) + bands[high] * share
        return columns
    edges = np.round(np.arange(count) * step).astype(np.int64)
    stops = np.minimum(np.round((np.arange(count) + 1) * step).astype(np.int64), len(bands))
    cumulative = np.concatenate((np.zeros((1, bands.shape[1])), np.cumsum(bands, axis=0, dtype=np.float64)))
    means: Floats = ((cumulative[stops] - cumulative[edges]) / np.maximum(stops - edges, 1)[:, None]).astype(np.float32)
    return means


def _spread(columns: Floats) -> Floats:
    """Each column with a quarter of its neighbours, so that a hit on the edge of two does not jump between them."""
    padded = np.pad(columns, ((1, 1), (0, 0)))
    spread: Floats = padded[1:-1] * np.float32(0.5) + (padded[:-2] + padded[2:]) * np.float32(0.25)
    return spread


def _quantized(columns: Floats) -> npt.NDArray[np.uint8]:
    below = -10 * np.log10(np.maximum(columns / max(float(columns.max()), 1e-20), 1e-7))
    steps: npt.NDArray[np.uint8] = np.round(np.minimum(below, _FLOOR_DB) / _STEP_DB).astype(np.uint8)
    return steps


def _nearest(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8], reach: int, parts: int) -> tuple[float, float, int]:
    """As `_laid_over`, either way round: only one of two pictures can lie between columns."""
    one, other = _laid_over(a, b, reach, parts), _laid_over(b, a, reach, parts)
    return one if one[0] <= other[0] else (other[0], -other[1], other[2])


def _laid_over(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8], reach: int, parts: int) -> tuple[float, float, int]:
    """The smallest mean difference in dB over all offsets, the offset of `b` in `a` in columns, and the overlap.

    Offsets go in `parts` of a column, so that a trim between two columns still fits. All are tried on the level of the
    columns alone; the whole pictures are compared at the few best of them.
    """
    first = a.astype(np.float32) * np.float32(_STEP_DB)
    power = np.float32(10) ** (b.astype(np.float32) * np.float32(-_STEP_DB / 10))
    least = max(min(_LEAST_COLUMNS, len(a), len(b)), int(_LEAST_OVERLAP * max(len(a), len(b))))
    least = min(least, len(a), len(b))
    level = _loudness(np.float32(10) ** (first * np.float32(-0.1)))
    tried: list[tuple[float, int, int]] = []
    shifted: list[Floats] = []
    for part in range(parts):
        share = np.float32(part / parts)
        between = power if part == 0 else power[:-1] * (1 - share) + power[1:] * share
        shifted.append(-10 * np.log10(np.maximum(between, np.float32(1e-7))))
        other = _loudness(between)
        for shift in range(-reach, reach + 1):
            start, stop = max(0, shift), min(len(level), len(other) + shift)
            if stop - start >= least:
                apart = level[start:stop] - other[start - shift : stop - shift]
                tried.append((float(apart.std()), part, shift))
    best = (_FLOOR_DB, 0.0, 0)
    for _, part, shift in sorted(tried)[:_SHORTLIST]:
        start, stop = max(0, shift), min(len(first), len(shifted[part]) + shift)
        difference = _difference(first[start:stop], shifted[part][start - shift : stop - shift])
        if difference < best[0]:
            best = (difference, shift - part / parts, stop - start)
    return best


def _loudness(power: Floats) -> Floats:
    """Level of each column in dB, not below 40 under the loudest: softer ones would only count by their noise."""
    total = power.sum(axis=1)
    decibels: Floats = 10 * np.log10(np.maximum(total / max(float(total.max(initial=0.0)), 1e-12), np.float32(1e-4)))
    return decibels


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values, axis=None)
    cumulative = np.cumsum(weights.ravel()[order])
    return float(values.ravel()[order[int(np.searchsorted(cumulative, cumulative[-1] / 2))]])


def _difference(first: Floats, second: Floats) -> float:
    """Mean difference in dB of cells that are loud in either, after their own gain is taken out."""
    # Each below its own loudest cell of the stretch: the loudest of all may have been trimmed off one of them.
    louder = np.minimum(first - first.min(), second - second.min())
    weights = np.maximum(_LOUD_DB - louder, 0)
    total = float(weights.sum())
    if total <= 0:
        return _FLOOR_DB
    apart = first - second
    apart = apart - _weighted_median(apart, weights)
    return float((weights * np.minimum(np.abs(apart), 15)).sum()) / total
