"""A project as one value: what the unit keeps in a `PROJECT_nn` folder.

Nothing a file says is lost: what has no name here is kept as it is, so a project that was read and is written again
has the same bytes in every file. Audio and files of unknown kinds are only pointed at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeVar

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.formats.padconf import BankSettings, Padconf, PadEntry, PadSettings, TempoSelect
from sample_agent.sp404.formats.pattern import Pattern
from sample_agent.sp404.formats.pattern_chain import FILE_NAME as CHAIN_NAME
from sample_agent.sp404.formats.pattern_chain import PatternChain
from sample_agent.sp404.formats.picture import Picture
from sample_agent.sp404.formats.smp import HEADER_BYTES, SmpHeader
from sample_agent.sp404.projects.content import BytesContent, Content, content_head
from sample_agent.sp404.slots import ALL_SLOTS, PadSlot

PROJECTS = 16

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class Pad:
    """A pad with a sample: what `PADCONF.BIN` says of it, and its SMP file.

    `audio` is None when the file is missing; the unit drops such a pad when it loads the project.
    """

    entry: PadEntry
    audio: Content | None = None

    @classmethod
    def of(cls, audio: Content, name: str, chops: Iterable[int] = (), **settings: Any) -> Pad:
        """A pad that plays the whole of an SMP file; raises `OutOfRangeError` for settings the unit does not have."""
        return cls(PadEntry.of(PadSettings.for_sample(audio.size, **settings), name, chops), audio)

    @property
    def settings(self) -> PadSettings:
        return self.entry.settings

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def chops(self) -> tuple[int, ...]:
        """Frames from the beginning of the sample."""
        return self.entry.chops

    def with_settings(self, **settings: Any) -> Pad:
        """The pad with some settings changed; raises `OutOfRangeError`."""
        return replace(self, entry=replace(self.entry, settings=self.settings.replace(**settings)))

    def with_name(self, name: str) -> Pad:
        """The pad under another name; raises `OutOfRangeError`."""
        return replace(self, entry=self.entry.with_name(name))

    def header(self) -> SmpHeader | None:
        """What the SMP file says of itself; None when it is missing. Raises `FormatError` when it is damaged."""
        return None if self.audio is None else SmpHeader.read(content_head(self.audio, HEADER_BYTES), self.audio.size)


@dataclass(frozen=True)
class Project:
    """Everything in a project's folder.

    padconf: `PADCONF.BIN`, all 160 entries. audio: the SMP files by pad, also of pads without an entry.
    patterns: by slot, those that could be read. pictures: by file name ("startup_1.bmp"). other_files: what is none of
    these, by path.
    """

    padconf: Padconf = field(default_factory=Padconf.new)
    audio: Mapping[PadSlot, Content] = field(default_factory=dict)
    patterns: Mapping[PadSlot, Pattern] = field(default_factory=dict)
    chain: PatternChain | None = None
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    other_files: Mapping[str, Content] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("audio", "patterns", "pictures", "other_files"):
            kept = getattr(self, name)
            object.__setattr__(self, name, MappingProxyType(dict(sorted(kept.items()))))

    @classmethod
    def new(cls, name: str = "", tempo: float = 90.0, tempo_select: TempoSelect = TempoSelect.BANK) -> Project:
        """A project without samples, all of its banks at `tempo`; raises `OutOfRangeError`."""
        padconf = Padconf.new(name, tempo)
        return cls(replace(padconf, settings=padconf.settings.replace(tempo_select=tempo_select)))

    @property
    def name(self) -> str:
        """Up to 31 characters; "" in projects of older firmware, which have none."""
        return self.padconf.name

    @property
    def tempo(self) -> float:
        """Beats per minute of the project; which tempo counts, `tempo_select` says."""
        return self.padconf.settings.tempo

    @property
    def tempo_select(self) -> TempoSelect:
        return self.padconf.settings.tempo_select

    @property
    def banks(self) -> tuple[BankSettings, ...]:
        """Banks A to J."""
        return self.padconf.settings.banks

    @property
    def pads(self) -> Mapping[PadSlot, Pad]:
        """The pads that have a sample, A1 first."""
        entries = zip(ALL_SLOTS, self.padconf.pads, strict=True)
        return {slot: Pad(entry, self.audio.get(slot)) for slot, entry in entries if not entry.settings.is_empty}

    @property
    def missing_audio(self) -> tuple[PadSlot, ...]:
        """Pads whose SMP file is missing."""
        return tuple(slot for slot, pad in self.pads.items() if pad.audio is None)

    @property
    def stray_audio(self) -> tuple[PadSlot, ...]:
        """Pads with an SMP file which `PADCONF.BIN` has as empty; the unit does not load the file."""
        return tuple(slot for slot in self.audio if self.padconf.pad(slot).settings.is_empty)

    @property
    def unread_patterns(self) -> Mapping[PadSlot, str]:
        """Slots whose pattern could not be read, and the path of its file, which is among the other files."""
        found = {}
        for name in self.other_files:
            folder, _, file = name.upper().rpartition("/")
            if folder == "PTN" and (slot := PadSlot.parse_pattern_name(file)):
                found[slot] = name
        return found

    def is_free(self, slot: PadSlot) -> bool:
        """Whether a pad has neither an entry nor a file."""
        return slot not in self.audio and self.padconf.pad(slot).settings.is_empty

    def bank_tempo(self, bank: int) -> float:
        """The tempo bank 0 (A) to 9 (J) plays at: the project's or its own, as `tempo_select` says."""
        return self.tempo if self.tempo_select is TempoSelect.PROJECT else self.banks[bank].tempo

    def with_name(self, name: str) -> Project:
        """The project under another name; raises `OutOfRangeError`. One of older firmware becomes a newer one."""
        return replace(self, padconf=self.padconf.upgraded().with_name(name))

    def with_tempo(self, tempo: float | None = None, tempo_select: TempoSelect | None = None) -> Project:
        """The project at another tempo, or with the other choice of tempo; raises `OutOfRangeError`."""
        settings = self.padconf.settings.replace(tempo=tempo, tempo_select=tempo_select)
        return replace(self, padconf=replace(self.padconf, settings=settings))

    def with_bank(self, bank: int, **fields: Any) -> Project:
        """The project with `tempo`, `protect` or `volume` of bank 0 (A) to 9 (J) set; raises `OutOfRangeError`."""
        settings = self.padconf.settings.with_bank(bank, **fields)
        return replace(self, padconf=replace(self.padconf, settings=settings))

    def with_pads(self, pads: Mapping[PadSlot, Pad | None]) -> Project:
        """The project with some pads set, or emptied (None); patterns stay as they are.

        Raises `OutOfRangeError` when a pad says another size than its file has: the unit would not play it.
        """
        entries, audio = list(self.padconf.pads), dict(self.audio)
        for slot, pad in pads.items():
            if pad is not None and pad.audio is not None and pad.settings.size != pad.audio.size:
                raise OutOfRangeError(f"size of {slot}", pad.settings.size, f"{pad.audio.size}, the size of its file")
            entries[slot.index] = PadEntry.empty() if pad is None else pad.entry
            audio.pop(slot, None)
            if pad is not None and pad.audio is not None:
                audio[slot] = pad.audio
        return self.with_entries(entries, audio)

    def with_entries(self, entries: Iterable[PadEntry], audio: Mapping[PadSlot, Content]) -> Project:
        """The project with all 160 entries and all files of its pads exchanged, whatever they say."""
        pads = tuple(entries)
        padconf = self.padconf.upgraded() if any(pad.chops for pad in pads) else self.padconf
        return replace(self, padconf=replace(padconf, pads=pads), audio=audio)

    def with_patterns(self, patterns: Mapping[PadSlot, Pattern | None]) -> Project:
        """The project with some patterns set or removed (None)."""
        return replace(self, patterns=_updated(self.patterns, patterns))

    def with_pictures(self, pictures: Mapping[str, Picture | None]) -> Project:
        """The project with some pictures set or removed (None), by file name ("startup_1.bmp")."""
        return replace(self, pictures=_updated(self.pictures, pictures))

    def files(self) -> dict[str, Content]:
        """Every file of the project by its path in the folder, in the order they are written."""
        files: dict[str, Content] = {"PADCONF.BIN": BytesContent(self.padconf.to_bytes())}
        files |= {f"SMPL/{slot.smp_name}": audio for slot, audio in self.audio.items()}
        files |= {f"PTN/{slot.pattern_name}": BytesContent(each.to_bytes()) for slot, each in self.patterns.items()}
        if self.chain is not None:
            files[f"PTN/{CHAIN_NAME}"] = BytesContent(self.chain.to_bytes())
        files |= {f"PICTURE/{name}": BytesContent(each.to_bytes()) for name, each in self.pictures.items()}
        taken = {name.casefold() for name in files}
        for name, content in self.other_files.items():
            if name.casefold() in taken:
                raise FormatError("project", f"{name!r} is there twice")
            files[name] = content
        return files


def _updated(kept: Mapping[K, V], changed: Mapping[K, V | None]) -> dict[K, V]:
    merged: dict[K, V | None] = {**kept, **changed}
    return {key: value for key, value in merged.items() if value is not None}
