"""What becomes of a stereo file in mono, and how far a signal is off its zero line."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.signal.frames import Floats

_LOWEST_DB = -100.0


@dataclass(frozen=True)
class MonoCompatibility:
    """How two channels add up.

    Attributes:
        correlation: sum of left times right over the root of the product of their energies, -1 (one is the other
            upside down) to 1 (the same); 0 when one is silent.
        loss_db: energy of the downmix relative to the mean of the channels', in dB from -100 to 0; -3 for channels that
            have nothing to do with each other.
    """

    correlation: float
    loss_db: float


class ChannelMeter:
    """Collects sums and products of channels."""

    def __init__(self, channels: int) -> None:
        self._sums = np.zeros(channels)
        self._left = self._right = self._product = 0.0
        self._samples = 0

    def feed(self, block: Floats) -> None:
        """Take the next samples, shape (channels, samples)."""
        product = float(block[0] @ block[1]) if len(block) == 2 else 0.0
        self.collect(block.shape[1], block.sum(axis=1), np.vecdot(block, block), product)

    def collect(
        self, samples: int, sums: npt.NDArray[np.floating], powers: npt.NDArray[np.floating], product: float
    ) -> None:
        """Take sums and sums of squares of the next samples of each channel, and the sum of left times right."""
        self._sums += sums
        self._samples += samples
        if len(powers) == 2:
            self._left += float(powers[0])
            self._right += float(powers[1])
            self._product += product

    def dc_offset(self) -> float:
        """Mean of the channel that is farthest off zero, full scale being 1."""
        means = self._sums / max(self._samples, 1)
        return float(means[np.abs(means).argmax()])

    def mono_compatibility(self) -> MonoCompatibility | None:
        """How left and right add up; None for other than two channels and for silence."""
        energy = self._left + self._right
        if len(self._sums) != 2 or energy <= 0:
            return None
        scale = np.sqrt(self._left * self._right)
        correlation = float(np.clip(self._product / scale, -1, 1)) if scale > 0 else 0.0
        kept = max(0.5 + self._product / energy, 0.0)
        loss = float(10 * np.log10(kept)) if kept > 0 else _LOWEST_DB
        return MonoCompatibility(correlation, float(np.clip(loss, _LOWEST_DB, 0.0)))
