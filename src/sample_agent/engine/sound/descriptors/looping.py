"""Whether a clip is made to be repeated: how its ends join, whether its notes change, whether it lasts whole beats."""

from functools import cache

import numpy as np
import numpy.typing as npt

from sample_agent.engine.signal.tonal import TonalFrames
from sample_agent.engine.sound.descriptors.heard import RANGE_DB, Numbers

LOOPING = 12
"""How many numbers `describe_looping` gives."""

_SEAM_FRAMES = 3
_SEMITONES = 60
_LOWEST_HZ = 65.4
_COUNTS = (4, 8, 16, 32)
_HIGHEST_PULSE_HZ = 16.0


def describe_looping(energy: Numbers, flux: Numbers, rate: float, tonal: TonalFrames) -> Numbers:
    """How a clip would follow upon itself.

    Args:
        energy: of each frame, from the first to the last of the clip, silence included, shape (frames,).
        flux: how much louder each frame is than the one before, the same shape.
        rate: frames per second.
        tonal: long frames of the clip.

    Returns:
        Shape (12,), float64; zeros for silence:

        - 3: level of the first and of the last three frames below the loudest moment, in units of 60 dB, -1 to 0, and
          the difference of the two, above 0 when it ends louder.
        - 2: silence at the start and at the end, ln(1 + 8 seconds) / 2.
        - 2: `_changes` of the notes from long frame to long frame.
        - 5: `whole_beats`.
    """
    loudest = float(energy.max(initial=0.0)) + 1e-20
    heard = np.flatnonzero(energy > 1e-4 * loudest)
    if not len(heard):
        return np.zeros(LOOPING)
    count = len(energy)
    ends = np.array((energy[:_SEAM_FRAMES].mean(), energy[-_SEAM_FRAMES:].mean())) / loudest
    start, end = (10 * np.log10(ends + 1e-6) / RANGE_DB).tolist()
    before, after = np.log1p(8 * heard[0] / rate) / 2, np.log1p(8 * (count - 1 - heard[-1]) / rate) / 2
    mean_change, most_change = _changes(tonal)
    return np.array((start, end, end - start, before, after, mean_change, most_change, *whole_beats(flux, rate)))


def _changes(tonal: TonalFrames) -> tuple[float, float]:
    """How unlike the notes of each long frame are those two before, loud frames only: mean and upper tenth.

    One minus the cosine between the amplitudes of 60 semitones, 0 (the same chord) to 1; zeros for what is too short.
    """
    power = tonal.power
    if len(power) < 4:
        return 0.0, 0.0
    edges = note_edges(tonal.width_hz, power.shape[1])
    notes = np.sqrt(np.add.reduceat(power, edges, axis=1)[:, :-1])
    level = np.sqrt(np.einsum("ij,ij->i", notes, notes))
    loud = level > 0.05 * float(level.max())
    notes = notes[loud] / level[loud, None]
    if len(notes) < 3:
        return 0.0, 0.0
    unlike = 1 - np.einsum("ij,ij->i", notes[2:], notes[:-2])
    unlike.sort()
    return float(unlike.mean()), float(unlike[int(0.9 * (len(unlike) - 1))])


@cache
def note_edges(width_hz: float, bins: int) -> npt.NDArray[np.int32]:
    """First bin of each of 60 semitones from C2, and the end of the last: int32, shape (61,)."""
    edges = _LOWEST_HZ * 2 ** ((np.arange(_SEMITONES + 1) - 0.5) / 12) / width_hz
    return np.minimum(np.maximum.accumulate(np.round(edges).astype(np.int32)), bins - 1)


def whole_beats(flux: Numbers, rate: float) -> tuple[float, float, float, float, float]:
    """Whether the pulsing of a clip fits into it, and how much of it there is.

    Args:
        flux: how much louder each frame is than the one before, shape (frames,).
        rate: frames per second.

    Returns:
        For 4, 8, 16 and 32: the share of the energy of the pulses up to 16 Hz that fall on multiples of so many per
        clip, less what chance gives, below 1; then that energy beside the square of the mean, 0 to 1. Zeros for clips
        too short to pulse.
    """
    from sample_agent.engine.signal.transforms import rfft

    count = len(flux)
    highest = int(_HIGHEST_PULSE_HZ * count / rate)
    if highest < 2 * _COUNTS[0] or count < 32:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    spectrum = rfft(flux)
    pulses = np.square(spectrum.real) + np.square(spectrum.imag)
    pulses = pulses[: highest + 1]
    middle = float(pulses[0])
    pulses[0] = 0.0
    total = float(pulses.sum()) + 1e-12
    shares = [float(pulses[::each].sum()) / total - 1 / each if highest >= 2 * each else 0.0 for each in _COUNTS]
    return shares[0], shares[1], shares[2], shares[3], min(1.0, total / max(middle, 1e-12))
