"""`PADCONF.BIN` ("RFPD"): the settings, names and chop points of a project's 160 pads.

Version 3 has 52,000 bytes; version 2, of older firmware, has 31,488: no project name and no chop points. Both are read
and written again as they were; new projects are version 3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.formats.padconf_pads import (
    CHOP_WORDS,
    MAX_CHOPS,
    MAX_NAME_BYTES,
    NAME_BYTES,
    PAD_FIELDS,
    PAD_WORDS,
    Bus,
    Chromatic,
    PadEntry,
    PadSettings,
    PlayMode,
    Vari,
    chops_to_bytes,
    read_chops,
    read_name,
    written_name,
)
from sample_agent.sp404.formats.padconf_project import PROJECT_WORDS, BankSettings, ProjectSettings, TempoSelect
from sample_agent.sp404.slots import ALL_SLOTS, SLOTS, PadSlot

__all__ = [
    "MAX_CHOPS",
    "MAX_NAME_BYTES",
    "PAD_FIELDS",
    "BankSettings",
    "Bus",
    "Chromatic",
    "PadEntry",
    "PadSettings",
    "Padconf",
    "PlayMode",
    "ProjectSettings",
    "TempoSelect",
    "Vari",
]

PROJECT_NAME_BYTES = 32

_KIND = "PADCONF.BIN"
_MAGIC = b"RFPD"
_HEAD_BYTES = 16
_PROJECT_BYTES = PROJECT_WORDS * 4
_RECORD_BYTES = PAD_WORDS * 4
_CHOP_BYTES = CHOP_WORDS * 4
_PADS_BYTES = SLOTS * (_RECORD_BYTES + NAME_BYTES)
_RECORDS_AT = {2: _HEAD_BYTES + _PROJECT_BYTES, 3: _HEAD_BYTES + _PROJECT_BYTES + PROJECT_NAME_BYTES}
_SIZES = {2: _RECORDS_AT[2] + _PADS_BYTES, 3: _RECORDS_AT[3] + _PADS_BYTES + SLOTS * _CHOP_BYTES}
_HEAD_V3 = _MAGIC + _RECORDS_AT[3].to_bytes(4) + b"\x03\0\0\0" + _PADS_BYTES.to_bytes(4)


@dataclass(frozen=True)
class Padconf:
    """The whole file.

    settings: of the project and its banks. pads: 160 entries, A1 first. name_bytes: the project's name, 32 bytes as
    they stand in the file. head: the first 16 bytes.
    """

    settings: ProjectSettings
    pads: tuple[PadEntry, ...]
    name_bytes: bytes = bytes(PROJECT_NAME_BYTES)
    head: bytes = _HEAD_V3

    def __post_init__(self) -> None:
        if len(self.pads) != SLOTS:
            raise OutOfRangeError("pads", f"{len(self.pads)} pads", f"{SLOTS} pads")
        if len(self.name_bytes) != PROJECT_NAME_BYTES:
            raise OutOfRangeError("name", f"{len(self.name_bytes)} bytes", f"{PROJECT_NAME_BYTES} bytes")
        if len(self.head) != _HEAD_BYTES or self.version not in _SIZES:
            raise OutOfRangeError("head", self.head, "16 bytes of version 2 or 3")
        if self.version == 2 and (any(self.name_bytes) or any(pad.chops for pad in self.pads)):
            raise OutOfRangeError("version", 2, "3 for a project with a name or chop points")

    @classmethod
    def new(cls, name: str = "", tempo: float = 90.0) -> Padconf:
        """A project with 160 empty pads, its own tempo and every bank's set to `tempo`; raises `OutOfRangeError`."""
        settings = ProjectSettings().replace(tempo=tempo)
        for bank in range(len(settings.banks)):
            settings = settings.with_bank(bank, tempo=tempo)
        return cls(settings, (PadEntry.empty(),) * SLOTS).with_name(name)

    @classmethod
    def read(cls, content: bytes) -> Padconf:
        """The file's content; raises `FormatError` when it is not a whole file of version 2 or 3."""
        if content[:4] != _MAGIC[: len(content)]:
            raise FormatError(_KIND, f"it begins with {bytes(content[:4])!r}, not {_MAGIC!r}", 0)
        if len(content) < _HEAD_BYTES:
            raise FormatError(_KIND, f"{len(content)} bytes are less than the first 16")
        version = content[8]
        if version not in _SIZES:
            raise FormatError(_KIND, f"version {version} is not known, only 2 and 3 are", 8)
        if len(content) != _SIZES[version]:
            raise FormatError(
                _KIND, f"version {version} has {_SIZES[version]:,} bytes, the file has {len(content):,}", len(content)
            )
        if version == 3:
            _check_sections(content)
        records = _RECORDS_AT[version]
        return cls(
            ProjectSettings.read(content[_HEAD_BYTES : _HEAD_BYTES + _PROJECT_BYTES]),
            tuple(_entry(content, records, slot, chops=version == 3) for slot in ALL_SLOTS),
            bytes(content[_HEAD_BYTES + _PROJECT_BYTES : records]).ljust(PROJECT_NAME_BYTES, b"\0"),
            bytes(content[:_HEAD_BYTES]),
        )

    @property
    def version(self) -> int:
        """2 or 3."""
        return self.head[8]

    @property
    def name(self) -> str:
        """The project's name; "" in version 2, which has none."""
        return read_name(self.name_bytes)

    def pad(self, slot: PadSlot) -> PadEntry:
        """One pad."""
        return self.pads[slot.index]

    def to_bytes(self) -> bytes:
        """The file's content; for what was read, the very bytes."""
        parts = [self.head, self.settings.to_bytes()]
        if self.version == 3:
            parts.append(self.name_bytes)
        parts += [pad.settings.to_bytes() for pad in self.pads]
        parts += [pad.name_bytes for pad in self.pads]
        if self.version == 3:
            parts += [chops_to_bytes(pad.chop_words) for pad in self.pads]
        return b"".join(parts)

    def upgraded(self) -> Padconf:
        """The same project as version 3."""
        return self if self.version == 3 else replace(self, head=_HEAD_V3)

    def with_name(self, name: str) -> Padconf:
        """The project under another name of up to 31 characters; raises `OutOfRangeError`."""
        return replace(self, name_bytes=written_name("project name", name, PROJECT_NAME_BYTES))

    def with_pad(self, slot: PadSlot, pad: PadEntry) -> Padconf:
        """The project with one pad replaced."""
        return replace(self, pads=(*self.pads[: slot.index], pad, *self.pads[slot.index + 1 :]))

    def problems(self) -> list[str]:
        """What is not as a unit would write it, in words, each with its place."""
        found = self.settings.problems()
        return found + [f"{slot}: {problem}" for slot in ALL_SLOTS for problem in self.pad(slot).problems()]


def _check_sections(content: bytes) -> None:
    for offset, expected in ((4, _RECORDS_AT[3]), (12, _PADS_BYTES)):
        found = int.from_bytes(content[offset : offset + 4])
        if found != expected:
            raise FormatError(
                _KIND, f"the sections are not where they should be ({found:#x}, not {expected:#x})", offset
            )


def _entry(content: bytes, records: int, slot: PadSlot, *, chops: bool) -> PadEntry:
    def part(section: int, size: int) -> bytes:
        at = section + slot.index * size
        return bytes(content[at : at + size])

    names = records + SLOTS * _RECORD_BYTES
    settings = PadSettings.read(part(records, _RECORD_BYTES))
    name = part(names, NAME_BYTES)
    return (
        PadEntry(settings, name, read_chops(part(names + SLOTS * NAME_BYTES, _CHOP_BYTES)))
        if chops
        else PadEntry(settings, name)
    )
