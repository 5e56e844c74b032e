"""Trains what a sample is: python -m training sound_class [--only-judge]

Three small nets on the descriptors of recordings, soundfonts and synthesis; a recording whose manifest says only "hat"
or "melodic" teaches that it is one of the two that are meant. Judged on the recordings with whole sources left out;
`sharpness` is fitted to those answers, so that confidence means what it says.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.sound_class import SOUND_CLASSES
from training import net
from training.material import Table, coarse_name, described
from training.places import save_weights

Array = npt.NDArray[np.float32]

NETS = 3
_UNITS = 160
_STEPS, _BATCH = 900, 512
_DROPOUT, _NOISE = 0.35, 0.15
_DECAY = 1e-2
_BALANCE = 0.6
"""Between 0 (every example counts alike) and 1 (every class counts alike)."""


@dataclass(frozen=True)
class Scale:
    """What makes descriptors comparable."""

    mean: Array
    deviation: Array

    @classmethod
    def of(cls, values: Array) -> Scale:
        return cls(values.mean(axis=0), values.std(axis=0) + np.float32(0.02))

    def __call__(self, values: Array) -> Array:
        return np.clip((values - self.mean) / self.deviation, -5, 5).astype(np.float32)


def main() -> None:
    table = described().with_class().of_sound()
    sharpness = judge(table)
    if "--only-judge" in sys.argv:
        return
    scale = Scale.of(table.values)
    nets = [trained(scale(table.values), table, seed) for seed in range(NETS)]
    path = save_weights("class", {
        "mean": scale.mean,
        "scale": scale.deviation,
        "sharpness": np.array(sharpness, np.float32),
        **{name: np.stack([one[name] for one in nets]).astype(np.float16) for name in nets[0]},
    })  # fmt: skip
    print(f"{path.name}: {path.stat().st_size // 1000} kB")


def trained(values: Array, table: Table, seed: int) -> net.Weights:
    """One net: the probability of the set of classes that an example may be is what it learns to raise."""
    random = np.random.default_rng(seed)
    allowed, chance = table.allowed(), importance(table)
    even = np.full(_BATCH, 1 / _BATCH, np.float32)

    def gradient(weights: net.Weights) -> net.Weights:
        chosen = random.choice(len(values), _BATCH, p=chance)
        inputs = values[chosen] + _NOISE * random.standard_normal((_BATCH, values.shape[1]), dtype=np.float32)
        hidden, logits = net.forwards(weights, inputs, net.kept((_BATCH, _UNITS), _DROPOUT, random))
        return net.backwards(weights, inputs, hidden, net.set_slope(logits, allowed[chosen], even))

    return net.train(net.fresh(values.shape[1], _UNITS, len(SOUND_CLASSES), random), gradient, _STEPS, decay=_DECAY)


def importance(table: Table) -> npt.NDArray[np.float64]:
    """How often each example is drawn: rare classes more often."""
    count = Counter(table.label)
    weight = np.array([count[label] ** -_BALANCE for label in table.label])
    return np.asarray(weight / weight.sum())


def judge(table: Table) -> float:
    """Print how well nets do on sources that they have not heard; the sharpness that fits their answers best."""
    likely = np.zeros((len(table), len(SOUND_CLASSES)), np.float32)
    asked = table.judged()
    print(f"{'source left out':24s}{'sounds':>8s}{'right %':>9s}")
    right = np.zeros(len(table), bool)
    for source in sorted(set(table.source[asked])):
        left_out = table.source == source
        scale = Scale.of(table.values[~left_out])
        known = table.where(~left_out)
        here = left_out & asked
        values = scale(table.values[here])
        answers = [
            net.softmax(net.forwards(trained(scale(known.values), known, seed), values)[1]) for seed in range(NETS)
        ]
        likely[here] = np.mean(answers, axis=0)
        right[here] = coarse_answers(likely[here])[0] == table.coarse()[here]
        print(f"{source:24s}{here.sum():8d}{100 * right[here].mean():9.1f}", flush=True)
    print(f"{'all':24s}{asked.sum():8d}{100 * right[asked].mean():9.1f}")
    confidence = np.zeros(len(table), np.float32)
    for source in set(table.source[asked]):
        # What confidence means is learned from the other sources, too.
        here, others = asked & (table.source == source), asked & (table.source != source)
        confidence[here] = coarse_answers(sharpened(likely[here], fitted_sharpness(likely[others], right[others])))[1]
    for least in (0.5, 0.7, 0.9):
        sure = asked & (confidence >= least)
        share = 100 * sure.sum() / asked.sum()
        print(f"from {least}: {share:.0f} % of answers, {100 * right[sure].mean():.1f} % right")
    sharpness = fitted_sharpness(likely[asked], right[asked])
    print(f"sharpness {sharpness}")
    return sharpness


def coarse_answers(likely: Array) -> tuple[npt.NDArray[np.str_], Array]:
    """The likeliest name of the manifest for each row, and how likely."""
    names = sorted({coarse_name(name) for name in SOUND_CLASSES})
    members = np.array([[coarse_name(fine) == name for name in names] for fine in SOUND_CLASSES], np.float32)
    summed = likely @ members
    return np.array(names)[summed.argmax(axis=1)], summed.max(axis=1)


def sharpened(likely: Array, sharpness: float) -> Array:
    return net.softmax(sharpness * np.log(likely + 1e-7))


def fitted_sharpness(likely: Array, right: npt.NDArray[np.bool_]) -> float:
    """The largest sharpness at which answers with 0.9 and more are right in 96 % of cases, and 0.7 in 80."""
    for sharpness in np.arange(1.6, 0.5, -0.05):
        confidence = coarse_answers(sharpened(likely, float(sharpness)))[1]
        if all(
            right[confidence >= least].mean() >= wanted
            for least, wanted in ((0.9, 0.96), (0.7, 0.8))
            if (confidence >= least).sum() > 20
        ):
            return round(float(sharpness), 2)
    return 0.5


if __name__ == "__main__":
    main()
