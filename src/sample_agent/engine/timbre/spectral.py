"""The shape of the spectrum, frame by frame and averaged over a file.

Averages weigh each frame by its amplitude, so that silence before, after or between sounds does not count and gain
cancels out.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import address, kernel
from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.signal.mel import BANDS
from sample_agent.engine.signal.thinning import Batch
from sample_agent.engine.timbre.centroid import centroid_and_bandwidth
from sample_agent.engine.timbre.contrast import contrast
from sample_agent.engine.timbre.flatness import flatness
from sample_agent.engine.timbre.mfcc import FLOOR, mel_decibels, mfcc
from sample_agent.engine.timbre.rolloff import rolloff

COLUMNS = 12
"""Centroid, bandwidth, rolloff, flatness, contrast in seven bands, weight: a frame's row while it is collected."""
_WEIGHT = 11


@dataclass(frozen=True)
class Spectral:
    """Averages over a file.

    Attributes:
        centroid_hz, bandwidth_hz: see `centroid_and_bandwidth`.
        rolloff_hz: see `rolloff`.
        flatness: see `flatness`; 0 for a tone, towards 1 for white noise.
        zero_crossing_rate: sign changes per sample, 0 to 1.
        contrast_db: see `contrast`; seven bands.
        mfcc: 13 coefficients, see `mfcc`.
    """

    centroid_hz: float
    bandwidth_hz: float
    rolloff_hz: float
    flatness: float
    zero_crossing_rate: float
    contrast_db: tuple[float, ...]
    mfcc: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class FrameStatistics:
    """Descriptors of single frames.

    Attributes:
        frame: int32, shape (n,), which of the file's short frames each row is about, rising.
        weight: float32, shape (n,), amplitude of the frame: root of its spectral energy.
        centroid_hz, bandwidth_hz, rolloff_hz, flatness: float32, shape (n,).
        contrast_db: float32, shape (n, 7).
    """

    frame: npt.NDArray[np.int32]
    weight: Floats
    centroid_hz: Floats
    bandwidth_hz: Floats
    rolloff_hz: Floats
    flatness: Floats
    contrast_db: Floats


class SpectralMeter:
    """Describes frames and averages the descriptions.

    Args:
        sample_rate: in Hz.
        most: how many rows to keep; later frames only count in the averages.
    """

    def __init__(self, sample_rate: int, most: int) -> None:
        self._sample_rate = sample_rate
        self._most = most
        self._kept = 0
        self._rows: list[tuple[npt.NDArray[np.int32], Floats]] = []
        self._sums = np.zeros(COLUMNS + BANDS)
        self._weight = 0.0

    def feed(self, batch: Batch) -> None:
        """Describe the next frames."""
        magnitude = batch.magnitude
        weight = np.sqrt(np.add.reduce(batch.power, axis=1))
        rows = np.empty((len(magnitude), COLUMNS), np.float32)
        rows[:, 0], rows[:, 1] = centroid_and_bandwidth(magnitude, self._sample_rate)
        rows[:, 2] = rolloff(magnitude, self._sample_rate)
        rows[:, 3] = flatness(batch.power)
        rows[:, 4:_WEIGHT] = contrast(magnitude, self._sample_rate)
        rows[:, _WEIGHT] = weight
        self.collect(batch.first, batch.step, rows, batch.mel)

    def collect(self, first: int, step: int, rows: Floats, mel: Floats) -> None:
        """Take the next frames as they were described: shape (frames, `COLUMNS`), and their mel bands."""
        if loaded := kernel():
            values, bands = np.ascontiguousarray(rows), np.ascontiguousarray(mel)
            where = address(values), COLUMNS, address(bands), BANDS, len(rows)
            self._weight += loaded.add_frames(*where, step, float(FLOOR), address(self._sums))
        else:
            weight = rows[:, _WEIGHT]
            self._sums[:COLUMNS] += step * (weight @ rows)
            self._sums[COLUMNS:] += step * (weight @ mel_decibels(mel))
            self._weight += step * float(weight.sum())
        if self._kept < self._most:
            self._rows.append((first + step * np.arange(len(rows), dtype=np.int32), rows))
            self._kept += len(rows)

    def statistics(self) -> FrameStatistics:
        """What was kept of the single frames."""
        frames, rows = self._rows[0] if len(self._rows) == 1 else map(np.concatenate, zip(*self._rows, strict=True))
        rows = rows.T
        return FrameStatistics(
            frame=frames,
            weight=rows[_WEIGHT],
            centroid_hz=rows[0],
            bandwidth_hz=rows[1],
            rolloff_hz=rows[2],
            flatness=rows[3],
            contrast_db=rows[4:_WEIGHT].T,
        )

    def average(self, zero_crossing_rate: float) -> Spectral:
        """The averages over everything fed; zeros for silence."""
        means = self._sums / max(self._weight, 1e-12)
        return Spectral(
            centroid_hz=float(means[0]),
            bandwidth_hz=float(means[1]),
            rolloff_hz=float(means[2]),
            flatness=float(means[3]),
            zero_crossing_rate=zero_crossing_rate,
            contrast_db=tuple(means[4:_WEIGHT].tolist()),
            mfcc=tuple(mfcc(means[COLUMNS:].astype(np.float32)).tolist()),
        )
