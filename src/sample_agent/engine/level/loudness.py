"""Programme loudness after ITU-R BS.1770-5, streamed."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.level.k_weighting import KWeighting
from sample_agent.engine.native import Kernel, kernel
from sample_agent.engine.signal.frames import Floats

_STEPS_PER_SECOND = 10
_STEPS_PER_GATE = 4
_OFFSET_LUFS = -0.691
_ABSOLUTE_GATE = 10 ** ((-70.0 - _OFFSET_LUFS) / 10)
_RELATIVE_GATE = 10 ** (-10.0 / 10)
_SURROUND_WEIGHT = 1.41
_CELL = 64

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Loudness:
    """How loud a file is.

    Attributes:
        integrated_lufs: gated loudness of the whole file; None when all of it is below -70 LUFS. A file shorter than
            one gating block (400 ms) counts as one block of its own length.
        true_peak_dbtp: peak between the samples, oversampled to about 176 kHz; None for digital silence.
        sample_peak_dbfs: largest sample; None for digital silence.
    """

    integrated_lufs: float | None
    true_peak_dbtp: float | None
    sample_peak_dbfs: float | None


class LoudnessMeter:
    """Collects the K-weighted energy of a signal in steps of 100 ms."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._filters = KWeighting(sample_rate, channels)
        self._weights = _channel_weights(channels)
        self._step = sample_rate / _STEPS_PER_SECOND
        self._samples = 0
        self._energies: list[float] = []

    def feed(self, block: Floats) -> None:
        """Take the next samples, shape (channels, samples); see `KWeighting.run` for how many at a time."""
        if loaded := kernel():
            self._feed_natively(loaded, block)
            return
        weighted = self._filters.run(block)
        length = weighted.shape[1]
        # Energy so far, every 64 samples; a step of 100 ms ends between two of them.
        whole = length // _CELL * _CELL
        rows = weighted[:, :whole].reshape(len(weighted), -1, _CELL)
        energy = self._weights @ np.vecdot(rows, rows)
        places = np.arange(1, len(energy) + 1) * _CELL
        if whole < length:
            rest = weighted[:, whole:]
            energy, places = np.append(energy, self._weights @ np.vecdot(rest, rest)), np.append(places, length)
        self._collect(np.cumsum(energy), places)

    def _feed_natively(self, loaded: Kernel, block: Floats) -> None:
        length = block.shape[1]
        first, last = int(self._samples / self._step), int((self._samples + length - 1) / self._step)
        self._energies.extend([0.0] * (last + 1 - len(self._energies)))
        # One more than is touched: a cell that ends with the last step may reach for the next.
        steps = np.zeros(last + 2 - first)
        self._filters.add_energy(loaded, block, self._weights, self._step, self._samples - first * self._step, steps)
        for step, value in enumerate(steps[:-1].tolist(), first):
            self._energies[step] += value
        self._samples += length

    def integrated(self) -> float | None:
        """Gated loudness in LUFS; None when nothing passes the absolute gate."""
        steps = np.array(self._energies[: int(self._samples / self._step)])
        if len(steps) < _STEPS_PER_GATE:
            power = np.array([sum(self._energies) / max(self._samples, 1)])
        else:
            sums = steps[:-3] + steps[1:-2] + steps[2:-1] + steps[3:]
            power = sums / (_STEPS_PER_GATE * self._step)
        power = power[power > _ABSOLUTE_GATE]
        if not len(power):
            return None
        power = power[power > _RELATIVE_GATE * float(power.sum()) / len(power)]
        return _OFFSET_LUFS + 10 * math.log10(float(power.sum()) / len(power))

    def _collect(self, energy: Doubles, places: npt.NDArray[np.int64]) -> None:
        """Add up energy by steps, given its running sum at some places behind the samples so far."""
        length = int(places[-1])
        first = int(self._samples / self._step)
        last = int((self._samples + length - 1) / self._step)
        ends = np.append(np.arange(first + 1, last + 1) * self._step - self._samples, length)
        sums = np.interp(ends, np.append(0, places), np.append(0.0, energy))
        self._energies.extend([0.0] * (last + 1 - len(self._energies)))
        for step, value in enumerate(np.diff(sums, prepend=0.0).tolist(), first):
            self._energies[step] += value
        self._samples += length


def _channel_weights(channels: int) -> Doubles:
    """Weights of BS.1770 table 3, for the channel orders of WAV: surrounds louder, the low-frequency channel out."""
    weights = np.ones(channels)
    if channels in (5, 6):
        weights[-2:] = _SURROUND_WEIGHT
    if channels == 6:
        weights[3] = 0.0
    return weights
