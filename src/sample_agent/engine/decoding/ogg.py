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
        ended: the last page is marked as such, and nothing is damaged.
    """

    damaged: bool
    ended: bool


_DAMAGED = OggReport(damaged=True, ended=False)


def inspect_ogg(file: BinaryIO) -> OggReport:
    """Follow the pages of a file. Leaves the file wherever that ended."""
    if not file.seek(0, 2):
        return OggReport(False, False)
    expected: dict[bytes, int] = {}
    ended = False
    with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        at = 0
        for _ in range(_MOST_PAGES):
            found = data.find(b"OggS", at)
            if found < 0:
                break
            if found > at:
                return _DAMAGED
            size = _page_size(data, found)
            page = data[found : found + size]
            if len(page) < size:
                return OggReport(False, False)
            # Beyond the first damage nothing is looked at: what seems to be pages there may overlap without end.
            stream, number = page[14:18], int.from_bytes(page[18:22], "little")
            if number != expected.get(stream, number) or not _is_whole(page):
                return _DAMAGED
            expected[stream] = number + 1
            ended = bool(page[5] & _LAST)
            at = found + size
    return OggReport(False, ended)


def with_last_page_mended(data: bytes) -> bytes | None:
    """The same file, its last page reduced to the packets that are there; None when that page is whole or holds none.

    Decoders leave out a page that is cut short, and a page may hold seconds, or all of a short sound.
    """
    at = data.rfind(b"OggS")
    if at < 0 or at + _page_size(data, at) <= len(data):
        return None
    lacing = _lacing(data, at)
    body = at + _HEADER + len(lacing)
    kept = end = reached = 0
    for number, size in enumerate(lacing, 1):
        reached += size
        if body + reached > len(data):
            break
        # A packet ends with its first segment of less than 255 bytes.
        if size < 255:
            kept, end = number, reached
    if not kept:
        return None
    # It is not the last page that was meant to be: its position in time would not fit what is left of it.
    head = data[at : at + 5] + bytes((data[at + 5] & ~_LAST,)) + data[at + 6 : at + 22]
    page = head + bytes(4) + bytes((kept,)) + lacing[:kept] + data[body : body + end]
    return data[:at] + page[:22] + _checksum(page) + page[26:]


def _lacing(data: bytes | mmap, at: int) -> bytes:
    """The sizes of a page's segments, a byte each, as far as they are there."""
    return data[at + _HEADER : at + _HEADER + data[at + 26]] if at + 26 < len(data) else b""


def _page_size(data: bytes | mmap, at: int) -> int:
    lacing = _lacing(data, at)
    return _HEADER + len(lacing) + sum(lacing)


def _is_whole(page: bytes) -> bool:
    return _checksum(page) == page[22:26]


def _checksum(page: bytes) -> bytes:
    """What belongs into bytes 22 to 26: a CRC that runs from the highest bit, while zlib's runs from the lowest."""
    blank = page[:22] + b"\x00\x00\x00\x00" + page[26:]
    crc = zlib.crc32(blank.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return crc.to_bytes(4, "little").translate(_MIRRORED)[::-1]
