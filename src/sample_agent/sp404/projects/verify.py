"""Whether the unit will take it: everything known about its files, checked.

An error is what the unit refuses, drops or plays wrong. A warning is what is probably not meant, or not known to work.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sample_agent.sp404.errors import FormatError
from sample_agent.sp404.formats.padconf import Padconf, PadEntry
from sample_agent.sp404.formats.pattern import MAX_BARS, Pattern
from sample_agent.sp404.formats.pattern_chain import FILE_NAME as CHAIN_NAME
from sample_agent.sp404.formats.pattern_chain import PatternChain
from sample_agent.sp404.formats.smp import HEADER_BYTES, MAX_FRAMES, SAMPLE_RATE, SmpHeader
from sample_agent.sp404.formats.sx import PadInfo, SxPad, SxSlot
from sample_agent.sp404.formats.sx_wav import SX_HEADER_BYTES, SX_SAMPLE_RATE, SxWavHeader
from sample_agent.sp404.projects.archive import ZipContent
from sample_agent.sp404.projects.content import content_blocks, content_head
from sample_agent.sp404.projects.device_file import DeviceFile, read_device_file
from sample_agent.sp404.projects.project import Project
from sample_agent.sp404.projects.reading import open_project_tree, project_folders, read_project
from sample_agent.sp404.projects.recognize import Kind, recognize
from sample_agent.sp404.projects.sx_card import SxCard, open_sx_tree, read_sx_card
from sample_agent.sp404.projects.tree import Tree
from sample_agent.sp404.slots import ALL_SLOTS, SLOTS, PadSlot

Severity = Literal["error", "warning"]

MIN_REGION_FRAMES = 1_000
"""The unit moves the end away when start and end are set closer together."""
MIN_FRAMES = SAMPLE_RATE // 10
"""What is known not to be "too short"; the limit itself is not known."""

_PROJECT_FOLDER = re.compile(r"PROJECT_(0[1-9]|1[0-6])|P(0[1-9]|1[0-6])_.+", re.IGNORECASE)
_PICTURE_NAME = re.compile(r"(startup_[12]|screen_saver_([1-9]|1[0-6]))\.bmp", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """Something about a file or a pad. `where` is a pad ("A1"), a pattern ("pattern A1") or a file ("PADCONF.BIN")."""

    severity: Severity
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.message}"


def verify(path: Path) -> list[Finding]:
    """Check a project (or several below one folder), an SP-404SX card or a single file of either; errors first.

    Damage is a finding and not raised. Raises OSError when something cannot be read at all.
    """
    try:
        findings = list(_verified(path))
    except FormatError as error:
        findings = [Finding("error", error.path or path.name, _message(error))]
    return sorted(findings, key=lambda each: each.severity)


def verify_project(project: Project) -> list[Finding]:
    """Check a project that has been read or made, with the headers of its samples; errors first."""
    return sorted(_project_findings(project), key=lambda each: each.severity)


def _verified(path: Path) -> Iterator[Finding]:
    kind = recognize(path)
    if kind is Kind.PROJECT:
        yield from _projects_findings(path)
    elif kind is Kind.SX_CARD:
        yield from _sx_tree_findings(open_sx_tree(path))
    else:
        yield from _file_findings(read_device_file(path), path.name)


def _file_findings(file: DeviceFile, name: str) -> Iterator[Finding]:
    """One file without what belongs to it; of those that are not named here all is known when they have been read."""
    match file:
        case Padconf():
            yield from _padconf_findings(file)
        case SmpHeader():
            yield from _length_findings(file, name)
        case Pattern():
            yield from _pattern_findings(file, name)
        case PatternChain():
            yield from _chain_findings(file, None)
        case PadInfo():
            yield from _pad_info_findings(file)
        case SxPad():
            yield from _sx_pad_findings(file, name)
        case SxWavHeader():
            yield from _sx_wav_findings(file, name, SxSlot.parse_sound_name(name))


# A project.


def _projects_findings(path: Path) -> Iterator[Finding]:
    """All projects at or below `path`; of several each finding says in which."""
    folders = project_folders(path)
    for folder in folders:
        try:
            for each in _project_tree_findings(open_project_tree(path / folder)):
                yield replace(each, where=f"{folder}: {each.where}") if len(folders) > 1 else each
        except FormatError as error:
            if len(folders) == 1:
                raise
            yield Finding("error", folder, str(error))


def _project_tree_findings(tree: Tree) -> Iterator[Finding]:
    damaged: list[Finding] = []
    project = read_project(tree, lambda error: damaged.append(_error_of(error, tree)))
    yield from damaged
    yield from _folder_findings(tree)
    yield from _archive_findings(tree)
    told = {each.where for each in damaged}
    yield from (each for each in _project_findings(project) if each.where not in told)


def _project_findings(project: Project) -> Iterator[Finding]:
    yield from _padconf_findings(project.padconf)
    for slot in ALL_SLOTS:
        yield from _pad_audio_findings(project, slot)
    for slot, pattern in project.patterns.items():
        where = f"pattern {slot}"
        yield from _pattern_findings(pattern, where)
        silent = Counter(note.slot for note in pattern.notes if project.padconf.pad(note.slot).settings.is_empty)
        if silent:
            pads = ", ".join(str(pad) for pad in sorted(silent))
            yield Finding("warning", where, f"{silent.total()} of its notes are on empty pads ({pads})")
    if project.chain is not None:
        yield from _chain_findings(project.chain, project)
    for name in project.pictures:
        if not _PICTURE_NAME.fullmatch(name):
            yield Finding("warning", f"PICTURE/{name}", "the unit looks for startup_1 to 2 and screen_saver_1 to 16")
    for name in project.other_files:
        yield Finding("warning", name, "not a file the unit is known to use; it is kept as it is")


def _padconf_findings(padconf: Padconf) -> Iterator[Finding]:
    where = "PADCONF.BIN"
    for problem in padconf.settings.problems():
        yield Finding("error", where, problem.rstrip("."))
    yield from _name_findings(padconf.name_bytes if padconf.version > 2 else b"\0", where, "the project's name")
    entries = dict(zip(ALL_SLOTS, padconf.pads, strict=True))
    for slot, entry in entries.items():
        yield from _entry_findings(entry, str(slot))
    if all(entry.settings.is_empty for entry in entries.values()):
        yield Finding("warning", where, "there is no sample in the project; the unit does not export such a one")


def _entry_findings(entry: PadEntry, where: str) -> Iterator[Finding]:
    # What an empty pad says is never played.
    severity: Severity = "warning" if entry.settings.is_empty else "error"
    if (unusual := entry.chop_problem()) is not None:
        yield Finding("warning", where, unusual.rstrip("."))
    for problem in entry.problems():
        yield Finding(severity, where, problem.rstrip("."))
    yield from _name_findings(entry.name_bytes, where, "its name")


def _name_findings(field: bytes, where: str, what: str) -> Iterator[Finding]:
    text = field.split(b"\0", 1)[0]
    if len(text) == len(field):
        yield Finding("warning", where, f"{what} has no end: there is no room for the zero behind it")
    if not (text.isascii() and text.decode("latin-1").isprintable()):
        yield Finding("warning", where, f"{what} has characters the unit does not show")


def _pad_audio_findings(project: Project, slot: PadSlot) -> Iterator[Finding]:
    where, entry, audio = str(slot), project.padconf.pad(slot), project.audio.get(slot)
    if audio is None:
        if not entry.settings.is_empty:
            yield Finding("error", where, f"SMPL/{slot.smp_name} is missing; the unit drops the pad")
        return
    try:
        header = SmpHeader.read(content_head(audio, HEADER_BYTES), audio.size)
    except FormatError as error:
        yield Finding("error", f"SMPL/{slot.smp_name}", _message(error))
        return
    if entry.settings.is_empty:
        yield Finding(
            "warning", where, f"SMPL/{slot.smp_name} is there, but the pad is empty; the unit does not load it"
        )
        return
    yield from _length_findings(header, where)
    yield from _region_findings(entry, header, audio.size, where)


def _length_findings(header: SmpHeader, where: str) -> Iterator[Finding]:
    if header.frames < MIN_FRAMES:
        milliseconds = header.frames * 1_000 // SAMPLE_RATE
        yield Finding(
            "warning", where, f"the sample has {milliseconds} ms; under 100 ms the unit may call it too short"
        )
    if header.frames > MAX_FRAMES:
        length = f"{header.duration / 60:.1f} minutes"
        yield Finding("warning", where, f"the sample has {length}; whether the unit takes over 16 is not known")


def _region_findings(entry: PadEntry, header: SmpHeader, file_size: int, where: str) -> Iterator[Finding]:
    settings = entry.settings
    if settings.size != file_size:
        yield Finding("error", where, f"the pad says {settings.size:,} bytes, its file has {file_size:,}")
    width = 2 * header.channels
    for name, position in (("start", settings.start), ("end", settings.end), ("loop top", settings.loop_top)):
        if (position - HEADER_BYTES) % width:
            yield Finding("warning", where, f"its {name} ({position}) lies within a frame")
    region = (settings.end - settings.start) // width
    if 0 < region < min(MIN_REGION_FRAMES, header.frames):
        yield Finding("warning", where, f"start and end are {region} frames apart; the unit keeps {MIN_REGION_FRAMES}")
    for chop in entry.chops:
        if chop >= header.frames and chop:
            yield Finding("error", where, f"the chop at frame {chop} lies behind the sample's {header.frames}")


def _pattern_findings(pattern: Pattern, where: str) -> Iterator[Finding]:
    severity: Severity = "warning" if 1 <= pattern.bars <= MAX_BARS else "error"
    for problem in pattern.problems():
        yield Finding(severity, where, problem.rstrip("."))


def _chain_findings(chain: PatternChain, project: Project | None) -> Iterator[Finding]:
    where = f"PTN/{CHAIN_NAME}"
    for number in sorted(set(chain.patterns)):
        if not 1 <= number <= SLOTS:
            yield Finding("warning", where, f"pattern {number} is in the chain; there are {SLOTS}")
        elif project is not None and not _is_there(PadSlot.from_index(number - 1), project):
            yield Finding("warning", where, f"pattern {PadSlot.from_index(number - 1)} is in the chain and not there")


def _is_there(slot: PadSlot, project: Project) -> bool:
    return slot in project.patterns or slot in project.unread_patterns


def _folder_findings(tree: Tree) -> Iterator[Finding]:
    on_card = Path(tree.shown).absolute().parent.as_posix().upper().endswith("/EXPORT/PROJECT")
    if not _PROJECT_FOLDER.fullmatch(tree.name) and (on_card or tree.name.upper().startswith("PROJECT")):
        names = "PROJECT_01 to PROJECT_16"
        yield Finding("warning", tree.name, f"the unit loads folders from a card that are called {names}")
    if tree.litter:
        noun = "file" if tree.litter == 1 else "files"
        yield Finding("warning", tree.name, f"{tree.litter} {noun} of macOS lie about (._… or .DS_Store); passed over")


def _archive_findings(tree: Tree) -> Iterator[Finding]:
    """What is packed has a checksum of its own."""
    for name, content in tree.files.items():
        if isinstance(content, ZipContent):
            try:
                for _ in content_blocks(content, name):
                    pass
            except FormatError as error:
                yield Finding("error", name, _message(error))


# An SP-404SX card.


def _sx_tree_findings(tree: Tree) -> Iterator[Finding]:
    card = read_sx_card(tree)
    yield from _archive_findings(tree)
    yield from _pad_info_findings(card.pad_info)
    slots = card.slots
    for index, pad in enumerate(card.pad_info.pads):
        slot = SxSlot.from_index(index)
        if slot in slots:
            yield from _sx_sound_findings(card, slot, pad)
        elif not pad.is_empty:
            yield Finding("warning", str(slot), "there is no sound file for this pad")
    for name in card.sounds:
        if name not in slots.values():
            yield Finding("warning", f"SMPL/{name}", "another file is there for the same pad")


def _sx_sound_findings(card: SxCard, slot: SxSlot, pad: SxPad) -> Iterator[Finding]:
    where, name = str(slot), card.slots[slot]
    sound = card.sounds[name]
    if pad.is_empty:
        yield Finding("warning", where, f"SMPL/{name} is there, but the pad is empty")
    elif pad.original_end != sound.size:
        severity: Severity = "error" if pad.is_wave else "warning"
        yield Finding(severity, where, f"the pad says {pad.original_end:,} bytes, SMPL/{name} has {sound.size:,}")
    if name.upper().endswith(".AIF"):
        return
    try:
        header = SxWavHeader.read(content_head(sound, SX_HEADER_BYTES), sound.size)
    except FormatError as error:
        yield Finding("error", f"SMPL/{name}", _message(error))
        return
    yield from _sx_wav_findings(header, f"SMPL/{name}", slot)
    if not pad.is_empty and pad.channels != header.channels:
        yield Finding("warning", where, f"the pad says {pad.channels} channels, its file has {header.channels}")


def _sx_wav_findings(header: SxWavHeader, where: str, slot: SxSlot | None) -> Iterator[Finding]:
    if header.sample_rate != SX_SAMPLE_RATE:
        yield Finding("warning", where, f"its sample rate is {header.sample_rate}, not {SX_SAMPLE_RATE}")
    if slot is not None and header.slot != slot:
        yield Finding("warning", where, f"it was made for pad {header.slot or '?'}")


def _pad_info_findings(pad_info: PadInfo) -> Iterator[Finding]:
    for index, pad in enumerate(pad_info.pads):
        yield from _sx_pad_findings(pad, str(SxSlot.from_index(index)))


def _sx_pad_findings(pad: SxPad, where: str) -> Iterator[Finding]:
    # Little is known of what the SX takes, so nothing here is sure to be wrong.
    for problem in pad.problems():
        yield Finding("warning", where, problem)


def _error_of(error: FormatError, tree: Tree) -> Finding:
    return Finding("error", (error.path or error.kind).removeprefix(f"{tree.shown}/"), _message(error))


def _message(error: FormatError) -> str:
    return error.message if error.offset is None else f"{error.message} (byte 0x{error.offset:04X})"
