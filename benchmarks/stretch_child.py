"""Stretches loops with the stretchers we are compared with; runs in an environment of its own, see peers.py.

    python stretch_child.py FOLDER

FOLDER/in.npz holds float32[frames, channels] at 48 kHz, named NAME@RATIO; FOLDER/NAME OF THE STRETCHER.npz gets what
became of them and `seconds`, the processor time of all.
"""

import sys
import time
from pathlib import Path

import numpy as np

RATE = 48_000


def signalsmith(sound, ratio):
    from python_stretch import Signalsmith

    stretch = Signalsmith.Stretch(1)
    stretch.preset(sound.shape[1], RATE)
    stretch.setTimeFactor(1 / ratio)
    return stretch.process(np.ascontiguousarray(sound.T)).T


def bungee(sound, ratio):
    from bungee_python import bungee

    stretch = bungee.Bungee(sample_rate=RATE, channels=sound.shape[1])
    stretch.set_speed(1 / ratio)
    return stretch.process(np.ascontiguousarray(sound))


def rubber_band(sound, ratio):
    from pedalboard import time_stretch

    return time_stretch(np.ascontiguousarray(sound.T), RATE, stretch_factor=1 / ratio, high_quality=True).T


STRETCHERS = {"python-stretch": signalsmith, "bungee": bungee, "Rubber Band (GPL)": rubber_band}


def main():
    folder = Path(sys.argv[1])
    loops = dict(np.load(folder / "in.npz"))
    for name, stretch in STRETCHERS.items():
        results = {}
        started = time.process_time()
        try:
            for title, sound in loops.items():
                results[title] = np.asarray(stretch(sound, float(title.rpartition("@")[2])), dtype=np.float32)
        except Exception as error:
            print(f"{name} could not be measured: {error!r}", file=sys.stderr)
            continue
        np.savez(folder / f"{name}.npz", seconds=time.process_time() - started, **results)


if __name__ == "__main__":
    main()
