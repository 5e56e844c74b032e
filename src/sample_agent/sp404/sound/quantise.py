"""The last step: gain, fades and 16 bits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_agent.sp404.sound.levels import BLOCK, Edges
from sample_agent.sp404.sound.scratch import Scratch

_FULL_SCALE = np.float32(32_768)


@dataclass(frozen=True)
class Rounding:
    """How a sound becomes 16-bit: `seed` is None when it is not dithered."""

    edges: Edges
    offset: tuple[float, ...]
    merge: bool
    gain: float
    seed: int | None


def quantised(scratch: Scratch, rounding: Rounding) -> Iterator[NDArray[np.int16]]:
    """The sound as int16[frames, channels].

    Dither is triangular, ±1 step, without memory (Lipshitz, Wannamaker, Vanderkooy: "Quantization and Dither", JAES
    40(5), 1992). Digital silence stays silent.
    """
    noise = None if rounding.seed is None else np.random.PCG64(rounding.seed)
    edges = rounding.edges
    offset = np.array(rounding.offset, dtype=np.float32)
    factor = np.float32(rounding.gain) * _FULL_SCALE
    position = 0
    for block in scratch.blocks(BLOCK, edges.start, edges.end):
        sound = block - offset if rounding.offset else block
        if rounding.merge:
            sound = (sound[:, :1] + sound[:, 1:]) * np.float32(0.5)
        steps = sound * factor
        _fade(steps, position, edges)
        if noise is not None:
            steps += _hiding(steps, _triangular(noise, steps.size).reshape(steps.shape))
        np.rint(steps, out=steps)
        np.clip(steps, -32_768, 32_767, out=steps)
        yield steps.astype(np.int16)
        position += len(block)


def _hiding(steps: NDArray[np.float32], dither: NDArray[np.float32]) -> NDArray[np.float32]:
    """The dither where there is sound to round."""
    return dither if steps.all() else dither * (steps != 0)


def _fade(steps: NDArray[np.float32], position: int, edges: Edges) -> None:
    """Raised cosine over what of the fades lies in this block, which starts at frame `position` of the result."""
    if position < edges.fade_in:
        _scale(steps[: edges.fade_in - position], np.arange(position, edges.fade_in), edges.fade_in)
    left = edges.end - edges.start - position
    if left - len(steps) < edges.fade_out:
        first = max(0, left - edges.fade_out)
        _scale(steps[first:], np.arange(left - first - 1, left - len(steps) - 1, -1), edges.fade_out)


def _scale(steps: NDArray[np.float32], distance: NDArray[np.int_], length: int) -> None:
    curve = 0.5 - 0.5 * np.cos(np.pi * distance[: len(steps)] / length)
    steps *= curve.astype(np.float32)[:, np.newaxis]


def _triangular(noise: np.random.PCG64, count: int) -> NDArray[np.float32]:
    # The raw stream is what NumPy promises never to change. A word holds eight uniform values of 8 bits; the difference
    # of two makes a triangle in steps of 1/256 of what it hides.
    words = noise.random_raw(-(-count // 4)).astype("<u8", copy=False)
    pairs = words.view(np.uint8).astype(np.float32).reshape(-1, 2)
    return ((pairs[:, 0] - pairs[:, 1]) * np.float32(2.0**-8))[:count]
