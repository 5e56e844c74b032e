"""Trains the embedding: python -m training embedding [--only-judge]

A net for each part projects the descriptors of that part; together they are trained so that the similarity of two
samples, over all parts by their weights, is high for sounds of one class and low for others (supervised contrastive),
and to a lesser degree that of each part alone. Judged by precision at 10 across sources: of the ten nearest sounds from
other sources, how many are of the class.
"""

from __future__ import annotations

import sys
from collections import defaultdict

import numpy as np
import numpy.typing as npt

from sample_agent.engine.sound.embedding import PART_SIZES, PART_WEIGHTS, PARTS
from training import net
from training.material import Table, described
from training.places import save_weights
from training.sound_class import Scale, importance

Array = npt.NDArray[np.float32]

_UNITS = 80
_STEPS, _BATCH = 700, 384
_DROPOUT, _NOISE = 0.25, 0.15
_DECAY = 1e-2
_TEMPERATURE = 0.1
_ALONE = 0.3
"""How much it counts that a part alone brings a class together, beside all parts."""

_LAYERS = ("hidden", "hidden_bias", "output", "output_bias")


def main() -> None:
    table = described().with_class()
    places = part_places()
    judge(table, places)
    if "--only-judge" in sys.argv:
        return
    scale = Scale.of(table.values)
    weights = trained(scale(table.values), table, places)
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for name, place in places.items():
        arrays |= {f"{name}_mean": scale.mean[place], f"{name}_scale": scale.deviation[place]}
        arrays |= {f"{name}_{layer}": weights[f"{name}_{layer}"][None].astype(np.float16) for layer in _LAYERS}
    path = save_weights("embedding", arrays)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


def part_places() -> dict[str, slice]:
    """Where the descriptors of each part lie."""
    from sample_agent.engine.sound.descriptors import part_slices

    return {name: part_slices()[name] for name in PARTS}


def trained(values: Array, table: Table, places: dict[str, slice], seed: int = 0) -> net.Weights:
    random = np.random.default_rng(seed)
    allowed, chance = table.allowed(), importance(table)
    start: net.Weights = {}
    for name, size in PART_SIZES.items():
        place = places[name]
        fresh = net.fresh(place.stop - place.start, _UNITS, size, random)
        start |= {f"{name}_{layer}": value for layer, value in fresh.items()}

    def gradient(weights: net.Weights) -> net.Weights:
        chosen = random.choice(len(values), _BATCH, p=chance)
        inputs = values[chosen] + _NOISE * random.standard_normal((_BATCH, values.shape[1]), dtype=np.float32)
        # "Hat" is alike with the open and the closed one, which are not alike with each other.
        same = allowed[chosen] @ allowed[chosen].T > 0
        hidden, unit, length = {}, {}, {}
        total = np.zeros((_BATCH, _BATCH), np.float32)
        for name in PARTS:
            hidden[name], projected = net.forwards(
                part_weights(weights, name), inputs[:, places[name]], net.kept((_BATCH, _UNITS), _DROPOUT, random)
            )
            length[name] = np.sqrt(np.square(projected).sum(axis=1, keepdims=True)) + 1e-6
            unit[name] = projected / length[name]
            total += PART_WEIGHTS[name] * (unit[name] @ unit[name].T)
        together = net.alike_slope(total, same, _TEMPERATURE)
        slopes: net.Weights = {}
        for name in PARTS:
            alone = net.alike_slope(unit[name] @ unit[name].T, same, 2 * _TEMPERATURE)
            slope = PART_WEIGHTS[name] * together + _ALONE * alone
            back = (slope + slope.T) @ unit[name]
            back = (back - unit[name] * (back * unit[name]).sum(axis=1, keepdims=True)) / length[name]
            found = net.backwards(part_weights(weights, name), inputs[:, places[name]], hidden[name], back)
            slopes |= {f"{name}_{layer}": value for layer, value in found.items()}
        return slopes

    return net.train(start, gradient, _STEPS, decay=_DECAY)


def part_weights(weights: net.Weights, name: str) -> net.Weights:
    return {layer: weights[f"{name}_{layer}"] for layer in _LAYERS}


def projected(weights: net.Weights, values: Array, places: dict[str, slice]) -> Array:
    """Vectors of length 1, as the engine makes them."""
    parts = []
    for name in PARTS:
        outputs = net.forwards(part_weights(weights, name), values[:, places[name]])[1]
        outputs /= np.sqrt(np.square(outputs).sum(axis=1, keepdims=True)) + 1e-9
        parts.append(outputs * np.float32(np.sqrt(PART_WEIGHTS[name])))
    return np.concatenate(parts, axis=1)


def judge(table: Table, places: dict[str, slice]) -> None:
    """Print the precision at 10 across sources, each source asked by a net that has not heard it."""
    asked = np.flatnonzero(table.judged())
    label, source = table.coarse()[asked], table.source[asked]
    found: dict[str, list[float]] = defaultdict(list)
    for left_out in sorted(set(source)):
        known = table.source != left_out
        scale = Scale.of(table.values[known])
        weights = trained(scale(table.values[known]), table.where(known), places)
        vectors = projected(weights, scale(table.values[asked]), places)
        for name, precision in precisions(vectors, label, source, source == left_out):
            found[name].append(precision)
    print(f"{'class':12s}{'sounds':>8s}{'P@10 %':>8s}")
    for name, values in sorted(found.items()):
        print(f"{name:12s}{len(values):8d}{100 * np.mean(values):8.1f}")
    print(f"{'mean':12s}{'':8s}{100 * np.mean([np.mean(values) for values in found.values()]):8.1f}")


def precisions(
    vectors: Array, label: npt.NDArray[np.str_], source: npt.NDArray[np.str_], asked: npt.NDArray[np.bool_]
) -> list[tuple[str, float]]:
    """For each sound asked that has any of its class in other sources: class, and how many of the ten nearest sounds
    of other sources (or of as many as there are of the class, if fewer) are of it."""
    found = []
    for index in np.flatnonzero(asked):
        others = source != source[index]
        there = min(10, int((label[others] == label[index]).sum()))
        if there:
            near = np.argsort(-np.where(others, vectors @ vectors[index], -np.inf))[:there]
            found.append((str(label[index]), float((label[near] == label[index]).mean())))
    return found


if __name__ == "__main__":
    main()
