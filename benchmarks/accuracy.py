"""What the shipped models say of recordings with known answers: tempo, key, kind and class.

    python -m benchmarks accuracy [FOLDER]

FOLDER holds `manifest.csv` (set, file, label, source) and defaults to $SAMPLE_AGENT_AUDIO. The models have learned from
these very recordings, so the figures flatter: what they say of sources they have not heard, and what peers say,
tempo_accuracy, key_accuracy and class_accuracy tell. Half a minute; for a look whether something has broken. Prints a
table for each set, by source, and writes benchmarks/results/accuracy.json.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from benchmarks.key_accuracy import mirex
from sample_agent.engine import ENGINE_VERSION, Analysis
from sample_agent.engine.pool import EnginePool
from training.places import MANIFEST_CLASSES

HERE = Path(__file__).parent
FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}
Scores = dict[str, float]


def main() -> None:
    default = os.environ.get("SAMPLE_AGENT_AUDIO", HERE.parent.parent / "shared" / "audio")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    rows = list(csv.DictReader((folder / "manifest.csv").open(newline="")))
    analyses = asyncio.run(analyze_all([folder / row["file"] for row in rows]))
    report = {"engine_version": ENGINE_VERSION}
    for name, score in (("tempo", tempo_scores), ("key", key_scores), ("class", class_scores)):
        chosen = [(row, analysis) for row, analysis in zip(rows, analyses, strict=True) if row["set"] == name]
        report[name] = table(name, chosen, score)
    results = HERE / "results" / "accuracy.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(report, indent=2) + "\n")


async def analyze_all(paths: list[Path]) -> list[Analysis]:
    async with EnginePool() as pool:
        return await asyncio.gather(*(pool.analyze(path) for path in paths))


def table(
    title: str, rows: list[tuple[dict[str, str], Analysis]], score: Callable[[str, Analysis], Scores]
) -> dict[str, Scores]:
    by_source: dict[str, list[Scores]] = defaultdict(list)
    for row, analysis in rows:
        scores = score(row["label"], analysis)
        by_source[row["source"]].append(scores)
        by_source["all"].append(scores)
    columns = list(by_source["all"][0])
    print(f"\n{title:28s}{'files':>7s}" + "".join(f"{column:>14s}" for column in columns))
    report = {}
    for source in (*sorted(set(by_source) - {"all"}), "all"):
        many = by_source[source]
        means = {column: round(100 * sum(scores[column] for scores in many) / len(many), 1) for column in columns}
        print(f"{source:28s}{len(many):7d}" + "".join(f"{means[column]:14.1f}" for column in columns))
        report[source] = {"files": len(many), **means}
    return report


def tempo_scores(label: str, analysis: Analysis) -> Scores:
    bpm = analysis.tempo.bpm if analysis.tempo else 0.0
    ratio = bpm / float(label)

    def within(tolerance: float, *factors: float) -> float:
        return float(any(abs(ratio / factor - 1) < tolerance for factor in factors))

    return {
        "accuracy 1": within(0.04, 1),
        "within 1 %": within(0.01, 1),
        "accuracy 2": within(0.04, 1 / 3, 1 / 2, 1, 2, 3),
        "answered": float(analysis.tempo is not None),
    }


def key_scores(label: str, analysis: Analysis) -> Scores:
    tonic, mode = label.split()
    truth = FLATS.get(tonic, tonic) + ("m" if mode == "minor" else "")
    heard = analysis.key.key if analysis.key else None
    return {"exact": float(heard == truth), "mirex": mirex(truth, heard or "")}


def class_scores(label: str, analysis: Analysis) -> Scores:
    kind = "loop" if label in ("drumloop", "melloop") else "one-shot"
    heard = analysis.sound_class.name if analysis.sound_class else ""
    return {
        "kind": float(analysis.kind.kind == kind),
        "class": float(MANIFEST_CLASSES.get(heard, heard) == label),
    }


if __name__ == "__main__":
    main()
