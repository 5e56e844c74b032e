"""Trains the models of the engine one by one.

    python -m training [--list] [NAME…]
    python -m training NAME [OPTIONS OF THAT TRAINING]

Without a name all are trained. Each is a program of its own: it prints how well its model does on sources it has not
heard, and writes src/sample_agent/engine/models/weights/NAME.npz. What it learns from is told in training/README.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent

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
    for name in arguments.names or present:
        print(f"\n=== {name}: {TRAININGS[name]}", flush=True)
        command = [sys.executable, "-m", f"training.{name}", *options]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        if status:
            print(f"\nfailed: {name}", file=sys.stderr)
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
