"""The pictures of a project: 128x64 BMP files for start-up and screen saver.

The unit writes them with 1 bit per pixel, 1,086 bytes; it also takes 4, 8 and 24 bits. Layout of a BMP:
"BITMAPFILEHEADER" and "BITMAPINFOHEADER" of the Windows API.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_agent.sp404.errors import FormatError

WIDTH = 128
HEIGHT = 64
MAX_FILE_BYTES = 1 << 16

_KIND = "BMP"
_FILE_HEADER = struct.Struct("<2sIHHI")  # "BM", file size, 2 reserved, offset of the pixels
_INFO_HEADER = struct.Struct("<IiiHHIIiiII")  # size, width, height, planes, bits, compression, image size, ..., colours
_HEADERS = _FILE_HEADER.size + _INFO_HEADER.size
_BLACK_AND_WHITE = b"\0\0\0\0\xff\xff\xff\0"
_LUMA = np.array([0.114, 0.587, 0.299])  # blue, green, red: ITU-R BT.601


@dataclass(frozen=True)
class Picture:
    """A picture as it stands in its file; `content` is kept as it was read."""

    content: bytes

    def __post_init__(self) -> None:
        _layout(self.content)

    @classmethod
    def read(cls, content: bytes) -> Picture:
        """A file's content; raises `FormatError` unless it is a plain BMP of 128x64 with 1, 4, 8 or 24 bits."""
        return cls(bytes(content))

    @classmethod
    def of(cls, pixels: NDArray[np.bool_]) -> Picture:
        """The file the unit would write for bool[64, 128], True is lit, the top row first."""
        if pixels.shape != (HEIGHT, WIDTH) or pixels.dtype != np.bool_:
            raise ValueError(f"A picture is bool[{HEIGHT}, {WIDTH}], not {pixels.dtype}{list(pixels.shape)}.")
        rows = np.packbits(pixels[::-1], axis=1).tobytes()
        offset = _HEADERS + len(_BLACK_AND_WHITE)
        header = _FILE_HEADER.pack(b"BM", offset + len(rows), 0, 0, offset)
        info = _INFO_HEADER.pack(_INFO_HEADER.size, WIDTH, HEIGHT, 1, 1, 0, 0, 0, 0, 0, 0)
        return cls(header + info + _BLACK_AND_WHITE + rows)

    @property
    def bits(self) -> int:
        """Bits per pixel: 1, 4, 8 or 24."""
        return _layout(self.content).bits

    @property
    def pixels(self) -> NDArray[np.bool_]:
        """bool[64, 128], the top row first; True where the colour is nearer to white than to black."""
        layout = _layout(self.content)
        stored = np.frombuffer(self.content, np.uint8, HEIGHT * layout.row_bytes, layout.offset)
        rows = stored.reshape(HEIGHT, layout.row_bytes)
        if layout.bits == 24:
            colours = rows[:, : WIDTH * 3].reshape(HEIGHT, WIDTH, 3)
        else:
            colours = layout.palette[_indices(rows, layout.bits)]
        lit: NDArray[np.bool_] = colours @ _LUMA >= 128
        return lit if layout.top_down else lit[::-1]

    def to_bytes(self) -> bytes:
        """The file's content."""
        return self.content


@dataclass(frozen=True)
class _Layout:
    """Where the pixels stand in a file; `palette` is uint8[2**bits, 3], blue, green, red."""

    bits: int
    offset: int
    top_down: bool
    palette: NDArray[np.uint8]

    @property
    def row_bytes(self) -> int:
        return (WIDTH * self.bits + 31) // 32 * 4


def _layout(content: bytes) -> _Layout:
    if content[:2] != b"BM"[: len(content)]:
        raise FormatError(_KIND, f"it begins with {content[:2]!r}, not b'BM'", 0)
    if len(content) > MAX_FILE_BYTES:
        raise FormatError(_KIND, f"{len(content):,} bytes are too many for a picture of {WIDTH}x{HEIGHT}")
    if len(content) < _HEADERS:
        raise FormatError(_KIND, f"{len(content)} bytes are less than its headers", len(content))
    *_, offset = _FILE_HEADER.unpack_from(content)
    info = _INFO_HEADER.unpack_from(content, _FILE_HEADER.size)
    info_size, width, height, planes, bits, compression, *_, colours, _important = info
    _expect(info_size >= _INFO_HEADER.size, 14, f"a header of {info_size} bytes is not known")
    _expect(width == WIDTH and abs(height) == HEIGHT, 18, f"it is {width}x{abs(height)}, not {WIDTH}x{HEIGHT}")
    _expect(planes == 1, 26, f"it has {planes} planes, not 1")
    _expect(bits in (1, 4, 8, 24), 28, f"it has {bits} bits per pixel, not 1, 4, 8 or 24")
    _expect(compression == 0, 30, "it is compressed")
    palette_at = _FILE_HEADER.size + info_size
    palette = _palette(content, palette_at, bits, colours)
    layout = _Layout(bits, offset, height < 0, palette)
    _expect(offset >= palette_at + _colours(bits, colours) * 4, 10, "the pixels overlap the header")
    _expect(offset + HEIGHT * layout.row_bytes <= len(content), 10, "the pixels end too soon")
    return layout


def _palette(content: bytes, at: int, bits: int, colours: int) -> NDArray[np.uint8]:
    """Colours a file leaves out are black."""
    palette = np.zeros((_colours(bits, 0), 4), np.uint8)
    count = _colours(bits, colours)
    _expect(at + count * 4 <= len(content), 46, "the colours end too soon")
    palette[:count] = np.frombuffer(content, np.uint8, count * 4, at).reshape(count, 4)
    return palette[:, :3]


def _colours(bits: int, said: int) -> int:
    """How many colours the palette has, of which a file `said` how many; 0 stands for all there can be."""
    most = 1 << bits if bits <= 8 else 0
    return min(said or most, most)


def _indices(rows: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """uint8[64, 128] numbers of colours from rows of packed ones; the first pixel has the highest bits."""
    if bits == 8:
        return rows[:, :WIDTH]
    unpacked = np.unpackbits(rows, axis=1).reshape(HEIGHT, -1, bits)[:, :WIDTH]
    weights = 1 << np.arange(bits - 1, -1, -1, dtype=np.uint8)
    indices: NDArray[np.uint8] = (unpacked * weights).sum(axis=2, dtype=np.uint8)
    return indices


def _expect(holds: bool, offset: int, otherwise: str) -> None:
    if not holds:
        raise FormatError(_KIND, otherwise, offset)
