"""`sample-agent analyze` beside a plain librosa script that computes the same things, in one run.

    python benchmarks/analyze_vs_librosa.py [FOLDER] [--files N] [--jobs N] [--rounds N]

FOLDER defaults to $SAMPLE_AGENT_AUDIO. librosa lives in an environment of its own under benchmarks/.peers, made on
the first run. Both programs are started afresh, from the command line to the last result, and ours analyses every file
anew; each takes its turn in every round, and the medians are compared. Before that both analyse one file, which fills
caches (numba compiles). Prints a table and writes benchmarks/results/analyze_vs_librosa.json. A minute on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers import environment, peer_python, peer_versions
from sample_agent.engine import ENGINE_VERSION

HERE = Path(__file__).parent
SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".aif", ".aiff")


def main() -> None:
    arguments = parse()
    every = sorted(path for path in arguments.folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    files = random.Random(0).sample(every, min(arguments.files, len(every)))
    python = peer_python("librosa")
    ours = [str(Path(sys.executable).with_name("sample-agent")), "analyze", "--json", "--fresh"]
    ours += ["--jobs", str(arguments.jobs)]
    theirs = [str(python), str(HERE / "librosa_recipe.py"), str(arguments.jobs)]
    for command in (ours, theirs):
        timed(command, files[:1])
    rounds: dict[str, list[dict[str, float]]] = {"sample-agent": [], "librosa": []}
    for turn in range(arguments.rounds):
        order = [("sample-agent", ours), ("librosa", theirs)]
        for name, command in order if turn % 2 == 0 else reversed(order):
            rounds[name].append(timed(command, files))
    report(files, rounds, arguments, peer_versions("librosa", ["librosa", "numba", "pyloudnorm"]))


def parse() -> argparse.Namespace:
    default = os.environ.get("SAMPLE_AGENT_AUDIO", HERE.parent.parent / "shared" / "audio")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(default))
    parser.add_argument("--files", type=int, default=150)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def timed(command: Sequence[str], files: Sequence[Path]) -> dict[str, float]:
    """Wall-clock and CPU seconds of a program over all files, and how many results it gave."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [*command, *map(str, files)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        check=True,
    )
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        "seconds": seconds,
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "results": sum("file" in result and "error" not in result for result in results),
        "audio_seconds": sum(result.get("duration", 0.0) for result in results),
    }


def report(
    files: Sequence[Path],
    rounds: dict[str, list[dict[str, float]]],
    arguments: argparse.Namespace,
    versions: dict[str, str],
) -> None:
    audio = rounds["sample-agent"][0]["audio_seconds"]
    print(
        f"{len(files)} files, {audio / 60:.1f} minutes of audio, {arguments.jobs} jobs, "
        f"median of {arguments.rounds} rounds"
    )
    print(f"{'':16s}{'seconds':>10s}{'files/s':>10s}{'CPU s':>10s}{'CPU s/min':>12s}")
    summary = {}
    for name, measured in rounds.items():
        median = {key: statistics.median(one[key] for one in measured) for key in measured[0]}
        summary[name] = {
            **median,
            "files_per_second": len(files) / median["seconds"],
            "cpu_seconds_per_minute": median["cpu_seconds"] / audio * 60,
            "rounds": measured,
        }
        line = summary[name]
        print(
            f"{name:16s}{line['seconds']:10.2f}{line['files_per_second']:10.1f}"
            f"{line['cpu_seconds']:10.2f}{line['cpu_seconds_per_minute']:12.3f}"
        )
    ratio = summary["librosa"]["seconds"] / summary["sample-agent"]["seconds"]
    cpu_ratio = summary["librosa"]["cpu_seconds"] / summary["sample-agent"]["cpu_seconds"]
    print(f"librosa {versions['librosa']} takes {ratio:.1f} times as long and {cpu_ratio:.1f} times the CPU time.")
    results = HERE / "results" / "analyze_vs_librosa.json"
    results.parent.mkdir(exist_ok=True)
    content = {
        "files": len(files),
        "audio_seconds": audio,
        "jobs": arguments.jobs,
        "engine_version": ENGINE_VERSION,
        "versions": versions,
        "ratio": ratio,
        "cpu_ratio": cpu_ratio,
        "programs": summary,
    }
    results.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
