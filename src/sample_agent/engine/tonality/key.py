"""Musical key from the pitch classes of a whole file."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from sample_agent.engine.models.nets import read_weights
from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.signal.tonal import TonalFrames
from sample_agent.engine.tonality.pitch_classes import pitch_classes
from sample_agent.engine.tonality.tuning import estimate_tuning, find_tones

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
"""How tonics are written: sharps only. A minor key has an "m" behind it."""

KEYS = (*TONICS, *(f"{tonic}m" for tonic in TONICS))


_LEAST_TONALITY = 0.02
_LEAST_CONFIDENCE = 0.15
_HINT_ODDS = 12.0
"""How many times likelier a key is that the file itself names."""
_WORTH_A_HINT = 0.02
"""How likely what is heard must make the named key for the name to count at all."""
_ALTERNATIVES = 3
_EDGE_SEGMENTS = 8
"""Beginning and end are the first and last so many segments: three seconds."""


@dataclass(frozen=True)
class KeyCandidate:
    """A key and how likely it is.

    Attributes:
        key: tonic with sharps, "m" behind it for minor: "F#m".
        camelot: the same on the wheel that DJs mix by: "11A".
        confidence: 0 to 1; all 24 keys together make 1.
        relation: what it is to the most likely key: "relative" (the same notes), "parallel" (the same tonic), "fifth"
            (a neighbour on the circle, of the same mode) or "other".
    """

    key: str
    camelot: str
    confidence: float
    relation: str


@dataclass(frozen=True)
class Key:
    """The most likely key, with the next ones.

    Attributes:
        key, camelot, confidence: as in `KeyCandidate`. Of answers with a confidence of 0.9, at
            least 95 in 100 are right.
        alternatives: the next most likely keys, best first.
        tuning_cents: how far the file is from A = 440 Hz, -50 to 50.
        tonality: share of the spectral energy that sits in stable peaks, 0 (noise) to 1.
        hinted: whether a key that the file names agrees with what is heard, and was let count.
    """

    key: str
    camelot: str
    confidence: float
    alternatives: tuple[KeyCandidate, ...]
    tuning_cents: float
    tonality: float
    hinted: bool = False


def camelot(key: str) -> str:
    """The Camelot code of a key: "Am" is "8A", "C" is "8B".

    Raises:
        ValueError: for anything that is no key.
    """
    minor = key.endswith("m")
    pitch_class = TONICS.index(key.removesuffix("m"))
    # One step on the wheel is a fifth; a minor key shares the number of its relative major.
    fifths = (7 * (pitch_class + (3 if minor else 0))) % 12
    return f"{(fifths + 7) % 12 + 1}{'A' if minor else 'B'}"


def relation(key: str, other: str) -> str:
    """What `other` is to `key`: "relative", "parallel", "fifth" or "other"."""
    minor, other_minor = key.endswith("m"), other.endswith("m")
    steps = (TONICS.index(other.removesuffix("m")) - TONICS.index(key.removesuffix("m"))) % 12
    if minor == other_minor:
        return "fifth" if steps in (5, 7) else "other"
    if steps == 0:
        return "parallel"
    return "relative" if steps == (3 if minor else 9) else "other"


KeyNets = Mapping[str, Floats]
"""Weights of several nets, by name, one net after the other along the first axis, as `python -m training key` saves
them."""


def estimate_key(tonal: TonalFrames, named: str | None = None, nets: KeyNets | None = None) -> Key | None:
    """The key of what was heard, or None when there is too little pitch in it, or it fits every key alike.

    Args:
        tonal: long frames of a file.
        named: the key that the file's name or tags give. It is believed where what is heard allows it; where it does
            not, it changes nothing.
        nets: which nets to ask; by default those of the package.
    """
    tones = find_tones(tonal.power, tonal.width_hz)
    if tones.tonality < _LEAST_TONALITY:
        return None
    tuning = estimate_tuning(tones)
    classes = pitch_classes(tones, tuning)
    if not len(classes):
        return None
    likelihood = key_likelihoods(classes, tones.tonality, nets)
    if likelihood.max() < _LEAST_CONFIDENCE:
        return None
    place = KEYS.index(named) if named in KEYS else None
    if place is not None and likelihood[place] > _WORTH_A_HINT:
        likelihood[place] *= _HINT_ODDS
        likelihood /= likelihood.sum()
    order = np.argsort(-likelihood, kind="stable")[: _ALTERNATIVES + 1]
    best, *others = (KEYS[place] for place in order)
    confidence = [float(likelihood[place]) for place in order]
    alternatives = tuple(
        KeyCandidate(other, camelot(other), share, relation(best, other))
        for other, share in zip(others, confidence[1:], strict=True)
    )
    return Key(best, camelot(best), confidence[0], alternatives, 100.0 * tuning, tones.tonality, best == named)


def key_likelihoods(classes: Floats, tonality: float, nets: KeyNets | None = None) -> npt.NDArray[np.float64]:
    """How likely each of `KEYS` is, shape (24,), sum 1.

    The mean of a few small nets that look at the pitch classes from each of the twelve tonics in turn, with the same
    weights: a layer for every segment (it finds chords), their mean over the file, its beginning and its end, then a
    layer over all twelve transpositions (it finds how the chords lie about the tonic). `python -m training key` makes
    the weights.

    Args:
        classes: as `pitch_classes` gives them, shape (segments, registers, 12), at least one segment.
        tonality: share of energy in tones; the less there is, the less is believed.
        nets: which nets to ask; by default those of the package.
    """
    nets = nets or load_nets()
    segments = len(classes)
    # Row `tonic` of `turned` has the pitch classes from that tonic upwards.
    turned = classes[:, :, _TURNS].transpose(0, 2, 1, 3).reshape(segments * 12, -1)
    mean = np.add.reduce(turned.reshape(segments, 12, -1), axis=0) * np.float32(1 / segments)
    chords = turned @ nets["chord"]
    chords += nets["chord_bias"][:, None]
    np.maximum(chords, 0, out=chords)
    chords = chords.reshape(len(chords), segments, 12, -1)
    parts = chords, chords[:, :_EDGE_SEGMENTS], chords[:, -_EDGE_SEGMENTS:]
    heard = np.concatenate([np.add.reduce(part, axis=1) * np.float32(1 / part.shape[1]) for part in parts], axis=2)
    hidden = heard[:, _TURNS].reshape(len(heard), 12, -1) @ nets["place"]
    hidden += nets["place_bias"][:, None]
    np.maximum(hidden, 0, out=hidden)
    scores = hidden @ nets["mode"]
    scores += mean @ nets["profile"]
    scores += nets["mode_bias"][:, None]
    about = np.array([1.0, math.log(tonality + 0.01), math.log(segments)], np.float32)
    sharpness = np.exp(nets["trust"] @ about, dtype=np.float64)
    logits = scores.transpose(0, 2, 1).reshape(len(scores), -1) * sharpness[:, None]
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    likely /= np.add.reduce(likely, axis=1, keepdims=True)
    return np.asarray(np.add.reduce(likely, axis=0) / len(likely))


_LAYERS = ("chord", "chord_bias", "place", "place_bias", "mode", "mode_bias", "profile", "trust")
_TURNS = (np.arange(12)[:, None] + np.arange(12)) % 12


@cache
def load_nets() -> KeyNets:
    """The nets of the package, read once."""
    arrays = read_weights("key")
    return {name: np.ascontiguousarray(arrays[name], np.float32) for name in _LAYERS}
