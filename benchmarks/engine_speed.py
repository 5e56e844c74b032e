"""The engine's processor time and memory beside librosa, essentia, aubio and sonara, in one run, one thread each.

    python -m benchmarks engine_speed [FOLDER] [--rounds N] [--one-shots N] [--loops N] [--only PROGRAM…]

FOLDER holds recordings and `manifest.csv` and defaults to $SAMPLE_AGENT_AUDIO. From them one-shots, loops and two
tracks of four minutes are written as WAV, FLAC and MP3. In every round each program takes its turn, in a process of its
own; what counts is the median of the rounds (librosa and essentia, which take minutes, have one). Says which of the
targets are met. About nine minutes on two quiet cores. "bound" is what no analysis can do without: decoding, downmix
and the two transforms. Peers live in an environment of their own under benchmarks/.peers, made on the first run.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.peers import environment, peer_python, peer_versions

HERE = Path(__file__).parent
PEERS = ("librosa", "essentia", "aubio", "sonara", "sonara-small")
PROGRAMS = ("ours", "bound", *PEERS)
SLOW = ("librosa", "essentia")
"""Many times slower than the others: one round says enough."""
TIMES_FASTER = {"one-shots": 25.0, "loops": 9.0, "tracks": 6.0}
"""Than librosa, and than essentia at least as much."""
MOST_OVER_BOUND, MOST_START_SECONDS, MOST_MIB = 2.0, 0.5, 150.0
ENCODINGS = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_16"), "mp3": ("MP3", "MPEG_LAYER_III")}
TRACK_SECONDS, TRACKS = 240, 2
VERSIONS = ("librosa", "essentia", "aubio-ledfx", "sonara", "numpy", "numba")


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory() as scratch:
        lists, seconds = write_lists(arguments, Path(scratch))
        rounds = {program: measured_rounds(program, lists, 0, arguments) for program in arguments.only}
        for turn in range(1, arguments.rounds):
            quick = [program for program in arguments.only if program not in SLOW]
            for program in quick if turn % 2 else reversed(quick):
                rounds[program] += measured_rounds(program, lists, turn, arguments)
        starts = {program: start_up(program, lists) for program in arguments.only}
        peaks = {program: peak(program, lists) for program in arguments.only}
    report(rounds, starts, peaks, lists, seconds, arguments)


def parse() -> argparse.Namespace:
    default = os.environ.get("SAMPLE_AGENT_AUDIO", HERE.parent.parent / "shared" / "audio")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(default))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one-shots", type=int, default=60)
    parser.add_argument("--loops", type=int, default=30)
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS), metavar="PROGRAM")
    return parser.parse_args()


def write_lists(arguments: argparse.Namespace, scratch: Path) -> tuple[dict[str, list[str]], dict[str, float]]:
    """Files of each kind in each encoding, and how long they are together."""
    rows = list(csv.DictReader((arguments.folder / "manifest.csv").open(newline="")))
    shuffled = random.Random(0).sample(rows, len(rows))
    shots = [row for row in shuffled if row["set"] == "class" and row["label"] not in ("drumloop", "melloop")]
    loops = [row for row in shuffled if row["set"] == "tempo"]
    music = [row for row in shuffled if row["set"] in ("tempo", "key")]
    sounds = {
        "one-shots": [read(arguments.folder / row["file"]) for row in shots[: arguments.one_shots]],
        "loops": [read(arguments.folder / row["file"]) for row in loops[: arguments.loops]],
        "tracks": [track(arguments.folder, music[turn::TRACKS]) for turn in range(TRACKS)],
    }
    lists: dict[str, list[str]] = {}
    seconds: dict[str, float] = {}
    for kind, files in sounds.items():
        for encoding, (container, subtype) in ENCODINGS.items():
            name = f"{kind} {encoding}"
            seconds[name] = sum(len(samples) / rate for samples, rate in files)
            lists[name] = []
            for index, (samples, rate) in enumerate(files):
                path = scratch / f"{kind}-{index}.{encoding}"
                soundfile.write(path, samples, rate, format=container, subtype=subtype)
                lists[name].append(str(path))
    return lists, seconds


def read(path: Path) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    # MP3 knows no other rates.
    return (samples, rate) if rate in (22_050, 32_000, 44_100, 48_000) else (samples, 44_100)


def track(folder: Path, rows: list[dict[str, str]]) -> tuple[np.ndarray, int]:
    """Four minutes of stereo at 44.1 kHz: recordings one after the other."""
    pieces, length = [], 0
    for row in rows:
        samples, rate = soundfile.read(folder / row["file"], dtype="float32", always_2d=True)
        if rate == 44_100 and length < TRACK_SECONDS * rate:
            pieces.append(np.repeat(samples, 2, axis=1)[:, :2] if samples.shape[1] == 1 else samples[:, :2])
            length += len(samples)
    whole = np.concatenate(pieces)
    return np.resize(whole, (TRACK_SECONDS * 44_100, 2)), 44_100


def run(program: str, lists: dict[str, list[str]]) -> dict[str, Any]:
    python = peer_python("analysis") if program in PEERS else sys.executable
    done = subprocess.run(
        [python, HERE / "speed_child.py", program],
        input=json.dumps(lists),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def measured_rounds(
    program: str, lists: dict[str, list[str]], turn: int, arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    print(f"round {turn + 1} of {arguments.rounds}: {program}", file=sys.stderr, flush=True)
    return [run(program, lists)]


def start_up(program: str, lists: dict[str, list[str]]) -> float:
    """Seconds from starting the process to the first result, the best of three."""
    first = {"one-shots wav": lists["one-shots wav"][:1]}
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        result = run(program, first)
        # What follows the first result is not counted: the same file again, and the end of the process.
        taken.append(min(time.perf_counter() - began, result["first_seconds"] + interpreter_seconds()))
    return min(taken)


def interpreter_seconds() -> float:
    """What an empty Python takes to start and end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return time.perf_counter() - began


def peak(program: str, lists: dict[str, list[str]]) -> dict[str, float]:
    """Memory in MiB of a process that analyses one track, by encoding."""
    return {
        encoding: round(run(program, {"track": lists[f"tracks {encoding}"][:1]})["peak_mib"], 1)
        for encoding in ENCODINGS
    }


def report(
    rounds: dict[str, list[dict[str, Any]]],
    starts: dict[str, float],
    peaks: dict[str, dict[str, float]],
    lists: dict[str, list[str]],
    seconds: dict[str, float],
    arguments: argparse.Namespace,
) -> None:
    programs: dict[str, Any] = {}
    for program, turns in rounds.items():
        cpu = {name: statistics.median(turn[name][0] for turn in turns) for name in lists}
        programs[program] = {
            "cpu_seconds_per_minute": {name: round(cpu[name] / seconds[name] * 60, 4) for name in lists},
            "cpu_ms_per_file": {name: round(1000 * cpu[name] / len(lists[name]), 2) for name in lists},
            "failures": {name: turns[0][name][1] for name in lists if turns[0][name][1]},
            "start_seconds": round(starts[program], 3),
            "peak_mib_track": peaks[program],
            "rounds": [{name: round(turn[name][0], 4) for name in lists} for turn in turns],
        }
    ours = programs.get("ours", {}).get("cpu_seconds_per_minute")
    print(f"CPU seconds per minute of audio, decoding included, one thread, median of {arguments.rounds} rounds;")
    print(
        "x: times ours. Start: from nothing to the first result, seconds. MiB: peak on a track of four minutes (WAV)."
    )
    short = {name: name.replace("one-shots", "shots") for name in lists}
    print(f"{'':13s}" + "".join(f"{short[name]:>14s}" for name in lists) + f"{'start':>8s}{'MiB':>6s}")
    for program, line in programs.items():
        values = line["cpu_seconds_per_minute"]
        cells = (f"{values[name]:.3f}{f' x{values[name] / ours[name]:.1f}' if ours else '':>7s}" for name in lists)
        tail = f"{line['start_seconds']:8.2f}{line['peak_mib_track']['wav']:6.0f}"
        print(f"{program:13s}" + "".join(f"{cell:>14s}" for cell in cells) + tail)
    verdicts = targets(programs)
    print()
    for subject, verdict in verdicts.items():
        print(f"{'met    ' if verdict['met'] else 'NOT MET'}  {subject}: {verdict['value']} ({verdict['wanted']})")
    files = {name: len(lists[name]) for name in lists}
    content = {
        "files": files,
        "audio_seconds": {name: round(value, 1) for name, value in seconds.items()},
        "peer_versions": peer_versions("analysis", VERSIONS),
        "targets": verdicts,
        "programs": programs,
        "ratios": {
            program: {name: round(line["cpu_seconds_per_minute"][name] / ours[name], 2) for name in lists}
            for program, line in programs.items()
            if ours
        },
    }
    results = HERE / "results" / "engine_speed.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(content, indent=2) + "\n")


def targets(programs: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is wanted of the engine, what it does, and whether that is enough; of the programs that ran."""
    if "ours" not in programs:
        return {}
    ours = programs["ours"]
    times = {
        program: {
            name: value / ours["cpu_seconds_per_minute"][name] for name, value in line["cpu_seconds_per_minute"].items()
        }
        for program, line in programs.items()
    }
    verdicts: dict[str, dict[str, Any]] = {}

    def at_least(subject: str, value: float, wanted: float) -> None:
        verdicts[subject] = {"value": round(value, 2), "wanted": f"at least {wanted:.3g}", "met": value >= wanted}

    def at_most(subject: str, value: float, wanted: float) -> None:
        verdicts[subject] = {"value": round(value, 2), "wanted": f"at most {wanted:.3g}", "met": value <= wanted}

    for name in ours["cpu_seconds_per_minute"]:
        for program in ("librosa", "essentia"):
            if program in times:
                at_least(f"{name}, times faster than {program}", times[program][name], TIMES_FASTER[name.split()[0]])
        if "sonara" in times:
            at_least(f"{name}, times faster than sonara", times["sonara"][name], 1.0)
    if "bound" in times:
        at_most("tracks wav, times the bound", 1 / times["bound"]["tracks wav"], MOST_OVER_BOUND)
    at_most("seconds to the first result", ours["start_seconds"], MOST_START_SECONDS)
    at_most("MiB for a track of four minutes", ours["peak_mib_track"]["wav"], MOST_MIB)
    return verdicts


if __name__ == "__main__":
    main()
