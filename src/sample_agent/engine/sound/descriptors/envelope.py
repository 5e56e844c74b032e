"""How the level of a sound rises and falls: its top, its falls, its course, bursts and tremble."""

import itertools

import numpy as np

from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.sound.descriptors.heard import Numbers, decibels, means_between

ENVELOPE = 35
"""How many numbers `describe_envelope` gives."""

_MOMENTS = (0.0, 0.003, 0.006, 0.012, 0.024, 0.047, 0.093, 0.186, 0.372, 0.743, 1.486, 2.972, 5.944)
"""Seconds after the start between which the level is averaged."""
_FALLS_DB = (6, 12, 20, 30, 40)
_BEGUN, _OVER = 0.05, 0.01
"""A sound begins at this share of its highest level, and ends at that."""
_BURST_SECONDS, _TREMBLE_SECONDS = 0.08, 0.05


def describe_envelope(level: Floats, rate: float) -> Numbers:
    """The course of the level.

    Args:
        level: amplitude of the downmix, shape (stretches,), not all zero; any gain.
        rate: stretches per second, about 345.

    Returns:
        Shape (35,), float64, from where the level first exceeds a twentieth of the highest. Times are octaves of one
        more than the hundredths of a second (half hundredths for the first) over 8: 0 for none, 1 for 2.55 s.

        - 2: time to the highest level; time to the middle of the level.
        - 5: time from the highest level until it stays 6, 12, 20, 30 and 40 dB below.
        - 12: mean power in each stretch between 0, 3, 6, 12, ... ms and 5.9 s, on the scale of `decibels`.
        - 8: the same of each eighth of the sound.
        - 3: the middle of the level as a share of the sound; its root mean square, 0 to 1; time to its end, where it
          last exceeds a hundredth.
        - 3: `_bursts`. 2: `_trembling`.

        After the temporal descriptors of G. Peeters et al., "The Timbre Toolbox" (JASA, 2011).
    """
    relative = level.astype(np.float64) / max(float(level.max(initial=0.0)), 1e-12)
    heard = np.flatnonzero(relative > _BEGUN)
    start = int(heard[0]) if len(heard) else 0
    relative = relative[start:]
    peak = int(relative.argmax())
    falls = []
    for fall in _FALLS_DB:
        above = np.flatnonzero(relative[peak:] > 10 ** (-fall / 20))
        falls.append(np.log2(1 + 100 * (above[-1] if len(above) else 0) / rate) / 8)
    power = np.square(relative)
    length = int(np.flatnonzero(relative > _OVER)[-1]) + 1
    course = means_between(power[:, None], np.array(_MOMENTS) * rate)[:, 0]
    eighths = means_between(power[:length, None], np.linspace(0, length, 9))[:, 0]
    centre = float(np.arange(len(power)) @ relative / max(relative.sum(), 1e-12))
    return np.concatenate(
        (
            [np.log2(1 + 200 * peak / rate) / 8, float(np.log2(1 + 100 * centre / rate)) / 8],
            falls,
            decibels(course),
            decibels(eighths),
            [
                centre / max(length, 1),
                float(np.sqrt(power[:length].mean())),
                np.log2(1 + 100 * length / rate) / 8,
                *_bursts(relative[: max(8, round(_BURST_SECONDS * rate))]),
                *_trembling(relative[:length], rate),
            ],
        )
    )


def _bursts(level: Numbers) -> tuple[float, float, float]:
    """Hands that clap fall apart: how the first 80 ms do.

    Peaks above a quarter of the highest level, in units of 5; the deepest dip between two, 0 to 1 (down to silence);
    roughness, the way the level goes up and down, in units of 6 times its highest.
    """
    inner = (level[1:-1] > level[:-2]) & (level[1:-1] >= level[2:]) & (level[1:-1] > 0.25)
    peaks = np.flatnonzero(inner) + 1
    dips = [1 - level[a:b].min() / min(level[a], level[b]) for a, b in itertools.pairwise(peaks)]
    rough = float(np.abs(np.diff(level)).sum() / max(level.max() * 2, 1e-9))
    return len(peaks) / 5, float(max(dips, default=0.0)), rough / 3


def _trembling(level: Numbers, rate: float) -> tuple[float, float]:
    """How much the level moves against its own mean over 50 ms, as a share of it: over all and after the first 100 ms;
    zeros for what is shorter."""
    width = max(3, round(_TREMBLE_SECONDS * rate) | 1)
    if len(level) < 2 * width:
        return 0.0, 0.0
    smooth = np.convolve(level, np.ones(width) / width, "same")
    moving = np.abs(level - smooth) / np.maximum(smooth, 0.02)
    return float(moving.mean()), float(moving[2 * width :].mean()) if len(moving) > 3 * width else 0.0
