"""Reading a project from a folder, an archive, or a folder inside an archive."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sample_agent.sp404.errors import FormatError
from sample_agent.sp404.formats import pattern_chain, picture
from sample_agent.sp404.formats.padconf import Padconf
from sample_agent.sp404.formats.pattern import MAX_FILE_BYTES as LARGEST_PATTERN
from sample_agent.sp404.formats.pattern import Pattern
from sample_agent.sp404.formats.pattern_chain import PatternChain
from sample_agent.sp404.formats.picture import Picture
from sample_agent.sp404.projects.content import Content, read_content
from sample_agent.sp404.projects.project import Project
from sample_agent.sp404.projects.tree import Tree, folders_holding, open_tree
from sample_agent.sp404.slots import PadSlot

MARKER = "PADCONF.BIN"
LARGEST_PADCONF = 1 << 16

Report = Callable[[FormatError], None]
T = TypeVar("T")

_PICTURE = re.compile(r"PICTURE/([^/]+\.bmp)", re.IGNORECASE)


def open_project_tree(path: Path) -> Tree:
    """The files of the one project at or below `path`; see `load_project`."""
    return open_tree(path.parent if path.name.upper() == MARKER and path.is_file() else path, MARKER, "project")


def project_folders(path: Path) -> list[str]:
    """The folders at or below `path` that hold a project, as paths below it ("" is `path` itself)."""
    return folders_holding(path, MARKER)


def load_project(path: Path) -> Project:
    """The project at `path`: its folder (or the `PADCONF.BIN` in it), a folder or archive that holds it somewhere
    below, or a folder inside an archive ("card.zip/EXPORT/PROJECT/PROJECT_01").

    Files macOS leaves about are passed over; every other file is kept. Raises `FormatError` when there is no project
    or more than one, when its `PADCONF.BIN` is damaged, and for archives and folders made to do harm;
    FileNotFoundError when there is nothing at `path`. Values are not judged, and sounds not looked into: `verify` does.
    """
    return read_project(open_project_tree(path))


def read_project(tree: Tree, report: Report | None = None) -> Project:
    """The project in `tree`. Whatever cannot be read is told to `report`.

    A pattern, chain or picture that cannot be read is kept as a file of an unknown kind: what the unit takes for one
    is not fully known, and none is worth a project. A damaged `PADCONF.BIN` raises.
    """
    reading = _Reading(tree, report)
    for name, content in tree.files.items():
        reading.take(name, content)
    if reading.padconf is None:
        raise FormatError("project", f"there is no {MARKER} in it", path=tree.shown)
    return Project(
        reading.padconf, reading.audio, reading.patterns, reading.chain, reading.pictures, reading.other_files
    )


class _Reading:
    """What has been read of a project so far."""

    def __init__(self, tree: Tree, report: Report | None) -> None:
        self._tree = tree
        self._report = report
        self.padconf: Padconf | None = None
        self.audio: dict[PadSlot, Content] = {}
        self.patterns: dict[PadSlot, Pattern] = {}
        self.chain: PatternChain | None = None
        self.pictures: dict[str, Picture] = {}
        self.other_files: dict[str, Content] = {}

    def take(self, name: str, content: Content) -> None:
        folder, _, file = name.upper().rpartition("/")
        if name.upper() == MARKER:
            self.padconf = _read(Padconf.read, content, MARKER, LARGEST_PADCONF, self._shown(name))
        elif folder == "SMPL" and (pad := PadSlot.parse_smp_name(file)):
            self.audio[pad] = content
        elif folder == "PTN" and (slot := PadSlot.parse_pattern_name(file)):
            self._take_pattern(slot, name, content)
        elif folder == "PTN" and file == pattern_chain.FILE_NAME:
            self._take_chain(name, content)
        elif match := _PICTURE.fullmatch(name):
            self._take_picture(match[1], name, content)
        else:
            self.other_files[name] = content

    def _take_pattern(self, slot: PadSlot, name: str, content: Content) -> None:
        try:
            self.patterns[slot] = _read(Pattern.read, content, "PTN", LARGEST_PATTERN, self._shown(name))
        except FormatError as error:
            self._keep_unread(f"PTN/{slot.pattern_name}", content, error)

    def _take_chain(self, name: str, content: Content) -> None:
        try:
            largest = pattern_chain.MAX_FILE_BYTES
            self.chain = _read(PatternChain.read, content, "CHN", largest, self._shown(name))
        except FormatError as error:
            self._keep_unread(f"PTN/{pattern_chain.FILE_NAME}", content, error)

    def _take_picture(self, key: str, name: str, content: Content) -> None:
        try:
            self.pictures[key] = _read(Picture.read, content, "BMP", picture.MAX_FILE_BYTES, self._shown(name))
        except FormatError as error:
            self._keep_unread(name, content, error)

    def _keep_unread(self, name: str, content: Content, error: FormatError) -> None:
        self.other_files[name] = content
        if self._report is not None:
            self._report(error)

    def _shown(self, name: str) -> str:
        return f"{self._tree.shown}/{name}"


def _read(read: Callable[[bytes], T], content: Content, kind: str, largest: int, shown: str) -> T:
    try:
        return read(read_content(content, kind, largest))
    except FormatError as error:
        raise error.at(shown) from None
