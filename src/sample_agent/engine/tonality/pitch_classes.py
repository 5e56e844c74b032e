"""The twelve pitch classes, moment by moment and register by register."""

import numpy as np

from sample_agent.engine.native import address, checked, kernel
from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.tonality.tuning import Tones

REGISTERS = 4
"""Below middle C, up to F5, above it, and the lowest tone of each moment by itself."""

FRAMES_PER_SEGMENT = 2

_BORDERS = (60.0, 77.0)
_HIGHEST_BASS = 68.0
_STRONG = 0.4
"""A bass has this share of the weight of the strongest tone of its frame."""
_SILENT = 0.05
"""A segment is left out when it has less than this share of the weight of the fullest one."""


def pitch_classes(tones: Tones, tuning: float) -> Floats:
    """How much of each pitch class there is in segments of about 0.37 s.

    Tones between two semitones count by the square of the cosine of their distance from the nearer one (E. Gómez,
    "Tonal description of music audio signals", Universitat Pompeu Fabra, 2006). Segments without tones are left out, so
    that silence before or after music changes nothing. Gain is taken out.

    Args:
        tones: what was heard.
        tuning: in semitones, as `estimate_tuning` says.

    Returns:
        float32, shape (segments, `REGISTERS`, 12), pitch classes from C, at least 0; the registers but the last add up
        to 1 in the mean.
    """
    segments = -(-tones.frames // FRAMES_PER_SEGMENT)
    if not len(tones.frame):
        return np.zeros((0, REGISTERS, 12), np.float32)
    if loaded := kernel():
        found = np.empty((segments, REGISTERS, 12), np.float32)
        where = address(tones.frame), address(tones.pitch), address(tones.weight), len(tones.frame)
        sounding = loaded.sort_into_classes(*where, tuning, segments, address(found))
        checked(sounding)
        return found[:sounding]
    pitch = tones.pitch - np.float32(tuning)
    semitone = np.rint(pitch)
    weight = tones.weight * np.square(np.cos(np.float32(np.pi) * (pitch - semitone)))
    pitch_class = semitone.astype(np.int64) % 12
    row = tones.frame // FRAMES_PER_SEGMENT * REGISTERS
    register = np.add(pitch > _BORDERS[0], pitch > _BORDERS[1], dtype=np.int64)
    cells = segments * REGISTERS * 12
    classes = np.bincount((row + register) * 12 + pitch_class, weight, minlength=cells)
    bass = _lowest(tones, pitch)
    total = np.bincount(tones.frame, tones.weight)
    classes += np.bincount(
        (row[bass] + REGISTERS - 1) * 12 + pitch_class[bass], total[tones.frame[bass]], minlength=cells
    )
    classes = classes.reshape(segments, REGISTERS, 12)
    fullness = classes[:, :-1].sum(axis=(1, 2))
    sounding = fullness > _SILENT * fullness.max()
    return np.asarray(classes[sounding] / max(float(fullness[sounding].mean()), 1e-9), np.float32)


def _lowest(tones: Tones, pitch: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Indices of the lowest strong tone of each frame, where it is low enough for a bass."""
    strongest = np.zeros(tones.frames, np.float32)
    np.maximum.at(strongest, tones.frame, tones.weight)
    strong = np.flatnonzero((tones.weight > _STRONG * strongest[tones.frame]) & (pitch < _HIGHEST_BASS))
    return strong[np.flatnonzero(np.diff(tones.frame[strong], prepend=-1))]
