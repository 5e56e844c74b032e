"""Tempo, key and kind that a file carries in its chunks and tags.

Only what lies at the places where such tags are is read, a bounded number of bytes and of chunks. A tag that cannot be
followed is as good as none: the sound of such a file is judged by the decoder.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sample_agent.engine.decoding.containers import extended_float
from sample_agent.engine.decoding.mp4 import Mp4Error, boxes, find_box, read_movie
from sample_agent.engine.decoding.sniff import SNIFF_BYTES, AudioFormat, sniff_format
from sample_agent.engine.metadata.hints import FASTEST_HINT, SLOWEST_HINT, Hint, tagged_tempo
from sample_agent.engine.metadata.spelling import tagged_key
from sample_agent.engine.tonality.key import TONICS

_MAX_CHUNKS = 1000
_MAX_BYTES = 1 << 18
_MAX_HINTS = 16

_TEMPO_NAMES = frozenset({"BPM", "TEMPO", "TBPM"})
_KEY_NAMES = frozenset({"KEY", "INITIALKEY", "INITIAL KEY", "INITIAL_KEY", "TKEY"})


def read_tags(path: str | Path, audio_format: AudioFormat | None = None) -> tuple[Hint, ...]:
    """Hints in the tags of a file, most trustworthy first; none when there are none or the file cannot be read.

    Reads the `acid` chunk and ID3 tag of WAV, the Apple-loop chunk and ID3 tag of AIFF, the ID3 tag of MP3, the
    comments of FLAC, Ogg Vorbis and Opus, and the item list of MP4.

    Args:
        path: the file.
        audio_format: what it is, if that is known already.
    """
    found: list[Hint] = []
    try:
        with Path(path).open("rb") as file:
            kind = audio_format or sniff_format(file.read(SNIFF_BYTES))
            file.seek(0)
            for hint in _hints(file, kind):
                found.append(hint)
                if len(found) == _MAX_HINTS:
                    break
    except (OSError, struct.error, Mp4Error, IndexError):
        # Torn in the middle: what was said before it stands.
        pass
    return tuple(found)


def _hints(file: BinaryIO, kind: AudioFormat | None) -> Iterator[Hint]:
    if kind == "wav":
        yield from _wav(file)
    elif kind == "aiff":
        yield from _aiff(file)
    elif kind == "flac":
        yield from _flac(file)
    elif kind in ("ogg", "opus"):
        yield from _ogg(file)
    elif kind == "m4a":
        yield from _mp4(file)
    elif kind == "mp3":
        yield from _id3(file.read(_MAX_BYTES))


def _wav(file: BinaryIO) -> Iterator[Hint]:
    order = ">" if file.read(12)[:4] == b"RIFX" else "<"
    for name, size in _chunks(file, order):
        if name == b"acid" and size >= 24:
            yield from _acid(file.read(24), order)
        elif name in (b"id3 ", b"ID3 "):
            yield from _id3(file.read(min(size, _MAX_BYTES)))


def _acid(data: bytes, order: str) -> Iterator[Hint]:
    flags, root, _, _, _, _, _, tempo = struct.unpack(f"{order}IHHfIHHf", data)
    if flags & 1:
        yield Hint("kind", "one-shot", "acid chunk")
    else:
        yield Hint("kind", "loop", "acid chunk")
        # Programs that know no tempo leave 0.
        if SLOWEST_HINT <= tempo <= FASTEST_HINT:
            yield Hint("tempo", f"{tempo:.6g}", "acid chunk")
    if flags & 2 and root < 128:
        yield Hint("root", TONICS[root % 12], "acid chunk")


def _aiff(file: BinaryIO) -> Iterator[Hint]:
    file.read(12)
    seconds = 0.0
    for name, size in _chunks(file, ">"):
        if name == b"COMM" and size >= 18:
            _, frames, _ = struct.unpack(">hIh", file.read(8))
            rate = extended_float(file.read(10))
            seconds = frames / rate if rate else 0.0
        elif name == b"basc" and size >= 20:
            yield from _apple_loop(file.read(20), seconds)
        elif name == b"ID3 ":
            yield from _id3(file.read(min(size, _MAX_BYTES)))


def _apple_loop(data: bytes, seconds: float) -> Iterator[Hint]:
    _, beats, root, scale, _, _, looping = struct.unpack(">IIHHHHH", data[:18])
    yield Hint("kind", "one-shot" if looping == 1 else "loop", "Apple loop")
    bpm = 60 * beats / seconds if seconds and looping != 1 else 0.0
    if SLOWEST_HINT <= bpm <= FASTEST_HINT:
        yield Hint("tempo", f"{bpm:.6g}", "Apple loop")
    if 0 < root < 128 and scale in (1, 2):
        yield Hint("key", TONICS[root % 12] + ("m" if scale == 1 else ""), "Apple loop")


def _chunks(file: BinaryIO, order: str) -> Iterator[tuple[bytes, int]]:
    """Name and size of each chunk, with the file at its content."""
    for _ in range(_MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack(f"{order}4sI", head)
        after = file.tell() + size + (size & 1)
        yield name, size
        file.seek(after)


def _id3(data: bytes) -> Iterator[Hint]:
    """ID3v2.2 to 2.4 (id3.org)."""
    if data[:3] != b"ID3" or len(data) < 10 or data[3] not in (2, 3, 4):
        return
    version, flags = data[3], data[5]
    end = min(len(data), 10 + _seven_bits(data[6:10]))
    at = 10
    if flags & 0x40 and version > 2:
        at += _seven_bits(data[10:14]) if version == 4 else 4 + int.from_bytes(data[10:14], "big")
    header, digits = (6, 3) if version == 2 else (10, 4)
    for _ in range(_MAX_CHUNKS):
        if at + header > end or not data[at]:
            return
        name = data[at : at + digits].decode("latin-1")
        length = data[at + digits : at + 2 * digits]
        size = _seven_bits(length) if version == 4 else int.from_bytes(length, "big")
        body = data[at + header : min(end, at + header + size)]
        if name in ("TBPM", "TBP") and body:
            yield from _tempo(_id3_text(body), "ID3")
        elif name in ("TKEY", "TKE") and body:
            yield from _key(_id3_text(body), "ID3")
        at += header + size


def _seven_bits(data: bytes) -> int:
    size = 0
    for byte in data:
        size = size << 7 | byte & 0x7F
    return size


def _id3_text(body: bytes) -> str:
    encoding = ("latin-1", "utf-16", "utf-16-be", "utf-8")[min(body[0], 3)]
    return body[1:64].decode(encoding, "ignore").split("\0")[0]


def _flac(file: BinaryIO) -> Iterator[Hint]:
    start = file.read(10)
    # Some put an ID3 tag before the FLAC marker.
    file.seek(10 + _seven_bits(start[6:10]) + 4 if start[:3] == b"ID3" else 4)
    for _ in range(_MAX_CHUNKS):
        head = file.read(4)
        if len(head) < 4:
            return
        size = int.from_bytes(head[1:], "big")
        if head[0] & 0x7F == 4:
            yield from _vorbis_comments(file.read(min(size, _MAX_BYTES)))
            return
        if head[0] & 0x80:
            return
        file.seek(size, 1)


def _ogg(file: BinaryIO) -> Iterator[Hint]:
    packets = _ogg_packets(file.read(_MAX_BYTES))
    next(packets, None)
    comments = next(packets, b"")
    for mark in (b"\x03vorbis", b"OpusTags"):
        if comments.startswith(mark):
            yield from _vorbis_comments(comments[len(mark) :])


def _ogg_packets(data: bytes) -> Iterator[bytes]:
    """Packets of the first stream (RFC 3533); the last one may be cut short."""
    packet, at = b"", 0
    while data[at : at + 4] == b"OggS" and at + 27 <= len(data):
        lacing = data[at + 27 : at + 27 + data[at + 26]]
        at += 27 + len(lacing)
        for size in lacing:
            packet += data[at : at + size]
            at += size
            if size < 255:
                yield packet
                packet = b""
    if packet:
        yield packet


def _vorbis_comments(data: bytes) -> Iterator[Hint]:
    (vendor,) = struct.unpack_from("<I", data)
    (count,) = struct.unpack_from("<I", data, 4 + vendor)
    at = 8 + vendor
    for _ in range(min(count, _MAX_CHUNKS)):
        if at + 4 > len(data):
            return
        (size,) = struct.unpack_from("<I", data, at)
        name, _, value = data[at + 4 : at + 4 + min(size, 128)].decode("utf-8", "ignore").partition("=")
        yield from _named(name, value, "Vorbis comment")
        at += 4 + size


def _mp4(file: BinaryIO) -> Iterator[Hint]:
    if file.read(12)[4:8] != b"ftyp":
        return
    movie = read_movie(file, file.seek(0, 2))
    # The metadata box has four bytes of version and flags before its boxes.
    items = find_box(find_box(movie, b"udta", b"meta")[4:], b"ilst")
    for name, item in boxes(items):
        data = bytes(find_box(item, b"data")[8 : 8 + 64])
        if name == b"tmpo":
            yield from _tempo(str(int.from_bytes(data[:2], "big")), "MP4")
        elif name == b"----":
            label = bytes(find_box(item, b"name")[4:68]).decode("utf-8", "ignore")
            yield from _named(label, data.decode("utf-8", "ignore"), "MP4")


def _named(name: str, value: str, source: str) -> Iterator[Hint]:
    if name.strip().upper() in _TEMPO_NAMES:
        yield from _tempo(value, source)
    elif name.strip().upper() in _KEY_NAMES:
        yield from _key(value, source)


def _tempo(text: str, source: str) -> Iterator[Hint]:
    value = tagged_tempo(text)
    if value is not None:
        yield Hint("tempo", value, source)


def _key(text: str, source: str) -> Iterator[Hint]:
    value = tagged_key(text)
    if value is not None:
        yield Hint("key", value, source)
