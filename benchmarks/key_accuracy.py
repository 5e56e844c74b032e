"""Keys of music beside librosa, essentia and sonara. aubio tells no keys.

    python -m benchmarks key_accuracy [--only PEER…] [--rendered N]

The recordings are those of $SAMPLE_AGENT_AUDIO, and N excerpts (by default none) of each source that `python -m
training key` renders. The engine is judged by models that have heard nothing of the source in question, whatever it
was rendered with (as many nets together as are shipped: `python -m training key --judge`, in the environment that `make
train-setup` makes), and where the engine gives no key for want of tones or likelihood, that is wrong; "shipped" is
the one in the package, which has learned from all of them. MIREX: a fifth counts 0.5, the relative key 0.3, the
parallel 0.2.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.key_child import PEERS
from benchmarks.peers import environment, peer_python, peer_versions
from benchmarks.targets import Target, show
from sample_agent.engine import ENGINE_VERSION, analyze_file
from sample_agent.engine.tonality.key import TONICS

HERE = Path(__file__).parent
LEARNER = HERE.parent / ".venv-training" / "bin" / "python"
VERSIONS = ("librosa", "essentia", "sonara")
Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=PEERS, default=list(PEERS), metavar="PEER")
    parser.add_argument("--rendered", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    report: dict[str, Any] = {"engine_version": ENGINE_VERSION, "versions": peer_versions("analysis", VERSIONS)}
    with tempfile.TemporaryDirectory() as scratch:
        rows = judged(Path(scratch), arguments.rendered)
        report["ours, source left out"] = {"scores": scores(rows, [(row["heard"], row["confidence"]) for row in rows])}
        found = [analyze_file(row["path"]).key for row in rows]
        report["ours, shipped"] = {
            "scores": scores(rows, [(key.key, key.confidence) if key else ("", 0.0) for key in found])
        }
        for peer in arguments.only:
            report[peer] = peer_answers(peer, rows)
            print(f"{peer} done", flush=True)
    print_table(report)
    ours = report["ours, source left out"]["scores"]["recordings"]
    wanted = (("exact", 90.0, "exact"), ("MIREX", 94.0, "mirex"))
    targets = [Target(what, least, ours[name]) for what, least, name in wanted]
    targets.append(Target("right, of answers with confidence >= 0.9", 95.0, ours["sure and right"]))
    print(f"confidence >= 0.9 in {ours['sure']} of {ours['files']} answers")
    report["targets"] = show(targets)
    results = HERE / "results" / "key_accuracy.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(report, indent=2) + "\n")


def judged(folder: Path, rendered: int) -> list[Row]:
    """Path, source and key of every file, and what a model says that has heard nothing of its source."""
    if not LEARNER.exists():
        subprocess.run(["make", "train-setup"], cwd=HERE.parent, check=True)
    command = [LEARNER, "-m", "training", "key", "--judge", folder, "--rendered", str(rendered)]
    subprocess.run(command, cwd=HERE.parent, check=True, env=environment())
    rows: list[Row] = json.loads((folder / "answers.json").read_text())
    return rows


def peer_answers(peer: str, rows: list[Row]) -> Row:
    done = subprocess.run(
        [peer_python("analysis"), HERE / "key_child.py", peer],
        input=json.dumps([row["path"] for row in rows]),
        capture_output=True, text=True, check=True, env=environment(),
    )  # fmt: skip
    answer = json.loads(done.stdout)
    found = scores(rows, [(key, 0.0) for key in answer["answers"]])
    per_file = round(1000 * answer["seconds"] / len(rows), 1)
    return {"scores": found, "cpu_ms_per_file": per_file, "failed": answer["failed"], "errors": answer["errors"]}


def scores(rows: list[Row], answers: list[tuple[str, float]]) -> Row:
    """Per source, for all recordings, in per cent; and how right the confident answers are."""
    groups: dict[str, list[tuple[str, str, float]]] = {}
    for row, (key, confidence) in zip(rows, answers, strict=True):
        for name in (row["source"], "rendered" if row["rendered"] else "recordings"):
            groups.setdefault(name, []).append((row["key"], key, confidence))
    table = {}
    for name, here in sorted(groups.items()):
        sure = [key == heard for key, heard, confidence in here if confidence >= 0.9]
        table[name] = {
            "files": len(here),
            "exact": percent([float(key == heard) for key, heard, _ in here]),
            "mirex": percent([mirex(key, heard) for key, heard, _ in here]),
            "sure": len(sure),
            "sure and right": percent([float(right) for right in sure]) if sure else None,
        }
    return table


def mirex(truth: str, heard: str) -> float:
    """The weights of the MIREX key task: fifth 0.5, relative 0.3, parallel 0.2; no answer is a wrong one."""
    if not heard:
        return 0.0
    steps = (TONICS.index(heard.removesuffix("m")) - TONICS.index(truth.removesuffix("m"))) % 12
    minor, heard_minor = truth.endswith("m"), heard.endswith("m")
    if minor == heard_minor:
        return 1.0 if steps == 0 else 0.5 if steps in (5, 7) else 0.0
    return 0.3 if steps == (3 if minor else 9) else 0.2 if steps == 0 else 0.0


def percent(shares: list[float]) -> float:
    return round(100 * sum(shares) / len(shares), 1)


def print_table(report: dict[str, Any]) -> None:
    entries = {name: entry for name, entry in report.items() if isinstance(entry, dict) and "scores" in entry}
    groups = list(next(iter(entries.values()))["scores"])
    print(f"\n{'exact / MIREX':32s}" + "".join(f"{group:>16s}" for group in groups))
    for name, entry in entries.items():
        cells = [f"{entry['scores'][group]['exact']} / {entry['scores'][group]['mirex']}" for group in groups]
        print(f"{name:32s}" + "".join(f"{cell:>16s}" for cell in cells))


if __name__ == "__main__":
    main()
