"""Which frames are looked at closely: all of them at the beginning of a file, and one in eight further on.

What is averaged over minutes needs no more than ten frames a second.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sample_agent.engine.signal.frames import Floats

DENSE_SECONDS = 3.0
SPARSE_STEP = 8
_BATCH = 64


class Batch(NamedTuple):
    """Some frames of a file.

    Attributes:
        first: number of the first frame.
        step: distance to the next one; each stands for so many frames.
        magnitude, power: spectra, shape (frames, bins).
        mel: mel bands, shape (frames, 40).
    """

    first: int
    step: int
    magnitude: Floats
    power: Floats
    mel: Floats


class Thinning:
    """Passes on the first `dense` frames as they come and every eighth afterwards, many at a time."""

    def __init__(self, dense: int) -> None:
        self._dense = dense
        self._frames = 0
        self._waiting: list[tuple[Floats, Floats, Floats]] = []
        self._waiting_frames = self._first_waiting = 0

    def feed(self, magnitude: Floats, power: Floats, mel: Floats) -> Iterator[Batch]:
        """Take the next frames; those to be looked at when there are enough."""
        first = self._frames
        self._frames += len(magnitude)
        dense = min(max(self._dense - first, 0), len(magnitude))
        if dense:
            yield Batch(first, 1, magnitude[:dense], power[:dense], mel[:dense])
        start = dense + -(first + dense) % SPARSE_STEP
        if start >= len(magnitude):
            return
        if not self._waiting:
            self._first_waiting = first + start
        self._waiting.append((magnitude[start::SPARSE_STEP], power[start::SPARSE_STEP], mel[start::SPARSE_STEP]))
        self._waiting_frames += len(self._waiting[-1][0])
        if self._waiting_frames >= _BATCH:
            yield self._gathered()

    def finish(self) -> Iterator[Batch]:
        """What still waits."""
        if self._waiting:
            yield self._gathered()

    def _gathered(self) -> Batch:
        magnitude, power, mel = (np.concatenate(rows) for rows in zip(*self._waiting, strict=True))
        self._waiting, self._waiting_frames = [], 0
        return Batch(self._first_waiting, SPARSE_STEP, magnitude, power, mel)
