"""Descriptors of every frame, for those who ask: what `Analysis` averages, over time."""

from dataclasses import dataclass

import numpy as np

from sample_agent.engine.listening import Listening
from sample_agent.engine.rhythm.onsets import OnsetEnvelopes
from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.timbre.mfcc import mel_decibels, mfcc


@dataclass(frozen=True, eq=False)
class PerFrame:
    """Arrays over frames of 46 ms (2048 samples at 44.1 kHz), a quarter of that apart; the first 15 minutes of a file.

    Attributes:
        time: float64, shape (n,), middle of each frame in seconds.
        rms: float32, shape (n,), root mean square of the downmix, full scale being 1.
        zero_crossing_rate: float32, shape (n,), sign changes per sample, 0 to 1.
        centroid_hz, bandwidth_hz, rolloff_hz: float32, shape (n,), in Hz.
        flatness: float32, shape (n,), 0 to 1.
        contrast_db: float32, shape (n, 7), in dB.
        mfcc: float32, shape (n, 13).
        mel: float32, shape (n, 40), power in mel bands; a full-scale sine has about 1 in its band.
        onset_strength: float32, shape (n,), how much louder than the frame before, at least 0.
    """

    time: np.ndarray[tuple[int], np.dtype[np.float64]]
    rms: Floats
    zero_crossing_rate: Floats
    centroid_hz: Floats
    bandwidth_hz: Floats
    rolloff_hz: Floats
    flatness: Floats
    contrast_db: Floats
    mfcc: Floats
    mel: Floats
    onset_strength: Floats


def describe_frames(listening: Listening, envelopes: OnsetEnvelopes) -> PerFrame:
    """The frames of a finished `Listening` that was told to describe every one."""
    statistics, cells = listening.statistics, listening.cells
    count = len(statistics.frame)
    return PerFrame(
        time=np.arange(count) / listening.mel_rate,
        rms=np.sqrt(_around(cells.energy, cells.rate, listening.mel_rate, count) / np.float32(cells.size)),
        zero_crossing_rate=_around(cells.crossings, cells.rate, listening.mel_rate, count) / np.float32(cells.size),
        centroid_hz=statistics.centroid_hz,
        bandwidth_hz=statistics.bandwidth_hz,
        rolloff_hz=statistics.rolloff_hz,
        flatness=statistics.flatness,
        contrast_db=statistics.contrast_db,
        mfcc=mfcc(mel_decibels(listening.mel[:count])),
        mel=listening.mel[:count],
        onset_strength=envelopes.full[:count],
    )


def _around(values: np.ndarray[tuple[int], np.dtype[np.generic]], rate: float, frame_rate: float, count: int) -> Floats:
    """Mean of the cells under each frame, as far as there are any; shape (count,)."""
    hop = round(rate / frame_rate)
    sums = np.concatenate(([0.0], np.cumsum(values, dtype=np.float64)))
    middle = np.minimum(np.arange(count) * hop, len(values))
    start, stop = np.maximum(middle - 2 * hop, 0), np.minimum(middle + 2 * hop, len(values))
    mean: Floats = ((sums[stop] - sums[start]) / np.maximum(stop - start, 1)).astype(np.float32)
    return mean
