"""Bytes that lie somewhere else until they are wanted: a file, a member of an archive, or bytes at hand.

A project with 160 samples of 185 MB is a value of a few kilobytes because its audio is only pointed at.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from sample_agent.sp404.errors import FormatError

BLOCK_BYTES = 1 << 18


class Content(Protocol):
    """A file's bytes. `size` is known before it is opened; `open` starts at the first byte and can be called again."""

    @property
    def size(self) -> int: ...

    def open(self) -> IO[bytes]: ...


@dataclass(frozen=True)
class BytesContent:
    """Bytes at hand."""

    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> IO[bytes]:
        return io.BytesIO(self.data)


@dataclass(frozen=True)
class FileContent:
    """A file of this machine. Links and anything else that is no plain file are refused when it is opened."""

    path: Path
    size: int

    @classmethod
    def of(cls, path: Path) -> FileContent:
        """The file at `path`, or the one a link there leads to, as it is now; raises OSError when there is none."""
        whole = path.resolve(strict=True)
        return cls(whole, whole.stat().st_size)

    def open(self) -> IO[bytes]:
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        file = os.fdopen(os.open(self.path, flags), "rb")
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise FormatError("file", "it is not a plain file", path=str(self.path))
        return file


@dataclass(frozen=True)
class ScratchContent(FileContent):
    """A file that was made to be written somewhere, and never changes: there it can have a second name, not a copy."""


def read_content(content: Content, kind: str, largest: int) -> bytes:
    """All bytes of a small file; raises `FormatError` when it has more than `largest` or other than announced."""
    if content.size > largest:
        raise FormatError(kind, f"it has {content.size:,} bytes; {largest:,} is the most there can be")
    return b"".join(content_blocks(content, kind))


def content_blocks(content: Content, kind: str) -> Iterator[bytes]:
    """The bytes in blocks of up to 256 KiB; raises `FormatError` when there are more or fewer than announced.

    What has been cut short or grown since it was looked at would make a damaged copy.
    """
    with content.open() as file:
        left = content.size
        while left > 0:
            block = file.read(min(BLOCK_BYTES, left))
            if not block:
                raise FormatError(kind, f"it ends {left:,} bytes early", content.size - left)
            left -= len(block)
            yield block
        if file.read(1):
            raise FormatError(kind, f"it has more than the {content.size:,} bytes announced", content.size)


def content_head(content: Content, count: int) -> bytes:
    """The first `count` bytes, or all when there are fewer."""
    with content.open() as file:
        head = b""
        while len(head) < count and (block := file.read(count - len(head))):
            head += block
        return head
