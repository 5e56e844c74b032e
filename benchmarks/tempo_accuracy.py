"""Tempo of loops, exact and cut at random, beside librosa, essentia, aubio and sonara.

    python -m benchmarks tempo_accuracy [--only PEER…] [--unheard FILE]

The loops are those of $SAMPLE_AGENT_AUDIO. The engine is judged by models that have heard nothing of the source in
question (`python -m training tempo --only-judge`, in the environment that `make train-setup` makes): the ranker, the
curve that makes a confidence of its likelihood, and the nets that withhold a tempo from one-shots; a loop they withhold
it from counts as wrong. "Shipped" is what is in the package, which has learned from all of them. Accuracy 1: within
4 %; accuracy 2: or a half, a third, twice or three times that.

`--unheard` takes these answers from the file that `python -m training tempo --answers FILE` has written, instead of
training anew; peers that `--only` leaves out keep what the last run with the same versions found.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import soundfile

from benchmarks.peers import environment, peer_python, peer_versions
from benchmarks.targets import Target, show
from benchmarks.tempo_child import PEERS
from sample_agent.engine import ENGINE_VERSION, analyze_file

HERE = Path(__file__).parent
LEARNER = HERE.parent / ".venv-training" / "bin" / "python"
RESULTS = HERE / "results" / "tempo_accuracy.json"
VERSIONS = ("librosa", "essentia", "aubio-ledfx", "sonara")
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=PEERS, default=list(PEERS), metavar="PEER")
    parser.add_argument("--unheard", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rows, paths = write_loops(Path(scratch))
        report: dict[str, Any] = {"engine_version": ENGINE_VERSION, "versions": peer_versions("analysis", VERSIONS)}
        file = arguments.unheard or train(Path(scratch) / "answers.json")
        report["ours, source left out"] = {"scores": scores(rows, unheard(rows, file))}
        report["ours, shipped"] = shipped(rows, paths)
        for peer in arguments.only:
            report[peer] = peer_answers(peer, rows, paths)
            print(f"{peer} done", flush=True)
        report |= {name: row for name, row in earlier(report["versions"], len(rows)).items() if name not in report}
    print_table(report)
    report["targets"] = show(targets(report["ours, source left out"]["scores"]))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")


def targets(ours: Row) -> list[Target]:
    return [
        Target("exact loops, accuracy 1", 82.0, ours["exact"]["accuracy 1"]),
        Target("exact loops, accuracy 2", 96.0, ours["exact"]["accuracy 2"]),
        Target("cut at random, accuracy 1", 80.0, ours["cut"]["accuracy 1"]),
        Target("right, of answers with confidence >= 0.9", 95.0, ours["all"]["sure and right"]),
    ]


def earlier(versions: dict[str, str], files: int) -> dict[str, Row]:
    """What peers of the same versions answered to as many loops the last time: they learn nothing."""
    last: Row = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if versions.items() - last.get("versions", {}).items():
        return {}
    return {
        name: last[name] for name in PEERS if last.get(name, {}).get("scores", {}).get("all", {}).get("files") == files
    }


def write_loops(folder: Path) -> tuple[list[Row], list[Path]]:
    """Every judged loop as a WAV file under a name that says nothing."""
    from training.tempo_clips import RATE, judged_loops

    rows, paths = [], []
    for number, loop in enumerate(judged_loops()):
        path = folder / f"{number}.wav"
        soundfile.write(path, loop.samples, RATE)
        rows.append({"name": loop.name, "source": loop.source, "form": loop.form, "tempo": loop.tempo})
        paths.append(path)
    return rows, paths


def train(file: Path) -> Path:
    """Have models that know nothing of a source answer about it, into `file`."""
    if not LEARNER.exists():
        subprocess.run(["make", "train-setup"], cwd=HERE.parent, check=True)
    command = [LEARNER, "-m", "training", "tempo", "--only-judge", "--answers", file]
    subprocess.run(command, cwd=HERE.parent, check=True, env=environment())
    return file


def unheard(rows: list[Row], file: Path) -> list[tuple[float, float]]:
    """What the engine answers with models that have heard nothing of the source; 0 where it withholds a tempo."""
    answers: dict[tuple[str, str], list[Row]] = {}
    for answer in json.loads(file.read_text()):
        answers.setdefault((answer["name"], answer["form"]), []).append(answer)
    found = [answers[row["name"], row["form"]].pop(0) for row in rows]
    return [(0.0, 0.0) if answer["withheld"] else (answer["bpm"], answer["confidence"]) for answer in found]


def shipped(rows: list[Row], paths: list[Path]) -> Row:
    tempi = [analyze_file(path).tempo for path in paths]
    answers = [(tempo.bpm, tempo.confidence) if tempo else (0.0, 0.0) for tempo in tempi]
    return {"scores": scores(rows, answers)}


def peer_answers(peer: str, rows: list[Row], paths: list[Path]) -> Row:
    done = subprocess.run(
        [peer_python("analysis"), HERE / "tempo_child.py", peer],
        input=json.dumps([str(path) for path in paths]),
        capture_output=True, text=True, check=True, env=environment(),
    )  # fmt: skip
    answer = json.loads(done.stdout)
    found = scores(rows, [(bpm, 1.0) for bpm in answer["answers"]])
    per_file = round(1000 * answer["seconds"] / len(paths), 1)
    return {"scores": found, "cpu_ms_per_file": per_file, "failed": answer["failed"], "errors": answer["errors"]}


def scores(rows: list[Row], answers: list[tuple[float, float]]) -> Row:
    """Per form, and per form and source, in per cent; and how right the confident answers are."""
    groups: dict[str, list[tuple[float, float, float]]] = {}
    for row, answer in zip(rows, answers, strict=True):
        for name in ("all", row["form"], f"{row['form']} {row['source']}"):
            groups.setdefault(name, []).append((row["tempo"], *answer))
    table = {}
    for name, here in sorted(groups.items()):
        sure = [within(tempo, bpm, 0.04) for tempo, bpm, confidence in here if confidence >= 0.9]
        table[name] = {
            "files": len(here),
            "accuracy 1": percent([within(tempo, bpm, 0.04) for tempo, bpm, _ in here]),
            "within 1 %": percent([within(tempo, bpm, 0.01) for tempo, bpm, _ in here]),
            "accuracy 2": percent([within(tempo, bpm, 0.04, 1, 2, 3, 1 / 2, 1 / 3) for tempo, bpm, _ in here]),
            "withheld": sum(bpm == 0 for _, bpm, _ in here),
            "sure": len(sure),
            "sure and right": percent(sure) if sure else None,
        }
    return table


def within(tempo: float, bpm: float, tolerance: float, *factors: float) -> bool:
    return any(abs(bpm / tempo / factor - 1) < tolerance for factor in factors or (1.0,))


def percent(right: list[bool]) -> float:
    return round(100 * sum(right) / len(right), 1)


def print_table(report: dict[str, Any]) -> None:
    print(f"\n{'':32s}" + "".join(f"{title:>22s}" for title in ("exact: acc 1 / 1 % / 2", "cut: acc 1 / 1 % / 2")))
    for name, entry in report.items():
        if isinstance(entry, dict) and "scores" in entry:
            cells = []
            for form in ("exact", "cut"):
                row = entry["scores"][form]
                cells.append(f"{row['accuracy 1']} / {row['within 1 %']} / {row['accuracy 2']}")
            print(f"{name:32s}" + "".join(f"{cell:>22s}" for cell in cells))
    for name in ("ours, source left out", "ours, shipped"):
        row = report[name]["scores"]["all"]
        print(
            f"{name}: {row['sure']} of {row['files']} with confidence >= 0.9, {row['sure and right']} % of them right; "
            f"no tempo given to {row['withheld']}"
        )


if __name__ == "__main__":
    main()
