"""What a sound is like in a fixed row of numbers: what kind, class and embedding are told from.

Everything is read from what the shared pass kept: mel bands, the fine outline of the level, the long-term spectrum.
Levels are relative to the loudest moment and times are in seconds, so gain, sample rate and silence around the sound
do not matter. A number means the same in every file, however long: of mel bands and outline at most 47 s from its
middle are looked at, or from where the sound is when that is elsewhere; of the long-term spectrum, all there is.

The row is made of parts; each has a file here that says what its numbers are, and one of the same name in the kernel
(native/describe_*.c) that computes the same.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from sample_agent.engine.native import Kernel, address, checked, kernel
from sample_agent.engine.signal.cells import Cells
from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.signal.tonal import TonalFrames
from sample_agent.engine.sound.descriptors.envelope import ENVELOPE, describe_envelope
from sample_agent.engine.sound.descriptors.excerpt import Excerpt, take_excerpt
from sample_agent.engine.sound.descriptors.heard import Numbers, hear, tonal_bins
from sample_agent.engine.sound.descriptors.looping import LOOPING, describe_looping, note_edges, whole_beats
from sample_agent.engine.sound.descriptors.rhythm import RHYTHM, describe_rhythm
from sample_agent.engine.sound.descriptors.spectrum import SPECTRUM, describe_spectrum
from sample_agent.engine.sound.descriptors.timbre import TIMBRE, describe_timbre
from sample_agent.engine.sound.descriptors.tonality import TONALITY, describe_tonality

__all__ = ["PARTS", "SOUND_NUMBERS", "Descriptors", "describe", "part_slices"]

_SIZES = {
    "spectrum": SPECTRUM,
    "timbre": TIMBRE,
    "tonality": TONALITY,
    "rhythm": RHYTHM,
    "envelope": ENVELOPE,
    "looping": LOOPING,
}
"""How many numbers each part has, in the order of the row."""

PARTS = tuple(_SIZES)
"""The aspects that descriptors are grouped in, in the order of the row."""

SOUND_NUMBERS = sum(_SIZES.values()) - LOOPING
"""The numbers that are about the sound; the rest, about how it was cut, comes last."""


@dataclass(frozen=True, eq=False)
class Descriptors:
    """A sound in numbers.

    Attributes:
        values: float32, shape (332,): the parts one after another; zeros for silence.
        parts: where in `values` each part lies.
    """

    values: Floats
    parts: dict[str, slice]


def describe(mel: Floats, mel_rate: float, cells: Cells, tonal: TonalFrames) -> Descriptors:
    """Describe a sound.

    Args:
        mel: power in mel bands, shape (frames, 40).
        mel_rate: frames per second.
        cells: the downmix in cells of 1.5 ms.
        tonal: its long frames.
    """
    excerpt = take_excerpt(mel, mel_rate, cells)
    if excerpt.silent:
        values = np.zeros(sum(_SIZES.values()))
    elif loaded := kernel():
        values = _described_natively(loaded, excerpt, tonal)
    else:
        values = _described(excerpt, tonal)
    row = values.astype(np.float32)
    return Descriptors(row if np.isfinite(row).all() else np.nan_to_num(row), part_slices())


@cache
def part_slices() -> dict[str, slice]:
    """Where each part lies in the row of numbers."""
    ends = np.cumsum(list(_SIZES.values())).tolist()
    return {name: slice(end - size, end) for (name, size), end in zip(_SIZES.items(), ends, strict=True)}


def _described(excerpt: Excerpt, tonal: TonalFrames) -> Numbers:
    heard = hear(excerpt, tonal)
    # With the silence at both ends: they are part of the length.
    pulses = np.zeros(len(excerpt.mel))
    pulses[excerpt.start : excerpt.stop] = heard.flux.sum(axis=1)
    return np.concatenate(
        (
            describe_spectrum(heard),
            describe_timbre(heard),
            describe_tonality(heard),
            describe_rhythm(heard),
            describe_envelope(np.sqrt(excerpt.pairs.sum(axis=1)), excerpt.pair_rate),
            describe_looping(excerpt.energy, pulses, excerpt.rate, tonal),
        )
    )


def _described_natively(loaded: Kernel, excerpt: Excerpt, tonal: TonalFrames) -> Numbers:
    """The same by the kernel, but for the share of whole beats, which takes a transform of any length."""
    power, width = tonal.power, tonal.width_hz
    values, pulses = np.zeros(sum(_SIZES.values())), np.empty(len(excerpt.mel))
    edges = note_edges(width, power.shape[1])
    mel, pairs = np.ascontiguousarray(excerpt.mel), np.ascontiguousarray(excerpt.pairs)
    heard = excerpt.start, excerpt.stop
    checked(
        loaded.describe_sound(
            *(address(mel), address(excerpt.energy), len(mel), *heard, excerpt.rate, excerpt.duration),
            *(address(pairs), len(pairs), excerpt.pair_rate),
            *(address(power), *power.shape, min(tonal_bins(tonal), power.shape[1]), width, address(edges)),
            *(address(pulses), address(values)),
        )
    )
    beats = whole_beats(pulses, excerpt.rate)
    values[-len(beats) :] = beats
    return values
