"""A sample as a vector with named parts: how alike two samples are, and in what."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np

from sample_agent.engine.models.nets import Nets, read_weights
from sample_agent.engine.signal.frames import Floats
from sample_agent.engine.sound.descriptors import Descriptors

PartName = Literal["spectrum", "timbre", "tonality", "rhythm", "envelope"]
PARTS: tuple[PartName, ...] = get_args(PartName)

PART_SIZES: dict[PartName, int] = {"spectrum": 24, "timbre": 40, "tonality": 20, "rhythm": 16, "envelope": 24}
"""How many numbers each part of the vector has, in their order."""

PART_WEIGHTS: dict[PartName, float] = {
    "spectrum": 0.25,
    "timbre": 0.3,
    "tonality": 0.15,
    "rhythm": 0.1,
    "envelope": 0.2,
}
"""What each part counts for when nothing else is asked; together 1."""

EMBEDDING_SIZE = sum(PART_SIZES.values())

_WORDS: dict[PartName, str] = {
    "spectrum": "the same balance of lows and highs",
    "timbre": "the same colour and texture",
    "tonality": "alike in pitch and harmony",
    "rhythm": "alike in rhythm and density",
    "envelope": "the same attack and decay",
}
_ALIKE = 0.75


@dataclass(frozen=True)
class Similarity:
    """How alike two samples are, from -1 (opposites) to 1.

    Attributes:
        total: of all parts by their weights.
        parts: of each part alone.
    """

    total: float
    parts: dict[PartName, float]

    def words(self) -> tuple[str, ...]:
        """Why the two match: the parts that are alike, most alike first, in words for people."""
        alike = sorted((value, name) for name, value in self.parts.items() if value >= _ALIKE)
        return tuple(_WORDS[name] for _, name in reversed(alike))


def embed(descriptors: Descriptors) -> Floats:
    """The vector of a sample: float32, shape (124,), of length 1; zeros for silence.

    Each part has its place (`PART_SIZES`) and is as long as the root of its weight (`PART_WEIGHTS`), so the product of
    two vectors is their similarity with the usual weights, and any index of nearest vectors can search them. A part is
    a projection, by a small net, of the descriptors that belong to it, trained so that sounds of one class from
    different sources come together (supervised contrastive learning, Khosla et al. 2020; training/embedding.py).
    """
    vector = np.zeros(EMBEDDING_SIZE, np.float32)
    if not descriptors.values.any():
        return vector
    for name, (place, net) in load_model().items():
        projected = net(descriptors.values[descriptors.parts[name]])[0]
        length = math.sqrt(projected @ projected)
        vector[place] = projected * np.float32(math.sqrt(PART_WEIGHTS[name]) / max(length, 1e-9))
    return vector


def part(vectors: Floats, name: PartName) -> Floats:
    """One part of vectors, scaled to length 1: shape (..., size of the part)."""
    scaled: Floats = vectors[..., _places()[name]] / np.float32(np.sqrt(PART_WEIGHTS[name]))
    return scaled


def similarity(a: Floats, b: Floats, weights: Mapping[PartName, float] | None = None) -> Similarity:
    """How alike two samples are.

    Args:
        a, b: vectors from `embed`.
        weights: what each part counts for, at least 0; parts left out do not count. `PART_WEIGHTS` by default.

    Raises:
        ValueError: an unknown part, a negative weight, or none above zero.
    """
    totals, parts = similarities(a, b[None], weights)
    return Similarity(float(totals[0]), {name: float(parts[0, index]) for index, name in enumerate(PARTS)})


def similarities(
    query: Floats, vectors: Floats, weights: Mapping[PartName, float] | None = None
) -> tuple[Floats, Floats]:
    """How alike a sample and each of many are.

    Args:
        query: a vector from `embed`.
        vectors: several, shape (n, 124).
        weights: as for `similarity`.

    Returns:
        The totals, shape (n,), and those of each part in the order of `PARTS`, shape (n, 5).

    Raises:
        ValueError: as for `similarity`.
    """
    share = _shares(weights)
    parts = np.stack([part(vectors, name) @ part(query, name) for name in PARTS], axis=1)
    totals: Floats = parts @ share
    return totals, parts


def _shares(weights: Mapping[PartName, float] | None) -> Floats:
    weights = PART_WEIGHTS if weights is None else weights
    if unknown := set(weights) - set(PARTS):
        raise ValueError(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    values = np.array([weights.get(name, 0.0) for name in PARTS], np.float32)
    if not (np.isfinite(values).all() and values.min() >= 0 and values.sum() > 0):
        raise ValueError("weights are at least 0, and one of them is above")
    shares: Floats = values / values.sum()
    return shares


@cache
def _places() -> dict[PartName, slice]:
    ends = np.cumsum([PART_SIZES[name] for name in PARTS]).tolist()
    return {name: slice(end - PART_SIZES[name], end) for name, end in zip(PARTS, ends, strict=True)}


@cache
def load_model() -> dict[PartName, tuple[slice, Nets]]:
    """Where the descriptors of each part lie, and its nets; read once."""
    arrays = read_weights("embedding")
    return {name: (_places()[name], Nets.of(arrays, f"{name}_")) for name in PARTS}
