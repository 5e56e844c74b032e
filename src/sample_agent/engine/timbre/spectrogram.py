"""A picture of a sound: time across, pitch upwards on a logarithmic scale."""

import struct
import zlib
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import address, kernel
from sample_agent.engine.signal.frames import Floats

ROWS, COLUMNS = 128, 512
_LOWEST_HZ, _HIGHEST_HZ = 40.0, 18_000.0
_RANGE_DB = 75.0
_FLOOR = 1e-12
_WIDEST_STEP = 8

# From the background up to the loudest: the eye should find level by brightness alone.
_COLOURS = (
    (0.00, (13, 13, 18)),
    (0.20, (34, 28, 63)),
    (0.42, (92, 36, 105)),
    (0.62, (178, 58, 84)),
    (0.80, (236, 116, 54)),
    (0.93, (250, 196, 92)),
    (1.00, (255, 248, 222)),
)


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """Levels of a sound over time and frequency.

    Attributes:
        levels: uint8, shape (128, columns), at most 512 columns; the first row is the highest frequency; 255 is the
            file's loudest point and 0 is 75 dB below it.
        lowest_hz, highest_hz: middle of the last and of the first row; rows between are evenly spaced in octaves.
    """

    levels: npt.NDArray[np.uint8]
    lowest_hz: float
    highest_hz: float

    def png(self) -> bytes:
        """The picture as a PNG of 128 rows with 256 colours; each column at least one pixel, short files widened."""
        levels = self.levels
        widening = max(1, COLUMNS // levels.shape[1])
        return _png(np.repeat(levels, widening, axis=1), _palette())


class SpectrogramMeter:
    """Collects the rows of the picture over time, whose columns double in length when there are too many.

    Of files up to about twelve seconds every frame counts, of longer ones no fewer than two in a column.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._step = self._stretch = 1
        self._frames = 0
        self._means: list[Floats] = []
        self._columns = 0
        self._held = np.zeros((0, ROWS), np.float32)

    @property
    def step(self) -> int:
        """Of how many frames one is looked at: of each whose number divides by it. Grows from feed to feed, to 8."""
        return self._step

    def feed(self, power: Floats) -> None:
        """Take the next frames: shape (frames, bins)."""
        parts = _row_filters(power.shape[1], self._sample_rate)
        chosen = power[-self._frames % self._step :: self._step]
        self._frames += len(power)
        if len(chosen):
            self.collect(np.concatenate([chosen[:, part.bins] @ part.filters for part in parts], axis=1))

    def collect(self, rows: Floats) -> None:
        """Take the next frames that are looked at, at least one, as rows: shape (frames, 128)."""
        columns = self._folded(rows)
        self._means.append(columns)
        self._columns += len(columns)
        while self._columns > 2 * COLUMNS:
            self._halve()

    def _folded(self, rows: Floats) -> Floats:
        """Means of the frames of each stretch; those of an unfinished one are held back."""
        count = self._stretch // self._step
        if count == 1:
            return rows
        rows = np.concatenate((self._held, rows))
        whole = len(rows) // count * count
        self._held = rows[whole:]
        means: Floats = rows[:whole].reshape(-1, count, ROWS).mean(axis=1)
        return means

    def finish(self) -> Spectrogram:
        """The picture of everything fed."""
        if self._columns > COLUMNS:
            self._halve()
        rows = np.concatenate(self._means) if len(self._means) > 1 else self._means[0]
        return Spectrogram(_levels(rows), _LOWEST_HZ, min(_HIGHEST_HZ, 0.45 * self._sample_rate))

    def _halve(self) -> None:
        means = np.concatenate(self._means)
        pairs = len(means) // 2
        self._means = [(means[0 : 2 * pairs : 2] + means[1 : 2 * pairs : 2]) * np.float32(0.5)]
        self._columns = pairs
        self._stretch *= 2
        self._step = min(self._stretch, _WIDEST_STEP)
        # Half a stretch that was begun is let go.
        self._held = self._held[:0]


def _levels(rows: Floats) -> npt.NDArray[np.uint8]:
    """The levels of `Spectrogram` from power, shape (columns, 128)."""
    highest = float(rows.max())
    if loaded := kernel():
        levels = np.empty((ROWS, len(rows)), np.uint8)
        loaded.picture_levels(address(np.ascontiguousarray(rows)), *rows.shape, highest, _RANGE_DB, address(levels))
        return levels
    decibels = 10 * np.log10(rows / max(highest, 1e-20) + _FLOOR)
    return np.ascontiguousarray(np.clip(255 * (1 + decibels / _RANGE_DB), 0, 255).astype(np.uint8).T[::-1])


class _Part(NamedTuple):
    bins: slice
    filters: Floats


@cache
def row_filters(bins: int, sample_rate: int) -> Floats:
    """Triangles around each row's frequency, shape (bins, 128)."""
    highest = min(_HIGHEST_HZ, 0.45 * sample_rate)
    middles = np.geomspace(_LOWEST_HZ, highest, ROWS)
    width = sample_rate / 2 / (bins - 1)
    ratio = middles[1] / middles[0]
    frequencies = np.arange(bins)[:, None] * width
    # Lowest rows lie between two bins; a triangle as wide as a bin interpolates.
    reach = np.maximum(middles * (ratio - 1), width)
    filters = np.maximum(0.0, 1 - np.abs(frequencies - middles) / reach)
    # By their root: peaks should neither vanish among many bins nor noise grow with the width of a row.
    return np.asarray(filters / np.sqrt(np.maximum(filters.sum(axis=0), 1e-9)), np.float32)


@cache
def _row_filters(bins: int, sample_rate: int) -> tuple[_Part, ...]:
    """The filters in groups of rows that share few bins."""
    filters = row_filters(bins, sample_rate)
    parts = []
    for start in range(0, ROWS, 16):
        rows = filters[:, start : start + 16]
        used = np.flatnonzero(rows.any(axis=1))
        span = slice(int(used[0]), int(used[-1]) + 1)
        parts.append(_Part(span, np.ascontiguousarray(rows[span])))
    return tuple(parts)


@cache
def _palette() -> bytes:
    places, colours = zip(*_COLOURS, strict=True)
    steps = np.linspace(0, 1, 256)
    channels = [np.interp(steps, places, [colour[index] for colour in colours]) for index in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8).tobytes()


def _png(pixels: npt.NDArray[np.uint8], palette: bytes) -> bytes:
    """A PNG (ISO 15948) with a palette; rows filtered against the pixel to the left, which suits tones that last."""
    height, width = pixels.shape
    left = np.zeros_like(pixels)
    left[:, 1:] = pixels[:, :-1]
    rows = np.empty((height, width + 1), np.uint8)
    rows[:, 0] = 1
    rows[:, 1:] = pixels - left
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
