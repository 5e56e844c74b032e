"""When sounds start: onset envelopes from mel bands, and onset times from the envelope."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.frames import Floats
from sample_agent.engine.mel import BANDS

_COMPRESSION = 3000.0
_LOW_BANDS, _HIGH_BANDS = 8, 26
"""Bands below about 300 Hz and above about 3 kHz."""

_SMALLEST_GAP_SECONDS = 0.05
_SURROUNDINGS_SECONDS = 0.4
_THRESHOLD = 0.10
_MAX_ONSETS = 2000


@dataclass(frozen=True, eq=False)
class OnsetEnvelopes:
    """How much louder each frame is than the one before, on a compressed scale, in four ranges of the spectrum.

    Attributes:
        full, low, middle, high: float32, shape (frames,), at least 0. The first frame counts as an onset when the
            file starts with sound, as a loop does.
        rate: frames per second.
    """

    full: Floats
    low: Floats
    middle: Floats
    high: Floats
    rate: float


def onset_envelopes(mel: Floats, rate: float) -> OnsetEnvelopes:
    """Envelopes from mel power, shape (frames, 40), after dividing by the loudest band so that gain cancels out."""
    level = np.log1p(mel * np.float32(_COMPRESSION / max(float(mel.max(initial=0.0)), 1e-20)))
    rise = np.maximum(np.diff(level, axis=0, prepend=np.zeros((1, BANDS), np.float32)), 0.0)
    return OnsetEnvelopes(
        rise.mean(axis=1),
        rise[:, :_LOW_BANDS].mean(axis=1),
        rise[:, _LOW_BANDS:_HIGH_BANDS].mean(axis=1),
        rise[:, _HIGH_BANDS:].mean(axis=1),
        rate,
    )


def onset_times(envelopes: OnsetEnvelopes) -> npt.NDArray[np.float64]:
    """Times of onsets in seconds, rising.

    An onset is the highest frame within 50 ms that stands clear of its surroundings (S. Dixon, "Onset detection
    revisited", DAFx 2006).
    """
    envelope = envelopes.full
    peak = float(envelope.max(initial=0.0))
    if peak <= 0:
        return np.zeros(0)
    gap = max(1, round(_SMALLEST_GAP_SECONDS * envelopes.rate))
    reach = max(1, round(_SURROUNDINGS_SECONDS * envelopes.rate))
    highest = _moving_maximum(envelope, gap)
    surroundings = np.convolve(envelope, np.ones(2 * reach + 1, np.float32) / (2 * reach + 1), "same")[: len(envelope)]
    frames = np.flatnonzero((envelope >= highest) & (envelope > surroundings + _THRESHOLD * peak))
    frames = frames[np.diff(frames, prepend=-gap - 1) > gap] if len(frames) else frames
    return np.asarray(frames[:_MAX_ONSETS] / envelopes.rate)


def _moving_maximum(values: Floats, reach: int) -> Floats:
    padded = np.pad(values, reach)
    maximum: Floats = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    return maximum
