"""`sample-agent analyze` over very many files in one call: pace, memory while it runs, and the second run.

    python -m benchmarks analyze_many [--files N] [--jobs N]

The files are links to a few hundred one-shots and loops, so they cost no room on the disk; each is analysed for itself.
Memory is that of the command, its workers apart, at every tenth of the way: it must not grow with the number of files.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
import psutil
import soundfile

RESULT = Path(__file__).parent / "results" / "analyze_many.json"
DIFFERENT = 200
PER_FOLDER = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        crate = fill(Path(folder, "crate"), arguments.files)
        first = run(crate, Path(folder), arguments)
        second = run(crate, Path(folder), arguments)
    report(first, second, arguments)


def fill(crate: Path, files: int) -> Path:
    """Links to `DIFFERENT` sounds of 0.1 to 2 seconds."""
    sounds = crate.parent / "sounds"
    sounds.mkdir()
    noise = np.random.default_rng(7)
    for number in range(DIFFERENT):
        length = int(44_100 * noise.uniform(0.1, 2.0))
        decay = np.exp(-np.arange(length) / (44_100 * noise.uniform(0.02, 0.5)))
        tone = np.sin(2 * np.pi * noise.uniform(40, 2000) * np.arange(length) / 44_100)
        sound = (0.5 * tone + 0.3 * noise.standard_normal(length)) * decay
        soundfile.write(sounds / f"{number}.wav", sound, 44_100, subtype="PCM_16")
    for number in range(files):
        place = crate / f"{number // PER_FOLDER:04}"
        if number % PER_FOLDER == 0:
            place.mkdir(parents=True)
        os.link(sounds / f"{number % DIFFERENT}.wav", place / f"{number:06}.wav")
    return crate


@dataclass(frozen=True)
class Run:
    """Seconds it took, the lines it wrote, and the command's memory in MiB at each tenth of the way."""

    seconds: float
    lines: int
    memory: list[float]
    summary: str


def run(crate: Path, folder: Path, arguments: argparse.Namespace) -> Run:
    output = folder / "out.jsonl"
    command = [sys.executable, "-c", "from sample_agent.cli import main; main()", "analyze", str(crate)]
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache")}
    started = time.perf_counter()
    with subprocess.Popen(
        [*command, "-o", str(output), "-j", str(arguments.jobs)], stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        watch = Watch(process.pid, folder / ".out.jsonl.unfinished", arguments.files)
        watch.start()
        assert process.stderr is not None
        summary = process.stderr.read().strip()
    seconds = time.perf_counter() - started
    watch.join()
    with output.open("rb") as file:
        lines = sum("error" not in json.loads(line) for line in file)
    return Run(seconds, lines, watch.memory, summary)


class Watch(threading.Thread):
    """Notes the command's memory at every tenth of its way, told by what it has written."""

    def __init__(self, pid: int, output: Path, files: int) -> None:
        super().__init__()
        self.process, self.output, self.files = psutil.Process(pid), output, files
        self.memory: list[float] = []

    def run(self) -> None:
        written, position = 0, 0
        while True:
            try:
                memory = self.process.memory_info().rss / 2**20
                if self.process.status() == psutil.STATUS_ZOMBIE:
                    return
            except psutil.Error:
                return
            if self.output.exists():
                with self.output.open("rb") as file:
                    file.seek(position)
                    content = file.read()
                position += len(content)
                written += content.count(b"\n")
            if written >= self.files * (len(self.memory) + 1) / 10:
                self.memory.append(round(memory, 1))
            time.sleep(0.2)


def report(first: Run, second: Run, arguments: argparse.Namespace) -> None:
    print(f"{arguments.files} files, {arguments.jobs} at once")
    for name, each in (("first run", first), ("second run", second)):
        print(f"{name:12s}{each.seconds:9.1f} s {arguments.files / each.seconds:9.1f} files/s   {each.summary}")
        print(f"{'':12s}memory at each tenth, MiB: {' '.join(map(str, each.memory))}")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_bytes(
        orjson.dumps(
            {
                "files": arguments.files,
                "jobs": arguments.jobs,
                "runs": {
                    name: {
                        "seconds": round(each.seconds, 2),
                        "files_per_second": round(arguments.files / each.seconds, 1),
                        "analysed": each.lines,
                        "memory_mib_at_each_tenth": each.memory,
                    }
                    for name, each in (("first", first), ("second", second))
                },
            }
        )
    )


if __name__ == "__main__":
    main()
