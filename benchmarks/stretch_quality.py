"""What stretching does to a loop: our stretcher beside others, on tones, drums and chords made here.

    python -m benchmarks stretch_quality

Two tempos out of the reach of the unit: 90 BPM for a project at 163.6 (× 0.55) and 170 for one at 80 (× 2.125). The
others know no circles, so they get each loop three times in a row, and what they make of the middle one counts.

pitch       of tones from 55 to 3,520 Hz, largest error in cents
level       of the same tones, largest change in dB
phase       between the channels of a tone, largest error in degrees
timing      of 32 drum hits against where the new tempo has them, mean error in ms
attack      how like the first 10 ms of a hit are to the original's, mean correlation
pre-echo    the 28 ms up to 2 ms before a kick or snare against its first 5 ms, dB; the original is silent there
timbre      third-octave levels of a chord, mean error in dB
seam        largest step where a loop of a steady tone wraps, in largest steps of the tone
length      frames too many or too few for three loops
speed       seconds of sound made in a second of processor time

Writes benchmarks/results/stretch_quality.json.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import correlate, hilbert

from benchmarks.peers import ONE_THREAD, peer_python
from sample_agent.sp404.sound.stretch import stretch_loop

HERE = Path(__file__).parent
RATE = 48_000
RATIOS = (0.55, 2.125)
TONES = (55, 220, 880, 3520)
OURS = "ours"
UNITS = {
    "pitch": "cents", "level": "dB", "phase": "°", "timing": "ms", "attack": "", "pre-echo": "dB", "timbre": "dB",
    "seam": "×", "length": "frames", "speed": "×",
}  # fmt: skip

Sound = NDArray[np.float32]


def main() -> None:
    loops = {f"tone {hertz}": tone(hertz) for hertz in TONES} | {"drums": drums(), "chord": chord()}
    cases = {f"{name}@{ratio}": (loop, ratio) for name, loop in loops.items() for ratio in RATIOS}
    stretch_loop(loops["drums"], 100_000)
    results = {OURS: by_us(cases)} | by_others(cases)
    table = {
        name: {
            str(ratio): measured(made, loops, ratio) | {"speed": speed, "length": lengths[ratio]} for ratio in RATIOS
        }
        for name, (made, speed, lengths) in results.items()
    }
    show(table)
    target = HERE / "results" / "stretch_quality.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({"units": UNITS, "stretchers": table}, indent=2) + "\n")


Results = tuple[dict[str, Sound], float, dict[float, int]]
"""What each case became, the speed, and the error in length by ratio."""


def by_us(cases: dict[str, tuple[Sound, float]]) -> Results:
    started = time.process_time()
    made = {name: stretch_loop(loop, round(len(loop) * ratio)) for name, (loop, ratio) in cases.items()}
    seconds = time.process_time() - started
    if any(len(made[name]) != round(len(loop) * ratio) for name, (loop, ratio) in cases.items()):
        raise SystemExit("Ours has the wrong length.")
    return made, sum(map(len, made.values())) / RATE / seconds, dict.fromkeys(RATIOS, 0)


def by_others(cases: dict[str, tuple[Sound, float]]) -> dict[str, Results]:
    results: dict[str, Results] = {}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder, "in.npz"), **{name: np.tile(loop, (3, 1)) for name, (loop, _) in cases.items()})
        command = [str(peer_python("stretch")), str(HERE / "stretch_child.py"), folder]
        subprocess.run(command, check=True, env=ONE_THREAD)
        for path in sorted(Path(folder).glob("*.npz")):
            if path.stem == "in":
                continue
            content = dict(np.load(path))
            seconds = float(content.pop("seconds"))
            made, lengths = {}, dict.fromkeys(RATIOS, 0)
            for name, (loop, ratio) in cases.items():
                frames = round(len(loop) * ratio)
                error = len(content[name]) - round(3 * len(loop) * ratio)
                lengths[ratio] = max(lengths[ratio], error, key=abs)
                made[name] = np.resize(content[name], (3 * frames, 2))[frames : 2 * frames]
            results[path.stem] = made, sum(map(len, content.values())) / RATE / seconds, lengths
    return results


def tone(hertz: float) -> Sound:
    """Two seconds; the right channel is a quarter of a turn behind."""
    angle = 2 * np.pi * hertz * np.arange(2 * RATE) / RATE
    return np.stack([0.5 * np.cos(angle), 0.5 * np.sin(angle)], axis=1).astype(np.float32)


def hits() -> list[int]:
    """Two bars of sixteenths at 90 BPM."""
    return [round(number * RATE * 60 / 90 / 4) for number in range(32)]


def drums() -> Sound:
    random = np.random.default_rng(0)
    sound = np.zeros((round(8 * RATE * 60 / 90) + RATE, 2))
    for number, place in enumerate(hits()):
        hat = np.diff(random.standard_normal(2401)) * np.exp(-np.arange(2400) / 500) * 0.1
        sound[place : place + 2400] += hat[:, np.newaxis] * [0.8, 1.2]
        if number % 8 == 0:
            time_axis = np.arange(12_000)
            kick = np.sin(2 * np.pi * (50 * time_axis / RATE + 2 * (1 - np.exp(-time_axis / 900)))) * np.exp(
                -time_axis / 4000
            )
            sound[place : place + 12_000] += 0.6 * kick[:, np.newaxis]
        if number % 8 == 4:
            body = random.standard_normal(7200) * 0.25 + 0.3 * np.sin(2 * np.pi * 190 * np.arange(7200) / RATE)
            sound[place : place + 7200] += (body * np.exp(-np.arange(7200) / 2000))[:, np.newaxis]
    return sound[:-RATE].astype(np.float32)


def chord() -> Sound:
    """A minor seventh of saws with a slow swell, wider at the top."""
    time_axis = np.arange(4 * RATE) / RATE
    sound = np.zeros((len(time_axis), 2))
    for number, hertz in enumerate((110.0, 130.75, 164.75, 196.0)):
        for partial in range(1, int(12_000 / hertz)):
            turn = 2 * np.pi * (hertz * partial * time_axis + 0.37 * partial)
            sound += np.stack([np.sin(turn), np.sin(turn + 0.2 * number)], axis=1) / partial
    swell = 1 + 0.3 * np.cos(2 * np.pi * 0.5 * time_axis)
    return (0.08 * sound * swell[:, np.newaxis]).astype(np.float32)


def measured(made: dict[str, Sound], loops: dict[str, Sound], ratio: float) -> dict[str, float]:
    turns = [spin(made[f"tone {hertz}@{ratio}"], hertz) for hertz in TONES]
    timing, attack, echo = struck(made[f"drums@{ratio}"], loops["drums"], ratio)
    seams = [
        np.abs(sound[0] - sound[-1]).max() / np.abs(np.diff(loops[f"tone {hertz}"], axis=0)).max()
        for hertz in TONES
        for sound in [made[f"tone {hertz}@{ratio}"]]
    ]
    return {
        "pitch": max(abs(cents) for cents, _, _ in turns),
        "level": max(abs(level) for _, level, _ in turns),
        "phase": max(phase for _, _, phase in turns),
        "timing": timing,
        "attack": attack,
        "pre-echo": echo,
        "timbre": float(np.abs(thirds(made[f"chord@{ratio}"]) - thirds(loops["chord"])).mean()),
        "seam": float(max(seams)),
    }


def spin(sound: Sound, hertz: float) -> tuple[float, float, float]:
    """Error in cents, in dB and in degrees between the channels, away from the seam."""
    left, right = hilbert(sound.astype(np.float64), axis=0).T
    inner = slice(len(sound) // 8, -len(sound) // 8)
    turns = np.polyfit(np.arange(len(left))[inner], np.unwrap(np.angle(left))[inner], 1)[0] * RATE / (2 * np.pi)
    level = 20 * np.log10(np.sqrt(np.mean(np.abs(left[inner]) ** 2)) / 0.5)
    apart = np.degrees(np.angle(left[inner] * np.conj(right[inner]))) - 90
    return float(1200 * np.log2(turns / hertz)), float(level), float(np.abs(apart).max())


def struck(sound: Sound, source: Sound, ratio: float) -> tuple[float, float, float]:
    errors, likeness, echoes = [], [], []
    for number, place in enumerate(hits()):
        wanted = round(place * ratio)
        start = source[place : place + 480].astype(np.float64)
        around = sound.take(np.arange(wanted - 1440, wanted + 1440 + 480), axis=0, mode="wrap").astype(np.float64)
        match = correlate(around, start, mode="valid")[:, 0]
        energy = np.convolve(np.square(around).sum(axis=1), np.ones(480), mode="valid")
        likely = match / np.sqrt(energy * np.square(start).sum() + 1e-12)
        best = int(np.argmax(likely))
        errors.append(abs(best - 1440) / RATE * 1000)
        likeness.append(likely[best])
        before = sound.take(np.arange(wanted - 1440, wanted - 96), axis=0, mode="wrap")
        attack = sound.take(np.arange(wanted, wanted + 240), axis=0, mode="wrap")
        if number % 4 == 0:
            echoes.append(np.square(before).mean() / np.square(attack).mean())
    return float(np.mean(errors)), float(np.mean(likeness)), float(10 * np.log10(np.mean(echoes) + 1e-12))


def thirds(sound: Sound) -> NDArray[np.float64]:
    power = np.square(np.abs(np.fft.rfft(sound.astype(np.float64), axis=0))).sum(axis=1) / len(sound) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    edges = 80 * 2 ** (np.arange(22) / 3)
    # Bands 60 dB under the loudest hold nothing but what windows leak.
    bands = np.array([power[(hertz >= low) & (hertz < high)].sum() for low, high in pairwise(edges)])
    return np.asarray(10 * np.log10(np.maximum(bands, bands.max() * 1e-6)))


def show(table: dict[str, dict[str, dict[str, float]]]) -> None:
    for ratio in RATIOS:
        print(f"\n× {ratio}")
        print(f"{'':20s}" + "".join(f"{key:>11s}" for key in UNITS))
        print(f"{'':20s}" + "".join(f"{unit:>11s}" for unit in UNITS.values()))
        for name, rows in table.items():
            print(f"{name:20s}" + "".join(f"{rows[str(ratio)][key]:11.3g}" for key in UNITS))


if __name__ == "__main__":
    main()
