"""Following the frames of an MP3 file before it is decoded: what it promises, and whether it is whole.

Decoders play over damage without a word, or stop at it for good; people should know, and hear the rest.
"""

from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from typing import BinaryIO

from sample_agent.engine.decoding.sniff import first_mpeg_frame, id3_size, mpeg_frame_length

_TAIL_BYTES = 1 << 17
"""Behind the last frame there may be tags; this much is looked at for frames that damage has cut off."""
_MOST_FRAMES = 1 << 20


@dataclass(frozen=True)
class MpegReport:
    """What the frames of a file say.

    Attributes:
        claimed_frames: samples per channel that the encoder noted, without what it added; None when it did not.
        damaged: something lies between the frames that is none.
    """

    claimed_frames: int | None
    damaged: bool


def inspect_mpeg(file: BinaryIO) -> MpegReport:
    """Follow the frames of an MP3 file. Leaves the file wherever that ended."""
    length = file.seek(0, 2)
    if not length:
        return MpegReport(None, False)
    with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        start = first_mpeg_frame(data, id3_size(data[:10]), _TAIL_BYTES)
        if start is None:
            return MpegReport(None, False)
        end = _follow(data, start)
        broken = end < length and first_mpeg_frame(data, end, _TAIL_BYTES) is not None
        return MpegReport(_claim(data[start : start + 256]), broken)


def _follow(data: mmap, at: int) -> int:
    """Where the chain of frames that starts at `at` ends."""
    lengths: dict[bytes, int] = {}
    for _ in range(_MOST_FRAMES):
        # Three bytes say how long a frame is, and few different ones occur.
        head = data[at : at + 3]
        length = lengths.get(head)
        if length is None:
            length = lengths[head] = mpeg_frame_length(data[at : at + 4]) or 0
        if not length:
            return at
        at += length
    return len(data)


def _claim(frame: bytes) -> int | None:
    """Length noted in the first frame by Xing's and LAME's encoders."""
    at = max(frame.find(b"Xing", 4, 64), frame.find(b"Info", 4, 64))
    if at < 0 or len(frame) < at + 12 or not frame[at + 7] & 1:
        return None
    frames = int.from_bytes(frame[at + 8 : at + 12], "big")
    samples = frames * (1152 if frame[1] & 0x08 else 576)
    if frame[at + 120 : at + 124] in (b"LAME", b"Lavc", b"Lavf") and len(frame) >= at + 144:
        delays = int.from_bytes(frame[at + 141 : at + 144], "big")
        samples -= (delays >> 12) + (delays & 0xFFF)
    return samples if samples > 0 else None
