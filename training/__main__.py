"""Trains the models of the engine one by one.

    python -m training [--list] [--into FOLDER] [NAME…]
    python -m training NAME [OPTIONS OF THAT TRAINING]

Without a name all are trained. Each is a program of its own: it prints how well its model does on sources it has not
heard, and writes src/sample_agent/engine/models/weights/NAME.npz. What it learns from is told in training/README.md.
With `--into` the weights go to a folder instead, and are compared with those of the package.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from training.places import ROOT, SHIPPED

TRAININGS = {
    "tempo": "which of the candidate tempi is the one, and how sure that is",
    "key": "tonic and mode from pitch classes",
    "pitch": "which of the candidates is the note of a one-shot, or whether there is none",
    "kind": "one-shot, loop or track",
    "sound_class": "what a sample is: kick, snare, bass, chord, drum loop, …",
    "embedding": "vectors with named parts, for similarity",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(TRAININGS)}")
    parser.add_argument("--list", action="store_true", help="list the trainings and end")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="leave the weights there, and compare")
    arguments, options = parser.parse_known_args()
    present = [name for name in TRAININGS if find_spec(f"training.{name}")]
    if arguments.list:
        print("\n".join(f"{name:12s}{TRAININGS[name]}" for name in present))
        return 0
    unknown = set(arguments.names) - set(present)
    if unknown:
        parser.error(f"there is no training {', '.join(sorted(unknown))}; there are {', '.join(present)}")
    if options and len(arguments.names) != 1:
        parser.error("options belong to one training; name it first")
    into: Path | None = arguments.into
    environment = os.environ | ({"SAMPLE_AGENT_WEIGHTS": str(into.resolve())} if into else {})
    for name in arguments.names or present:
        print(f"\n=== {name}: {TRAININGS[name]}", flush=True)
        command = [sys.executable, "-m", f"training.{name}", *options]
        status = subprocess.run(command, cwd=ROOT, check=False, env=environment).returncode
        if status:
            print(f"\nfailed: {name}", file=sys.stderr)
            return status
    if into:
        compare(into)
    return 0


def compare(folder: Path) -> None:
    """Print how far weights in a folder are from the package's, as a share of the largest number of their array."""
    print(f"\n{'weights':12s}{'arrays':>8s}{'the same':>10s}{'furthest':>10s}")
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as ours, np.load(SHIPPED / path.name, allow_pickle=False) as shipped:
            pairs = [(ours[name], shipped[name]) for name in shipped if name in ours]
            furthest = max(map(distance, *zip(*pairs, strict=True)), default=np.inf)
            same = sum(np.array_equal(one, other) for one, other in pairs)
            print(f"{path.stem:12s}{len(shipped):8d}{same:10d}{furthest:10.2g}")


def distance(ours: np.ndarray, shipped: np.ndarray) -> float:
    if ours.shape != shipped.shape or ours.dtype.kind not in "fiu":
        return 0.0 if np.array_equal(ours, shipped) else np.inf
    ours, shipped = ours.astype(float), shipped.astype(float)
    finite = np.isfinite(shipped)
    if not np.array_equal(ours[~finite], shipped[~finite]):
        return np.inf
    largest = max(np.abs(shipped[finite]).max(initial=0), 1e-12)
    return float(np.abs(ours[finite] - shipped[finite]).max(initial=0) / largest)


if __name__ == "__main__":
    sys.exit(main())
