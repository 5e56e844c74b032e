"""The finest outline of a signal: extremes, energy and zero crossings of cells of about one and a half milliseconds.

Attack, decay, silence, the waveform and the zero-crossing rate are all read from here, so that the samples themselves
are gone through once.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import Kernel, address, kernel
from sample_agent.engine.signal.frames import Floats

Counts = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.uint32] | npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """A mono signal in cells of `size` samples; the last one may be filled up with silence.

    Attributes:
        minimum, maximum: float32, shape (cells,), smallest and largest sample.
        energy: float32, shape (cells,), sum of squared samples.
        crossings: shape (cells,), how many samples have another sign than the one before them.
        size: samples in a cell.
        rate: cells per second.
    """

    minimum: Floats
    maximum: Floats
    energy: Floats
    crossings: Counts
    size: int
    rate: float

    @property
    def rms(self) -> Floats:
        """Root mean square of each cell, shape (cells,)."""
        rms: Floats = np.sqrt(self.energy / np.float32(self.size))
        return rms

    @property
    def peak(self) -> Floats:
        """Largest absolute sample of each cell, shape (cells,)."""
        peak: Floats = np.maximum(self.maximum, -self.minimum)
        return peak

    def since(self, first: int) -> "Cells":
        """Without the cells before `first`."""
        kept = slice(first, None)
        minimum, maximum = self.minimum[kept], self.maximum[kept]
        return Cells(minimum, maximum, self.energy[kept], self.crossings[kept], self.size, self.rate)

    def covers(self, samples: int) -> bool:
        """Whether these are all the cells of a signal that long."""
        return len(self.minimum) * self.size >= samples


def cell_size(frame_size: int) -> int:
    """Samples in a cell, given the size of the short frames: a power of two, at least 8, 64 at 44.1 kHz."""
    return max(8, frame_size // 32)


class CellMeter:
    """Makes cells of a mono signal that arrives in pieces of whole cells."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.crossed = 0
        """Zero crossings in the last samples that were measured."""
        self._negative = False

    def measure(self, mono: Floats, rate: float) -> Cells:
        """The cells of the next samples, shape (samples,): a multiple of the cell size."""
        if loaded := kernel():
            return self._measure_natively(loaded, mono, rate)
        rows = mono.reshape(-1, self.size)
        # Cells side by side: many extremes at once, in half the time that one cell after the other takes.
        columns = np.ascontiguousarray(rows.T)
        minimum, maximum = columns.min(axis=0), columns.max(axis=0)
        crossings = self._crossings(mono)
        self.crossed = int(crossings.sum())
        return Cells(minimum, maximum, np.vecdot(rows, rows), crossings, self.size, rate)

    def _measure_natively(self, loaded: Kernel, mono: Floats, rate: float) -> Cells:
        count = len(mono) // self.size
        minimum, maximum, energy = np.empty((3, count), np.float32)
        crossings = np.empty(count, np.uint16)
        negative = np.array([self._negative], np.int32)
        results = (address(array) for array in (negative, minimum, maximum, energy, crossings))
        self.crossed = loaded.measure_cells(address(mono), count, self.size, *results)
        self._negative = bool(negative[0])
        return Cells(minimum, maximum, energy, crossings, self.size, rate)

    def _crossings(self, mono: Floats) -> Counts:
        negative = np.signbit(mono)
        changed = np.empty_like(negative)
        np.not_equal(negative[1:], negative[:-1], out=changed[1:])
        changed[0] = negative[0] != self._negative
        self._negative = bool(negative[-1])
        # Eight samples to a byte: a cell of 64 is one machine word whose bits are counted.
        bits = np.bitwise_count(np.packbits(changed))
        per_cell = self.size // 8
        return bits if per_cell == 1 else bits.reshape(-1, per_cell).sum(axis=1, dtype=np.uint16)


def joined(pieces: list[Cells]) -> Cells:
    """Consecutive cells as one."""
    if len(pieces) == 1:
        return pieces[0]
    return Cells(
        np.concatenate([piece.minimum for piece in pieces]),
        np.concatenate([piece.maximum for piece in pieces]),
        np.concatenate([piece.energy for piece in pieces]),
        np.concatenate([piece.crossings for piece in pieces]),
        pieces[0].size,
        pieces[0].rate,
    )
