"""The engine's way into files: whatever the bytes, an analysis or an `AudioError`; no crash, no hang, bounded memory.

Our own readers of containers run in the fuzzer's process, which follows their branches. Whole files go the way they go
in production, through a worker process: decoders written in C may end that, and the pool has to say so and go on.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from fuzz.target import Target
from sample_agent.engine import AudioError, sniff_format
from sample_agent.engine.decoding.containers import read_claim
from sample_agent.engine.decoding.mp4 import Mp4Error, read_audio_track
from sample_agent.engine.decoding.mpeg import inspect_mpeg
from sample_agent.engine.decoding.ogg import inspect_ogg
from sample_agent.engine.decoding.sniff import SNIFF_BYTES
from sample_agent.engine.metadata.hints import read_hints
from sample_agent.engine.metadata.tags import read_tags
from sample_agent.engine.pool import EnginePool

AUDIO = Path(__file__).parent.parent / "tests" / "audio"
MEMORY = Path("/dev/shm")
RATE = 44_100
TASK_SECONDS, TASK_BYTES = 20.0, 256 << 20
MOST_BYTES = 1 << 16
POOL_SECONDS = 60
"""The pool itself ends what takes too long; starting a new worker beside other work may take a while."""


def headers(content: bytes) -> None:
    sniff_format(content[:SNIFF_BYTES])
    with _file(content) as file:
        read_claim(file)


def mp4(content: bytes) -> None:
    with _file(content) as file:
        try:
            track = read_audio_track(file)
        except Mp4Error:
            return
    outside = track and ((track.offsets < 0) | (track.offsets + track.sizes > len(content))).any()
    if outside:
        raise AssertionError("a packet outside the file")


def mpeg(content: bytes) -> None:
    with _file(content) as file:
        inspect_mpeg(file)


def ogg(content: bytes) -> None:
    with _file(content) as file:
        inspect_ogg(file)


def tags(content: bytes) -> None:
    with _file(content) as file:
        found = read_tags(f"/proc/self/fd/{file.fileno()}")
    hints = read_hints("", found)
    json.dumps([hints.tempo, hints.key], allow_nan=False)


def names(content: bytes) -> None:
    hints = read_hints(content.decode("utf-8", "surrogateescape"))
    json.dumps([hints.tempo, hints.key], allow_nan=False)


def analysis(content: bytes) -> None:
    """The whole way, in a worker. One that a decoder brought down is told of and replaced; that is what it is for."""
    path = MEMORY / f"fuzz-engine-{os.getpid()}"
    path.write_bytes(content)
    loop, pool = _pool()
    try:
        result = loop.run_until_complete(pool.analyze(path))
    except AudioError as error:
        if error.code in ("analysis-timeout", "too-much-memory"):
            raise
        if error.code == "analysis-crashed":
            print(f"a decoder ended its worker on {sniff_format(content[:SNIFF_BYTES])}", flush=True)
    else:
        json.dumps(result.to_dict(), allow_nan=False)


@contextmanager
def _file(content: bytes) -> Iterator[BinaryIO]:
    """A real file, which memory can be mapped to."""
    descriptor = os.memfd_create("fuzz")
    with os.fdopen(descriptor, "wb+", buffering=0) as file:
        file.write(content)
        file.seek(0)
        yield file


@cache
def _pool() -> tuple[asyncio.AbstractEventLoop, EnginePool]:
    return asyncio.new_event_loop(), EnginePool(workers=1, timeout_seconds=TASK_SECONDS, memory_bytes=TASK_BYTES)


def _written(*kinds: tuple[str, str]) -> Callable[[], list[bytes]]:
    """A quarter of a second of noise over a tone, as each container and encoding."""

    def seeds() -> list[bytes]:
        time = np.arange(RATE // 4) / RATE
        random = np.random.default_rng(0)
        samples = 0.5 * np.sin(2 * np.pi * 220 * time) + 0.2 * np.exp(-20 * time) * random.standard_normal(len(time))
        files = []
        for container, subtype in kinds:
            file = io.BytesIO()
            rate = 48_000 if subtype == "OPUS" else RATE
            soundfile.write(file, np.stack((samples, samples / 2), axis=1), rate, format=container, subtype=subtype)
            files.append(file.getvalue())
        return files

    return seeds


def _tagged() -> list[bytes]:
    """The tags that are read, in the least of a file that holds them."""
    acid = struct.pack("<IHHfIHHf", 2, 61, 0x8000, 0.0, 8, 4, 4, 174.0)
    common = struct.pack(">hIhHQ", 2, RATE, 16, 0x400E, RATE << 48)
    loop = struct.pack(">IIHHHHH", 1, 2, 57, 1, 4, 4, 2).ljust(84, b"\0")
    id3 = b"ID3\3\0\0\0\0\0\x1aTBPM\0\0\0\3\0\0\x0092TKEY\0\0\0\3\0\0\0Am"
    comments = b"".join(struct.pack("<I", len(field)) + field for field in (b"BPM=140.5", b"initialkey=8A"))
    comments = struct.pack("<II", 0, 2) + comments
    tempo = _box(b"tmpo", _box(b"data", struct.pack(">IIH", 21, 0, 128)))
    label = _box(b"name", bytes(4) + b"initialkey") + _box(b"data", struct.pack(">II", 1, 0) + b"Ebm")
    items = _box(b"ilst", tempo + _box(b"----", label))
    return [
        b"RIFF\0\0\0\0WAVEacid" + struct.pack("<I", len(acid)) + acid + b"id3 " + struct.pack("<I", len(id3)) + id3,
        b"FORM\0\0\0\0AIFFCOMM\0\0\0\x12" + common + b"basc\0\0\0\x54" + loop,
        b"fLaC\x84" + len(comments).to_bytes(3, "big") + comments,
        _page(b"\x01vorbis" + bytes(22)) + _page(b"\x03vorbis" + comments),
        _page(b"OpusHead" + bytes(11)) + _page(b"OpusTags" + comments),
        _box(b"ftyp", b"M4A " + bytes(4)) + _box(b"moov", _box(b"udta", _box(b"meta", bytes(4) + items))),
        id3 + b"\xff\xfb\x90\0" + bytes(413) + b"\xff\xfb\x90\0",
    ]


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def _page(packet: bytes) -> bytes:
    """A page of Ogg that holds a packet of fewer than 255 bytes."""
    return b"OggS" + bytes(22) + bytes((1, len(packet))) + packet


def _carried() -> list[bytes]:
    return [path.read_bytes() for path in sorted(AUDIO.iterdir()) if path.suffix in (".m4a", ".aac")]


WAV = _written(("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("WAVEX", "PCM_24"), ("RF64", "PCM_16"))
AIFF = _written(("AIFF", "PCM_24"), ("AIFF", "FLOAT"), ("AIFF", "IMA_ADPCM"))
FLAC, MP3 = _written(("FLAC", "PCM_16")), _written(("MP3", "MPEG_LAYER_III"))
OGG, OPUS = _written(("OGG", "VORBIS")), _written(("OGG", "OPUS"))

TARGETS = (
    Target("audio-headers", headers, lambda: WAV() + AIFF(), 2_048),
    Target("mp4", mp4, lambda: [content[-4_000:] for content in _carried()] + _carried(), MOST_BYTES),
    Target("mpeg", mpeg, MP3, MOST_BYTES),
    Target("ogg", ogg, lambda: OGG() + OPUS(), MOST_BYTES),
    Target("tags", tags, lambda: _tagged() + _carried(), MOST_BYTES),
    Target("names", names, lambda: [b"Dusty Break 92,5 bpm F# min.wav", b"8A_128_Pad_Bb_Major.aif"], 256),
    Target("analysis-wav", analysis, lambda: WAV() + AIFF(), MOST_BYTES, POOL_SECONDS),
    Target("analysis-flac", analysis, FLAC, MOST_BYTES, POOL_SECONDS),
    Target("analysis-mp3", analysis, MP3, MOST_BYTES, POOL_SECONDS),
    Target("analysis-ogg", analysis, lambda: OGG() + OPUS(), MOST_BYTES, POOL_SECONDS),
    Target("analysis-m4a", analysis, _carried, MOST_BYTES, POOL_SECONDS),
)
