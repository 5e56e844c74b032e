"""Runs the benchmarks one by one.

    python -m benchmarks [--list] [NAME…]
    python -m benchmarks NAME [OPTIONS OF THAT BENCHMARK]

Without a name all run. Each is a program of its own that prints a table and writes benchmarks/results/NAME.json; what
is said here beside its figures is when they were taken, on which machine, with which versions, and how busy it was.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

HERE = Path(__file__).parent
RESULTS = HERE / "results"

BENCHMARKS = {
    "accuracy": "tempo, key, kind and class of recordings that the shipped models have learned from",
    "tempo_accuracy": "tempo of loops, exact and cut at random, beside librosa, essentia, aubio and sonara",
    "key_accuracy": "keys of music beside librosa, essentia and sonara",
    "class_accuracy": "class and similarity across sources beside MFCC, librosa, essentia, aubio, sonara and aisfx",
    "engine_speed": "processor time and memory of an analysis beside librosa, essentia, aubio and sonara",
    "analyze_vs_librosa": "`sample-agent analyze` beside a librosa script that computes the same things",
    "analyze_many": "`sample-agent analyze` over 100,000 files in one call, once more, and killed half-way",
    "project_vs_sox": "a full project of 160 pads, beside `sox` doing the same conversions file by file",
    "stretch_quality": "our time-stretcher beside others, on tones, drums and chords",
    "api_load": "listing samples with 1,000 connected people, beside a bare FastAPI endpoint",
    "login": "signing in and verifying tokens, beside a bare FastAPI endpoint",
    "limits": "counting a request, in memory and through Valkey, beside the memory storage of `limits`",
    "cold_start": "from `git clone` to the first page and the first analysed sample, with cold and warm caches",
}
PACKAGES = ("sample-agent", "fastapi", "pydantic", "sqlalchemy", "asyncpg", "uvicorn", "uvloop", "numpy", "scipy")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}")
    parser.add_argument("--list", action="store_true", help="list the benchmarks and end")
    arguments, options = parser.parse_known_args()
    if arguments.list:
        print("\n".join(f"{name:20s}{subject}" for name, subject in BENCHMARKS.items()))
        return 0
    first, *rest = arguments.names or [""]
    if options:
        if first not in BENCHMARKS:
            parser.error(f"options belong to one benchmark; name it first (there is no {first!r})")
        return run(first, [*rest, *options])
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    failed = [name for name in arguments.names or BENCHMARKS if run(name, []) != 0]
    if failed:
        print(f"\nfailed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(name: str, options: list[str]) -> int:
    """Run one benchmark and complete its result; its exit status."""
    print(f"\n=== {name}: {BENCHMARKS[name]}", flush=True)
    started, load = datetime.now(UTC), os.getloadavg()[0]
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    status = subprocess.run(command, cwd=HERE.parent, check=False).returncode
    result = RESULTS / f"{name}.json"
    if status == 0 and result.exists():
        circumstances = {
            "started": started.isoformat(timespec="seconds"),
            "options": options,
            "machine": machine(),
            "load_before": round(load, 2),
            "load_after": round(os.getloadavg()[0], 2),
            "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
            "commit": commit(),
        }
        found = orjson.loads(result.read_bytes())
        found = circumstances | found | {"versions": {**circumstances["versions"], **found.get("versions", {})}}
        result.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
        print(
            f"({load:.1f} programs were busy before, {os.getloadavg()[0]:.1f} after; {result.relative_to(HERE.parent)})"
        )
    return status


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    asked = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
