"""Reading a project from a folder, an archive, or a folder inside an archive."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sample_agent.sp404 import pattern_chain, picture
from sample_agent.sp404.content import Content, read_content
from sample_agent.sp404.errors import FormatError
from sample_agent.sp404.padconf import Padconf
from sample_agent.sp404.pattern import MAX_FILE_BYTES as LARGEST_PATTERN
from sample_agent.sp404.pattern import Pattern
from sample_agent.sp404.pattern_chain import PatternChain
from sample_agent.sp404.picture import Picture
from sample_agent.sp404.project import Project
from sample_agent.sp404.slots import PadSlot
from sample_agent.sp404.tree import Tree, folders_holding, open_tree

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
    or more than one, when a file is damaged, and for archives and folders made to do harm; FileNotFoundError when
    there is nothing at `path`. Values are not judged (`verify` does that).
    """
    return read_project(open_project_tree(path))


def read_project(tree: Tree, report: Report | None = None) -> Project:
    """The project in `tree`. With `report`, damaged files are told to it and left out instead of raised.

    Without a readable `PADCONF.BIN` there is no project, so that is raised in any case.
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
            if pattern := self._try(Pattern.read, name, content, "PTN", LARGEST_PATTERN):
                self.patterns[slot] = pattern
        elif folder == "PTN" and file == pattern_chain.FILE_NAME:
            self.chain = self._try(PatternChain.read, name, content, "CHN", pattern_chain.MAX_FILE_BYTES)
        elif match := _PICTURE.fullmatch(name):
            if shown := self._try(Picture.read, name, content, "BMP", picture.MAX_FILE_BYTES):
                self.pictures[match[1]] = shown
        else:
            self.other_files[name] = content

    def _try(self, read: Callable[[bytes], T], name: str, content: Content, kind: str, largest: int) -> T | None:
        try:
            return _read(read, content, kind, largest, self._shown(name))
        except FormatError as error:
            if self._report is None:
                raise
            self._report(error)
            return None

    def _shown(self, name: str) -> str:
        return f"{self._tree.shown}/{name}"


def _read(read: Callable[[bytes], T], content: Content, kind: str, largest: int, shown: str) -> T:
    try:
        return read(read_content(content, kind, largest))
    except FormatError as error:
        raise error.at(shown) from None
