"""Tempo of loops and tracks: candidate tempi, judged by a small ranker that was trained on loops with a known tempo.

A candidate is a tempo at which the onsets repeat, its relatives, and, since a loop lasts a whole number of beats, every
tempo at which the clip (or what repeats in it) does. For each candidate a row of numbers says how the onsets repeat and
pulse at it and how well the lengths fit; boosted trees turn the row into a likelihood. They were trained on exact loops
and on loops cut at random alike, so they know when the length of a clip means something.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from sample_agent.engine.models.nets import read_weights
from sample_agent.engine.models.trees import Trees
from sample_agent.engine.rhythm.onsets import OnsetEnvelopes
from sample_agent.engine.rhythm.tempo_candidates import FASTEST_BPM, SLOWEST_BPM, Array, Repetition, candidate_tempi
from sample_agent.engine.rhythm.tempo_features import tempo_features
from sample_agent.engine.signal.frames import Floats

_ALTERNATIVES = 4
_SAME_TEMPO = 0.02
_SHORTEST_SECONDS = 0.3

_HINT_ADDS = 2.5
"""What a tempo the file itself names adds to the log likelihood of candidates near it: odds of about 12 to 1."""
_WORTH_A_HINT = 0.02
"""How likely what is heard must make the named tempo for the name to count at all."""


@dataclass(frozen=True)
class TempoCandidate:
    """A tempo and how likely it is: `bpm` in beats per minute, `confidence` from 0 to 1."""

    bpm: float
    confidence: float


@dataclass(frozen=True)
class Tempo:
    """The most likely tempo, with the next ones (among them half and double, where they are in range).

    Attributes:
        bpm: beats per minute, between 50 and 220.
        confidence: how often answers like this one were right (within 4 %) for loops the ranker had not heard.
        alternatives: likeliest first, none within 2 % of another.
        hinted: whether a tempo that the file names agrees with what is heard, and was let count.
    """

    bpm: float
    confidence: float
    alternatives: tuple[TempoCandidate, ...]
    hinted: bool = False


@dataclass(frozen=True, eq=False)
class Ranker:
    """The trees, and what their confidence has meant: answers `said` to be so likely were right so often (`meant`)."""

    trees: Trees
    said: Array
    meant: Array

    @classmethod
    @cache
    def load(cls) -> "Ranker":
        """From the weights of the package, once."""
        arrays = read_weights("tempo")
        return cls(Trees.of(arrays), arrays["said"], arrays["meant"])


def estimate_tempo(
    mel: Floats, envelopes: OnsetEnvelopes, duration: float, onsets: int, named: float | None = None
) -> Tempo | None:
    """Tempo of a clip, or None when nothing in it repeats.

    Args:
        mel: power in mel bands, shape (frames, bands).
        envelopes: onset envelopes of the whole clip, made from `mel`.
        duration: its length in seconds.
        onsets: how many onsets it has.
        named: the tempo that the file's name or tags give. It makes a candidate that agrees with it likelier; where
            nothing heard agrees, it changes nothing.
    """
    if envelopes.full.max(initial=0.0) <= 0 or duration < _SHORTEST_SECONDS:
        return None
    repetition = Repetition(envelopes, duration)
    candidates = candidate_tempi(repetition)
    if not len(candidates):
        return None
    ranker = Ranker.load()
    _, rows = tempo_features(candidates, repetition, mel, envelopes, onsets)
    scores = ranker.trees(rows)
    if named is not None:
        agrees = np.abs(candidates / named - 1) < _SAME_TEMPO
        if _likelihood(scores)[agrees].sum() > _WORTH_A_HINT:
            scores = scores + _HINT_ADDS * agrees
    heard = ranked(candidates, scores)
    confidence = float(np.interp(heard.confidence, ranker.said, ranker.meant))
    # What is not the answer's is shared out among the others as before.
    share = (1 - confidence) / max(1 - heard.confidence, 1e-9)
    return Tempo(
        heard.bpm,
        confidence,
        tuple(TempoCandidate(other.bpm, min(other.confidence * share, confidence)) for other in heard.alternatives),
        named is not None and abs(heard.bpm / named - 1) < _SAME_TEMPO,
    )


def ranked(candidates: Array, scores: Array) -> Tempo:
    """The candidate with the most likelihood in and around it, and the next ones; `scores` are log likelihoods."""
    likelihood = _likelihood(scores)
    near = np.abs(candidates[:, None] / candidates - 1) < _SAME_TEMPO
    together = near @ likelihood
    # Of candidates that say about the same, the likeliest speaks for all.
    order = np.lexsort((-likelihood, -np.round(together, 9)))
    best = order[0]
    best = int(np.flatnonzero(near[best])[likelihood[near[best]].argmax()])
    taken = near[best].copy()
    alternatives: list[TempoCandidate] = []
    for index in order:
        if not taken[index] and len(alternatives) < _ALTERNATIVES:
            share = float(likelihood[near[index] & ~taken].sum())
            alternatives.append(TempoCandidate(float(candidates[index]), share))
            taken |= near[index]
    bpm = float(candidates[best])
    for other in (bpm / 2, bpm * 2):
        if SLOWEST_BPM <= other <= FASTEST_BPM and all(
            abs(alternative.bpm / other - 1) > _SAME_TEMPO for alternative in alternatives
        ):
            alternatives.append(TempoCandidate(other, 0.0))
    return Tempo(bpm, float(likelihood[near[best]].sum()), tuple(alternatives))


def _likelihood(scores: Array) -> Array:
    odds = np.exp(scores - scores.max())
    return np.asarray(odds / odds.sum())
