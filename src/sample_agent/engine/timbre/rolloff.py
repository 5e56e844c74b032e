"""Spectral rolloff: the frequency below which most of the spectrum lies."""

import numpy as np

from sample_agent.engine.signal.frames import Floats

SHARE = 0.85
_GROUP = 32


def rolloff(magnitude: Floats, sample_rate: int) -> Floats:
    """Frequency below which 85 % of each frame's magnitude lies.

    Args:
        magnitude: shape (frames, bins), bins evenly from 0 to half the sample rate; one more than a multiple of 32.
        sample_rate: in Hz.

    Returns:
        Hz, float32, shape (frames,), 0 for silence. G. Tzanetakis and P. Cook, "Musical genre classification of audio
        signals" (IEEE Trans. Speech and Audio Processing, 2002).
    """
    frames, bins = magnitude.shape
    # Sums over groups first: the bin is then looked for in one group instead of a running sum over all bins.
    rows = np.arange(frames)
    groups = magnitude[:, 1:].reshape(frames, -1, _GROUP)
    running = np.cumsum(groups.sum(axis=2), axis=1)
    wanted = SHARE * running[:, -1]
    group = np.minimum((running < wanted[:, None]).sum(axis=1), running.shape[1] - 1)
    chosen = groups[rows, group]
    before = running[rows, group] - chosen.sum(axis=1)
    inside = (np.cumsum(chosen, axis=1) + before[:, None] < wanted[:, None]).sum(axis=1)
    index = 1 + group * _GROUP + np.minimum(inside, _GROUP - 1)
    frequency = index.astype(np.float32) * np.float32(sample_rate / 2 / (bins - 1))
    hertz: Floats = np.where(wanted > 0, frequency, np.float32(0))
    return hertz
