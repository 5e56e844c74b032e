"""What stands in the device's files, as plain data: what `card inspect --json` writes and its tables are made from."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Any

from sample_agent.sp404.errors import FormatError
from sample_agent.sp404.formats import picture
from sample_agent.sp404.formats.padconf import PAD_FIELDS, Padconf, PadEntry
from sample_agent.sp404.formats.pattern import Motion, Pattern
from sample_agent.sp404.formats.pattern_chain import PatternChain
from sample_agent.sp404.formats.picture import Picture
from sample_agent.sp404.formats.smp import SmpHeader
from sample_agent.sp404.formats.sx import PadInfo, SxPad, SxSlot
from sample_agent.sp404.formats.sx_wav import SxWavHeader
from sample_agent.sp404.projects.device_file import DeviceFile, read_device_file
from sample_agent.sp404.projects.project import Pad, Project
from sample_agent.sp404.projects.reading import load_project, project_folders
from sample_agent.sp404.projects.recognize import Kind, recognize
from sample_agent.sp404.projects.sx_card import SxCard, load_sx_card
from sample_agent.sp404.slots import ALL_SLOTS, BANK_LETTERS, PadSlot

Data = dict[str, Any]


def describe(path: Path) -> Data:
    """Everything that can be read at `path`; `kind` says what it is. Raises `FormatError`, OSError."""
    kind = recognize(path)
    if kind is Kind.PROJECT and len(folders := project_folders(path)) > 1:
        return {"kind": "projects", "path": str(path), "projects": [_overview(path, folder) for folder in folders]}
    return {"kind": str(kind), "path": str(path), **_described(kind, path)}


def _overview(path: Path, folder: str) -> Data:
    """One of several projects; a damaged one does not hide the others."""
    try:
        project = load_project(path / folder)
    except FormatError as error:
        return {"folder": folder, "error": str(error)}
    counts = {"pads": len(project.pads), "patterns": len(project.patterns)}
    return {"folder": folder, "name": project.name, "tempo": project.tempo, **counts}


def _described(kind: Kind, path: Path) -> Data:
    if kind is Kind.PROJECT:
        return _project(load_project(path))
    return _sx_card(load_sx_card(path)) if kind is Kind.SX_CARD else _file(read_device_file(path))


def _file(file: DeviceFile) -> Data:
    match file:
        case Padconf():
            return _padconf(file)
        case SmpHeader():
            return _smp(file)
        case Pattern():
            return _pattern(file)
        case PatternChain():
            return _chain(file)
        case Picture():
            return _picture(file)
        case PadInfo():
            return {"pads": _sx_pads(file)}
        case SxPad():
            return {"pads": [_sx_pad(file)]}
        case SxWavHeader():
            return _sx_wav(file)
        case bytes():
            return {"size": len(file), "hex": file.hex()}


def _project(project: Project) -> Data:
    described = _padconf(project.padconf)
    described["pads"] = [
        {"pad": str(slot), **_entry(pad.entry), "audio": _audio(pad)} for slot, pad in project.pads.items()
    ]
    return described | {
        "patterns": [{"pattern": str(slot), **_pattern_overview(each)} for slot, each in project.patterns.items()],
        "unread_patterns": [str(slot) for slot in project.unread_patterns],
        "chain": _chain(project.chain) if project.chain else None,
        "pictures": list(project.pictures),
        "other_files": list(project.other_files),
        "samples_without_pad": [slot.smp_name for slot in project.stray_audio],
    }


def _padconf(padconf: Padconf) -> Data:
    settings = padconf.settings
    banks = [
        {"bank": BANK_LETTERS[index], "tempo": bank.tempo, "protect": bank.protect, "volume": bank.volume}
        for index, bank in enumerate(settings.banks)
    ]
    used = ((slot, padconf.pad(slot)) for slot in ALL_SLOTS)
    return {
        "version": padconf.version,
        "name": padconf.name,
        "tempo": settings.tempo,
        "tempo_select": settings.tempo_select.name.lower(),
        "banks": banks,
        "pads": [{"pad": str(slot), **_entry(entry)} for slot, entry in used if not entry.settings.is_empty],
    }


def _entry(entry: PadEntry) -> Data:
    fields = {name: _plain(getattr(entry.settings, name)) for name in PAD_FIELDS}
    return {"name": entry.name, **fields, "chops": list(entry.chops)}


def _plain(value: object) -> object:
    return value.name.lower() if isinstance(value, IntEnum) else value


def _audio(pad: Pad) -> Data | None:
    """What the pad's file says of itself; None when it is missing."""
    try:
        header = pad.header()
    except FormatError as error:
        return {"damaged": error.message}
    return None if header is None else _smp(header)


def _smp(header: SmpHeader) -> Data:
    described = {"channels": header.channels, "frames": header.frames, "seconds": round(header.duration, 3)}
    return {**described, "sample_rate": 48_000, "size": header.file_size}


def _pattern(pattern: Pattern) -> Data:
    return {**_pattern_overview(pattern), "notes": _notes(pattern)}


def _notes(pattern: Pattern) -> list[Data]:
    return [
        {
            "tick": note.tick,
            "pad": str(note.slot),
            "velocity": note.velocity,
            "length": note.length,
            "semitones": note.semitones,
        }
        for note in pattern.notes
    ]


def _pattern_overview(pattern: Pattern) -> Data:
    return {
        "bars": pattern.bars,
        "time_signature": pattern.time_signature or f"code {pattern.time_signature_code}",
        "loop": list(pattern.loop),
        "ticks": pattern.end_tick,
        "pads": [str(slot) for slot in sorted({note.slot for note in pattern.notes})],
        "note_count": len(pattern.notes),
        "motions": sum(isinstance(event, Motion) for event in pattern.events),
    }


def _chain(chain: PatternChain) -> Data:
    labels = [
        str(PadSlot.from_index(each - 1)) if 1 <= each <= len(ALL_SLOTS) else str(each) for each in chain.patterns
    ]
    return {"patterns": labels, "repeat": chain.repeat, "current": chain.current}


def _picture(shown: Picture) -> Data:
    pixels = ["".join("#" if lit else "." for lit in row) for row in shown.pixels]
    return {"width": picture.WIDTH, "height": picture.HEIGHT, "bits": shown.bits, "pixels": pixels}


def _sx_card(card: SxCard) -> Data:
    slots = card.slots
    pads = []
    for index, pad in enumerate(card.pad_info.pads):
        slot = SxSlot.from_index(index)
        if slot in slots or not pad.is_empty:
            sound = card.sounds[slots[slot]] if slot in slots else None
            pads.append({
                "pad": str(slot), "file": slots.get(slot), "file_size": sound.size if sound else None, **_sx_pad(pad),
            })  # fmt: skip
    return {"pads": pads, "other_files": list(card.other_files)}


def _sx_pads(pad_info: PadInfo) -> list[Data]:
    return [
        {"pad": str(SxSlot.from_index(index)), **_sx_pad(pad)}
        for index, pad in enumerate(pad_info.pads)
        if not pad.is_empty
    ]


def _sx_pad(pad: SxPad) -> Data:
    return {
        "original_start": pad.original_start,
        "original_end": pad.original_end,
        "user_start": pad.user_start,
        "user_end": pad.user_end,
        "volume": pad.volume,
        "lo_fi": pad.lo_fi,
        "loop": pad.loop,
        "gate": pad.gate,
        "reverse": pad.reverse,
        "format": "wave" if pad.is_wave else "aiff",
        "channels": pad.channels,
        "tempo_mode": {0: "off", 1: "pattern", 2: "user"}.get(pad.tempo_mode, str(pad.tempo_mode)),
        "original_tempo": pad.original_tempo,
        "user_tempo": pad.user_tempo,
    }


def _sx_wav(header: SxWavHeader) -> Data:
    return {
        "pad": None if header.slot is None else str(header.slot),
        "channels": header.channels,
        "sample_rate": header.sample_rate,
        "frames": header.frames,
        "seconds": round(header.frames / header.sample_rate, 3) if header.sample_rate else 0.0,
    }
