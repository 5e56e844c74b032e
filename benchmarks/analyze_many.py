"""`sample-agent analyze` over very many files in one call: pace, memory on the way, a second run, and a killed one.

    python -m benchmarks analyze_many [--files N] [--jobs N]

The files are one-shots of 0.2 to 0.3 seconds, no two alike, made on the spot: for the 100,000 of the default three
gigabytes in the temporary folder (TMPDIR), and about eight minutes of a core. Memory is taken every half second, of
the command and of its workers, and the highest of each tenth of the way is kept: it must not grow with the number of
files. A second run finds everything unchanged. Then two thousand of the files are analysed for somebody who knows
nothing yet, who is killed half-way and starts again: only the rest may be analysed. All outputs must be the same.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import psutil
import soundfile

from benchmarks.targets import Target, show

RESULT = Path(__file__).parent / "results" / "analyze_many.json"
RATE = 44_100
PER_FOLDER = 1000
BROKEN_OFF_FOLDERS = 2
MOST_GROWTH_MIB = 5.0
_SAMPLE_SECONDS = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks analyze_many",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        began = time.perf_counter()
        folders = fill(place / "crate", arguments.files)
        print(f"{arguments.files} files made in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        command = Command(place, "library", [place / "crate"], arguments.files, arguments.jobs)
        runs = {"first run": command.run(), "second run": command.run()}
        some = folders[:BROKEN_OFF_FOLDERS]
        number = min(arguments.files, BROKEN_OFF_FOLDERS * PER_FOLDER)
        newcomer = Command(place, "newcomer", some, number, arguments.jobs)
        runs["killed half-way"] = newcomer.run(until=number // 2)
        runs["started again"] = newcomer.run()
        runs["and undisturbed"] = Command(place, "undisturbed", some, number, arguments.jobs).run()
    report(runs, arguments)


def fill(crate: Path, files: int) -> list[Path]:
    """Write sounds that differ in note, noise, decay and length; the folders they are in."""
    random = np.random.default_rng(7)
    time_axis = np.arange(int(0.3 * RATE)) / RATE
    folders = []
    for number in range(files):
        if number % PER_FOLDER == 0:
            folders.append(crate / f"{number // PER_FOLDER:04}")
            folders[-1].mkdir(parents=True)
        clock = time_axis[: int(random.uniform(0.2, 0.3) * RATE)]
        tone = np.sin(2 * np.pi * random.uniform(40, 2000) * clock)
        noise = random.standard_normal(len(clock)) * random.uniform(0, 0.3)
        sound = (0.5 * tone + noise) * np.exp(-clock / random.uniform(0.02, 0.3))
        soundfile.write(folders[-1] / f"{number:06}.wav", sound, RATE, subtype="PCM_16")
    return folders


@dataclass
class Tenth:
    """The most memory within a tenth of the way, in MiB: of the command, and of the largest of its workers."""

    command: float = 0.0
    worker: float = 0.0


@dataclass
class Run:
    """What a run took and did. Without an output, it was killed."""

    files: int
    seconds: float = 0.0
    unchanged: int = 0
    failed: int = 0
    digest: str = ""
    memory: list[Tenth] = field(default_factory=lambda: [Tenth() for _ in range(10)])


@dataclass(frozen=True)
class Command:
    """`sample-agent analyze` for somebody with a cache of their own."""

    place: Path
    who: str
    paths: list[Path]
    files: int
    jobs: int

    def run(self, until: int | None = None) -> Run:
        """Run it to its end, or kill it (SIGKILL) when it has written `until` lines."""
        output = self.place / f"{self.who}.jsonl"
        # The results have the paths, so everybody gives the same.
        command = [sys.executable, "-c", "from sample_agent.cli import main; main()", "analyze", *map(str, self.paths)]
        environment = os.environ | {"XDG_CACHE_HOME": str(self.place / f"{self.who}-cache")}
        found = Run(self.files)
        started = time.perf_counter()
        with subprocess.Popen(
            [*command, "-o", str(output), "-j", str(self.jobs)], stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            watch = Watch(process.pid, self.place / f".{output.name}.unfinished", found, until)
            watch.start()
            assert process.stderr is not None
            said = process.stderr.read()
        found.seconds = time.perf_counter() - started
        watch.join()
        if until is None:
            summary = re.search(r"(\d+) unchanged since an earlier run, (\d+) failed", said)
            if process.returncode or not summary:
                raise RuntimeError(f"analyze ended with {process.returncode}: {said[-2000:]}")
            found.unchanged, found.failed = map(int, summary.groups())
            with output.open("rb") as file:
                found.digest = hashlib.file_digest(file, "sha256").hexdigest()
            output.unlink()
        elif process.returncode >= 0:
            raise RuntimeError(f"analyze was through before it could be killed at {until} files")
        return found


class Watch(threading.Thread):
    """Notes the memory of a command and its workers, by how much of its way it has written."""

    def __init__(self, pid: int, output: Path, run: Run, until: int | None) -> None:
        super().__init__()
        self.process, self.output, self.run_, self.until = psutil.Process(pid), output, run, until

    def run(self) -> None:
        lines, written = self.lines(), 0
        while True:
            written = next(lines, written)
            tenth = self.run_.memory[min(10 * written // self.run_.files, 9)]
            try:
                if self.process.status() == psutil.STATUS_ZOMBIE:
                    return
                tenth.command = max(tenth.command, mebibytes(self.process))
                # Those of a command that is about to end have ended already.
                tenth.worker = max(tenth.worker, *map(mebibytes, self.process.children()), 0.0)
                if self.until is not None and written >= self.until:
                    self.process.kill()
            except psutil.Error:
                return
            time.sleep(_SAMPLE_SECONDS if self.until is None else _SAMPLE_SECONDS / 10)

    def lines(self) -> Iterator[int]:
        """How many lines have been written until now, each time it is asked."""
        written, position = 0, 0
        while True:
            if self.output.exists():
                with self.output.open("rb") as file:
                    file.seek(position)
                    content = file.read()
                position += len(content)
                written += content.count(b"\n")
            yield written


def mebibytes(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss) / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def report(runs: dict[str, Run], arguments: argparse.Namespace) -> None:
    first, second, resumed = runs["first run"], runs["second run"], runs["started again"]
    print(f"{arguments.files} files, {arguments.jobs} at once; memory in MiB: the command / its largest worker")
    print(
        f"{'':18s}{'files':>8s}{'seconds':>9s}{'files/s':>9s}{'unchanged':>11s}{'failed':>8s}   memory at 10, 50, 100 %"
    )
    for name, run in runs.items():
        shown = [run.memory[tenth] for tenth in (0, 4, 9)]
        memory = "   ".join(f"{tenth.command:.1f} / {tenth.worker:.1f}" for tenth in shown if tenth.command)
        pace = f"{run.files / run.seconds:9.1f}" if run.digest else f"{'-':>9s}"
        print(f"{name:18s}{run.files:8d}{run.seconds:9.1f}{pace}{run.unchanged:11d}{run.failed:8d}   {memory}")
    targets = [
        Target("command, MiB more in the last tenth than in the first", MOST_GROWTH_MIB,
               growth([tenth.command for tenth in first.memory]), "MiB", at_most=True),
        Target("worker, MiB more in the last tenth than in the first", MOST_GROWTH_MIB,
               growth([tenth.worker for tenth in first.memory]), "MiB", at_most=True),
        Target("unchanged in the second run", 100.0, 100 * second.unchanged / second.files),
        Target("unchanged for who was killed and starts again", 50.0, 100 * resumed.unchanged / resumed.files),
        Target("the second run's output is the first's", 1, float(first.digest == second.digest), ""),
        Target("the output of who was killed is the undisturbed one's", 1,
               float(resumed.digest == runs["and undisturbed"].digest), ""),
    ]  # fmt: skip
    content: dict[str, Any] = {
        "files": arguments.files,
        "jobs": arguments.jobs,
        "runs": {
            name: {
                "files": run.files,
                "seconds": round(run.seconds, 2),
                "files_per_second": round(run.files / run.seconds, 1) if run.digest else None,
                "unchanged": run.unchanged,
                "failed": run.failed,
                "mib_of_the_command_by_tenths": [round(tenth.command, 1) for tenth in run.memory],
                "mib_of_the_largest_worker_by_tenths": [round(tenth.worker, 1) for tenth in run.memory],
            }
            for name, run in runs.items()
        },
        "targets": show(targets),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_bytes(orjson.dumps(content))


def growth(memory: list[float]) -> float | None:
    """Last less first; None where one of them was too short to be seen."""
    return memory[-1] - memory[0] if memory[0] and memory[-1] else None


if __name__ == "__main__":
    main()
