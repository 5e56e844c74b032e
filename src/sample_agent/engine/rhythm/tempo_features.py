"""What speaks for and against each candidate tempo, as a table of numbers for the ranker."""

import numpy as np
import numpy.typing as npt

from sample_agent.engine.rhythm.onsets import OnsetEnvelopes
from sample_agent.engine.rhythm.tempo_candidates import FULL, HIGH, LOW, MIDDLE, Array, Repetition
from sample_agent.engine.signal.frames import Floats

_BAND_NAMES = {FULL: "full", LOW: "low", MIDDLE: "middle", HIGH: "high"}
_AFTER = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
_AROUND = {FULL: (1 / 4, 1 / 2, 3 / 4, 1.0, 1.5, 2.0, 3.0, 4.0, 8.0), LOW: (1.0, 2.0, 4.0), HIGH: (1 / 2, 1.0)}
_PULSES = {
    FULL: (1 / 4, 1 / 3, 1 / 2, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0),
    LOW: (1 / 4, 1 / 2, 1.0, 2.0),
    MIDDLE: (1 / 4, 1 / 2, 1.0, 2.0),
    HIGH: (1 / 2, 1.0, 2.0, 4.0),
}
_COMPRESSION = 3000.0


def tempo_features(
    candidates: Array, repetition: Repetition, mel: Floats, envelopes: OnsetEnvelopes, onsets: int
) -> tuple[list[str], Floats]:
    """Names of the columns, and one row for each candidate: float32, shape (candidates, columns).

    Args:
        candidates: tempi in beats per minute.
        repetition: of the clip's envelopes.
        mel: power in mel bands, shape (frames, bands).
        envelopes: of the clip.
        onsets: how many onsets it has.
    """
    beat = 60.0 / candidates
    columns: dict[str, Array] = {"octaves from 120": np.log2(candidates / 120.0)}
    for band, name in _BAND_NAMES.items():
        columns.update(_named(f"{name} after", _AFTER, repetition.after(band, np.outer(_AFTER, beat))))
    for band, ratios in _AROUND.items():
        around = repetition.around(band, np.outer(ratios, beat))
        columns.update(_named(f"{_BAND_NAMES[band]} around", ratios, around))
    _pulses(columns, beat, repetition)
    _whole_numbers(columns, beat, repetition)
    _agreement(columns, beat, repetition)
    columns["onsets per beat"] = np.log2(max(onsets, 1) * beat / repetition.duration)
    for name in ("full after 1", "full after 4", "full pulse 1", "low pulse 1"):
        columns[f"{name}, beside the best"] = columns[name] - columns[name].max()
    for name, value in _of_the_clip(repetition, mel, envelopes, onsets).items():
        columns[name] = np.full(len(candidates), value)
    return list(columns), np.stack(list(columns.values()), axis=1).astype(np.float32)


def _named(name: str, ratios: tuple[float, ...], rows: Array) -> dict[str, Array]:
    return {f"{name} {ratio:.3g}": row for ratio, row in zip(ratios, rows, strict=True)}


def _pulses(columns: dict[str, Array], beat: Array, repetition: Repetition) -> None:
    """Strength of the pulse at fractions and multiples of the beat; where it falls; what alternates with what."""
    pulses = {}
    for band, ratios in _PULSES.items():
        found = repetition.pulse(band, np.outer(ratios, 1 / beat))
        columns.update(_named(f"{_BAND_NAMES[band]} pulse", ratios, np.abs(found)))
        pulses.update({(band, ratio): pulse for ratio, pulse in zip(ratios, found, strict=True)})
    for ratio in (1 / 4, 1 / 2, 1.0, 2.0):
        # 1 when the pulse is at its height where the clip begins, as it is in a loop.
        pulse = pulses[FULL, ratio]
        columns[f"begins on pulse {ratio:.3g}"] = _phase(pulse) if repetition.phases else np.zeros(len(beat))
    for one, other in ((LOW, MIDDLE), (LOW, HIGH), (MIDDLE, HIGH)):
        for ratio in (1 / 2, 1.0):
            # -1 when two bands take turns at this pulse, as a kick and a snare do at half the beat.
            turns = pulses[one, ratio] * np.conj(pulses[other, ratio])
            name = f"{_BAND_NAMES[one]} with {_BAND_NAMES[other]} at {ratio:.3g}"
            columns[name] = _phase(turns) if repetition.phases else np.zeros(len(beat))
            columns[f"{name}, strength"] = np.sqrt(np.abs(turns)) * columns[name]


def _phase(pulse: npt.NDArray[np.complex128]) -> Array:
    return np.asarray(pulse.real / np.maximum(np.abs(pulse), 1e-9))


def _whole_numbers(columns: dict[str, Array], beat: Array, repetition: Repetition) -> None:
    """How near to a whole and a usual number of beats the clip lasts, and what repeats in it."""
    for name, seconds in (("clip", repetition.duration), ("repeat", repetition.repeat.seconds)):
        beats = seconds / beat
        whole = np.maximum(np.rint(beats), 1.0)
        fits = np.abs(beats - whole) < 0.02 * np.maximum(1.0, whole / 16)
        usual = np.log2(whole)
        columns[f"{name} in octaves of beats"] = np.log2(np.maximum(beats, 0.1))
        columns[f"{name} beside whole beats"] = np.abs(beats - whole)
        columns[f"{name} beside whole beats, of it"] = np.abs(beats - whole) / whole
        columns[f"{name} in beats of a bar"] = np.where(fits, whole % 4, -1.0)
        columns[f"{name} in bars of three"] = np.where(fits, whole % 3, -1.0)
        columns[f"{name} beside a power of two"] = np.where(fits, np.abs(usual - np.rint(usual)), 1.0)
        columns[f"{name} in a power of two"] = np.where(fits & (usual == np.rint(usual)), usual, -1.0)


def _agreement(columns: dict[str, Array], beat: Array, repetition: Repetition) -> None:
    """Whether the onsets themselves, near this tempo, repeat at exactly this tempo."""
    offsets = np.linspace(-0.03, 0.03, 13)
    for beats in (2, 4, 8):
        lags = beats * beat[:, None] * (1 + offsets)
        values = repetition.exactly_after(lags.ravel()).reshape(lags.shape)
        best = values.argmax(axis=1)
        columns[f"peak near {beats} beats"] = values.max(axis=1)
        columns[f"peak near {beats} beats, how far"] = np.abs(offsets[best])


def _of_the_clip(repetition: Repetition, mel: Floats, envelopes: OnsetEnvelopes, onsets: int) -> dict[str, float]:
    duration, full = repetition.duration, envelopes.full
    strongest = max(float(full.max(initial=0.0)), 1e-9)
    edge = np.concatenate((mel[:12], mel[-12:]))
    level = np.log1p(edge * np.float32(_COMPRESSION / max(float(mel.max(initial=0.0)), 1e-20)))
    start, later, end = level[1:3].max(axis=0), level[6:12].mean(axis=0), level[-4:-1].mean(axis=0)
    top = max(float(level.mean(axis=1).max()), 1e-9)
    return {
        "octaves of seconds": float(np.log2(duration)),
        "may loop": float(repetition.may_loop),
        "likeness of the repeat": repetition.repeat.likeness,
        "octaves of seconds to the repeat": float(np.log2(max(repetition.repeat.seconds, 0.1))),
        "repeats in the clip": duration / max(repetition.repeat.seconds, 0.1),
        "onsets a second": onsets / duration,
        # A clip that begins with a sound and ends before the next one can be played in a circle.
        "rise over the seam": float(np.maximum(start - end, 0.0).mean()) / strongest,
        "fall after the start": float((start - later).mean()) / top,
        "level of the end": float(end.mean()) / top,
        "peaks over the mean": float(full.mean()) / strongest,
        "share of lows": float(envelopes.low.mean() / max(float(full.mean()), 1e-9)),
        "share of highs": float(envelopes.high.mean() / max(float(full.mean()), 1e-9)),
        "wholeness": _wholeness(repetition),
    }


def _wholeness(repetition: Repetition) -> float:
    """0 when the strongest periods of the onsets go into the clip a whole number of times; about 0.25 by chance."""
    if not repetition.may_loop:
        return 0.5
    periods = np.array(repetition.periods[:4])
    if not len(periods):
        return 0.5
    times = repetition.duration / periods
    return float(np.median(np.abs(times - np.rint(times))))
