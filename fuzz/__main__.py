"""Fuzz every reader, or those named, each in a process of its own."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import re
import subprocess
import sys
from pathlib import Path

from fuzz.target import Target

FAMILIES = ("engine", "sp404")
HERE = Path(__file__).parent
MEMORY_MB_AT_ONCE = 128
MEMORY_MB = 2_048  # the fuzzer itself grows with every input; the readers do not


def main() -> int:
    """0 when nothing was found."""
    targets = {target.name: (family, target) for family in FAMILIES for target in _targets(family)}
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(targets)}; all when none is given")
    parser.add_argument("--seconds", type=int, default=60, help="for each (default: 60)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(targets):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(targets)}")
    finds = [name for name in options.names or targets if not _fuzz(*targets[name], options.seconds)]
    if finds:
        print(f"Found something: {', '.join(finds)}; see {HERE / 'found'}")
    return 1 if finds else 0


def _targets(family: str) -> tuple[Target, ...]:
    targets: tuple[Target, ...] = importlib.import_module(f"fuzz.{family}").TARGETS
    return targets


def _fuzz(family: str, target: Target, seconds: int) -> bool:
    """Whether it came through; what it found is told."""
    corpus = _corpus(target)
    found = HERE / "found"
    found.mkdir(exist_ok=True)
    limits = [f"-max_len={target.max_bytes}", f"-timeout={target.seconds_per_input}"]
    limits += [f"-rss_limit_mb={MEMORY_MB}", f"-malloc_limit_mb={MEMORY_MB_AT_ONCE}"]
    ending = [f"-max_total_time={seconds}", "-print_final_stats=1", f"-artifact_prefix={found}/{target.name}-"]
    run = subprocess.run(
        [sys.executable, "-m", "fuzz.one", family, target.name, *limits, *ending, str(corpus)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    executed = re.search(r"number_of_executed_units: *(\d+)", run.stderr)
    inputs = int(executed[1]) if executed else 0
    print(f"{target.name}: {inputs:,} inputs in {seconds} s, exit {run.returncode}", flush=True)
    if run.returncode:
        print(run.stdout[-4_000:], run.stderr[-4_000:], sep="\n")
    return run.returncode == 0


def _corpus(target: Target) -> Path:
    """A folder with the valid files, and with what earlier runs found worth keeping."""
    folder = HERE / "corpus" / target.name
    folder.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    return folder


if __name__ == "__main__":
    sys.exit(main())
