"""Reading ZIP archives that may mean harm: nothing is unpacked, only looked at, and what is odd is refused.

Refused are encrypted and linked members, paths that lead out, names given twice, other compressions than the usual
one, members that lie over each other, and more or larger content than a card can hold.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sample_agent.sp404.errors import FormatError

MAX_MEMBERS = 10_000
MAX_FILE_BYTES = 1 << 28
"""More than the unit's longest sample."""

_MAX_TOTAL_BYTES = 160 * MAX_FILE_BYTES
_BOMB_BYTES, _BOMB_RATIO = 1 << 29, 200
_MAX_DIRECTORY_BYTES = MAX_MEMBERS * 512
_END = struct.Struct("<4s4H2IH")
_LONGEST_COMMENT = 0xFFFF
_KIND = "ZIP"


@dataclass(frozen=True)
class ZipContent:
    """One member of an archive; `index` is its place in the directory."""

    archive: Path
    index: int
    name: str
    size: int

    def open(self) -> IO[bytes]:
        with _opened(self.archive) as archive:
            members = archive.infolist()
            if self.index >= len(members) or members[self.index].file_size != self.size:
                raise FormatError(_KIND, "it has changed since it was looked at", path=str(self.archive))
            # The member keeps the file open after the archive is closed.
            return io.BufferedReader(_Member(archive.open(members[self.index]), f"{self.archive}/{self.name}"))


class _Member(io.RawIOBase):
    """A member being read; damage comes as `FormatError`."""

    def __init__(self, source: IO[bytes], shown: str) -> None:
        self._source = source
        self._shown = shown

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        with _as_format_error(self._shown):
            data = self._source.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._source.close()
        super().close()


def is_zip(path: Path) -> bool:
    """Whether a file begins as an archive does."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def archive_members(path: Path) -> dict[str, ZipContent]:
    """All files of an archive by path, in its order; raises `FormatError`, and OSError when it is not there."""
    with _opened(path) as archive:
        members = archive.infolist()
        size = path.stat().st_size
    _refuse_overlaps(path, members)
    found: dict[str, ZipContent] = {}
    total = 0
    for index, member in enumerate(members):
        name = _safe_name(path, member)
        if member.is_dir():
            continue
        _refuse_odd(path, member, name)
        total += member.file_size
        if name in found:
            raise FormatError(_KIND, f"it holds {name!r} twice", path=str(path))
        found[name] = ZipContent(path, index, name, member.file_size)
    if total > _MAX_TOTAL_BYTES or (total > _BOMB_BYTES and total > _BOMB_RATIO * size):
        raise FormatError(_KIND, f"unpacked it would have {total:,} bytes", path=str(path))
    return found


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    _refuse_large_directory(path)
    with _as_format_error(str(path)), zipfile.ZipFile(path) as archive:
        yield archive


@contextmanager
def _as_format_error(shown: str) -> Iterator[None]:
    """Everything the library raises for bad archives; OSError (a disk's own trouble) passes."""
    try:
        yield
    except FormatError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, ValueError) as error:
        raise FormatError(_KIND, f"it is damaged ({error})", path=shown) from None
    except RuntimeError as error:
        raise FormatError(_KIND, f"it cannot be read ({error})", path=shown) from None


def _refuse_large_directory(path: Path) -> None:
    """Before the whole directory is read: whether it is of a size that can be meant well."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _END.size - _LONGEST_COMMENT))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise FormatError(_KIND, "its directory is missing: it is cut short, or no archive", path=str(path))
    _, _, _, _, count, directory_size, _, _ = _END.unpack_from(tail, at)
    if directory_size == 0xFFFFFFFF or count == 0xFFFF:
        # ZIP64: the true size stands in a record of 56 bytes, named by a locator of 20 before the end.
        record = tail[max(0, at - 76) : at]
        directory_size = int.from_bytes(record[40:48], "little") if len(record) == 76 else _MAX_DIRECTORY_BYTES + 1
    if directory_size > _MAX_DIRECTORY_BYTES:
        raise FormatError(_KIND, f"it holds more than {MAX_MEMBERS:,} files", path=str(path))


def _refuse_overlaps(path: Path, members: list[zipfile.ZipInfo]) -> None:
    """Many members made of the same bytes are how a small archive grows without end."""
    if len(members) > MAX_MEMBERS:
        raise FormatError(_KIND, f"it holds more than {MAX_MEMBERS:,} files", path=str(path))
    end = 0
    for member in sorted(members, key=lambda each: each.header_offset):
        if member.header_offset < end:
            raise FormatError(_KIND, f"{member.filename!r} lies over another file", path=str(path))
        end = member.header_offset + 30 + member.compress_size


def _safe_name(path: Path, member: zipfile.ZipInfo) -> str:
    """The member's path inside the archive; some programs write `\\` for `/`."""
    name = member.filename.replace("\\", "/")
    parts = name.removesuffix("/").split("/")
    if "\0" in member.orig_filename or any(part in ("", ".", "..") for part in parts) or ":" in parts[0]:
        raise FormatError(_KIND, f"{member.orig_filename!r} is no path inside an archive", path=str(path))
    return name


def _refuse_odd(path: Path, member: zipfile.ZipInfo, name: str) -> None:
    mode = member.external_attr >> 16
    reason = None
    if member.flag_bits & 0x1:
        reason = "is encrypted"
    elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        reason = "is a link or no plain file"
    elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        reason = "is compressed in an unusual way"
    elif member.file_size > MAX_FILE_BYTES:
        reason = f"would have {member.file_size:,} bytes"
    if reason:
        raise FormatError(_KIND, f"{name!r} {reason}", path=str(path))
