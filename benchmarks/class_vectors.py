"""What peers make of sounds, kept beside their environments: who was stopped goes on where they were."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.peers import PACKAGES, environment, peer_python

CHILD = Path(__file__).parent / "class_child.py"

Array = npt.NDArray[np.float32]
Vector = list[float] | dict[str, list[float]]


def peer_vectors(name: str, paths: list[Path], folder: Path) -> tuple[Array, int]:
    """What a peer makes of every file, and how many it fails on, whose rows are 0.

    What is in `folder` is not asked for again, unless the sound, the way of asking or a version is another.
    """
    sounds = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{name}-{question(name)}.jsonl"
    known = dict(kept_vectors(kept))
    missing = {sound: path for sound, path in zip(sounds, paths, strict=True) if sound not in known}
    for place, (sound, vector) in enumerate(zip(missing, answers(name, list(missing.values())), strict=True)):
        if place % 50 == 0:
            print(f"{name}: {place} of {len(missing)}", file=sys.stderr, flush=True)
        if vector is not None:
            known[sound] = vector
            with kept.open("a") as file:
                # First the end of the line, for the one before may have none.
                file.write("\n" + json.dumps([sound, vector]))
    return in_rows([known.get(sound) for sound in sounds]), sum(sound not in known for sound in sounds)


def question(name: str) -> str:
    """What a peer's answers depend on, beside the sounds: how it is asked, and the versions in its environment."""
    return hashlib.sha256((CHILD.read_text() + repr(PACKAGES[environment_of(name)])).encode()).hexdigest()[:12]


def environment_of(name: str) -> str:
    return "embedding" if name == "aisfx" else "analysis"


def kept_vectors(file: Path) -> Iterator[tuple[str, Vector]]:
    for line in file.read_text().splitlines() if file.exists() else ():
        # Who was stopped may have left half a line.
        with suppress(json.JSONDecodeError):
            sound, vector = json.loads(line)
            yield sound, vector


def answers(name: str, paths: list[Path]) -> Iterator[Vector | None]:
    """A vector for each file, as soon as the peer has it; None where it fails.

    Raises:
        RuntimeError: the peer ended before it was through.
    """
    if not paths:
        return
    command = [peer_python(environment_of(name)), CHILD, name]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin as asked:
            json.dump([str(path) for path in paths], asked)
        count = 0
        for line in process.stdout:
            count += 1
            yield json.loads(line)
    if count < len(paths):
        raise RuntimeError(f"{name} ended with {process.returncode} at {paths[count]}")


def in_rows(vectors: list[Vector | None]) -> Array:
    """The same numbers for every sound: 0 for what it lacks."""
    parts = [named(vector) for vector in vectors]
    sizes: dict[str, int] = {}
    for each in parts:
        sizes |= {name: max(len(numbers), sizes.get(name, 0)) for name, numbers in each.items()}

    def row(each: dict[str, list[float]]) -> npt.NDArray[np.float64]:
        padded = (each.get(name, []) + [0.0] * (size - len(each.get(name, []))) for name, size in sorted(sizes.items()))
        return np.concatenate([np.array(numbers, float) for numbers in padded])

    return np.array([row(each) for each in parts], np.float32)


def named(vector: Vector | None) -> dict[str, list[float]]:
    """Numbers by name; those of a peer that has no names under one."""
    return vector if isinstance(vector, dict) else {"": vector} if vector else {}
