"""Following the pages of an Ogg file before it is decoded (RFC 3533): whether they are whole and all there."""

import zlib
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from typing import BinaryIO

_HEADER = 27
_LAST = 0x04
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_MOST_PAGES = 1 << 20


@dataclass(frozen=True)
class OggReport:
    """What the pages of a file say.

    Attributes:
        damaged: a page is missing or its checksum is wrong, or something lies between pages that is none.
        ended: the last page is marked as such.
    """

    damaged: bool
    ended: bool


def inspect_ogg(file: BinaryIO) -> OggReport:
    """Follow the pages of a file. Leaves the file wherever that ended."""
    if not file.seek(0, 2):
        return OggReport(False, False)
    expected: dict[bytes, int] = {}
    damaged = ended = False
    with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        at = 0
        for _ in range(_MOST_PAGES):
            found = data.find(b"OggS", at)
            if found < 0:
                break
            damaged |= found > at
            size = _page_size(data, found)
            page = data[found : found + size]
            at = found + size
            if len(page) < size:
                ended = False
                break
            if not _is_whole(page):
                # What looks like a page's length may be damaged, too: look for the next one from here.
                damaged, at = True, found + 4
                continue
            stream, number = page[14:18], int.from_bytes(page[18:22], "little")
            damaged |= number != expected.get(stream, number)
            expected[stream] = number + 1
            ended = bool(page[5] & _LAST)
    return OggReport(damaged, ended)


def _page_size(data: mmap, at: int) -> int:
    lacing = data[at + _HEADER : at + _HEADER + data[at + 26]] if at + 26 < len(data) else b""
    return _HEADER + len(lacing) + sum(lacing)


def _is_whole(page: bytes) -> bool:
    """Whether the checksum fits: a CRC that runs from the highest bit, while zlib's runs from the lowest."""
    blank = page[:22] + b"\x00\x00\x00\x00" + page[26:]
    crc = zlib.crc32(blank.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return crc.to_bytes(4, "little").translate(_MIRRORED)[::-1] == page[22:26]
