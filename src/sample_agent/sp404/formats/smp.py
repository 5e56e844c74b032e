"""`.SMP`, the unit's sample file: a 512-byte header ("RFWV") and 16-bit big-endian PCM at 48 kHz, mono or stereo.

A file of sixteen minutes has 185 MB, so audio is only ever read and written in blocks.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from sample_agent.sp404.errors import FormatError, OutOfRangeError

SAMPLE_RATE = 48_000
SAMPLE_BITS = 16
HEADER_BYTES = 512
MAX_FRAMES = 46_126_464
"""What a unit records in stereo until it stops by itself: 960.97 s. Nothing longer is written, in mono neither."""

_KIND = "SMP"
_MAGIC = b"RFWV"
_FIELDS = struct.Struct(">IIII")  # file size - 8, rate, channels, bits: the part that is hashed
_RESERVED = slice(0x14, 0x20)
_DIGEST = slice(0x20, 0x30)
_FILLER = slice(0x30, HEADER_BYTES)
_FRAMES_PER_BLOCK = 1 << 16


def smp_size(channels: int, frames: int) -> int:
    """Size of the file in bytes."""
    return HEADER_BYTES + frames * channels * 2


@dataclass(frozen=True)
class SmpHeader:
    """The first 512 bytes.

    channels: 1 or 2. frames: sample frames at 48 kHz, 0 to `MAX_FRAMES`; what was read in mono may have twice as many,
    because nobody knows where a unit stops there, and the file is no larger than that of a stereo sample.
    filler: 464 bytes that mean nothing (the maker's app puts random numbers there). reserved: 12 bytes, zero so far.
    """

    channels: int
    frames: int
    filler: bytes = bytes(464)
    reserved: bytes = bytes(12)

    def __post_init__(self) -> None:
        if self.channels not in (1, 2):
            raise OutOfRangeError("channels", self.channels, "1 or 2")
        if not 0 <= self.frames <= _most_frames(self.channels):
            raise OutOfRangeError("frames", self.frames, f"0 to {_most_frames(self.channels):,}")
        if len(self.filler) != 464:
            raise OutOfRangeError("filler", f"{len(self.filler)} bytes", "464 bytes")
        if len(self.reserved) != 12:
            raise OutOfRangeError("reserved", f"{len(self.reserved)} bytes", "12 bytes")

    @classmethod
    def for_audio(cls, channels: int, frames: int) -> SmpHeader:
        """The header this package writes: nothing in the filler, so that equal audio gives equal files.

        Raises `OutOfRangeError` for more than `MAX_FRAMES`, in mono too.
        """
        header = cls(channels, max(0, min(frames, MAX_FRAMES)))
        if header.frames != frames:
            raise OutOfRangeError("frames", frames, f"0 to {MAX_FRAMES:,} (16 minutes)")
        return header

    @classmethod
    def read(cls, head: bytes, file_size: int) -> SmpHeader:
        """Check the first 512 bytes (more are ignored) of a file of `file_size` bytes; raises `FormatError`."""
        if head[:4] != _MAGIC[: len(head)]:
            raise FormatError(_KIND, f"it begins with {bytes(head[:4])!r}, not {_MAGIC!r}", 0)
        if min(len(head), file_size) < HEADER_BYTES:
            raise FormatError(_KIND, f"{min(len(head), file_size)} bytes are less than a header of 512 bytes")
        size_field, rate, channels, bits = _FIELDS.unpack_from(head, 4)
        _expect(rate == SAMPLE_RATE, 0x08, f"the sample rate is {rate}, not {SAMPLE_RATE}")
        _expect(channels in (1, 2), 0x0C, f"it has {channels} channels, not 1 or 2")
        _expect(bits == SAMPLE_BITS, 0x10, f"it has {bits} bits per sample, not {SAMPLE_BITS}")
        _expect(
            size_field == file_size - 8,
            0x04,
            f"the header promises {size_field + 8:,} bytes, the file has {file_size:,}",
        )
        frames, rest = divmod(file_size - HEADER_BYTES, channels * 2)
        _expect(rest == 0, 0x04, "the last frame is not whole")
        most = _most_frames(channels)
        _expect(frames <= most, 0x04, f"{frames:,} frames are more than the unit takes ({most:,})")
        _expect(head[_DIGEST] == _digest(head[4:0x14]), 0x20, "the checksum is not that of the header")
        return cls(channels, frames, bytes(head[_FILLER]), bytes(head[_RESERVED]))

    @property
    def file_size(self) -> int:
        """Size of the whole file in bytes."""
        return smp_size(self.channels, self.frames)

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.frames / SAMPLE_RATE

    def to_bytes(self) -> bytes:
        """The 512 bytes."""
        fields = _FIELDS.pack(self.file_size - 8, SAMPLE_RATE, self.channels, SAMPLE_BITS)
        return _MAGIC + fields + self.reserved + _digest(fields) + self.filler


def write_smp(file: BinaryIO, channels: int, frames: int, blocks: Iterable[NDArray[np.int16]]) -> int:
    """Write a whole file from `blocks`, each int16[any, channels], `frames` in all; returns its size in bytes.

    Holds one block at a time. Raises `OutOfRangeError` before anything is written when the unit does not take so much,
    and ValueError when the blocks are not what was promised.
    """
    header = SmpHeader.for_audio(channels, frames)
    file.write(header.to_bytes())
    written = 0
    for block in blocks:
        if block.dtype != np.int16 or block.ndim != 2 or block.shape[1] != channels:
            raise ValueError(f"A block has to be int16[frames, {channels}], not {block.dtype}{list(block.shape)}.")
        written += len(block)
        if written > frames:
            raise ValueError(f"The blocks hold more than the promised {frames} frames.")
        file.write(block.astype(">i2").tobytes())
    if written != frames:
        raise ValueError(f"The blocks hold {written} frames, not the promised {frames}.")
    return header.file_size


def read_smp_blocks(file: BinaryIO, file_size: int | None = None) -> tuple[SmpHeader, Iterator[NDArray[np.int16]]]:
    """The header and the audio in blocks, int16[up to 65,536, channels], of a file standing at its beginning.

    file_size: bytes in all; found by seeking when not given. The header is checked at once and the blocks as they come:
    both raise `FormatError`.
    """
    if file_size is None:
        start = file.tell()
        file_size = file.seek(0, os.SEEK_END) - start
        file.seek(start)
    header = SmpHeader.read(_read_exactly(file, HEADER_BYTES), file_size)
    return header, _blocks(file, header)


def _blocks(file: BinaryIO, header: SmpHeader) -> Iterator[NDArray[np.int16]]:
    for start in range(0, header.frames, _FRAMES_PER_BLOCK):
        wanted = min(_FRAMES_PER_BLOCK, header.frames - start) * header.channels * 2
        content = _read_exactly(file, wanted)
        if len(content) < wanted:
            raise FormatError(_KIND, "the audio ends too soon", smp_size(header.channels, start) + len(content))
        yield np.frombuffer(content, dtype=">i2").astype(np.int16).reshape(-1, header.channels)


def _read_exactly(file: BinaryIO, size: int) -> bytes:
    """`size` bytes, or all there are: a raw file or a zip member may give fewer at a time than it was asked for."""
    parts: list[bytes] = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _most_frames(channels: int) -> int:
    """Frames in the largest file a unit is known to write."""
    return MAX_FRAMES * 2 // channels


def _digest(fields: bytes) -> bytes:
    return hashlib.md5(fields, usedforsecurity=False).digest()


def _expect(holds: bool, offset: int, otherwise: str) -> None:
    if not holds:
        raise FormatError(_KIND, otherwise, offset)
