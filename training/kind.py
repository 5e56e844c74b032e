"""Trains one-shot, loop or track: python -m training kind [--only-judge]

Two small nets on the descriptors of rhythm, envelope and ends. Judged on recordings, and on the kinds of loops that are
played for it, with whole sources left out; on what else is made, left out by fifths.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine import analyze_samples
from sample_agent.engine.sound.descriptors import part_slices
from sample_agent.engine.sound.kind import KIND_PARTS, KINDS, Kind
from training import net
from training.drum_machine import RATE
from training.material import MADE, Table, described, descriptors_of
from training.places import save_weights
from training.sound_class import Scale

Array = npt.NDArray[np.float32]

NETS = 2
_UNITS = 64
_STEPS, _BATCH = 1200, 512
_AMBIGUOUS = "texture"
"""Loops that are one long sound: judged, but not learned from, or long pads would be taken for loops."""
_DROPOUT, _NOISE, _DECAY = 0.2, 0.15, 2e-2


def main() -> None:
    table = described()
    values = inputs_of(table)
    sharpness = judge(table, values)
    if "--only-judge" in sys.argv:
        return
    known = table.source != _AMBIGUOUS
    scale = Scale.of(values[known])
    nets = [trained(scale(values[known]), table.where(known), seed) for seed in range(NETS)]
    path = save_weights("kind", {
        "mean": scale.mean,
        "scale": scale.deviation,
        "sharpness": np.array(sharpness, np.float32),
        **{name: np.stack([one[name] for one in nets]).astype(np.float16) for name in nets[0]},
    })  # fmt: skip
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


def inputs_of(table: Table) -> Array:
    places = part_slices()
    return np.concatenate([table.values[:, places[name]] for name in KIND_PARTS], axis=1)


def trained(values: Array, table: Table, seed: int) -> net.Weights:
    random = np.random.default_rng(seed)
    truth = np.array([[float(kind == name) for name in KINDS] for kind in table.kind], np.float32)
    count = Counter(zip(table.kind, table.source, strict=True))
    kinds = Counter(table.kind)
    # Every kind counts alike; within one, small sources more than their size.
    weight = np.array(
        [count[pair] ** -0.4 / kinds[pair[0]] ** 0.6 for pair in zip(table.kind, table.source, strict=True)]
    )
    chance, even = weight / weight.sum(), np.full(_BATCH, 1 / _BATCH, np.float32)

    def gradient(weights: net.Weights) -> net.Weights:
        chosen = random.choice(len(values), _BATCH, p=chance)
        inputs = values[chosen] + _NOISE * random.standard_normal((_BATCH, values.shape[1]), dtype=np.float32)
        hidden, logits = net.forwards(weights, inputs, net.kept((_BATCH, _UNITS), _DROPOUT, random))
        return net.backwards(weights, inputs, hidden, net.set_slope(logits, truth[chosen], even))

    return net.train(net.fresh(values.shape[1], _UNITS, len(KINDS), random), gradient, _STEPS, decay=_DECAY)


def judge(table: Table, values: Array) -> float:
    """Print how well nets do on what they have not heard; the sharpness that fits their answers best."""
    asked, likely = unheard(table, values)
    right = np.array(KINDS)[likely.argmax(axis=1)] == table.kind
    for source in sorted(set(table.source[asked])):
        for kind in KINDS:
            here = asked & (table.source == source) & (table.kind == kind)
            if here.any():
                print(f"{source:24s}{kind:10s}{here.sum():6d}{100 * right[here].mean():8.1f} %")
    found = asked & table.original
    print(f"{'recordings':24s}{'':10s}{found.sum():6d}{100 * right[found].mean():8.1f} %")
    sharpness = fitted_sharpness(likely[asked], table.kind[asked])
    confidence = net.softmax(sharpness * np.log(likely + 1e-7)).max(axis=1)
    one_shot = likely.argmax(axis=1) == KINDS.index("one-shot")
    loops, hits = (found & (table.kind == kind) for kind in ("loop", "one-shot"))
    for least in (0.0, 0.6, 0.7, 0.8, 0.9):
        without = one_shot & (confidence >= least)
        print(
            f"no tempo for one-shots from {least}: given to {100 * (~without[loops]).mean():.1f} % of recorded loops, "
            f"{100 * (~without[hits]).mean():.1f} % of one-shots"
        )
    sure = asked & (confidence >= 0.9)
    print(f"from 0.9: {100 * sure.sum() / asked.sum():.0f} %, {100 * right[sure].mean():.1f} % right")
    return sharpness


def unheard(table: Table, values: Array) -> tuple[npt.NDArray[np.bool_], Array]:
    """Which rows are judged, and the likelihoods of their kinds by nets that have not heard their source or fifth."""
    made = np.isin(table.source, MADE)
    fold = np.where(made, [str(index % 5) for index in range(len(table))], table.source)
    asked = table.original | ~np.isin(table.source, table.source[table.original])
    likely = np.zeros((len(table), len(KINDS)), np.float32)
    for left_out in sorted(set(fold)):
        here, known = (fold == left_out) & asked, (fold != left_out) & (table.source != _AMBIGUOUS)
        if here.any():
            likely[here] = _Judge.of(table.where(known), values[known]).likelihoods(values[here])
    return asked, likely


def without_tempo(sounds: list[Array], sources: list[str]) -> list[bool]:
    """Which sounds (mono, 44.1 kHz) get no tempo by nets, and a sharpness, that know nothing of their source.

    Sources whose names begin alike (a song as a loop and as a whole) count as one.
    """
    table = described()
    values = inputs_of(table)
    asked, likely = unheard(table, values)
    places = part_slices()
    found = [False] * len(sounds)
    for source in sorted(set(sources)):
        stem = source.partition("-loop")[0]
        related = np.char.startswith(table.source, stem)
        known = ~related & (table.source != _AMBIGUOUS)
        judge = _Judge.of(table.where(known), values[known])
        others = asked & ~related
        sharpness = fitted_sharpness(likely[others], table.kind[others])
        for index in [index for index, name in enumerate(sources) if name == source]:
            row = descriptors_of(sounds[index])
            inputs = np.concatenate([row[places[name]] for name in KIND_PARTS])[None]
            sure = net.softmax(sharpness * np.log(judge.likelihoods(inputs) + 1e-7))[0]
            best = int(sure.argmax())
            onsets = analyze_samples(sounds[index], RATE).onsets
            found[index] = not Kind(KINDS[best], float(sure[best])).may_have_tempo(len(onsets))
    return found


@dataclass(frozen=True, eq=False)
class _Judge:
    """A few nets, and what they were taught to compare with."""

    scale: Scale
    nets: list[net.Weights]

    @classmethod
    def of(cls, table: Table, values: Array) -> _Judge:
        scale = Scale.of(values)
        return cls(scale, [trained(scale(values), table, seed) for seed in range(NETS)])

    def likelihoods(self, values: Array) -> Array:
        answers = [net.softmax(net.forwards(one, self.scale(values))[1]) for one in self.nets]
        return np.asarray(np.mean(answers, axis=0))


def fitted_sharpness(likely: Array, kind: npt.NDArray[np.str_]) -> float:
    """The power of the likelihoods at which the truth surprises least."""
    best = min(np.arange(0.5, 1.55, 0.05), key=lambda value: _surprise(likely, kind, float(value)))
    return round(float(best), 2)


def _surprise(likely: Array, kind: npt.NDArray[np.str_], sharpness: float) -> float:
    """Mean negative log-likelihood of the truth."""
    sharp = net.softmax(sharpness * np.log(likely + 1e-7))
    truth = np.array([KINDS.index(name) for name in kind])
    return float(-np.log(sharp[np.arange(len(sharp)), truth] + 1e-9).mean())


if __name__ == "__main__":
    main()
