"""Which part of a clip is described: all of a short one, 47 seconds of a long one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sample_agent.engine.signal.cells import Cells
from sample_agent.engine.signal.frames import Floats

_MAX_SECONDS = 47.0
_SILENCE = 1e-5
"""Frames this far (50 dB) below the loudest one at either end do not belong to the sound."""


@dataclass(frozen=True, eq=False)
class Excerpt:
    """What of a clip is described.

    Attributes:
        mel: float32, shape (frames, 40), power in mel bands.
        energy: float64, shape (frames,), its sums over bands.
        rate: frames per second.
        pairs: float32, shape (pairs, 2), energy of the downmix in neighbouring cells, 3 ms together.
        pair_rate: pairs per second.
        start, stop: the first frame that is heard, and the one behind the last; both 0 in silence.
        duration: seconds of the whole clip.
    """

    mel: Floats
    energy: npt.NDArray[np.float64]
    rate: float
    pairs: Floats
    pair_rate: float
    start: int
    stop: int
    duration: float

    @property
    def silent(self) -> bool:
        """Whether nothing is heard."""
        return self.start == self.stop


def take_excerpt(mel: Floats, rate: float, cells: Cells) -> Excerpt:
    """The middle 47 s of a clip, or others near them when those hold less of the sound."""
    energy = mel.sum(axis=1, dtype=np.float64)
    moved = _seconds_off_middle(energy, rate)
    excerpt = _cut(energy, rate, moved)
    heard = np.flatnonzero(excerpt > _SILENCE * excerpt.max(initial=0.0))
    return Excerpt(
        mel=_cut(mel, rate, moved),
        energy=excerpt,
        rate=rate,
        pairs=_cut(_pairs(cells), cells.rate / 2, moved),
        pair_rate=cells.rate / 2,
        start=int(heard[0]) if len(heard) else 0,
        stop=int(heard[-1]) + 1 if len(heard) else 0,
        duration=len(mel) / rate,
    )


def _seconds_off_middle(energy: npt.NDArray[np.float64], rate: float) -> float:
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


def _cut(values: npt.NDArray[Any], rate: float, moved: float) -> npt.NDArray[Any]:
    most = int(_MAX_SECONDS * rate)
    start = max(0, (len(values) - most) // 2 + round(moved * rate))
    return values[start : start + most]


def _pairs(cells: Cells) -> Floats:
    energy = cells.energy
    return energy[: len(energy) // 2 * 2].reshape(-1, 2) if len(energy) > 1 else np.array([[energy[0], 0]], np.float32)
