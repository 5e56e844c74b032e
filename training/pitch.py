"""Trains which candidate is the note of a one-shot: `python -m training pitch`.

Says how well notes are told on the one-shots of a source that was left out, trains on everything, and writes
weights/pitch.npz.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax

from sample_agent.engine.signal.cells import CellMeter, Cells, cell_size, joined
from sample_agent.engine.signal.frames import frame_size
from sample_agent.engine.tonality.pitch import FEATURES, pitch_candidates
from training.key_render import Samples
from training.pitch_corpus import one_shots
from training.places import save_weights

Weights = dict[str, jax.Array]
MOST = 12


@dataclass(frozen=True, eq=False)
class Examples:
    """One-shots as arrays.

    Attributes:
        features: shape (sounds, MOST, FEATURES). mask: (sounds, MOST), 1 for a candidate. sound: (sounds, 4).
        wanted: (sounds, MOST + 1), True for what is right: candidates within half a semitone, or the last for no pitch.
        midi: (sounds,), NaN for none. heard: (sounds, MOST), MIDI numbers of the candidates.
        source: (sounds,).
    """

    features: npt.NDArray[np.float32]
    mask: npt.NDArray[np.float32]
    sound: npt.NDArray[np.float32]
    wanted: npt.NDArray[np.bool_]
    midi: npt.NDArray[np.float64]
    heard: npt.NDArray[np.float64]
    source: npt.NDArray[np.str_]

    def of(self, chosen: npt.NDArray[np.bool_]) -> Examples:
        return Examples(*(array[chosen] for array in vars(self).values()))


def cells_of(samples: Samples, rate: int) -> Cells:
    """The outline of samples, as `Listening` has it."""
    size = cell_size(frame_size(0.0464, rate))
    samples = np.concatenate((samples, np.zeros(-len(samples) % size, np.float32)))
    return joined([CellMeter(size).measure(samples, rate / size)])


def listen() -> Examples:
    rows = []
    for shot in one_shots():
        found = pitch_candidates(shot.samples, shot.rate, cells_of(shot.samples, shot.rate))
        if found is None:
            continue
        count = min(MOST, len(found.frequency))
        features, mask = np.zeros((MOST, FEATURES), np.float32), np.zeros(MOST, np.float32)
        heard, wanted = np.full(MOST, -99.0), np.zeros(MOST + 1, bool)
        features[:count], mask[:count] = found.features[:count], 1
        heard[:count] = 69 + 12 * np.log2(found.frequency[:count] / 440)
        if shot.midi is None:
            wanted[-1] = True
        else:
            wanted[:-1] = np.abs(heard - shot.midi) < 0.5
        midi = np.nan if shot.midi is None else shot.midi
        rows.append((features, mask, found.sound, wanted, midi, heard, shot.source))
    return Examples(*(np.array(column) for column in zip(*rows, strict=True)))


def new_weights(seed: int, units: int = 16) -> Weights:
    first, second, third, fourth = jax.random.split(jax.random.PRNGKey(seed), 4)
    return {
        "candidate": 0.3 * jax.random.normal(first, (FEATURES, units)),
        "candidate_bias": jnp.zeros(units),
        "score": 0.3 * jax.random.normal(second, (units,)),
        "sound": 0.3 * jax.random.normal(third, (4, units)),
        "sound_bias": jnp.zeros(units),
        "none": 0.3 * jax.random.normal(fourth, (units,)),
        "none_bias": jnp.zeros(()),
    }


def logits(weights: Weights, features: jax.Array, mask: jax.Array, sound: jax.Array) -> jax.Array:
    """Shape (sounds, MOST + 1); the same sums as `pitch_likelihoods`."""
    each = jax.nn.relu(features @ weights["candidate"] + weights["candidate_bias"]) @ weights["score"]
    none = jax.nn.relu(sound @ weights["sound"] + weights["sound_bias"]) @ weights["none"] + weights["none_bias"]
    return jnp.concatenate([jnp.where(mask > 0, each, -1e9), none[:, None]], axis=1)


def train(examples: Examples, seed: int = 1, epochs: int = 60, batch: int = 64) -> Weights:
    usable = examples.of(examples.wanted.any(axis=1))
    rng, weights = np.random.default_rng(seed), new_weights(seed)
    optimizer = optax.adamw(
        optax.cosine_onecycle_schedule(epochs * (len(usable.mask) // batch), 5e-3), weight_decay=1e-3
    )
    state = optimizer.init(weights)

    def loss(weights: Weights, features: jax.Array, mask: jax.Array, sound: jax.Array, wanted: jax.Array) -> jax.Array:
        likelihood = jax.nn.log_softmax(logits(weights, features, mask, sound))
        return -jax.nn.logsumexp(jnp.where(wanted, likelihood, -1e9), axis=1).mean()

    @jax.jit
    def step(weights: Weights, state: optax.OptState, *arrays: jax.Array) -> tuple[Weights, optax.OptState]:
        updates, state = optimizer.update(jax.grad(loss)(weights, *arrays), state, weights)
        return optax.apply_updates(weights, updates), state

    for _ in range(epochs):
        order = rng.permutation(len(usable.mask))
        for start in range(0, len(order) - batch + 1, batch):
            some = order[start : start + batch]
            arrays = (usable.features[some], usable.mask[some], usable.sound[some], usable.wanted[some])
            weights, state = step(weights, state, *arrays)
    return weights


def report(title: str, weights: Weights, examples: Examples) -> None:
    likelihood = np.asarray(jax.nn.softmax(logits(weights, examples.features, examples.mask, examples.sound)))
    best = likelihood.argmax(axis=1)
    pitched = ~np.isnan(examples.midi)
    heard = np.append(examples.heard, np.full((len(best), 1), np.nan), axis=1)[np.arange(len(best)), best]
    away = np.round(heard - examples.midi)
    right = np.where(pitched, away == 0, np.isnan(heard))
    near = np.abs(examples.heard - heard[:, None]) < 0.5
    sure = (likelihood[:, :-1] * near).sum(axis=1) >= 0.9
    line = f"{title:34s}{len(best):6d} sounds"
    if pitched.any():
        known = away[pitched]
        line += f"{100 * (known == 0).mean():7.1f} note{100 * (known % 12 == 0).mean():7.1f} pitch class"
        line += f"{100 * np.isnan(known).mean():7.1f} missed"
    if not pitched.all():
        line += f"{100 * np.isnan(heard[~pitched]).mean():7.1f} of unpitched silent"
    print(
        f"{line};  sure of {100 * sure.mean():.0f} %, {100 * right[sure].mean() if sure.any() else 0:.1f} right",
        flush=True,
    )


def main() -> None:
    examples = listen()
    print(f"{len(examples.mask)} one-shots; the note is among the candidates of "
          f"{100 * examples.wanted[~np.isnan(examples.midi)].any(axis=1).mean():.1f} %", flush=True)  # fmt: skip
    family = np.array([source.split()[0] if source.startswith("synthetic") else source for source in examples.source])
    for name in np.unique(family):
        weights = train(examples.of(family != name))
        for source in np.unique(examples.source[family == name]):
            report(f"{source}, left out", weights, examples.of(examples.source == source))
    weights = train(examples)
    for source in np.unique(examples.source):
        report(f"{source}, as learned", weights, examples.of(examples.source == source))
    save_weights("pitch", {name: np.asarray(array, np.float32) for name, array in weights.items()})


if __name__ == "__main__":
    main()
