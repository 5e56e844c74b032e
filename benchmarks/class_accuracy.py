"""Class and similarity, ours beside peers, whole sources left out.

    python -m benchmarks class_accuracy [--only PEER…] [--all-lessons PEER…] [--vectors FOLDER]

For the one-shots and loops of $SAMPLE_AGENT_AUDIO: how often the class is right, and precision at 10 across sources (of
the ten nearest sounds from other sources, how many are of the class; mean over classes). Every row learns anew for each
source left out, and is asked about that source only.

"Same lessons" rows are like for like: the recordings alone to learn from, ours and peers alike. A linear model, a net
or boosted trees, whichever does best, tells the class from the row's own vector; similarity is measured in that vector,
standardised ("P@10"), and in 64 numbers that a net makes of it, trained so that sounds of one class come together
("projected"). "As shipped" is what the engine's own training makes, renderings and synthesis included, of which the
peers get nothing; its confidence is judged by a curve fitted to other sources. `--all-lessons` gives it to peers, too:
their vectors of all eight thousand sounds learn as ours do (twenty minutes of a core for aisfx, the first time).

The peers' vectors take six minutes of a core (essentia five of them) and are kept in `--vectors`, by default beside the
peers' environments, each as soon as it is known; learning takes five and a half minutes, every time. What the engine's
training learns from is made first if nobody has trained yet (training/README.md).

Learning needs the environment that `make train-setup` makes; it is made on the first run, and so is the peers'. aisfx
brings its weights; musicnn, of the vectors in use, cannot be run: it is held to a TensorFlow for Python 3.7.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import soundfile

from benchmarks.class_child import PEERS
from benchmarks.class_vectors import environment_of, peer_vectors
from benchmarks.peers import FOLDER, environment, peer_versions
from benchmarks.targets import Target, show

if TYPE_CHECKING:
    from training.material import Table

ROOT = Path(__file__).parent.parent
LEARNER = ROOT / ".venv-training" / "bin" / "python"
RESULTS = Path(__file__).parent / "results" / "class_accuracy.json"
VERSIONS = {"analysis": ("librosa", "essentia", "aubio-ledfx", "sonara"), "embedding": ("aisfx", "torch")}
PROJECTED = 64
_UNITS, _STEPS, _BATCH, _DROPOUT, _NOISE, _TEMPERATURE = 160, 500, 384, 0.25, 0.15, 0.1

Array = npt.NDArray[np.float32]
Strings = npt.NDArray[np.str_]
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks class_accuracy", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--only", nargs="*", choices=PEERS, default=list(PEERS), metavar="PEER")
    parser.add_argument("--all-lessons", nargs="*", choices=PEERS, default=[], metavar="PEER")
    parser.add_argument("--vectors", type=Path, metavar="FOLDER", default=FOLDER / "vectors")
    arguments = parser.parse_args()
    if find_spec("sklearn") is None:
        return in_the_learners_environment()
    compare(arguments.only, arguments.all_lessons, arguments.vectors)
    return 0


def in_the_learners_environment() -> int:
    if not LEARNER.exists():
        subprocess.run(["make", "train-setup"], cwd=ROOT, check=True)
    command = [LEARNER, "-m", "benchmarks.class_accuracy", *sys.argv[1:]]
    return subprocess.run(command, cwd=ROOT, check=False, env=environment()).returncode


def compare(peers: list[str], pupils: list[str], folder: Path) -> None:
    from sample_agent.engine import ENGINE_VERSION
    from sample_agent.engine.sound.descriptors import SOUND_NUMBERS
    from training.material import described, descriptors_of, read
    from training.places import MANIFEST_CLASSES, recordings

    files = recordings("class")
    label = np.array([MANIFEST_CLASSES.get(file.label, file.label) for file in files])
    source = np.array([file.source for file in files])
    table = described().with_class()
    rows: dict[str, Row] = {}
    print(f"{'vector':34s}{'numbers':>8s}{'class %':>9s}{'P@10 %':>9s}{'projected':>11s}", flush=True)
    for name in peers:
        vectors, failed = peer_vectors(name, [file.path for file in files], folder)
        add(rows, f"{name}, same lessons", same_lessons(vectors, label, source) | {"failed": failed})
    for name in pupils:
        vectors, _ = peer_vectors(name, [file.path for file in files], folder)
        known = replace(table, values=of_the_material(name, folder))
        add(rows, f"{name}, all lessons", all_lessons(known, vectors, label, source))
    ours = np.stack([descriptors_of(read(file.path))[:SOUND_NUMBERS] for file in files])
    add(rows, "ours, same lessons", same_lessons(ours, label, source))
    if pupils:
        add(rows, "ours, all lessons", all_lessons(table.of_sound(), ours, label, source))
    shipped = as_shipped(table.of_sound(), ours, label, source)
    add(rows, "ours, as shipped", shipped)
    print(
        f"confidence >= 0.9 in {shipped['sure']} of {len(files)} answers, {shipped['sure and right']:.1f} % of them "
        f"right; >= 0.7 in {shipped['likely']}, {shipped['likely and right']:.1f} %"
    )
    report = {
        "engine_version": ENGINE_VERSION,
        "versions": {name: version for place in VERSIONS for name, version in versions(place, peers + pupils).items()},
        "files": len(files),
        "sources": sorted(set(source)),
        "rows": rows,
        "targets": show(targets(rows)),
    }
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")


def versions(place: str, peers: list[str]) -> dict[str, str]:
    return peer_versions(place, VERSIONS[place]) if any(environment_of(peer) == place for peer in peers) else {}


def add(rows: dict[str, Row], name: str, row: Row) -> None:
    rows[name] = row
    projected = f"{row['projected']:11.1f}" if "projected" in row else ""
    print(f"{name:34s}{row['numbers']:8d}{row['class']:9.1f}{row['precision']:9.1f}{projected}", flush=True)


def targets(rows: dict[str, Row]) -> list[Target]:
    """Ours above the best of the peers, like for like and as shipped; and what confidence means."""
    peers = {name: row for name, row in rows.items() if name.endswith("same lessons") and not name.startswith("ours")}
    alike, shipped = rows["ours, same lessons"], rows["ours, as shipped"]
    found = [Target("right, of answers with confidence >= 0.9", 95.0, shipped["sure and right"])]
    for measure, row, title in (
        ("class", shipped, "class, as shipped, above"),
        ("precision", shipped, "P@10, as shipped, above"),
        ("class", alike, "class, like for like, above"),
        ("precision", alike, "P@10, like for like, above"),
        ("projected", alike, "P@10 projected, like for like, above"),
    ):
        theirs = "projected" if row is shipped and measure == "precision" else measure
        if peers:
            best = max(peers, key=lambda name: peers[name][theirs])
            found.append(Target(f"{title} {best.partition(',')[0]}", peers[best][theirs], row[measure]))
    taught = {name: row for name, row in rows.items() if name.endswith("all lessons") and not name.startswith("ours")}
    for measure, title in (("class", "class"), ("projected", "P@10 projected")) if taught else ():
        best = max(taught, key=lambda name: taught[name][measure])
        ours = rows["ours, all lessons"][measure]
        found.append(Target(f"{title}, all lessons, above {best.partition(',')[0]}", taught[best][measure], ours))
    return found


def same_lessons(values: Array, label: Strings, source: Strings) -> Row:
    from training import embedding, net
    from training.sound_class import Scale

    right = {name: np.zeros(len(label), bool) for name in learners()}
    plain, projected = [], []
    for left_out in sorted(set(source)):
        here, known = source == left_out, source != left_out
        vectors = Scale.of(values[known])(values)
        for name, learner in learners().items():
            with warnings.catch_warnings(action="ignore"):
                right[name][here] = learner.fit(vectors[known], label[known]).predict(vectors[here]) == label[here]
        plain += embedding.precisions(of_length_one(vectors), label, source, here)
        weights = projection(vectors[known], label[known])
        projected += embedding.precisions(of_length_one(net.forwards(weights, vectors)[1]), label, source, here)
    by_learner = {name: 100 * float(each.mean()) for name, each in right.items()}
    return {
        "numbers": values.shape[1],
        "class": max(by_learner.values()),
        "class by learner": by_learner,
        "precision": macro(plain),
        "projected": macro(projected),
    }


def learners() -> dict[str, Any]:
    """What may tell the class from a vector."""
    from lightgbm import LGBMClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    trees = LGBMClassifier(
        n_estimators=150, learning_rate=0.08, num_leaves=15, min_child_samples=8, colsample_bytree=0.3,
        class_weight="balanced", random_state=0, n_jobs=1, deterministic=True, force_row_wise=True, verbosity=-1,
    )  # fmt: skip
    return {
        "linear": LogisticRegression(C=0.02, max_iter=400, class_weight="balanced"),
        "net": MLPClassifier((128,), alpha=1.0, max_iter=120, random_state=0),
        "trees": trees,
    }


def projection(values: Array, label: Strings) -> Any:
    """A net whose outputs are alike for sounds of one class: trained as the engine's own embedding is."""
    from training import net

    random = np.random.default_rng(0)
    count = Counter(label.tolist())
    weight = np.array([count[name] ** -0.6 for name in label.tolist()])
    chance = weight / weight.sum()

    def gradient(weights: net.Weights) -> net.Weights:
        chosen = random.choice(len(values), _BATCH, p=chance)
        inputs = values[chosen] + _NOISE * random.standard_normal((_BATCH, values.shape[1]), dtype=np.float32)
        hidden, outputs = net.forwards(weights, inputs, net.kept((_BATCH, _UNITS), _DROPOUT, random))
        length = np.sqrt(np.square(outputs).sum(axis=1, keepdims=True)) + 1e-6
        unit = outputs / length
        slope = net.alike_slope(unit @ unit.T, label[chosen][:, None] == label[chosen], _TEMPERATURE)
        back = (slope + slope.T) @ unit
        back = (back - unit * (back * unit).sum(axis=1, keepdims=True)) / length
        return net.backwards(weights, inputs, hidden, back)

    return net.train(net.fresh(values.shape[1], _UNITS, PROJECTED, random), gradient, _STEPS, decay=1e-2)


def of_the_material(name: str, folder: Path) -> Array:
    """What a peer makes of the sounds that the engine's training learns from, in the order of its table."""
    from training.material import RATE, examples

    with tempfile.TemporaryDirectory() as scratch:
        paths = []
        for number, example in enumerate(example for example in examples() if example.label):
            paths.append(Path(scratch, f"{number}.wav"))
            soundfile.write(paths[-1], example.samples, RATE, subtype="PCM_16")
        vectors, failed = peer_vectors(name, paths, folder)
    if failed:
        print(f"{name} fails on {failed} of {len(paths)} sounds to learn from", file=sys.stderr)
    return vectors


def all_lessons(table: Table, values: Array, label: Strings, source: Strings) -> Row:
    """What the engine's own training makes of a vector: its nets for the class, the projection of `same_lessons`."""
    from training import embedding, net, sound_class
    from training.sound_class import Scale

    right = np.zeros(len(label), bool)
    plain, projected = [], []
    for left_out in sorted(set(source)):
        here, known = source == left_out, table.where(table.source != left_out)
        likely = sound_class.unheard(table, left_out, values[here])
        right[here] = sound_class.coarse_answers(likely) == label[here]
        scale = Scale.of(known.values)
        weights = projection(scale(known.values), known.coarse())
        plain += embedding.precisions(of_length_one(scale(values)), label, source, here)
        vectors = of_length_one(net.forwards(weights, scale(values))[1])
        projected += embedding.precisions(vectors, label, source, here)
    return {
        "numbers": values.shape[1],
        "class": 100 * float(right.mean()),
        "precision": macro(plain),
        "projected": macro(projected),
    }


def as_shipped(table: Table, values: Array, label: Strings, source: Strings) -> Row:
    from sample_agent.engine.sound.sound_class import SOUND_CLASSES
    from training import embedding, sound_class
    from training.sound_class import Scale

    places = embedding.part_places()
    likely = np.zeros((len(label), len(SOUND_CLASSES)), np.float32)
    found = []
    for left_out in sorted(set(source)):
        here, known = source == left_out, table.where(table.source != left_out)
        likely[here] = sound_class.unheard(table, left_out, values[here])
        scale = Scale.of(known.values)
        weights = embedding.trained(scale(known.values), known, places)
        vectors = embedding.projected(weights, scale(values), places)
        found += embedding.precisions(vectors, label, source, here)
    right, confidence = sound_class.outcomes(likely, label, source)
    sure, probable = confidence >= 0.9, confidence >= 0.7
    return {
        "numbers": vectors.shape[1],
        "class": 100 * float(right.mean()),
        "precision": macro(found),
        "sure": int(sure.sum()),
        "sure and right": 100 * float(right[sure].mean()),
        "likely": int(probable.sum()),
        "likely and right": 100 * float(right[probable].mean()),
        "by_source": {str(name): 100 * float(right[source == name].mean()) for name in sorted(set(source))},
    }


def of_length_one(vectors: Array) -> Array:
    return np.asarray(vectors / (np.sqrt(np.square(vectors).sum(axis=1, keepdims=True)) + 1e-9))


def macro(found: list[tuple[str, float]]) -> float:
    """Mean over classes of the mean over their sounds, in per cent."""
    names = {name for name, _ in found}
    return 100 * float(np.mean([np.mean([value for name, value in found if name == wanted]) for wanted in names]))


if __name__ == "__main__":
    sys.exit(main())
