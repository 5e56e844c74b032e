"""The sounds of an SP-404SX or SP-404A: a WAV with an `RLND` chunk that names the pad, as Roland's Wave Converter
writes it. The sound begins at byte 512, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

import numpy as np
from numpy.typing import NDArray

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.formats.sx import SX_SLOTS, SxSlot

SX_SAMPLE_RATE = 44_100
SX_HEADER_BYTES = 512

_MAX_32 = 0xFFFFFFFF


@dataclass(frozen=True)
class SxWavHeader:
    """The first 512 bytes of a sound: RIFF, `fmt `, `RLND` with the pad, and the head of `data`.

    sample_rate: in Hz; the unit's own is 44,100. data_size: bytes of PCM behind the header.
    slot: the pad the sound was made for; None when the chunk names none. raw: the 512 bytes, kept as they are.
    """

    channels: int
    sample_rate: int
    data_size: int
    slot: SxSlot | None
    raw: bytes = field(repr=False)

    @property
    def frames(self) -> int:
        """Length in sample frames."""
        return self.data_size // (self.channels * 2)

    @classmethod
    def read(cls, head: bytes, file_size: int) -> SxWavHeader:
        """Check the first 512 bytes of a file of `file_size` bytes; raises `FormatError`.

        Takes what Roland's converter writes and the variant with a 16-byte `fmt ` chunk. Chunks behind the
        PCM are allowed.
        """
        if len(head) < SX_HEADER_BYTES:
            raise _bad(f"it has {len(head)} bytes; its header alone has {SX_HEADER_BYTES}")
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            raise _bad("it does not begin as a WAV file", 0)
        promised = int.from_bytes(head[4:8], "little") + 8
        if promised != file_size:
            raise _bad(f"it says it has {promised:,} bytes and has {file_size:,}", 4)
        chunks = _chunks_before_data(head)
        channels, sample_rate = _sound_format(head, *chunks[b"fmt "])
        data_size = chunks[b"data"][1]
        if data_size > file_size - SX_HEADER_BYTES:
            raise _bad(f"its sound ends {data_size - file_size + SX_HEADER_BYTES:,} bytes early", 508)
        if data_size % (channels * 2):
            raise _bad("its sound ends within a sample frame", 508)
        start, size = chunks[b"RLND"]
        if size < 13 or head[start : start + 8] != b"roifspsx":
            raise _bad("its RLND chunk is not of the SP-404SX", start)
        number = head[start + 12]
        slot = SxSlot.from_index(number) if number < SX_SLOTS else None
        return cls(channels, sample_rate, data_size, slot, bytes(head[:SX_HEADER_BYTES]))

    @classmethod
    def for_audio(cls, slot: SxSlot, channels: int, frames: int) -> SxWavHeader:
        """The header of `frames` sample frames for a pad, as Roland's converter writes it.

        Raises `OutOfRangeError` for other than one or two channels and for more than a WAV file holds.
        """
        if channels not in (1, 2):
            raise OutOfRangeError("channels", channels, "1 or 2")
        block, rate = channels * 2, SX_SAMPLE_RATE
        data = frames * block
        if frames < 0 or data + SX_HEADER_BYTES - 8 > _MAX_32:
            raise OutOfRangeError("frames", frames, "0 to what a file of 4 GB holds")
        raw = b"".join((
            struct.pack("<4sI4s", b"RIFF", data + SX_HEADER_BYTES - 8, b"WAVE"),
            struct.pack("<4sIHHIIHHH", b"fmt ", 18, 1, channels, rate, rate * block, block, 16, 0),
            struct.pack("<4sI8sIB445x", b"RLND", 458, b"roifspsx", 4, slot.index),
            struct.pack("<4sI", b"data", data),
        ))  # fmt: skip
        return cls(channels, rate, data, slot, raw)

    def to_bytes(self) -> bytes:
        return self.raw


def write_sx_wav(
    file: IO[bytes], slot: SxSlot, channels: int, frames: int, blocks: Iterable[NDArray[np.int16]]
) -> SxWavHeader:
    """Write a sound for a pad from `blocks`, int16[frames, channels] at 44.1 kHz, in constant memory.

    Raises ValueError when the blocks do not add up to `frames` of `channels`.
    """
    header = SxWavHeader.for_audio(slot, channels, frames)
    file.write(header.to_bytes())
    written = 0
    for block in blocks:
        if block.dtype != np.int16 or block.ndim != 2 or block.shape[1] != channels:
            raise ValueError(f"A block has to be int16[frames, {channels}].")
        written += len(block)
        if written > frames:
            break
        file.write(block.astype("<i2").tobytes())
    if written != frames:
        raise ValueError(f"{frames} frames were announced and {written} or more came.")
    return header


def read_sx_wav_blocks(
    file: IO[bytes], file_size: int, *, block_frames: int = 1 << 16
) -> tuple[SxWavHeader, Iterator[NDArray[np.int16]]]:
    """The header and the sound, int16[frames, channels], of a file that stands at its beginning.

    Raises `FormatError`, also while iterating when the file ends early.
    """
    header = SxWavHeader.read(file.read(SX_HEADER_BYTES), file_size)
    return header, _pcm_blocks(file, header, block_frames)


def _pcm_blocks(file: IO[bytes], header: SxWavHeader, block_frames: int) -> Iterator[NDArray[np.int16]]:
    width = header.channels * 2
    left = header.frames
    while left:
        count = min(left, block_frames)
        data = file.read(count * width)
        if len(data) != count * width:
            raise _bad("its sound ends early", SX_HEADER_BYTES)
        left -= count
        yield np.frombuffer(data, "<i2").astype(np.int16).reshape(count, header.channels)


def _chunks_before_data(head: bytes) -> dict[bytes, tuple[int, int]]:
    """Start and size of `fmt `, `RLND` and `data`; the sound has to begin at byte 512."""
    chunks: dict[bytes, tuple[int, int]] = {}
    position = 12
    while b"data" not in chunks:
        if position + 8 > SX_HEADER_BYTES:
            raise _bad("its sound does not begin at byte 512", position)
        name, size = struct.unpack_from("<4sI", head, position)
        if name in chunks:
            raise _bad(f"it has two chunks {name.decode('latin-1')!r}", position)
        chunks[name] = (position + 8, size)
        position += 8 + size + size % 2
    if chunks[b"data"][0] != SX_HEADER_BYTES:
        raise _bad("its sound does not begin at byte 512", chunks[b"data"][0])
    for name in (b"fmt ", b"RLND"):
        if name not in chunks:
            raise _bad(f"it has no chunk {name.decode().strip()!r}")
    return chunks


def _sound_format(head: bytes, start: int, size: int) -> tuple[int, int]:
    """Channels and sample rate; what is not plain 16-bit PCM is refused."""
    if size not in (16, 18):
        raise _bad(f"its fmt chunk has {size} bytes, not 18", start)
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", head, start)
    if tag != 1 or bits != 16 or channels not in (1, 2) or block != channels * 2:
        raise _bad("it is not 16-bit PCM in mono or stereo", start)
    return channels, rate


def _bad(message: str, offset: int | None = None) -> FormatError:
    return FormatError("RLND WAV", message, offset)
