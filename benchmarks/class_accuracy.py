"""Class and similarity, ours beside peers, whole sources left out.

    .venv-training/bin/python -m benchmarks class_accuracy [--only PEER…]

For the one-shots and loops of $SAMPLE_AGENT_AUDIO: how often the class is right, and precision at 10 across sources (of
the ten nearest sounds from other sources, how many are of the class; mean over classes). Every row learns anew for each
source left out, and is asked about that source only. "Same lessons" rows have the recordings alone to learn from, ours
and peers alike: a linear model or a net, whichever does better, on the row's own vector, and that vector standardised
for similarity. "As shipped" is what the engine's own training makes, renderings and synthesis included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from benchmarks.class_child import PEERS
from benchmarks.peers import environment, peer_python
from sample_agent.engine import ENGINE_VERSION
from sample_agent.engine.descriptors import SOUND_NUMBERS
from training import embedding, net, sound_class
from training.material import COARSE, Table, described, descriptors_of, read
from training.places import recordings
from training.sound_class import Scale

RESULTS = Path(__file__).parent / "results" / "class_accuracy.json"
Array = npt.NDArray[np.float32]
Strings = npt.NDArray[np.str_]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks class_accuracy", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--only", nargs="*", choices=PEERS, default=list(PEERS), metavar="PEER")
    arguments = parser.parse_args()
    files = recordings("class")
    label = np.array([COARSE.get(file.label, file.label) for file in files])
    source = np.array([file.source for file in files])
    rows: dict[str, Any] = {}
    print(f"{'vector':38s}{'numbers':>8s}{'class %':>9s}{'P@10 %':>9s}", flush=True)
    for name in arguments.only:
        show(
            rows,
            f"{name}, same lessons",
            same_lessons(peer_vectors(name, [file.path for file in files]), label, source),
        )
    ours = np.stack([descriptors_of(read(file.path))[:SOUND_NUMBERS] for file in files])
    show(rows, "ours, descriptors, same lessons", same_lessons(ours, label, source))
    show(rows, "ours, as shipped", as_shipped(described().with_class().of_sound(), ours, label, source))
    report = {"engine_version": ENGINE_VERSION, "files": len(files), "sources": sorted(set(source)), "rows": rows}
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")


def show(rows: dict[str, Any], name: str, row: dict[str, float]) -> None:
    rows[name] = row
    print(f"{name:38s}{row['numbers']:8.0f}{row['class']:9.1f}{row['precision']:9.1f}", flush=True)


def peer_vectors(name: str, paths: list[Path]) -> Array:
    command = [peer_python("analysis"), Path(__file__).parent / "class_child.py", name]
    asked = json.dumps([str(path) for path in paths])
    answer = subprocess.run(command, input=asked, env=environment(), stdout=subprocess.PIPE, check=True, text=True)
    vectors = json.loads(answer.stdout)
    size = len(next(vector for vector in vectors if vector))
    return np.array([vector or [0.0] * size for vector in vectors], np.float32)


def same_lessons(values: Array, label: Strings, source: Strings) -> dict[str, float]:
    models: tuple[Callable[[], Any], ...] = (
        lambda: LogisticRegression(C=0.02, max_iter=400, class_weight="balanced"),
        lambda: MLPClassifier((128,), alpha=1.0, max_iter=120, random_state=0),
    )
    right = np.zeros((len(models), len(label)), bool)
    found = []
    for left_out in sorted(set(source)):
        here, known = source == left_out, source != left_out
        scale = Scale.of(values[known])
        for index, model in enumerate(models):
            right[index, here] = (
                model().fit(scale(values[known]), label[known]).predict(scale(values[here])) == label[here]
            )
        vectors = scale(values)
        vectors /= np.sqrt(np.square(vectors).sum(axis=1, keepdims=True)) + 1e-9
        found += embedding.precisions(vectors, label, source, here)
    return {"numbers": values.shape[1], "class": 100 * float(right.mean(axis=1).max()), "precision": macro(found)}


def as_shipped(table: Table, values: Array, label: Strings, source: Strings) -> dict[str, float]:
    places = embedding.part_places()
    right, sure = np.zeros(len(label), bool), np.zeros(len(label))
    found = []
    for left_out in sorted(set(source)):
        here, known = source == left_out, table.where(table.source != left_out)
        scale = Scale.of(known.values)
        inputs = scale(known.values)
        nets = [sound_class.trained(inputs, known, seed) for seed in range(sound_class.NETS)]
        likely = np.mean([net.softmax(net.forwards(one, scale(values[here]))[1]) for one in nets], axis=0)
        answers, sure[here] = sound_class.coarse_answers(likely)
        right[here] = answers == label[here]
        vectors = embedding.projected(embedding.trained(inputs, known, places), scale(values), places)
        found += embedding.precisions(vectors, label, source, here)
    by_source = {str(name): 100 * float(right[source == name].mean()) for name in sorted(set(source))}
    return {
        "numbers": vectors.shape[1],
        "class": 100 * float(right.mean()),
        "precision": macro(found),
        "by_source": by_source,
    }  # type: ignore[dict-item]


def macro(found: list[tuple[str, float]]) -> float:
    """Mean over classes of the mean over their sounds, in per cent."""
    names = {name for name, _ in found}
    return 100 * float(np.mean([np.mean([value for name, value in found if name == wanted]) for wanted in names]))


if __name__ == "__main__":
    sys.exit(main())
