"""The net of `sample_agent.engine.tonality.key` in a form that can be trained, and its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax

from sample_agent.engine.tonality.pitch_classes import REGISTERS

Weights = dict[str, jax.Array]
Array = npt.NDArray[np.float32]

SEGMENTS = 68
"""Of an excerpt while training: 25 seconds."""
CHORDS, PLACES = 20, 40
"""Units of the two layers."""

_TURNS = (np.arange(12)[:, None] + np.arange(12)) % 12
_EDGE = 8


@dataclass(frozen=True, eq=False)
class Examples:
    """Excerpts as arrays.

    Attributes:
        classes: shape (excerpts, SEGMENTS, registers, 12), filled up with zeros.
        mask: shape (excerpts, SEGMENTS), 1 where there is something.
        tonality: shape (excerpts,).
        key: shape (excerpts,), 0 to 23, or -1 for none.
        source: shape (excerpts,).
    """

    classes: Array
    mask: Array
    tonality: Array
    key: npt.NDArray[np.int64]
    source: npt.NDArray[np.str_]

    def of(self, chosen: npt.NDArray[np.bool_]) -> Examples:
        """Some of them."""
        return Examples(*(array[chosen] for array in vars(self).values()))


def gather(rows: Sequence[tuple[Array, float, int, str]]) -> Examples:
    """Examples from (pitch classes, tonality, key, source)."""
    rows = [row for row in rows if len(row[0])]
    classes = np.zeros((len(rows), SEGMENTS, REGISTERS, 12), np.float32)
    mask = np.zeros((len(rows), SEGMENTS), np.float32)
    for place, (all_heard, *_) in enumerate(rows):
        heard = all_heard[:SEGMENTS]
        classes[place, : len(heard)] = heard
        mask[place, : len(heard)] = 1
    _, tonality, key, source = zip(*rows, strict=True)
    return Examples(classes, mask, np.array(tonality, np.float32), np.array(key), np.array(source))


def new_weights(seed: int) -> Weights:
    first, second, third = jax.random.split(jax.random.PRNGKey(seed), 3)
    inputs, heard = REGISTERS * 12, 12 * 3 * CHORDS
    return {
        "chord": 0.15 * jax.random.normal(first, (inputs, CHORDS)),
        "chord_bias": jnp.zeros(CHORDS),
        "place": jax.random.normal(second, (heard, PLACES)) / np.sqrt(heard),
        "place_bias": jnp.zeros(PLACES),
        "mode": 0.1 * jax.random.normal(third, (PLACES, 2)),
        "mode_bias": jnp.zeros(2),
        "profile": jnp.zeros((inputs, 2)),
        "trust": jnp.zeros(3),
    }


def scores(weights: Weights, classes: jax.Array, mask: jax.Array, tonality: jax.Array) -> jax.Array:
    """Logits of the 24 keys, shape (excerpts, 24); the same sums as `key_likelihoods`."""
    count, segments = mask.shape
    turned = jnp.moveaxis(classes[..., _TURNS], 3, 2).reshape(count, segments, 12, -1)
    chords = jax.nn.relu(turned @ weights["chord"] + weights["chord_bias"])
    length = mask.sum(axis=1, keepdims=True)
    time = jnp.arange(segments)[None]

    def mean(values: jax.Array, where: jax.Array) -> jax.Array:
        return jnp.einsum("bt,bt...->b...", where / where.sum(axis=1, keepdims=True), values)

    first, last = (time < _EDGE) * mask, (time >= length - _EDGE) * mask
    heard = jnp.concatenate([mean(chords, mask), mean(chords, first), mean(chords, last)], axis=-1)
    places = jax.nn.relu(heard[:, _TURNS].reshape(count, 12, -1) @ weights["place"] + weights["place_bias"])
    both = places @ weights["mode"] + mean(turned, mask) @ weights["profile"] + weights["mode_bias"]
    about = jnp.stack([jnp.ones(count), jnp.log(tonality + 0.01), jnp.log(length[:, 0])], axis=1)
    return jnp.moveaxis(both, 1, 2).reshape(count, 24) * jnp.exp(about @ weights["trust"])[:, None]


def targets(key: npt.NDArray[np.int64], doubt: float) -> Array:
    """One for the right key, less `doubt`, which all keys share; what has no key is spread over all of them."""
    wanted = np.full((len(key), 24), doubt / 24, np.float32)
    known = key >= 0
    wanted[known, key[known]] += 1 - doubt
    wanted[~known] = 1 / 24
    return wanted


def train(
    examples: Examples,
    *,
    epochs: int,
    seed: int,
    weight: Array | None = None,
    rate: float = 2e-3,
    batch: int = 64,
    doubt: float = 0.02,
) -> Weights:
    """Weights that fit the examples; `weight` says how much each counts."""
    rng = np.random.default_rng(seed)
    weights = new_weights(seed)
    steps = epochs * (len(examples.key) // batch)
    optimizer = optax.adamw(optax.cosine_onecycle_schedule(steps, rate), weight_decay=2e-3)
    state = optimizer.init(weights)
    wanted = targets(examples.key, doubt)
    importance = np.ones(len(wanted), np.float32) if weight is None else weight

    def loss(weights: Weights, classes: Array, mask: Array, tonality: Array, wanted: Array, weight: Array) -> jax.Array:
        each = optax.softmax_cross_entropy(scores(weights, classes, mask, tonality), wanted)
        return (weight * each).sum() / weight.sum()

    @jax.jit
    def step(weights: Weights, state: optax.OptState, *arrays: Array) -> tuple[Weights, optax.OptState]:
        updates, state = optimizer.update(jax.grad(loss)(weights, *arrays), state, weights)
        return optax.apply_updates(weights, updates), state

    for _ in range(epochs):
        order = rng.permutation(len(wanted))
        for start in range(0, len(order) - batch + 1, batch):
            chosen = order[start : start + batch]
            classes, mask = _vary(examples.classes[chosen], examples.mask[chosen], rng)
            weights, state = step(
                weights, state, classes, mask, examples.tonality[chosen], wanted[chosen], importance[chosen]
            )
    return weights


def _vary(classes: Array, mask: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Other cuts, other equalisers, moments that were not heard."""
    classes, mask = classes.copy(), mask.copy()
    for place in np.flatnonzero(rng.random(len(mask)) < 0.4):
        length = int(mask[place].sum())
        if length > 16:
            start = int(rng.integers(0, length - 15))
            kept = int(rng.integers(16, length - start + 1)) if length - start > 16 else length - start
            classes[place, :kept] = classes[place, start : start + kept].copy()
            classes[place, kept:] = 0
            mask[place] = np.arange(SEGMENTS) < kept
    classes *= np.exp(rng.normal(0, 0.35, (len(mask), 1, REGISTERS, 1))).astype(np.float32)
    classes *= rng.random((len(mask), SEGMENTS, 1, 1)) > 0.2
    return classes, mask


_scores = jax.jit(scores)


def train_several(examples: Examples, *, epochs: int, weight: Array | None = None, nets: int = 3) -> list[Weights]:
    """Nets that differ in nothing but where they began; together they are right more often, and sure less often."""
    return [train(examples, epochs=epochs, seed=seed, weight=weight) for seed in range(1, nets + 1)]


def likelihoods(nets: Sequence[Weights], examples: Examples) -> Array:
    """Mean of several nets, shape (excerpts, 24)."""
    return np.asarray(np.mean([_likelihoods(weights, examples) for weights in nets], axis=0))


def _likelihoods(weights: Weights, examples: Examples) -> Array:
    parts = [
        jax.nn.softmax(
            _scores(
                weights, *(array[start : start + 500] for array in (examples.classes, examples.mask, examples.tonality))
            )
        )
        for start in range(0, len(examples.key), 500)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, 24), np.float32)
