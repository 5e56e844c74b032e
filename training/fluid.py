"""Plays notes through FluidSynth's library with a soundfont, without a sound card and without MIDI files."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

RATE = 44_100
SOUNDFONTS = (
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    Path("/usr/share/sounds/sf3/MuseScore_General_Full.sf3"),
)
"""Both under the MIT licence: Debian's fluid-soundfont-gm and musescore-general-soundfont."""

DRUMS = 9
"""The channel whose pitches are drums."""


class Player:
    """A synthesizer with one soundfont.

    Raises:
        OSError: libfluidsynth or the soundfont is missing (Debian: libfluidsynth3 and the packages of `SOUNDFONTS`).
    """

    def __init__(self, soundfont: Path) -> None:
        name = ctypes.util.find_library("fluidsynth")
        if name is None or not soundfont.exists():
            raise OSError(f"needs libfluidsynth and {soundfont}")
        library = self._library = ctypes.CDLL(name)
        for function in ("new_fluid_settings", "new_fluid_synth"):
            getattr(library, function).restype = ctypes.c_void_p
        settings = ctypes.c_void_p(library.new_fluid_settings())
        library.fluid_settings_setnum(settings, b"synth.sample-rate", ctypes.c_double(RATE))
        library.fluid_settings_setnum(settings, b"synth.gain", ctypes.c_double(0.3))
        self._synth = ctypes.c_void_p(library.new_fluid_synth(settings))
        if library.fluid_synth_sfload(self._synth, str(soundfont).encode(), 1) < 0:
            raise OSError(f"cannot load {soundfont}")

    def play(
        self,
        notes: Iterable[tuple[float, float, int, int, int]],
        programs: dict[int, int],
        seconds: float,
        reverb: bool,
    ) -> npt.NDArray[np.float32]:
        """The sound of notes (start and length in seconds, channel, pitch, velocity), mono, shape (samples,).

        Args:
            programs: the General MIDI program of each channel, from 0.
            seconds: where to stop.
            reverb: whether the synthesizer's room is on.
        """
        library, synth = self._library, self._synth
        library.fluid_synth_system_reset(synth)
        library.fluid_synth_set_reverb_on(synth, int(reverb))
        library.fluid_synth_set_chorus_on(synth, int(reverb))
        for channel, program in programs.items():
            library.fluid_synth_program_change(synth, channel, program)
        events = []
        for start, length, channel, pitch, velocity in notes:
            if 0 <= pitch < 128 and start < seconds:
                events.append((round(start * RATE), 1, channel, pitch, velocity))
                events.append((round((start + length) * RATE), 0, channel, pitch, 0))
        total = round(seconds * RATE)
        left, right = np.zeros(total, np.float32), np.zeros(total, np.float32)
        at = 0
        for when, on, channel, pitch, velocity in sorted(events):
            at = self._write(left, right, at, min(when, total))
            if on:
                library.fluid_synth_noteon(synth, channel, pitch, max(1, min(127, velocity)))
            else:
                library.fluid_synth_noteoff(synth, channel, pitch)
        self._write(left, right, at, total)
        return (left + right) * np.float32(0.5)

    def _write(self, left: npt.NDArray[np.float32], right: npt.NDArray[np.float32], start: int, stop: int) -> int:
        if stop > start:
            pointers = [ctypes.c_void_p(side.ctypes.data) for side in (left, right)]
            self._library.fluid_synth_write_float(
                self._synth, stop - start, pointers[0], start, 1, pointers[1], start, 1
            )
        return max(start, stop)
