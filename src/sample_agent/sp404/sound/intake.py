"""From blocks as a decoder gives them to 48 kHz and at most two channels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

from sample_agent.sp404.formats.smp import MAX_FRAMES
from sample_agent.sp404.formats.wav import SAMPLE_RATE

_ABSURD = 65_536.0
_HALF_POWER = math.sqrt(0.5)

# What soxr is given at a time. It is the same sound in any size, and half as fast when it leaves the processor's cache.
_RESAMPLED_AT_ONCE = 8192

# What the left side hears of each channel, by number of channels in WAV order (FL FR FC LFE BL BR SL SR); the
# right side is its mirror. Rec. ITU-R BS.775: centre and surrounds 3 dB down, no LFE.
_LEFT_WEIGHTS: dict[int, tuple[float, ...]] = {
    3: (1, 0, _HALF_POWER),
    4: (1, 0, _HALF_POWER, 0),
    5: (1, 0, _HALF_POWER, _HALF_POWER, 0),
    6: (1, 0, _HALF_POWER, 0, _HALF_POWER, 0),
    8: (1, 0, _HALF_POWER, 0, _HALF_POWER, 0, _HALF_POWER, 0),
}
_PAIRS: dict[int, tuple[int, ...]] = {
    3: (1, 0, 2),
    4: (1, 0, 3, 2),
    5: (1, 0, 2, 4, 3),
    6: (1, 0, 2, 3, 5, 4),
    8: (1, 0, 2, 3, 5, 4, 7, 6),
}


class NothingToPrepareError(ValueError):
    """The sound has no samples at all."""


class Intake:
    """What is learned of a sound while it comes in."""

    def __init__(self, sample_rate: int) -> None:
        if not 1_000 <= sample_rate <= 768_000:
            raise ValueError(f"{sample_rate} Hz is not a sample rate this can convert.")
        self.sample_rate = sample_rate
        self.source_channels = 0
        self.source_frames = 0
        self.channels = 0
        self.frames = 0
        self.truncated = False
        self.repaired_values = 0
        self._sum = sample_rate

    @property
    def resampled(self) -> bool:
        return self.sample_rate != SAMPLE_RATE

    @property
    def seed(self) -> int:
        """A number that another sound hardly ever has: its length, and the sum of its values' bits."""
        return self.source_frames << 32 | self._sum

    def converted(self, blocks: Iterable[NDArray[np.floating]]) -> Iterator[NDArray[np.float32]]:
        """The sound, float32[frames, channels]; no block behind the longest the unit takes is asked for."""
        longest = -(-MAX_FRAMES * self.sample_rate // SAMPLE_RATE)
        resampler: soxr.ResampleStream | None = None
        for block in blocks:
            if self.source_frames + len(block) > longest:
                self.truncated = True
                block = block[: longest - self.source_frames]  # noqa: PLW2901 (the cut one is the one to use)
            sound = self._folded(self._repaired(self._checked(block)))
            if self.resampled:
                resampler = resampler or soxr.ResampleStream(
                    self.sample_rate, SAMPLE_RATE, self.channels, dtype="float32", quality="HQ"
                )
                for start in range(0, len(sound), _RESAMPLED_AT_ONCE):
                    yield from self._counted(resampler.resample_chunk(sound[start : start + _RESAMPLED_AT_ONCE]))
            else:
                yield from self._counted(sound)
            if self.truncated:
                break
        if self.source_frames == 0:
            raise NothingToPrepareError("The sound is empty.")
        if resampler is not None:
            rest = np.empty((0, self.channels), dtype=np.float32)
            yield from self._counted(resampler.resample_chunk(rest, last=True))

    def _checked(self, block: NDArray[np.floating]) -> NDArray[np.float32]:
        if not np.issubdtype(block.dtype, np.floating):
            raise ValueError("Samples have to be floating point with full scale at 1.")
        if block.ndim != 2:
            raise ValueError("Samples have to be an array of [frames, channels].")
        if block.shape[1] == 0:
            raise NothingToPrepareError("The sound has no channels.")
        if self.source_channels not in (0, block.shape[1]):
            raise ValueError("The number of channels changes within the sound.")
        self.source_channels = block.shape[1]
        self.channels = min(2, self.source_channels)
        self.source_frames += len(block)
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(block, dtype=np.float32)

    def _repaired(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        # The comparison is false for NaN, and so it is for its maximum.
        if len(sound) and not (float(sound.max()) <= _ABSURD and float(sound.min()) >= -_ABSURD):
            sane = np.abs(sound) <= _ABSURD
            self.repaired_values += sound.size - int(np.count_nonzero(sane))
            sound = np.where(sane, sound, np.float32(0))
        bits = np.ascontiguousarray(sound).view(np.uint32)
        self._sum = (self._sum + int(np.add.reduce(bits, axis=None, dtype=np.uint32))) & 0xFFFFFFFF
        return sound

    def _folded(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        return sound if self.source_channels <= 2 else np.ascontiguousarray(sound @ _weights(self.source_channels))

    def _counted(self, sound: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        sound = sound[: MAX_FRAMES - self.frames]
        self.frames += len(sound)
        if len(sound):
            yield sound


def _weights(channels: int) -> NDArray[np.float32]:
    """The matrix float32[channels, 2] that folds a sound to stereo."""
    if channels in _LEFT_WEIGHTS:
        left = np.array(_LEFT_WEIGHTS[channels], dtype=np.float32)
        right = left[list(_PAIRS[channels])]
    else:
        # No agreed layout: odd channels left, even ones right.
        left = (np.arange(channels) % 2 == 0).astype(np.float32)
        right = 1 - left
        left, right = left / left.sum(), right / right.sum()
    return np.stack([left, right], axis=1)
