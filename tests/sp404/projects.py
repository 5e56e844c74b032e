"""Projects made in code, for tests."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sample_agent.sp404.formats.padconf import Padconf
from sample_agent.sp404.formats.pattern import Note, Pattern
from sample_agent.sp404.formats.pattern_chain import PatternChain
from sample_agent.sp404.formats.picture import Picture
from sample_agent.sp404.formats.smp import write_smp
from sample_agent.sp404.projects.content import BytesContent
from sample_agent.sp404.projects.project import Pad, Project
from sample_agent.sp404.slots import PadSlot


def slot(label: str) -> PadSlot:
    return PadSlot.parse(label)


def smp(seed: int = 0, frames: int = 6_000, channels: int = 2) -> bytes:
    """An SMP file of noise, another one for each seed."""
    file = io.BytesIO()
    noise = np.random.default_rng(seed).integers(-9_000, 9_000, (frames, channels), dtype=np.int16)
    write_smp(file, channels, frames, [noise])
    return file.getvalue()


def pad(seed: int, name: str = "", chops: tuple[int, ...] = (), channels: int = 2, **settings: Any) -> Pad:
    return Pad.of(BytesContent(smp(seed, channels=channels)), name or f"Sound {seed}", chops, **settings)


def hits(*labels: str) -> Pattern:
    """One bar in which these pads are hit one after the other."""
    return Pattern.of([Note(120 * index, slot(label), 100, 60) for index, label in enumerate(labels)], bars=1)


def project(
    pads: Mapping[str, Pad] | None = None,
    patterns: Mapping[str, Pattern] | None = None,
    *,
    chain: tuple[int, ...] = (),
    **settings: Any,
) -> Project:
    made = Project.new(**{"name": "Test", "tempo": 92.5, **settings})
    made = made.with_pads({slot(label): each for label, each in (pads or {}).items()})
    made = made.with_patterns({slot(label): each for label, each in (patterns or {}).items()})
    if chain:
        made = Project(made.padconf, made.audio, made.patterns, PatternChain(chain), made.pictures, made.other_files)
    return made


def full() -> Project:
    """Something of everything."""
    made = project(
        {
            "A1": pad(1, "Kick", one_shot=True),
            "A2": pad(2, "Hat", mute_group=1, channels=1),
            "B1": pad(3, "Loop", (0, 1_000, 4_000), bpm_sync=True, loop=True, tempo=88.0),
            "J16": pad(4, "Last", pitch=-3, link=2),
        },
        {"A1": hits("A1", "A2", "A1", "B1"), "C4": hits("J16", "A2"), "J16": hits("B1")},
        chain=(1, 36, 1, 160),
    )
    lit = np.zeros((64, 128), np.bool_)
    lit[10:20, 30:90] = True
    return made.with_pictures({"startup_1.bmp": Picture.of(lit)})


def older(project: Project) -> bytes:
    """The PADCONF.BIN of version 2 that says the same, without names of projects and chops."""
    new = project.padconf.to_bytes()
    head = struct.pack(">4sI4sI", b"RFPD", 0x80, b"\2\0\0\0", 31_360)
    old = head + new[0x10:0x80] + new[0xA0:0x7B20]
    assert len(old) == 31_488
    assert Padconf.read(old).version == 2
    return old


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its path."""
    return {str(each.relative_to(folder)): each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file()}


def sounding(project: Project) -> dict[PadSlot, list[tuple[int, bytes]]]:
    """What is heard of each pattern: the tick of every note and the sound of the pad it is on."""
    heard = {}
    for place, pattern in project.patterns.items():
        heard[place] = [(note.tick, _sound(project, note.slot)) for note in pattern.notes if note.slot in project.pads]
    return heard


def _sound(project: Project, place: PadSlot) -> bytes:
    audio = project.audio[place]
    with audio.open() as file:
        return file.read()[-64:]
