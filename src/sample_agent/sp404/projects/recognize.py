"""What a path is: a project, a card, or one of the device's files."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from sample_agent.sp404.errors import FormatError
from sample_agent.sp404.formats.sx import PAD_INFO_BYTES, PAD_RECORD_BYTES
from sample_agent.sp404.projects.archive import is_zip
from sample_agent.sp404.projects.content import FileContent, content_head
from sample_agent.sp404.projects.reading import project_folders
from sample_agent.sp404.projects.sx_card import MARKER as SX_MARKER
from sample_agent.sp404.projects.tree import folders_holding

_PATTERN_NAME = re.compile(r"PTN\d+\.BIN")
_STPINFO_BYTES = 124


class Kind(StrEnum):
    """Everything that can be read."""

    PROJECT = "project"
    SX_CARD = "SP-404SX card"
    PADCONF = "PADCONF.BIN"
    SMP = "SMP"
    PATTERN = "PTN"
    CHAIN = "CHN"
    PICTURE = "BMP"
    PAD_INFO = "PAD_INFO.BIN"
    PAD_RECORD = "record of PAD_INFO.BIN"
    STPINFO = "STPINFO.BIN"
    SX_WAV = "RLND WAV"


def recognize(path: Path) -> Kind:
    """What stands at `path`, by its first bytes, its name and its size; whether it is sound is for its reader to say.

    Raises `FormatError` for what is nothing of an SP-404, FileNotFoundError when nothing is there.
    """
    if path.is_file() and not is_zip(path):
        kind = _by_content(path) or _by_name(path.name.upper()) or _by_size(path)
        if kind is None:
            raise FormatError("file", "it is none of the files an SP-404 writes", path=str(path))
        return kind
    # Anything else is a folder, an archive, or a folder inside an archive; the readers say what is wrong with it.
    if not path.is_dir() and not any(parent.is_file() for parent in (path, *path.parents)):
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    return _folder(path)


def _folder(path: Path) -> Kind:
    if project_folders(path):
        return Kind.PROJECT
    top = path.parent if path.name.upper() == "SMPL" else path
    if folders_holding(top, SX_MARKER):
        return Kind.SX_CARD
    raise FormatError("folder", "there is neither a project nor an SP-404SX card in it", path=str(path))


def _by_content(path: Path) -> Kind | None:
    head = content_head(FileContent.of(path), 16)
    if head[:4] == b"RFPD":
        return Kind.PADCONF
    if head[:4] == b"RFWV":
        return Kind.SMP
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return Kind.SX_WAV
    if head[:2] == b"BM":
        return Kind.PICTURE
    return Kind.CHAIN if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<" else None


def _by_name(name: str) -> Kind | None:
    if _PATTERN_NAME.fullmatch(name):
        return Kind.PATTERN
    for kind in (Kind.PADCONF, Kind.PAD_INFO, Kind.STPINFO):
        if name == kind:
            return kind
    suffixes = {".SMP": Kind.SMP, ".CHN": Kind.CHAIN, ".BMP": Kind.PICTURE, ".WAV": Kind.SX_WAV}
    return suffixes.get(name[name.rfind(".") :])


def _by_size(path: Path) -> Kind | None:
    """Files of the device under other names, without a mark of their own."""
    size = path.stat().st_size
    if size >= 16 and size % 8 == 0:
        with path.open("rb") as file:
            file.seek(-16, 2)
            end = file.read(8)
        if end[1] == 0x8C and not any(end[2:]):
            return Kind.PATTERN
    return {PAD_INFO_BYTES: Kind.PAD_INFO, PAD_RECORD_BYTES: Kind.PAD_RECORD, _STPINFO_BYTES: Kind.STPINFO}.get(size)
