"""One-shots and melodic loops rendered from soundfonts under the MIT licence, one sound at a time."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soundfile

from training.debian import fetch
from training.drum_machine import RATE, Random, Samples

_TICKS = 480
_BPM = 120
_NOTE_SECONDS = 3.5
"""Every one-shot has this long to sound before the next begins."""

_KITS = (0, 8, 16, 24, 25, 32, 40)
_DRUM_NOTES = {
    "kick": (35, 36),
    "rim": (37,),
    "snare": (38, 40),
    "clap": (39,),
    "tom": (41, 43, 45, 47, 48, 50),
    "closed-hat": (42, 44),
    "open-hat": (46,),
    "cymbal": (49, 51, 52, 53, 55, 57, 59),
    "percussion": (54, 56, 58, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 73, 74, 75, 76, 77, 80, 81),
}
_MELODIC = (*range(32), *range(40, 47), 48, 49, *range(56, 88), 104, 105, 106, 107, 108, 109, 110, 111, 114)
_HARMONIC = (
    0,
    2,
    4,
    5,
    7,
    16,
    19,
    21,
    24,
    26,
    27,
    30,
    48,
    49,
    50,
    51,
    61,
    62,
    63,
    80,
    81,
    88,
    89,
    90,
    91,
    92,
    93,
    94,
    95,
)
_CHORDS = ((0, 4, 7), (0, 3, 7), (0, 4, 7, 11), (0, 3, 7, 10), (0, 5, 7), (0, 4, 7, 10), (-12, 0, 7, 12, 16))


@dataclass(frozen=True)
class Note:
    """What to play: all of `pitches` at once, from `start` for `seconds`."""

    start: float
    seconds: float
    pitches: tuple[int, ...]
    velocity: int = 100


@dataclass(frozen=True)
class Voice:
    """Notes on one MIDI channel (9: drums) with one program. Sounds of the same channel must not overlap across
    programs."""

    channel: int
    program: int
    notes: tuple[Note, ...]


def fonts(cache: Path) -> dict[str, Path]:
    """The soundfonts by name, fetched if need be."""
    return {
        "fluid": fetch("fluid-soundfont-gm", cache) / "usr/share/sounds/sf2/FluidR3_GM.sf2",
        "musescore": fetch("musescore-general-soundfont", cache) / "usr/share/sounds/sf3/MuseScore_General_Full.sf3",
    }


def one_shots(font: Path, work: Path, random: Random) -> Iterator[tuple[str, Samples]]:
    """Pairs of class and sound: all drums of all kits, and every instrument in one or more registers."""
    labels: list[str] = []
    voices: list[Voice] = []

    def add(label: str, channel: int, program: int, pitches: tuple[int, ...], velocity: int) -> None:
        seconds = float(np.exp(random.uniform(np.log(0.2), np.log(2.5))))
        note = Note(len(labels) * _NOTE_SECONDS, seconds, pitches, velocity)
        labels.append(label)
        voices.append(Voice(channel, program, (note,)))

    for kit in _KITS:
        for label, drums in _DRUM_NOTES.items():
            for drum in drums:
                add(label, 9, kit, (drum,), int(random.integers(60, 127)))
    for label, programs, lowest, highest, chord in (
        ("bass", tuple(range(32, 40)) * 5, 26, 46, False),
        ("melodic", _MELODIC * 2, 45, 84, False),
        ("chord", _HARMONIC * 3, 44, 66, True),
        ("vocal", (52, 53, 54, 52, 53) * 4, 48, 74, False),
        ("tom", (116, 117, 118) * 4, 36, 60, False),
    ):
        for program in programs:
            root = int(random.integers(lowest, highest))
            steps = _CHORDS[random.integers(len(_CHORDS))] if chord else (0,)
            add(label, 0, program, tuple(root + step for step in steps), 100)
    yield from zip(labels, _cut(render(font, work, voices), len(labels)), strict=True)


def render(font: Path, work: Path, voices: list[Voice], *, reverb: bool = False) -> Samples:
    """Render what all voices play; mono at 44.1 kHz.

    Raises:
        subprocess.CalledProcessError: fluidsynth failed.
    """
    score = mido.MidiFile(ticks_per_beat=_TICKS)
    events = []
    for voice in voices:
        channel = voice.channel
        first = min(note.start for note in voice.notes)
        events.append((first, mido.Message("program_change", channel=channel, program=voice.program)))
        for note in voice.notes:
            for pitch in note.pitches:
                if 0 <= pitch < 128:
                    on = mido.Message("note_on", channel=channel, note=pitch, velocity=note.velocity)
                    off = mido.Message("note_off", channel=channel, note=pitch)
                    events += [(note.start, on), (note.start + note.seconds, off)]
    track, now = mido.MidiTrack(), 0
    for time, message in sorted(events, key=lambda event: event[0]):
        at = round(time * _TICKS * _BPM / 60)
        track.append(message.copy(time=at - now))
        now = at
    score.tracks.append(track)
    midi, wav = work / "score.mid", work / "score.wav"
    score.save(midi)
    room = () if reverb else ("-R", "0", "-C", "0")
    command = ["fluidsynth", "-q", "-ni", *room, "-g", "0.5", "-r", str(RATE), "-F", str(wav), str(font), str(midi)]
    subprocess.run(command, check=True, capture_output=True)
    samples, _ = soundfile.read(wav, dtype="float32", always_2d=True)
    return np.asarray(samples.mean(axis=1), np.float32)


def _cut(samples: Samples, count: int) -> Iterator[Samples]:
    """The sounds apart, without the silence behind each."""
    samples = np.pad(samples, (0, max(0, int(count * _NOTE_SECONDS * RATE) - len(samples))))
    for index in range(count):
        start = int(index * _NOTE_SECONDS * RATE)
        sound = samples[start : start + int(_NOTE_SECONDS * RATE) - 2000]
        heard = np.flatnonzero(np.abs(sound) > 1e-3 * max(float(np.abs(sound).max()), 1e-4))
        yield sound[heard[0] : heard[-1] + 1] if len(heard) > 300 else np.zeros(0, np.float32)
