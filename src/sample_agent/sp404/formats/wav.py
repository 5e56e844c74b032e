"""The one kind of WAV file the SP-404MK2 is given: 44-byte header, 16-bit PCM, 48 kHz, mono or stereo.

Header layout: "Multimedia Programming Interface and Data Specifications 1.0" (IBM, Microsoft, 1991), with
nothing in it but `fmt ` and `data`, because the unit's handling of other chunks is not documented.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
HEADER_BYTES = 44

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_FRAMES_PER_WRITE = 1 << 18


class NotCanonicalWavError(ValueError):
    """The file is not a WAV as `write_wav` makes it."""


@dataclass(frozen=True)
class WavShape:
    """What a header says: `channels` is 1 or 2, `frames` are sample frames at 48 kHz."""

    channels: int
    frames: int


def wav_size(channels: int, frames: int) -> int:
    """Size of the file in bytes."""
    return HEADER_BYTES + frames * channels * 2


def wav_header(channels: int, frames: int) -> bytes:
    """The 44 bytes before the samples; raises ValueError for what the unit does not take."""
    if channels not in (1, 2):
        raise ValueError(f"The unit takes mono and stereo, not {channels} channels.")
    if frames < 0 or wav_size(channels, frames) > 0xFFFFFFFF:
        raise ValueError(f"A WAV file cannot hold {frames} frames.")
    block = channels * 2
    data = frames * block
    return _HEADER.pack(
        b"RIFF", 36 + data, b"WAVE",
        b"fmt ", 16, 1, channels, SAMPLE_RATE, SAMPLE_RATE * block, block, 16,
        b"data", data,
    )  # fmt: skip


def write_wav(file: BinaryIO, pcm: NDArray[np.int16]) -> int:
    """Write `pcm`, int16[frames, channels], and return the number of bytes written."""
    if pcm.ndim != 2:
        raise ValueError("PCM has to be int16[frames, channels].")
    frames, channels = pcm.shape
    blocks = (pcm[start : start + _FRAMES_PER_WRITE] for start in range(0, frames, _FRAMES_PER_WRITE))
    return write_wav_blocks(file, channels, frames, blocks)


def write_wav_blocks(file: BinaryIO, channels: int, frames: int, blocks: Iterable[NDArray[np.int16]]) -> int:
    """Write a sound of `frames` that comes in `blocks`, int16[frames, channels]; the number of bytes written."""
    file.write(wav_header(channels, frames))
    written = 0
    for block in blocks:
        if block.dtype != np.int16 or block.ndim != 2 or block.shape[1] != channels:
            raise ValueError("PCM has to be int16[frames, channels].")
        file.write(np.ascontiguousarray(block, dtype="<i2").data)
        written += len(block)
    if written != frames:
        raise ValueError(f"The header promises {frames} frames, and {written} came.")
    return wav_size(channels, frames)


def read_wav_header(header: bytes, file_size: int) -> WavShape:
    """Check the first 44 bytes of a file of `file_size` bytes; raises `NotCanonicalWavError`."""
    if len(header) < HEADER_BYTES:
        raise NotCanonicalWavError("The file is shorter than a WAV header.")
    channels = int.from_bytes(header[22:24], "little")
    data = int.from_bytes(header[40:44], "little")
    try:
        frames = data // (channels * 2)
        expected = wav_header(channels, frames)
    except (ValueError, ZeroDivisionError) as error:
        raise NotCanonicalWavError("The WAV is neither mono nor stereo.") from error
    if header[:HEADER_BYTES] != expected:
        raise NotCanonicalWavError("The WAV is not 16-bit PCM at 48 kHz with a plain header.")
    if file_size != wav_size(channels, frames):
        raise NotCanonicalWavError(f"The header promises {wav_size(channels, frames)} bytes, not {file_size}.")
    return WavShape(channels, frames)


def read_wav(content: bytes) -> NDArray[np.int16]:
    """The samples, int16[frames, channels], of a file made by `write_wav`; refuses every other."""
    shape = read_wav_header(content, len(content))
    pcm = np.frombuffer(content, dtype="<i2", offset=HEADER_BYTES)
    return pcm.reshape(shape.frames, shape.channels).astype(np.int16)
