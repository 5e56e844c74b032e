"""What WAV and AIFF headers promise, read before anything is decoded.

libsndfile quietly shortens a file to what is there, which is right for decoding and useless for telling people
that half of their recording is missing.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

# Recorders and streaming encoders that could not go back write one of these instead of a length.
_UNKNOWN_LENGTHS = frozenset({0, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0xFFFFFFFF})
_MAX_CHUNKS = 1000


@dataclass(frozen=True)
class Claim:
    """The length a header gives.

    Attributes:
        frames: frames the header promises, or None when it leaves the length open.
        sample_rate: in Hz.
    """

    frames: int | None
    sample_rate: int


def read_claim(file: BinaryIO) -> Claim | None:
    """What the header of a WAV or AIFF file claims; None when it is neither or cannot be followed.

    Leaves the file wherever the search ended.
    """
    file.seek(0)
    head = file.read(12)
    try:
        if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
            return _wav_claim(file, ">" if head[:4] == b"RIFX" else "<")
        if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            return _aiff_claim(file)
    except struct.error:
        return None
    return None


def _wav_claim(file: BinaryIO, order: str) -> Claim | None:
    bytes_per_frame, sample_rate, long_size = 0, 0, 0
    for _ in range(_MAX_CHUNKS):
        name, size = struct.unpack(f"{order}4sI", file.read(8))
        if name == b"fmt ":
            body = file.read(16)
            _, _, sample_rate, _, bytes_per_frame, _ = struct.unpack(f"{order}HHIIHH", body)
            file.seek(size - 16 + (size & 1), 1)
        elif name == b"ds64":
            # RF64: the size that does not fit into the data chunk's own header.
            _, long_size = struct.unpack(f"{order}QQ", file.read(16))
            file.seek(size - 16 + (size & 1), 1)
        elif name == b"data":
            if not bytes_per_frame or not sample_rate:
                return None
            size = long_size if size == 0xFFFFFFFF and long_size else size
            return Claim(None if size in _UNKNOWN_LENGTHS else size // bytes_per_frame, sample_rate)
        else:
            file.seek(size + (size & 1), 1)
    return None


def _aiff_claim(file: BinaryIO) -> Claim | None:
    for _ in range(_MAX_CHUNKS):
        name, size = struct.unpack(">4sI", file.read(8))
        if name == b"COMM":
            _, frames, _ = struct.unpack(">hIh", file.read(8))
            sample_rate = int(extended_float(file.read(10)))
            return Claim(None if frames in _UNKNOWN_LENGTHS else frames, sample_rate) if sample_rate else None
        file.seek(size + (size & 1), 1)
    return None


def extended_float(data: bytes) -> float:
    """An 80-bit IEEE 754 number from 0 up to 2**64, as AIFF stores its sample rate; 0 for any other.

    Raises:
        struct.error: there are not ten bytes.
    """
    exponent, mantissa = struct.unpack(">HQ", data)
    shift = 16383 + 63 - exponent
    return float(mantissa) / (1 << shift) if 0 <= shift < 64 else 0.0
