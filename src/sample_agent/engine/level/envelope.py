"""How a sound begins and dies away."""

import math
from dataclasses import dataclass

import numpy as np

from sample_agent.engine.level.silence import SILENCE
from sample_agent.engine.signal.cells import Cells
from sample_agent.engine.signal.frames import Floats

_RISE_FROM, _RISE_TO = 0.1, 0.9
_DECAYED = 0.1
_HOLD_SECONDS = 0.012


@dataclass(frozen=True)
class Envelope:
    """The course of a file's level, after the timbre descriptors of G. Peeters et al., "The Timbre Toolbox" (2011).

    Attributes:
        attack: seconds from a tenth to nine tenths of the highest level, on the way to it.
        decay: seconds from the highest level until it has fallen by 20 dB; to the end of a file that never does.
        temporal_centroid: the middle of the energy, 0 (where the sound begins) to 1 (where it ends).
        crest_db: highest sample over root mean square, in dB: 3 for a sine, more for drums.

    Silence before and behind the sound, 60 dB below its highest level, is no part of it.
    """

    attack: float
    decay: float
    temporal_centroid: float
    crest_db: float


def measure_envelope(cells: Cells) -> Envelope:
    """The envelope of a signal, known to about 1.5 ms; zeros for silence."""
    peak, energy = _sound(cells.peak, cells.energy)
    top = int(peak.argmax())
    highest = float(peak[top])
    total = float(energy.sum(dtype=np.float64))
    if highest <= 0 or total <= 0:
        return Envelope(0.0, 0.0, 0.0, 0.0)
    centre = float(np.arange(len(energy), dtype=np.float64) @ energy) / total
    mean_square = total / (len(energy) * cells.size)
    return Envelope(
        attack=_attack(peak[: top + 1], highest) / cells.rate,
        decay=_decay(peak[top:], highest, max(1, round(_HOLD_SECONDS * cells.rate))) / cells.rate,
        temporal_centroid=min(1.0, (centre + 0.5) / len(energy)),
        crest_db=20 * math.log10(highest / math.sqrt(mean_square)),
    )


def _sound(peak: Floats, energy: Floats) -> tuple[Floats, Floats]:
    """Level and energy between the silence at both ends; nothing less of a silent file."""
    loud = np.flatnonzero(peak > SILENCE * peak.max())
    if not len(loud):
        return peak, energy
    sound = slice(int(loud[0]), int(loud[-1]) + 1)
    return peak[sound], energy[sound]


def _attack(rising: Floats, highest: float) -> int:
    """Cells between the thresholds: back from the top to where the level was last below the lower one."""
    end = int((rising >= _RISE_TO * highest).argmax())
    below = np.flatnonzero(rising[:end] < _RISE_FROM * highest)
    return end - (int(below[-1]) if len(below) else 0)


def _decay(falling: Floats, highest: float, hold: int) -> int:
    """Cells until the level stays below the threshold for as long as a low note takes from one top to the next."""
    loud = np.flatnonzero(falling >= _DECAYED * highest)
    gaps = loud[1:] - loud[:-1] > hold
    first = int(gaps.argmax()) if gaps.any() else -1
    return int(loud[first]) + 1
