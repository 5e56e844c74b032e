"""Spoken words and phrases from flite (Carnegie Mellon University, BSD-like licence): voices for the class "vocal"."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from training.debian import fetch
from training.drum_machine import RATE, Random, Samples

_VOICES = ("kal16", "awb", "rms", "slt")
_WORDS = (
    "yeah", "hey", "oh", "one", "two", "three", "go", "ah", "no", "stop", "listen", "come on", "let's go", "get up",
    "everybody", "feel the music", "all night long", "check this out", "what", "fire", "love", "in the house",
    "bring it back", "one two three four", "hold on", "this is the sound", "move your body", "higher", "deeper", "baby",
)  # fmt: skip


def phrases(cache: Path, work: Path, random: Random, count: int) -> Iterator[Samples]:
    """`count` words and phrases in four voices at many pitches and speeds, mono at 44.1 kHz.

    Raises:
        subprocess.CalledProcessError: flite failed.
    """
    flite, library = fetch("flite", cache) / "usr/bin", fetch("libflite1", cache) / "usr/lib/x86_64-linux-gnu"
    wav = work / "speech.wav"
    for _ in range(count):
        voice, words = random.choice(_VOICES), random.choice(_WORDS)
        pitch, stretch = random.uniform(75, 240), random.uniform(0.7, 2.2)
        settings = ("--setf", f"int_f0_target_mean={pitch:.0f}", "--setf", f"duration_stretch={stretch:.2f}")
        command = [str(flite / "flite"), "-voice", voice, *settings, "-t", words, "-o", str(wav)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "LD_LIBRARY_PATH": str(library)})
        samples, rate = soundfile.read(wav, dtype="float32")
        # Reading it off at another rate makes higher and lower people.
        rate = round(rate * random.uniform(0.8, 1.5))
        heard = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
        yield np.asarray(soxr.resample(samples[heard[0] : heard[-1] + 1], rate, RATE), np.float32)
