"""What is wanted of a sound on its way to the SP-404MK2, and what was done to it: both as plain data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from sample_agent.sp404.formats.wav import SAMPLE_RATE

MIN_FRAMES = SAMPLE_RATE // 10
"""The unit refuses samples that are too short; 100 ms is known to be enough."""

LOUDEST_DB = 20 * math.log10(32_766 / 32_768)
"""The highest peak that dither cannot push over the edge, in dB below full scale."""

MAX_STRETCH = 16.0
"""How many times as long, or as short, a sound can be made."""

_MOST_BANK_GAIN_DB = 12.0


@dataclass(frozen=True)
class Treatment:
    """What to do to a sound besides what every sound gets: 48 kHz, 16 bits, no clipping, a length the unit takes.

    Without arguments nothing more is done, and what is 16-bit at 48 kHz passes bit for bit.

    Attributes:
        remove_dc: take a constant offset away.
        trim_below_db: cut silence off both ends; what lies this far under the sound's own peak is silence. None leaves
            the ends alone, as a loop needs: its length is its tempo.
        fade_seconds: longest fade at an edge that is not at zero already. The fade at the start ends where the attack
            begins, so that a drum that starts at once keeps its click. 0 leaves the edges alone, as a loop needs: it
            has to wrap.
        mono_below_db: two channels become one when their difference stays this far under the sound's peak, which
            leaves the unit one more voice to play. None never does.
        stretch: the length as a multiple of the original, pitch kept; treats the sound as a loop that wraps.
        normalise_db: bring the peak here (dBFS) before `gain_db`. None keeps the level.
        gain_db: made louder or quieter by this, as far as `ceiling_db` allows.
        ceiling_db: the peak is never above this (dBFS).
    """

    remove_dc: bool = False
    trim_below_db: float | None = None
    fade_seconds: float = 0.0
    mono_below_db: float | None = None
    stretch: float = 1.0
    normalise_db: float | None = None
    gain_db: float = 0.0
    ceiling_db: float = LOUDEST_DB

    def __post_init__(self) -> None:
        _check("trim_below_db", self.trim_below_db, -120, -20)
        _check("fade_seconds", self.fade_seconds, 0, 1)
        _check("mono_below_db", self.mono_below_db, -120, -20)
        _check("stretch", self.stretch, 1 / MAX_STRETCH, MAX_STRETCH)
        _check("normalise_db", self.normalise_db, -60, 0)
        _check("gain_db", self.gain_db, -96, 96)
        _check("ceiling_db", self.ceiling_db, -60, 0)
        if self.stretch != 1 and self.trim_below_db is not None:
            raise ValueError("What is stretched to a tempo cannot be trimmed: its length is its tempo.")

    @classmethod
    def for_kind(cls, kind: Literal["one-shot", "loop", "track"]) -> Treatment:
        """What players do by hand.

        A one-shot loses its offset and the silence at both ends, and gets 5 ms fades where it would click. A loop keeps
        its length and its edges; a track keeps its length. Two channels with the same sound become one in all three.
        """
        match kind:
            case "one-shot":
                return cls(remove_dc=True, trim_below_db=-66.0, fade_seconds=0.005, mono_below_db=-60.0)
            case "loop":
                return cls(remove_dc=True, mono_below_db=-60.0)
            case "track":
                return cls(remove_dc=True, fade_seconds=0.005, mono_below_db=-60.0)


@dataclass(frozen=True)
class Preparation:
    """What was done to a sound. Frames are counted at 48 kHz, except `source_frames`.

    Attributes:
        channels, frames: of the result, with padding.
        resampled: brought to 48 kHz from another rate.
        folded: more than two channels became two.
        dithered: rounded to 16 bits with dither.
        gain_db: how much louder (or, below 0, quieter) it was made, by everything together.
        padded_frames: silence added at the end.
        truncated: cut at the longest the unit takes.
        repaired_values: values that were no sound and became silence.
        merged_to_mono: the two channels held the same and became one.
        dc_offset: the offset taken away, full scale at 1, one for each channel of the sound; empty when none was.
        trimmed_start, trimmed_end: silence cut off.
        faded_in, faded_out: length of the fades.
        stretch: length as a multiple of the original.
        gain_held_back: the gain that was asked for would have gone over the ceiling.
        peak_db: the highest peak of the result, dBFS; -inf for silence is told as None.
    """

    source_rate: int
    source_channels: int
    source_frames: int
    channels: int
    frames: int
    resampled: bool
    folded: bool
    dithered: bool
    gain_db: float
    padded_frames: int
    truncated: bool
    repaired_values: int
    merged_to_mono: bool = False
    dc_offset: tuple[float, ...] = ()
    trimmed_start: int = 0
    trimmed_end: int = 0
    faded_in: int = 0
    faded_out: int = 0
    stretch: float = 1.0
    gain_held_back: bool = False
    peak_db: float | None = None

    def frame_at(self, seconds: float) -> int:
        """The frame of the result that holds what was at `seconds` in the source.

        What was trimmed away lies at the nearest end: the answer is never outside the sound, padding not counted.
        """
        frame = round(seconds * SAMPLE_RATE * self.stretch) - self.trimmed_start
        return min(max(frame, 0), self.frames - self.padded_frames)


def bank_gains(
    loudness: Sequence[float | None],
    peaks_db: Sequence[float | None],
    *,
    target: float | None = None,
    ceiling_db: float = LOUDEST_DB,
) -> tuple[float, ...]:
    """Gains in dB that make the sounds of one bank equally loud, one for each sound.

    Nothing is made to clip: a sound whose peak leaves no room gets as loud as it can, and no sound is moved by more
    than 12 dB. What has no loudness (silence, too short to measure) is left alone.

    Args:
        loudness: LUFS of each sound, or None.
        peaks_db: its peak in dBFS, or None when not known (the treatment's own ceiling then still holds).
        target: LUFS to bring them to; the median of the bank when not given, so that most of it hardly moves.
        ceiling_db: no peak goes above this by a gain.
    """
    known = [value for value in loudness if value is not None and math.isfinite(value)]
    if len(loudness) != len(peaks_db):
        raise ValueError("Each sound of the bank needs a loudness and a peak.")
    if not known:
        return (0.0,) * len(loudness)
    wanted = median(known) if target is None else target

    def gain(loud: float | None, peak: float | None) -> float:
        if loud is None or not math.isfinite(loud):
            return 0.0
        room = math.inf if peak is None else max(0.0, ceiling_db - peak)
        moved = min(max(wanted - loud, -_MOST_BANK_GAIN_DB), _MOST_BANK_GAIN_DB, room)
        return round(moved, 2) if moved <= 0 else math.floor(moved * 100) / 100

    return tuple(gain(loud, peak) for loud, peak in zip(loudness, peaks_db, strict=True))


def _check(field: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise ValueError(f"{field} has to be from {low:g} to {high:g}, not {value:g}.")
