"""Cutting a stream of samples into overlapping frames, and frames into spectra.

Everything spectral in the engine reads one of the two series made here, so that each transform is done once.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import address, kernel

Floats = npt.NDArray[np.float32]

BATCH = 128
"""Frames transformed at once: a megabyte, which stays in a core's own cache."""


class FrameStream:
    """Overlapping frames of a mono signal that arrives in blocks.

    The first frame is centred on the first sample (half a frame of silence is put before it) and the last one lies
    over the last sample, so frame `i` is centred on `i * hop / sample_rate` seconds.
    """

    def __init__(self, size: int, hop: int) -> None:
        self.size, self.hop = size, hop
        self._held = np.zeros(size // 2, np.float32)
        self._samples = 0
        self._frames = 0

    def feed(self, block: Floats, *, last: bool = False) -> Iterator[Floats]:
        """Frames completed by `block` (shape (samples,)), as views of shape (up to `BATCH`, size).

        With the last block come the frames over the end of the signal, filled up with silence.
        """
        samples, frames = self.cut(block, last=last)
        step = samples.strides[0]
        for start in range(0, frames, BATCH):
            yield np.ndarray(
                (min(BATCH, frames - start), self.size),
                np.float32,
                samples,
                start * self.hop * step,
                (self.hop * step, step),
            )

    def cut(self, block: Floats, *, last: bool = False) -> tuple[Floats, int]:
        """The same as samples, contiguous, and how many frames begin in them, each `hop` after the one before."""
        self._samples += len(block)
        pieces = [self._held, block]
        if last:
            frames = 1 + self._samples // self.hop - self._frames
            missing = (frames - 1) * self.hop + self.size - len(self._held) - len(block)
            pieces.append(np.zeros(max(missing, 0), np.float32))
        samples = np.concatenate(pieces)
        frames = (len(samples) - self.size) // self.hop + 1
        if frames <= 0:
            self._held = samples
            return samples, 0
        self._held = samples[frames * self.hop :]
        self._frames += frames
        return samples, frames


def downmix(block: Floats) -> Floats:
    """Mean of the channels, shape (frames,)."""
    if block.shape[1] == 1:
        return np.ascontiguousarray(block[:, 0])
    if block.shape[1] == 2:
        # Four times as fast as mean(axis=1).
        mono: Floats = (block[:, 0] + block[:, 1]) * np.float32(0.5)
        return mono
    mean: Floats = block.mean(axis=1, dtype=np.float32)
    return mean


def frame_size(seconds: float, sample_rate: int) -> int:
    """The power of two nearest to `seconds`, in samples, so that frames last about as long at every rate."""
    return int(2 ** max(6, round(float(np.log2(seconds * sample_rate)))))


def magnitude_spectrum(frames: Floats) -> Floats:
    """Magnitude of each frame under a Hann window, shape (frames, size // 2 + 1).

    Scaled so that a full-scale sine peaks at 1.0.
    """
    # Here, because whoever only decodes wants no transforms.
    from sample_agent.engine.signal.transforms import rfft

    magnitude: Floats = np.abs(rfft(frames * hann_window(frames.shape[1])))
    return magnitude


def power_spectrum(frames: Floats) -> Floats:
    """The square of `magnitude_spectrum`."""
    magnitude = magnitude_spectrum(frames)
    return np.multiply(magnitude, magnitude, out=magnitude)


@cache
def hann_window(size: int) -> Floats:
    """A Hann window, scaled so that a full-scale sine peaks at 1.0, shape (size,)."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    window: Floats = (hann * (2 / hann.sum())).astype(np.float32)
    return window


@cache
def transform(size: int) -> Any:
    """The kernel's tables for frames of `size` samples under `hann_window`; made once and kept."""
    loaded = kernel()
    tables = loaded.transform_new(size, address(hann_window(size))) if loaded else None
    if not tables:
        raise MemoryError("the kernel got no memory")
    return tables
