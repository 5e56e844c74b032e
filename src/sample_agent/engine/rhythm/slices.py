"""Where to cut a file into pieces for pads: at most sixteen, each starting on a sound and at a zero crossing."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from sample_agent.engine.level.silence import Silence
from sample_agent.engine.rhythm.onsets import Onsets
from sample_agent.engine.signal.frames import Floats

MOST = 16
_SHORTEST_SECONDS = 0.05
_SNAP_SECONDS = 0.005
_NEAR_STEP, _NEAR_SECONDS = 0.2, 0.05
"""A line of the grid moves to an onset within a fifth of the grid's step and 50 ms."""
_WHOLE, _WHOLE_PER_BEAT, _WHOLE_AT_MOST = 0.06, 0.004, 0.25
"""How far from a whole number the beats of a file may be, for its length to be taken for its grid: more in long files,
whose tempo is not known that well."""

SliceSource = Literal["grid", "onsets", "whole"]


@dataclass(frozen=True)
class Slice:
    """A piece of a file.

    Attributes:
        start, end: in seconds; `end` is where the next one starts.
        start_frame, end_frame: the same in samples per channel.
        source: what the start is: a line of the beat grid, an onset, or the beginning of the file.
    """

    start: float
    end: float
    start_frame: int
    end_frame: int
    source: SliceSource


def cut_slices(
    onsets: Onsets, head: Floats, frames: int, sample_rate: int, bpm: float | None, silence: Silence
) -> tuple[Slice, ...]:
    """Pieces of a file.

    Args:
        onsets: when sounds start.
        head: the downmix, shape (samples,), as far as it is at hand; starts beyond it are not moved to zero crossings.
        frames: length of the file in samples per channel.
        sample_rate: in Hz.
        bpm: tempo of a loop or track: then pieces follow its beats, an eighth, a beat, or several bars long each. None
            for what has no beat: then they start at the strongest onsets.
        silence: at both ends; that at the end belongs to no piece unless there is a grid.

    Returns:
        One to sixteen pieces in order, the first from the first sound on; none for silence.
    """
    if not len(onsets.time):
        return ()
    first = float(onsets.time[0])
    grid = _grid(first, frames / sample_rate, bpm, rest=silence.start > _NEAR_SECONDS) if bpm else None
    # On a grid, silence is a rest and keeps its length.
    stop = frames if grid is not None else max(1, round(frames - silence.end * sample_rate))
    times = _strongest(onsets, stop / sample_rate) if grid is None else _near_onsets(grid, onsets.time)
    source: SliceSource = "onsets" if grid is None else "grid"
    starts = np.array([_zero_crossing(head, round(time * sample_rate), sample_rate) for time in times.tolist()])
    starts = starts[starts < stop]
    starts = starts[np.diff(starts, prepend=-sample_rate) >= _SHORTEST_SECONDS * sample_rate]
    if len(starts) == 1:
        source = "whole"
    ends = np.append(starts[1:], stop)
    return tuple(
        Slice(start / sample_rate, end / sample_rate, start, end, source)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    )


def _grid(first: float, duration: float, bpm: float, *, rest: bool) -> npt.NDArray[np.float64] | None:
    """Start times on the beat, at most sixteen; None for less than two. After a rest, from the first sound on."""
    beats = duration * bpm / 60
    whole = round(beats)
    if whole and abs(beats - whole) < min(max(_WHOLE, _WHOLE_PER_BEAT * beats), _WHOLE_AT_MOST):
        # A loop: its length is its grid.
        first, step = first if rest else 0.0, duration / whole
    else:
        step = 60 / bpm
    count = (duration - first) / step
    # Half beats when they fit, then beats, two beats, bars, two bars...
    step *= 0.25 if count <= MOST / 4 + 0.01 else 0.5
    while (duration - first) / step > MOST + 0.01:
        step *= 2
    lines = int((duration - first) / step + 0.01)
    return np.asarray(first + step * np.arange(lines)) if lines >= 2 else None


def _near_onsets(grid: npt.NDArray[np.float64], onsets: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The grid's lines, each on the onset beside it where there is one."""
    reach = min(_NEAR_STEP * float(grid[1] - grid[0]), _NEAR_SECONDS)
    nearest = onsets[np.abs(onsets[None, :] - grid[:, None]).argmin(axis=1)]
    return np.asarray(np.maximum.accumulate(np.where(np.abs(nearest - grid) <= reach, nearest, grid)))


def _strongest(onsets: Onsets, duration: float) -> npt.NDArray[np.float64]:
    """The first onset and the fifteen strongest others, not too close to each other."""
    apart = max(_SHORTEST_SECONDS, duration / (4 * MOST))
    chosen = [float(onsets.time[0])]
    for index in np.argsort(-onsets.strength, kind="stable").tolist():
        time = float(onsets.time[index])
        if len(chosen) < MOST and all(abs(time - other) >= apart for other in chosen):
            chosen.append(time)
    return np.array(sorted(chosen))


def _zero_crossing(head: Floats, frame: int, sample_rate: int) -> int:
    """The sample at or before `frame` where the signal last changed its sign, or the nearest one after it."""
    if frame <= 0 or frame >= len(head):
        return max(frame, 0)
    reach = max(1, round(_SNAP_SECONDS * sample_rate))
    start = max(frame - reach, 1)
    window = np.signbit(head[start - 1 : frame + reach])
    crossings = np.flatnonzero(window[1:] != window[:-1]) + start
    if not len(crossings):
        return frame
    before = crossings[crossings <= frame]
    return int(before[-1] if len(before) else crossings[0])
