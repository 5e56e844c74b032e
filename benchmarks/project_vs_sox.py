"""A full project for the unit, 160 pads, beside plain `sox` doing the same conversions file by file.

    python -m benchmarks project_vs_sox [--rounds N] [--seconds S] [--workers N]

The material is made here: half one-shots, half loops, 2 s, stereo, 44.1 kHz, every second one 24-bit. Ours is the whole
way from files to a card's folder: decoded, laid out, prepared, checksummed, written with pads, names and settings, in a
fresh process, start of the interpreter included. sox is started once for each file and gives it what ours gives it:
48 kHz at high quality, 16 bits with dither, no clipping, and for one-shots no silence at the ends and 5 ms fades.
It is also measured with nothing but the rate and the dither, and with two running at a time.
Each takes its turn in every round. Without sox there is nothing to compare with, and that is said.
Prints a table and writes benchmarks/results/project_vs_sox.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

HERE = Path(__file__).parent
PADS = 160
RATE = 44_100
ALL = ("sample-agent", "sox, same conversions", "sox, same, two at a time", "sox, rate and dither only")


def main() -> None:
    arguments = parse()
    sox = shutil.which("sox")
    if sox is None:
        print("sox is not installed, so there is nothing to compare with.")
        return
    with tempfile.TemporaryDirectory() as folder:
        files = material(Path(folder, "in"), arguments.seconds)
        contenders: dict[str, Callable[[Path], None]] = {
            ALL[0]: lambda out: ours(files[0].parent, out, arguments.workers),
            ALL[1]: lambda out: each_by_sox([same(sox, file, out) for file in files], 1),
            ALL[2]: lambda out: each_by_sox([same(sox, file, out) for file in files], 2),
            ALL[3]: lambda out: each_by_sox([bare(sox, file, out) for file in files], 1),
        }
        rounds: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
        for turn in range(arguments.rounds + 1):
            for name in contenders if turn % 2 == 0 else reversed(contenders):
                measured = timed(contenders[name], Path(folder, "out"))
                if turn:  # the first round only fills caches
                    rounds[name].append(measured)
    report(rounds, arguments)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of each sample")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    return parser.parse_args()


def material(folder: Path, seconds: float) -> list[Path]:
    """Loops that fill their length and one-shots with silence around them, as packs have them."""
    folder.mkdir()
    files = []
    frames = round(seconds * RATE)
    time_axis = np.arange(frames) / RATE
    for number in range(PADS):
        random = np.random.default_rng(number)
        tone = np.sin(2 * np.pi * random.uniform(60, 2000) * time_axis)[:, np.newaxis] * [1.0, 0.9]
        noise = random.standard_normal((frames, 2)) * 0.2
        if number % 2:
            sound = (tone + noise) * np.exp(-time_axis * 12 % 3)[:, np.newaxis] * 0.4
            name = f"loop {number:03d}.wav"
        else:
            hit = np.exp(-np.maximum(0, time_axis - 0.02) * random.uniform(4, 12)) * (time_axis > 0.02)
            sound = (tone + noise) * hit[:, np.newaxis] * 0.6
            name = f"hit {number:03d}.wav"
        path = folder / name
        soundfile.write(path, sound, RATE, subtype="PCM_24" if number % 4 < 2 else "PCM_16")
        files.append(path)
    return files


def ours(source: Path, out: Path, workers: int) -> None:
    command = [sys.executable, HERE / "project_child.py", source, out / "card", str(PADS), str(workers)]
    subprocess.run(command, check=True, cwd=HERE.parent, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})


def same(sox: str, file: Path, out: Path) -> list[str]:
    effects = ["rate", "-h", "48k"]
    if file.name.startswith("hit"):
        effects += ["silence", "1", "0", "-66d", "fade", "0.005", "reverse"] * 2
    return [sox, "-G", str(file), "-b", "16", str(out / file.name), *effects, "dither"]


def bare(sox: str, file: Path, out: Path) -> list[str]:
    return [sox, str(file), "-b", "16", str(out / file.name), "rate", "-h", "48k", "dither"]


def each_by_sox(commands: Iterable[list[str]], at_a_time: int) -> None:
    def run(command: list[str]) -> None:
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    with ThreadPoolExecutor(at_a_time) as threads:
        list(threads.map(run, commands))


def timed(work: Callable[[Path], None], out: Path) -> dict[str, float]:
    out.mkdir()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    work(out)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(out)
    return {
        "seconds": seconds,
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }


def report(rounds: dict[str, list[dict[str, float]]], arguments: argparse.Namespace) -> None:
    # The largest of all children: sox takes a few MB, so this is ours.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    ours_seconds = statistics.median(one["seconds"] for one in rounds[ALL[0]])
    print(f"{PADS} files of {arguments.seconds:g} s, median of {arguments.rounds} rounds, {arguments.workers} threads")
    print(f"{'':28s}{'seconds':>9s}{'CPU s':>8s}{'times as long':>15s}")
    summary = {}
    for name, measured in rounds.items():
        median = {key: statistics.median(one[key] for one in measured) for key in measured[0]}
        ratio = statistics.median(
            one["seconds"] / mine["seconds"] for one, mine in zip(measured, rounds[ALL[0]], strict=True)
        )
        summary[name] = {**median, "times_as_long": ratio, "rounds": measured}
        print(f"{name:28s}{median['seconds']:9.2f}{median['cpu_seconds']:8.2f}{ratio:15.1f}")
    print(f"Peak memory of ours: {peak:.0f} MiB. {PADS / ours_seconds:.0f} pads a second.")
    results = HERE / "results" / "project_vs_sox.json"
    results.parent.mkdir(exist_ok=True)
    content = {
        "files": PADS,
        "seconds_each": arguments.seconds,
        "workers": arguments.workers,
        "machine": platform.platform(),
        "peak_mib": round(peak, 1),
        "programs": summary,
    }
    results.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
