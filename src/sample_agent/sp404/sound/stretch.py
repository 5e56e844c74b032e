"""Make a loop longer or shorter with its pitch kept, so that it has another tempo."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_agent.sp404.formats.wav import SAMPLE_RATE
from sample_agent.sp404.sound.treatment import MAX_STRETCH

MAX_STRETCH_FRAMES = 60 * SAMPLE_RATE
"""The longest loop that is stretched, before and after: 60 s, which takes about 200 MB in stereo."""

_LONG = 15 * SAMPLE_RATE
_one_long_at_a_time = threading.Lock()

SLOWEST, FASTEST = 0.5, 1.5
"""How far the unit itself can play a sample from its own tempo; beyond, BPM SYNC goes to half or double time."""


class TooLongToStretchError(ValueError):
    """The loop is longer than `MAX_STRETCH_FRAMES` before or after."""


@dataclass(frozen=True)
class TempoFit:
    """How a loop gets to the tempo of a project.

    Attributes:
        stretch: what its length is multiplied with beforehand; 1 when the unit can do it all by itself.
        tempo: BPM of the loop that lies on the pad then.
    """

    stretch: float
    tempo: float

    @property
    def needed(self) -> bool:
        return self.stretch != 1


def tempo_fit(own_bpm: float, project_bpm: float) -> TempoFit:
    """Whether a loop has to be stretched beforehand to follow a project with BPM SYNC.

    The unit plays a sample at 50 to 150 % of its own speed and goes to half or double time outside that. A loop it can
    reach is left as it is, because playing it once is better than stretching it twice; any other one is stretched to
    the project's tempo exactly.
    """
    for name, bpm in (("loop", own_bpm), ("project", project_bpm)):
        if not 0 < bpm < 1000:
            raise ValueError(f"{bpm:g} BPM is not the tempo of a {name}.")
    if SLOWEST <= project_bpm / own_bpm <= FASTEST:
        return TempoFit(1.0, own_bpm)
    return TempoFit(own_bpm / project_bpm, project_bpm)


def stretched_frames(source_frames: int, sample_rate: int, stretch: float) -> int:
    """How many frames at 48 kHz a stretched loop gets, to the frame: as many beats as before, in the new tempo."""
    return max(1, round(source_frames * SAMPLE_RATE / sample_rate * stretch))


def stretch_loop(sound: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """A loop, float32[frames, channels] at 48 kHz, in exactly `frames` frames.

    What was at time t is at t × new length / old length; the channels keep their phase to each other.
    Raises `TooLongToStretchError`, and ValueError for a factor beyond `MAX_STRETCH`.
    """
    if len(sound) == 0 or frames < 1 or not 1 / MAX_STRETCH <= frames / len(sound) <= MAX_STRETCH:
        raise ValueError(f"A loop of {len(sound)} frames cannot be stretched to {frames}.")
    if max(len(sound), frames) > MAX_STRETCH_FRAMES:
        seconds = MAX_STRETCH_FRAMES // SAMPLE_RATE
        raise TooLongToStretchError(f"A loop longer than {seconds} seconds is not stretched.")
    if frames == len(sound):
        return sound.copy()
    # Imported late: it brings a library that takes longer to start than most sounds take to convert.
    from sample_agent.sp404.sound.vocoder import stretched

    with _one_long_at_a_time if max(len(sound), frames) > _LONG else nullcontext():
        return stretched(sound, frames)
