"""The outline of a signal: smallest and largest value over equal stretches of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sample_agent.engine.decoding.decode import open_audio
from sample_agent.engine.decoding.stream import MAX_SECONDS
from sample_agent.engine.errors import AudioError
from sample_agent.engine.native import address, kernel
from sample_agent.engine.signal.frames import Floats, downmix

ROW_POINTS, DETAIL_POINTS, ZOOM_POINTS = 128, 2048, 16_384
"""The three resolutions: of a row in a list, of a page, and for looking closer."""
_MAX_PAIRS = 1 << 16
_MAX_SAMPLES = 1 << 21
_LONG_STRETCH = 64


@dataclass(frozen=True, eq=False)
class Waveform:
    """An outline.

    Attributes:
        minimum, maximum: float32, same length, from -1 to 1 for a signal within full scale.
    """

    minimum: Floats
    maximum: Floats

    def at(self, points: int) -> "Waveform":
        """The same outline in `points` stretches."""
        if (loaded := kernel()) and len(self.minimum):
            minimum, maximum = np.empty((2, points), np.float32)
            where = address(minimum), address(maximum)
            values = np.ascontiguousarray(self.minimum), np.ascontiguousarray(self.maximum)
            loaded.outline(address(values[0]), address(values[1]), len(self.minimum), points, *where)
            return Waveform(minimum, maximum)
        edges = np.arange(points) * len(self.minimum) // points
        return Waveform(_extremes(np.minimum, self.minimum, edges), _extremes(np.maximum, self.maximum, edges))

    def row(self) -> bytes:
        """The outline in 128 unsigned bytes, 255 at the file's own peak: for lists, where quiet files
        must show."""
        outline = self.at(ROW_POINTS)
        height = np.maximum(np.abs(outline.minimum), np.abs(outline.maximum))
        peak = float(height.max())
        return np.round(height * (255 / peak) if peak else height).astype(np.uint8).tobytes()


def waveform_peaks(
    source: str | Path | Floats, points: int = DETAIL_POINTS, *, max_seconds: float = MAX_SECONDS
) -> Waveform:
    """The outline of the downmix of a file, or of samples of shape (frames,) or (frames, channels).

    Raises:
        AudioError: the file cannot be decoded, see `open_audio`; "empty-audio" without a single sample.
    """
    if isinstance(source, np.ndarray):
        if not source.size:
            raise AudioError("empty-audio", "There are no samples.")
        samples = source.astype(np.float32, copy=False)
        mono = samples if samples.ndim == 1 else downmix(samples)
        return Waveform(mono, mono).at(points)
    meter = WaveformMeter(_MAX_SAMPLES)
    with open_audio(source, max_seconds=max_seconds) as stream:
        for block in stream.blocks():
            mono = downmix(block)
            meter.feed(mono, mono)
    return meter.finish().at(points)


class WaveformMeter:
    """Collects an outline of unknown length: pairs of values whose stretch doubles when there are too many."""

    def __init__(self, most_pairs: int = _MAX_PAIRS) -> None:
        self._stretch = 1
        self._most_pairs = most_pairs
        self._minimum: list[Floats] = []
        self._maximum: list[Floats] = []
        self._held = (np.zeros(0, np.float32), np.zeros(0, np.float32))
        self._pairs = 0

    def feed(self, minimum: Floats, maximum: Floats) -> None:
        """Take the next extremes, shape (pieces,), of equal pieces of the signal; of samples they are the same."""
        minimum, maximum = np.concatenate((self._held[0], minimum)), np.concatenate((self._held[1], maximum))
        whole = len(minimum) // self._stretch * self._stretch
        self._held = minimum[whole:], maximum[whole:]
        if not whole:
            return
        self._minimum.append(_folded(np.minimum, minimum[:whole], self._stretch))
        self._maximum.append(_folded(np.maximum, maximum[:whole], self._stretch))
        self._pairs += whole // self._stretch
        while self._pairs > self._most_pairs:
            self._halve()

    def finish(self) -> Waveform:
        """The outline of everything fed, as fine as it is known."""
        if len(self._held[0]):
            self._minimum.append(self._held[0].min(keepdims=True))
            self._maximum.append(self._held[1].max(keepdims=True))
        return Waveform(np.concatenate(self._minimum), np.concatenate(self._maximum))

    def _halve(self) -> None:
        minimum, maximum = np.concatenate(self._minimum), np.concatenate(self._maximum)
        if len(minimum) % 2:
            # One stretch too many among tens of thousands: nobody sees it repeated.
            minimum, maximum = np.append(minimum, minimum[-1]), np.append(maximum, maximum[-1])
        self._minimum = [_folded(np.minimum, minimum, 2)]
        self._maximum = [_folded(np.maximum, maximum, 2)]
        self._pairs, self._stretch = len(minimum) // 2, self._stretch * 2


def _extremes(smaller_or_larger: np.ufunc, values: Floats, edges: npt.NDArray[np.intp]) -> Floats:
    """The extreme from each edge to the next, as `reduceat` gives it, for stretches of equal length but for one."""
    shortest = len(values) // len(edges)
    if not 1 <= shortest < _LONG_STRETCH:
        stretches: Floats = smaller_or_larger.reduceat(values, edges)
        return stretches
    # Two windows of a power of two, from the front and from the back, cover a short stretch: twice as fast.
    width = 1
    while 2 * width <= shortest:
        values = smaller_or_larger(values[:-width], values[width:])
        width *= 2
    ends = np.append(edges[1:], len(values) + width - 1)
    extremes: Floats = smaller_or_larger(values.take(edges), values.take(ends - width))
    if shortest + 1 > 2 * width:
        smaller_or_larger(extremes, values.take(edges + 1), out=extremes, where=ends - edges > 2 * width)
    return extremes


def _folded(smaller_or_larger: np.ufunc, values: Floats, stretch: int) -> Floats:
    """The extreme of each stretch (a power of two) by halving, many times as fast as along a short axis."""
    while stretch > 1:
        values = smaller_or_larger(values[0::2], values[1::2])
        stretch //= 2
    return values
