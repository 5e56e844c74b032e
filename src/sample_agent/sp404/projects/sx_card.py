"""The card of an SP-404SX or SP-404A as one value: `ROLAND/SP-404SX` with its pads, sounds and patterns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from sample_agent.sp404.errors import FormatError
from sample_agent.sp404.formats.sx import PAD_INFO_BYTES, PadInfo, SxSlot
from sample_agent.sp404.projects.content import BytesContent, Content, read_content
from sample_agent.sp404.projects.output import write_files
from sample_agent.sp404.projects.tree import Tree, open_tree

SX_FOLDER = "ROLAND/SP-404SX"
MARKER = "SMPL/PAD_INFO.BIN"


@dataclass(frozen=True)
class SxCard:
    """pad_info: the 120 pads. sounds: by file name ("A0000001.WAV"). other_files: patterns and the rest, by path."""

    pad_info: PadInfo
    sounds: Mapping[str, Content] = field(default_factory=dict)
    other_files: Mapping[str, Content] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("sounds", "other_files"):
            object.__setattr__(self, name, MappingProxyType(dict(sorted(getattr(self, name).items()))))

    @property
    def slots(self) -> Mapping[SxSlot, str]:
        """The file name of the sound of each pad that has one, A1 first. A WAV goes before an AIF of the same pad."""
        found: dict[SxSlot, str] = {}
        for name in sorted(self.sounds, key=lambda each: (each[:8], each.upper().endswith("AIF"))):
            if slot := SxSlot.parse_sound_name(name):
                found.setdefault(slot, name)
        return found

    def files(self) -> dict[str, Content]:
        """Every file by its path below `ROLAND/SP-404SX`, in the order they are written."""
        files: dict[str, Content] = {MARKER: BytesContent(self.pad_info.to_bytes())}
        files |= {f"SMPL/{name}": content for name, content in self.sounds.items()}
        return {**files, **self.other_files}


def open_sx_tree(path: Path) -> Tree:
    """The files below `SP-404SX`; see `load_sx_card`."""
    return open_tree(path.parent if path.name.upper() == "SMPL" else path, MARKER, "SP-404SX card")


def load_sx_card(path: Path) -> SxCard:
    """The card at `path`: its top, the folder `SP-404SX` or `SMPL` in it, or an archive of one.

    Raises `FormatError` when there is none or its `PAD_INFO.BIN` is damaged; sounds are not looked into.
    """
    return read_sx_card(open_sx_tree(path))


def read_sx_card(tree: Tree) -> SxCard:
    """The card whose files these are; raises `FormatError`."""
    pad_info: PadInfo | None = None
    sounds: dict[str, Content] = {}
    other_files: dict[str, Content] = {}
    for name, content in tree.files.items():
        folder, _, file = name.rpartition("/")
        if name.upper() == MARKER:
            try:
                pad_info = PadInfo.read(read_content(content, "PAD_INFO.BIN", PAD_INFO_BYTES))
            except FormatError as error:
                raise error.at(f"{tree.shown}/{name}") from None
        elif folder.upper() == "SMPL" and SxSlot.parse_sound_name(file):
            sounds[file] = content
        else:
            other_files[name] = content
    if pad_info is None:
        raise FormatError("SP-404SX card", f"there is no {MARKER} in it", path=tree.shown)
    return SxCard(pad_info, sounds, other_files)


def write_sx_card(card: SxCard, top: Path, *, replace: bool = False) -> Path:
    """Write `ROLAND/SP-404SX` below the top folder of a card in one step; returns it. Raises `AlreadyThereError`."""
    target = top / SX_FOLDER
    write_files(card.files(), target, marker=MARKER, replace=replace)
    return target
