"""Nets of one hidden layer, trained with numpy: forwards, backwards, and Adam with a falling rate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Weights = dict[str, Array]


def fresh(inputs: int, hidden: int, outputs: int, random: np.random.Generator) -> Weights:
    """Weights to begin with (He et al. 2015)."""
    return {
        "hidden": (random.normal(size=(inputs, hidden)) * np.sqrt(2 / inputs)).astype(np.float32),
        "hidden_bias": np.zeros(hidden, np.float32),
        "output": (random.normal(size=(hidden, outputs)) * np.sqrt(1 / hidden)).astype(np.float32),
        "output_bias": np.zeros(outputs, np.float32),
    }


def forwards(weights: Weights, inputs: Array, kept: Array | None = None) -> tuple[Array, Array]:
    """Hidden units (after dropout, when `kept` says which stay) and outputs."""
    hidden = np.maximum(inputs @ weights["hidden"] + weights["hidden_bias"], 0)
    if kept is not None:
        hidden = hidden * kept
    return hidden, hidden @ weights["output"] + weights["output_bias"]


def backwards(weights: Weights, inputs: Array, hidden: Array, slope: Array) -> Weights:
    """Gradients of the weights from that of the outputs."""
    back = (slope @ weights["output"].T) * (hidden > 0)
    return {
        "hidden": inputs.T @ back,
        "hidden_bias": back.sum(axis=0),
        "output": hidden.T @ slope,
        "output_bias": slope.sum(axis=0),
    }


def kept(shape: tuple[int, int], dropout: float, random: np.random.Generator) -> Array:
    """A dropout mask that keeps the mean."""
    return (random.random(shape) >= dropout).astype(np.float32) / np.float32(1 - dropout)


def train(
    weights: Weights,
    gradient: Callable[[Weights], Weights],
    steps: int,
    *,
    rate: float = 2e-3,
    decay: float = 1e-3,
) -> Weights:
    """Adam (Kingma and Ba 2015) with decoupled weight decay; the rate falls to nothing along a cosine."""
    weights = {name: value.copy() for name, value in weights.items()}
    first = {name: np.zeros_like(value) for name, value in weights.items()}
    second = {name: np.zeros_like(value) for name, value in weights.items()}
    for step in range(1, steps + 1):
        slopes = gradient(weights)
        now = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        for name, slope in slopes.items():
            first[name] += 0.1 * (slope - first[name])
            second[name] += 0.001 * (slope * slope - second[name])
            update = first[name] / (1 - 0.9**step) / (np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8)
            if value_decays := name.endswith(("hidden", "output")):
                update = update + decay * weights[name] / 2e-3 * value_decays
            weights[name] -= np.float32(now) * update.astype(np.float32)
    return weights


def softmax(logits: Array) -> Array:
    """Rows that sum to one."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def set_slope(logits: Array, allowed: Array, importance: Array) -> Array:
    """Gradient of the cross-entropy when the truth is known to be one of a set of classes.

    Args:
        logits: shape (n, classes).
        allowed: 1 where a class may be the truth, else 0, the same shape.
        importance: weight of each row, shape (n,), summing to one.
    """
    likely = softmax(logits)
    truth = likely * allowed
    truth /= np.maximum(truth.sum(axis=1, keepdims=True), 1e-12)
    return ((likely - truth) * importance[:, None]).astype(np.float32)


def alike_slope(similarity: Array, same: Array, temperature: float) -> Array:
    """Gradient of the supervised contrastive loss (Khosla et al. 2020) with respect to a matrix of similarities.

    Args:
        similarity: shape (n, n).
        same: whether two rows are of one class, shape (n, n); the diagonal does not count.
        temperature: similarities are divided by it.
    """
    count = len(similarity)
    logits = similarity / temperature
    np.fill_diagonal(logits, -1e9)
    likely = softmax(logits)
    positive = same.astype(np.float32)
    np.fill_diagonal(positive, 0)
    number = positive.sum(axis=1, keepdims=True)
    slope = (likely - positive / np.maximum(number, 1)) * (number > 0)
    return (slope / temperature / count).astype(np.float32)
