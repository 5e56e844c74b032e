"""Trains what a sample is: python -m training sound_class [--only-judge]

Three small nets on the descriptors of recordings, soundfonts and synthesis; a recording whose manifest says only "hat"
or "melodic" teaches that it is one of the two that are meant. Judged on the recordings with whole sources left out; the
curve that makes a confidence of a likelihood is fitted to those answers, and judged on sources it was not fitted to.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from sample_agent.engine.sound.sound_class import SOUND_CLASSES
from training import net
from training.material import Table, coarse_name, described
from training.places import save_weights

Array = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]

NETS = 3
_UNITS = 160
_STEPS, _BATCH = 900, 512
_DROPOUT, _NOISE = 0.35, 0.15
_DECAY = 1e-2
_BALANCE = 0.6
"""Between 0 (every example counts alike) and 1 (every class counts alike)."""
_CAUTION = 0.25
"""Log odds taken off what likelihood has meant: what people bring is further from the sources here than they are from
one another."""


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
    said, meant = judge(table)
    if "--only-judge" in sys.argv:
        return
    scale = Scale.of(table.values)
    nets = [trained(scale(table.values), table, seed) for seed in range(NETS)]
    path = save_weights("class", {
        "mean": scale.mean,
        "scale": scale.deviation,
        "said": said,
        "meant": meant,
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


def judge(table: Table) -> tuple[Numbers, Numbers]:
    """Print how well nets do on sources that they have not heard; the curve of what their likelihoods have meant."""
    asked = table.judged()
    likely = np.zeros((len(table), len(SOUND_CLASSES)), np.float32)
    print(f"{'source left out':24s}{'sounds':>8s}{'right %':>9s}")
    for source in sorted(set(table.source[asked])):
        here = asked & (table.source == source)
        likely[here] = unheard(table, source, table.values[here])
        share = 100 * (coarse_answers(likely[here]) == table.coarse()[here]).mean()
        print(f"{source:24s}{here.sum():8d}{share:9.1f}", flush=True)
    likely, truth, source = likely[asked], table.coarse()[asked], table.source[asked]
    print(f"{'all':24s}{len(truth):8d}{100 * (coarse_answers(likely) == truth).mean():9.1f}")
    right, sure = outcomes(likely, truth, source)
    for least in (0.5, 0.7, 0.9):
        told = sure >= least
        print(f"from {least}: {100 * told.mean():.0f} % of answers, {100 * right[told].mean():.1f} % right")
    return curve(likely.max(axis=1), right)


def unheard(table: Table, source: str, values: Array) -> Array:
    """Likelihoods of the classes of a source's sounds, by nets that have not heard the source."""
    known = table.where(table.source != source)
    scale = Scale.of(known.values)
    nets = [trained(scale(known.values), known, seed) for seed in range(NETS)]
    return np.asarray(np.mean([net.softmax(net.forwards(one, scale(values))[1]) for one in nets], axis=0))


def coarse_answers(likely: Array) -> Names:
    """The manifest's name for the likeliest class of each row: what the engine's answer would be compared with."""
    names = np.array([coarse_name(name) for name in SOUND_CLASSES])
    return np.asarray(names[likely.argmax(axis=1)])


def outcomes(likely: Array, truth: Names, source: Names) -> tuple[npt.NDArray[np.bool_], Numbers]:
    """Whether each answer is right, and how confident it is by what likelihood has meant for the other sources."""
    right, said = coarse_answers(likely) == truth, likely.max(axis=1)
    sure = np.zeros(len(said))
    for left_out in sorted(set(source)):
        here = source == left_out
        sure[here] = np.interp(said[here], *curve(said[~here], right[~here]))
    return right, sure


def curve(said: Array, right: npt.NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """A logistic curve on the log odds (J. Platt, 1999), less `_CAUTION`: steps, and what they have meant."""
    fitted = LogisticRegression(C=100).fit(_log_odds(said)[:, None], right)
    steps = np.linspace(0, 1, 101)
    return steps, 1 / (1 + np.exp(_CAUTION - fitted.decision_function(_log_odds(steps)[:, None])))


def _log_odds(chance: npt.NDArray[np.floating]) -> Numbers:
    chance = np.clip(chance, 0.002, 0.998).astype(np.float64)
    return np.asarray(np.log(chance / (1 - chance)))


if __name__ == "__main__":
    main()
