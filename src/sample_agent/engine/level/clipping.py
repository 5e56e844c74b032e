"""Samples that ran into full scale."""

from dataclasses import dataclass

import numpy as np

from sample_agent.engine.signal.frames import Floats

_FULL_SCALE = np.float32(0.99)
"""Eight bits reach 0.992."""
_SHORTEST = 4
"""Equal samples in a row: fewer stand on top of any low note at full scale."""


@dataclass(frozen=True)
class Clipping:
    """Flat tops at full scale: four and more equal samples in a row, no smaller than 0.99.

    Attributes:
        count: how many, over all channels.
        samples: samples in them.
        over: samples beyond full scale, which only float files have and which clip when they are converted.
    """

    count: int
    samples: int
    over: int


class ClippingMeter:
    """Counts flat tops in a signal that arrives in blocks."""

    def __init__(self, channels: int) -> None:
        self._held = np.zeros((channels, _SHORTEST - 1), np.float32)
        self._count = self._samples = self._over = 0

    def feed(self, block: Floats, peak: float) -> None:
        """Take the next samples, shape (channels, samples), of which `peak` is the largest in size."""
        if peak >= _FULL_SCALE:
            for channel in np.concatenate((self._held, block), axis=1):
                self._search(channel)
        self._held = block[:, -(_SHORTEST - 1) :]

    def finish(self) -> Clipping:
        """What was counted. A flat top that lies across two blocks may count twice."""
        return Clipping(self._count, self._samples, self._over)

    def _search(self, channel: Floats) -> None:
        size = np.abs(channel)
        high = np.flatnonzero(size >= _FULL_SCALE)
        self._over += int((size[high] > 1).sum())
        same = (np.diff(high) == 1) & (np.diff(channel[high]) == 0)
        edges = np.flatnonzero(np.diff(same, prepend=False, append=False))
        lengths = edges[1::2] - edges[::2] + 1
        lengths = lengths[lengths >= _SHORTEST]
        self._count += len(lengths)
        self._samples += int(lengths.sum())
