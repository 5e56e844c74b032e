"""Trains the key model: `python -m training key [--excerpts N] [--judge FOLDER]`.

Renders what it learns from (see training/key_corpus.py), says how well keys are told on music of a source that was left
out, trains on everything, and writes weights/key.npz.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import jax
import numpy as np
import soundfile

from benchmarks.key_accuracy import mirex
from sample_agent.engine.decoding.decode import open_audio
from sample_agent.engine.listening import Listening
from sample_agent.engine.tonality.key import KEYS, Key, estimate_key
from sample_agent.engine.tonality.pitch_classes import pitch_classes
from sample_agent.engine.tonality.tuning import Tones, estimate_tuning
from training.fluid import RATE
from training.key_corpus import Excerpt, hear, keyless, recorded, rendered, sounds
from training.key_net import Array, Examples, Weights, gather, likelihoods, train_several
from training.places import recordings, save_weights

FOLDS = (
    ("Bach(music21)", "bach"),
    ("POP909", "POP909+drums"),
    ("fiddle",),
    ("pop",),
    ("hymn",),
    ("folk",),
    ("jazz",),
    ("electronic",),
)
"""What is judged by a model that has heard nothing of it, whatever it was rendered with."""

RECORDED_WEIGHT = 3.0
"""The development recordings are few, and as close to what people have as anything here."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--excerpts", type=int, default=3500, metavar="N", help="of some six thousand that there are")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--folds", type=int, default=len(FOLDS), help="measure the first so many left-out sources")
    parser.add_argument("--judge", type=Path, metavar="FOLDER", help="write answers.json there, train no weights")
    parser.add_argument(
        "--rendered", type=int, default=0, metavar="N", help="judge N rendered files of each source, too"
    )
    arguments = parser.parse_args()
    own = [row(excerpt) for excerpt in recorded()]
    rows = [row(excerpt) for excerpt in (*rendered(arguments.excerpts), *keyless())]
    weight = np.array([1.0 for heard in rows if len(heard[0])] + [RECORDED_WEIGHT for _ in own], np.float32)
    examples = gather([*rows, *own])
    print(f"{len(examples.key)} excerpts", flush=True)
    if arguments.judge:
        folds = FOLDS if arguments.rendered else FOLDS[:2]
        models = {}
        for sources in folds:
            models |= dict.fromkeys(sources, without(sources, examples, weight, arguments.epochs))
        judge(arguments.judge, arguments.rendered, models)
        return
    for sources in FOLDS[: arguments.folds]:
        nets = without(sources, examples, weight, arguments.epochs)
        for source in sources:
            report(f"{source}, left out", nets, examples.of(examples.source == source))
    nets = train_several(examples, epochs=arguments.epochs, weight=weight)
    report("everything, as learned", nets, examples.of(examples.key >= 0))
    doubt = likelihoods(nets, examples.of(examples.key < 0)).max(axis=1)
    print(
        f"confidence in drums and noise: median {np.median(doubt):.2f}, of one in twenty {np.quantile(doubt, 0.95):.2f}"
    )
    save_weights("key", {name: np.stack([net[name] for net in nets]).astype(np.float16) for name in nets[0]})


def row(excerpt: Excerpt) -> tuple[np.ndarray[tuple[int, int, int], np.dtype[np.float32]], float, int, str]:
    return classes_of(excerpt.tones), excerpt.tones.tonality, excerpt.key, excerpt.source


def classes_of(tones: Tones) -> np.ndarray[tuple[int, int, int], np.dtype[np.float32]]:
    return pitch_classes(tones, estimate_tuning(tones))


def without(
    sources: tuple[str, ...], examples: Examples, weight: np.ndarray[tuple[int], np.dtype[np.float32]], epochs: int
) -> list[Weights]:
    """Nets that have heard nothing of some sources."""
    kept = ~np.isin(examples.source, sources)
    return train_several(examples.of(kept), epochs=epochs, weight=weight[kept])


def report(title: str, nets: list[Weights], examples: Examples) -> None:
    """Exact, MIREX, and how sure the model was and with what right."""
    if not len(examples.key):
        return
    likelihood = likelihoods(nets, examples)
    heard, confidence = likelihood.argmax(axis=1), likelihood.max(axis=1)
    right = heard == examples.key
    weighted = np.mean([mirex(KEYS[key], KEYS[guess]) for key, guess in zip(examples.key, heard, strict=True)])
    sure = confidence >= 0.9
    trusted = f"and right in {100 * right[sure].mean():.1f} % of them" if sure.any() else ""
    print(
        f"{title:30s}{len(right):6d} files{100 * right.mean():7.1f} exact{100 * weighted:7.1f} MIREX;"
        f"  sure of {100 * sure.mean():.0f} % {trusted}",
        flush=True,
    )


def judge(folder: Path, each: int, models: dict[str, list[Weights]]) -> None:
    """Write what models that have not heard a source say of it: a row per file, with the file's path and true key."""
    answers = []
    excerpts = zip(recorded(), (recording.path for recording in recordings("key")), strict=True)
    files = [(excerpt, path, False) for excerpt, path in excerpts]
    for number, (source, key, samples) in enumerate(sounds(each) if each else ()):
        path = folder / f"{number}.wav"
        soundfile.write(path, samples / max(1.0, float(np.abs(samples).max())), RATE)
        files.append((Excerpt(source, key, hear(samples, RATE)), path, True))
    for excerpt, path, is_rendered in files:
        heard = answer(path, models[excerpt.source])
        answers.append(
            {
                "path": str(path),
                "source": excerpt.source,
                "rendered": is_rendered,
                "key": KEYS[excerpt.key],
                "heard": heard.key if heard else "",
                "confidence": heard.confidence if heard else 0.0,
            }
        )
    (folder / "answers.json").write_text(json.dumps(answers))


def answer(path: Path, nets: list[Weights]) -> Key | None:
    """What the engine would say of a file, had it these nets."""
    with open_audio(path) as stream:
        listening = Listening(stream.sample_rate, stream.channels)
        for block in stream.blocks():
            listening.feed(block)
    listening.finish()
    stacked = {name: np.stack([shipped(net[name]) for net in nets]) for name in nets[0]}
    return estimate_key(listening.tonal, nets=stacked)


def shipped(weights: jax.Array) -> Array:
    """Weights as they are after they were saved and read."""
    return np.asarray(weights).astype(np.float16).astype(np.float32)


if __name__ == "__main__":
    main()
