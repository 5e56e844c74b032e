"""Trains the key model: `python -m training key [--quick]`.

Renders what it learns from (see training/key_corpus.py), says how well keys are told on music of a source that was left
out, trains on everything, and writes weights/key.npz.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.accuracy import mirex
from sample_agent.engine.key import KEYS
from sample_agent.engine.pitch_classes import pitch_classes
from sample_agent.engine.tuning import Tones, estimate_tuning
from training.key_corpus import recorded, rendered
from training.key_net import Examples, Weights, gather, likelihoods, train
from training.places import save_weights

HELD_OUT = {
    "Bach": ("Bach(music21)", "bach"),
    "POP909": ("POP909", "POP909+drums"),
    "fiddle tunes": ("fiddle",),
    "pop": ("pop",),
    "hymns": ("hymn",),
    "electronic": ("electronic",),
    "jazz": ("jazz",),
}
"""What is judged by a model that has heard nothing of it, whatever it was rendered with."""

RECORDED_WEIGHT = 3.0
"""The development recordings are few, and as close to what people have as anything here."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="leave nothing out to measure, only make the weights")
    arguments = parser.parse_args()
    rows = [(_classes(excerpt.tones), excerpt.tones.tonality, excerpt.key, excerpt.source) for excerpt in rendered()]
    own = [(_classes(excerpt.tones), excerpt.tones.tonality, excerpt.key, excerpt.source) for excerpt in recorded()]
    weight = np.array([1.0 for row in rows if len(row[0])] + [RECORDED_WEIGHT for _ in own], np.float32)
    examples = gather([*rows, *own])
    print(f"{len(examples.key)} excerpts", flush=True)
    for name, sources in {} if arguments.quick else HELD_OUT.items():
        left_out = np.isin(examples.source, sources)
        weights = train(examples.of(~left_out), epochs=arguments.epochs, seed=1, weight=weight[~left_out])
        for source in sources:
            report(f"{source}, without {name}", weights, examples.of(examples.source == source))
    weights = train(examples, epochs=arguments.epochs, seed=1, weight=weight)
    report("everything, as learned", weights, examples.of(examples.key >= 0))
    save_weights("key", {name: np.asarray(array, np.float32) for name, array in weights.items()})


def report(title: str, weights: Weights, examples: Examples) -> None:
    """Exact, MIREX, and how sure the model was and with what right."""
    if not len(examples.key):
        return
    likelihood = likelihoods(weights, examples)
    heard, confidence = likelihood.argmax(axis=1), likelihood.max(axis=1)
    right = heard == examples.key
    weighted = np.mean([mirex(KEYS[key], KEYS[guess]) for key, guess in zip(examples.key, heard, strict=True)])
    sure = confidence >= 0.9
    trusted = f"{100 * right[sure].mean():5.1f} % right" if sure.any() else ""
    print(
        f"{title:36s}{len(right):6d} files{100 * right.mean():7.1f} exact{100 * weighted:7.1f} MIREX;"
        f"  sure of {100 * sure.mean():4.0f} % {trusted}",
        flush=True,
    )


def _classes(tones: Tones) -> np.ndarray[tuple[int, int, int], np.dtype[np.float32]]:
    return pitch_classes(tones, estimate_tuning(tones))


if __name__ == "__main__":
    main()
