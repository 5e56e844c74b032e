"""Where the audio packets lie in an MP4 file (ISO 14496-12 and -14): M4A and what iPhones and Macs record."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

_MAX_MOVIE_BYTES = 64 << 20
_MAX_BOXES = 10_000
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts"})


class Mp4Error(Exception):
    """The file is not laid out as it says."""


@dataclass(frozen=True)
class AudioTrack:
    """The first audio track of a file.

    Attributes:
        codec: four letters, as b"mp4a" or b"alac".
        configuration: what the decoder needs to know: AudioSpecificConfig for AAC, the magic cookie for ALAC.
        offsets, sizes: where each packet lies in the file, in bytes.
        timescale: ticks per second of the track.
        skip: ticks of encoder delay to leave out at the start.
        duration: ticks that remain, or None when the file does not say.
        missing: packets that the file speaks of and does not hold.
    """

    codec: bytes
    configuration: bytes
    offsets: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    timescale: int
    skip: int
    duration: int | None
    missing: int


def read_audio_track(file: BinaryIO) -> AudioTrack | None:
    """The first audio track; None when there is none.

    Raises:
        Mp4Error: the boxes cannot be followed, or speak of packets beyond the end of the file.
    """
    length = file.seek(0, 2)
    movie = read_movie(file, length)
    try:
        movie_timescale = _timescale(find_box(movie, b"mvhd"))
        for track in (body for name, body in boxes(movie) if name == b"trak"):
            if bytes(find_box(track, b"mdia", b"hdlr")[8:12]) == b"soun":
                return _audio_track(track, movie_timescale, length)
    except (struct.error, IndexError, ValueError) as error:
        raise Mp4Error("a box is shorter than its content") from error
    return None


def read_movie(file: BinaryIO, length: int) -> memoryview:
    """The content of the movie box, which says everything about the file but its sound.

    Raises:
        Mp4Error: there is none, or it is too large.
    """
    at = 0
    for _ in range(_MAX_BOXES):
        if at >= length:
            break
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            break
        size, name = struct.unpack(">I4s", head[:8])
        header = 8
        if size == 1 and len(head) == 16:
            size, header = struct.unpack(">Q", head[8:])[0], 16
        elif size == 0:
            size = length - at
        if size < header:
            break
        if name == b"moov":
            if size > _MAX_MOVIE_BYTES:
                raise Mp4Error("the movie box is too large")
            file.seek(at + header)
            return memoryview(file.read(size - header))
        at += size
    raise Mp4Error("there is no movie box")


def boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Name and content of each box, as far as they can be followed."""
    at = 0
    for _ in range(_MAX_BOXES):
        if at + 8 > len(data):
            return
        size, name = struct.unpack_from(">I4s", data, at)
        if size < 8:
            return
        yield name, data[at + 8 : at + size]
        at += size


def find_box(data: memoryview, *path: bytes) -> memoryview:
    """The content of the box at the end of a path of names; empty when there is none."""
    for name in path:
        data = next((body for box, body in boxes(data) if box == name), memoryview(b""))
    return data


def _timescale(header: memoryview) -> int:
    """Of a movie or media header."""
    (timescale,) = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)
    if not timescale:
        raise Mp4Error("a clock stands still")
    return int(timescale)


def _audio_track(track: memoryview, movie_timescale: int, length: int) -> AudioTrack:
    table = find_box(track, b"mdia", b"minf", b"stbl")
    codec, configuration = _description(find_box(table, b"stsd"))
    sizes = _sizes(find_box(table, b"stsz"), length)
    offsets = _offsets(table, sizes)
    # A download that stopped: what is there, in order, up to the first packet that is not.
    outside = (offsets < 0) | (offsets + sizes > length)
    present = int(np.argmax(outside)) if outside.any() else len(sizes)
    timescale = _timescale(find_box(track, b"mdia", b"mdhd"))
    skip, duration = _edit(find_box(track, b"edts", b"elst"), timescale, movie_timescale)
    missing = len(sizes) - present
    return AudioTrack(codec, configuration, offsets[:present], sizes[:present], timescale, skip, duration, missing)


def _description(box: memoryview) -> tuple[bytes, bytes]:
    size, codec = struct.unpack_from(">I4s", box, 8)
    entry = box[16 : 8 + size]
    (version,) = struct.unpack_from(">H", entry, 8)
    # QuickTime's versions 1 and 2 of the sound description are longer.
    inner = entry[{0: 28, 1: 44, 2: 64}.get(version, 28) :]
    if codec == b"alac":
        return codec, bytes(find_box(inner, b"alac")[4:])
    descriptor = find_box(inner, b"esds") or find_box(inner, b"wave", b"esds")
    return bytes(codec), _specific_config(bytes(descriptor[4:]))


def _specific_config(descriptor: bytes) -> bytes:
    """AudioSpecificConfig inside an elementary stream descriptor (ISO 14496-1)."""
    at = 0
    while at < len(descriptor):
        tag = descriptor[at]
        at += 1
        size = 0
        for _ in range(4):
            byte = descriptor[at]
            at += 1
            size = size << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        if tag == 3:
            flags = descriptor[at + 2]
            at += 3 + (2 if flags & 0x80 else 0) + (descriptor[at + 3] + 1 if flags & 0x40 else 0)
            at += 2 if flags & 0x20 else 0
        elif tag == 4:
            at += 13
        elif tag == 5:
            return descriptor[at : at + size]
        else:
            at += size
    return b""


def _sizes(box: memoryview, length: int) -> npt.NDArray[np.int64]:
    uniform, count = struct.unpack_from(">II", box, 4)
    if uniform:
        if count > length // uniform + 1:
            raise Mp4Error("the packets do not fit into the file")
        return np.full(count, uniform, np.int64)
    return np.frombuffer(box[12 : 12 + 4 * count], ">u4").astype(np.int64)


def _offsets(table: memoryview, sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Offset of each packet, from the chunks' offsets and how many packets lie in each."""
    wide = find_box(table, b"co64")
    chunks = np.frombuffer(wide[8:], ">u8") if wide else np.frombuffer(find_box(table, b"stco")[8:], ">u4")
    runs = np.frombuffer(find_box(table, b"stsc")[8:], ">u4").reshape(-1, 3).astype(np.int64)
    firsts = runs[:, 0] - 1
    repeats = np.diff(np.append(firsts, len(chunks)))
    if not len(runs) or (repeats < 0).any() or int((repeats * runs[:, 1]).sum()) < len(sizes):
        raise Mp4Error("packets without a place")
    per_chunk = np.repeat(runs[:, 1], repeats)
    if int(per_chunk.max(initial=0)) > max(len(sizes), 1):
        raise Mp4Error("a chunk of more packets than there are")
    chunk = np.repeat(np.arange(len(per_chunk)), per_chunk)[: len(sizes)]
    before = np.concatenate(([0], np.cumsum(sizes)[:-1])) if len(sizes) else sizes
    start_of_chunk = np.searchsorted(chunk, chunk, side="left")
    offsets: npt.NDArray[np.int64] = chunks.astype(np.int64)[chunk] + before - before[start_of_chunk]
    return offsets


def _edit(box: memoryview, timescale: int, movie_timescale: int) -> tuple[int, int | None]:
    """Encoder delay and length from the edit list, when it is the plain one that encoders write."""
    if not box:
        return 0, None
    layout = ">Qq" if box[0] == 1 else ">Ii"
    (count,) = struct.unpack_from(">I", box, 4)
    step = 20 if box[0] == 1 else 12
    edits = [struct.unpack_from(layout, box, 8 + step * index) for index in range(min(count, 16))]
    played = [(duration, start) for duration, start in edits if start >= 0]
    if len(played) != 1:
        return 0, None
    duration, start = played[0]
    return int(start), (int(duration) * timescale // movie_timescale) or None
