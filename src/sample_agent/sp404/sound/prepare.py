"""Turn any sound into what the SP-404MK2 plays: 16-bit PCM at 48 kHz, mono or stereo.

The sound passes through block by block, twice: to learn how loud it gets, then to be rounded. Memory stays the
same however long it is.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from sample_agent.sp404.formats.smp import MAX_FRAMES
from sample_agent.sp404.formats.wav import read_wav, write_wav_blocks
from sample_agent.sp404.sound.intake import Intake, NothingToPrepareError
from sample_agent.sp404.sound.levels import Levels, find_edges, measure_dc, measure_levels
from sample_agent.sp404.sound.quantise import Rounding, quantised
from sample_agent.sp404.sound.scratch import Scratch
from sample_agent.sp404.sound.stretch import stretch_loop, stretched_frames
from sample_agent.sp404.sound.treatment import LOUDEST_DB, MIN_FRAMES, Preparation, Treatment

__all__ = [
    "MAX_FRAMES",
    "MIN_FRAMES",
    "NothingToPrepareError",
    "Preparation",
    "Prepared",
    "Treatment",
    "prepare",
    "write_prepared",
]

_PIECE = 1 << 16

Writer = Callable[[BinaryIO, int, int, Iterable[NDArray[np.int16]]], object]
"""Puts a sound into a file: the file, channels, frames, and the samples as blocks of int16[frames, channels]."""


@dataclass(frozen=True)
class Prepared:
    """`pcm` is int16[frames, channels] at 48 kHz."""

    pcm: NDArray[np.int16]
    report: Preparation


def prepare(samples: NDArray[np.floating], sample_rate: int, treatment: Treatment | None = None) -> Prepared:
    """`write_prepared` for a sound in memory: float[frames, channels], or float[frames] for mono."""
    sound = samples[:, np.newaxis] if samples.ndim == 1 else samples
    file = io.BytesIO()
    blocks = (sound[start : start + _PIECE] for start in range(0, len(sound), _PIECE))
    report = write_prepared(file, blocks, sample_rate, treatment=treatment)
    return Prepared(read_wav(file.getvalue()), report)


def write_prepared(
    file: BinaryIO,
    blocks: Iterable[NDArray[np.floating]],
    sample_rate: int,
    *,
    treatment: Treatment | None = None,
    write: Writer = write_wav_blocks,
    scratch_dir: Path | None = None,
) -> Preparation:
    """Write a sound that comes in `blocks`, float[frames, channels] with full scale at ±1, for the unit.

    Resampled once (soxr at its high quality: 20 bits, made for 16-bit results with dither); more than two channels are
    folded to stereo, mono stays mono.
    What is 16-bit at 48 kHz already and needs no treatment comes out bit for bit; everything else is rounded with TPDF
    dither, seeded from the content so that the same sound always gives the same bytes.
    A sound that would clip is turned down as a whole. NaN, infinity and values beyond any sound become silence.
    What is too short is padded with silence; what is too long is cut, and no block behind the cut is asked for.

    `treatment` is what is done besides; `write` decides the format: `write_wav_blocks`, or `write_smp` of
    `sample_agent.sp404.formats.smp`. The samples are the same in both.

    A long sound lies in an unnamed file in `scratch_dir` (the system's folder by default) meanwhile.
    A loop to be stretched is held in memory.
    Raises `NothingToPrepareError` when nothing comes, ValueError for blocks that are no sound, and
    `TooLongToStretchError` of `sample_agent.sp404.sound.stretch`.
    """
    wanted = treatment or Treatment()
    intake = Intake(sample_rate)
    with Scratch(scratch_dir) as scratch:
        for sound in intake.converted(blocks):
            scratch.append(sound)
        offset = measure_dc(scratch) if wanted.remove_dc or wanted.stretch != 1 else ()
        if wanted.stretch == 1:
            return _written(file, scratch, offset, intake, wanted, write)
        with _stretched(scratch, offset, intake, wanted.stretch) as longer:
            report = _written(file, longer, (), intake, wanted, write)
            return replace(report, dc_offset=offset)


def _stretched(scratch: Scratch, offset: tuple[float, ...], intake: Intake, stretch: float) -> Scratch:
    whole = scratch.read(0, scratch.frames)
    length = stretched_frames(intake.source_frames, intake.sample_rate, stretch)
    result = Scratch()
    result.append(stretch_loop(whole - np.array(offset, dtype=np.float32) if offset else whole, length))
    return result


def _written(
    file: BinaryIO,
    scratch: Scratch,
    offset: tuple[float, ...],
    intake: Intake,
    wanted: Treatment,
    write: Writer,
) -> Preparation:
    levels = measure_levels(scratch, offset, resampled=intake.resampled or wanted.stretch != 1)
    merge = _is_mono(levels, intake.channels, wanted)
    gain, held_back = _gain(levels.peak, wanted)
    edges = find_edges(levels, wanted, *_ends(scratch, offset))
    faded = bool(edges.fade_in or edges.fade_out)
    exact = levels.sixteen_bit and gain == 1 and not faded and not (merge and levels.difference > 0)
    dithered = levels.peak > 0 and not exact
    rounding = Rounding(edges, offset, merge, gain, intake.seed if dithered else None)
    frames = edges.end - edges.start
    padding = max(0, MIN_FRAMES - frames)
    channels = 1 if merge else intake.channels
    write(file, channels, frames + padding, _padded(quantised(scratch, rounding), padding, channels))
    return Preparation(
        source_rate=intake.sample_rate,
        source_channels=intake.source_channels,
        source_frames=intake.source_frames,
        channels=channels,
        frames=frames + padding,
        resampled=intake.resampled,
        folded=intake.source_channels > 2,
        dithered=dithered,
        gain_db=round(20 * math.log10(gain), 6),
        padded_frames=padding,
        truncated=intake.truncated,
        repaired_values=intake.repaired_values,
        merged_to_mono=merge,
        dc_offset=offset,
        trimmed_start=edges.start,
        trimmed_end=scratch.frames - edges.end,
        faded_in=edges.fade_in,
        faded_out=edges.fade_out,
        stretch=wanted.stretch,
        gain_held_back=held_back,
        peak_db=round(20 * math.log10(levels.peak * gain), 3) if levels.peak > 0 else None,
    )


def _is_mono(levels: Levels, channels: int, wanted: Treatment) -> bool:
    if channels != 2 or wanted.mono_below_db is None:
        return False
    return levels.difference <= levels.peak * 10 ** (wanted.mono_below_db / 20)


def _gain(peak: float, wanted: Treatment) -> tuple[float, bool]:
    """The factor for the whole sound, and whether the ceiling kept it below what was asked for."""
    if peak == 0:
        return 1.0, False
    gain = 10 ** (wanted.gain_db / 20)
    if wanted.normalise_db is not None:
        gain *= 10 ** (wanted.normalise_db / 20) / peak
    # What is 16-bit may touch full scale as long as nothing is done to it.
    most = 1.0 if gain == 1 and wanted.ceiling_db >= LOUDEST_DB else 10 ** (min(wanted.ceiling_db, LOUDEST_DB) / 20)
    if peak * gain <= most:
        return gain, False
    return 10 ** (min(wanted.ceiling_db, LOUDEST_DB) / 20) / peak, True


def _ends(scratch: Scratch, offset: tuple[float, ...]) -> tuple[float, float]:
    """The levels of the first and the last frame."""
    if scratch.frames == 0:
        return 0.0, 0.0
    outermost = np.concatenate([scratch.read(0, 1), scratch.read(scratch.frames - 1, scratch.frames)])
    levels = np.abs(outermost - np.array(offset, dtype=np.float32) if offset else outermost).max(axis=1)
    return float(levels[0]), float(levels[1])


def _padded(blocks: Iterator[NDArray[np.int16]], padding: int, channels: int) -> Iterator[NDArray[np.int16]]:
    yield from blocks
    if padding:
        yield np.zeros((padding, channels), dtype=np.int16)
