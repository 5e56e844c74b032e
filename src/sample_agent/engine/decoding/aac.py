"""M4A and AAC: our own way through the container, Symphonia (in `sphn`) for AAC, libsndfile for Apple Lossless.

The usual answer is PyAV, but its wheels carry x264 and x265, which are under the GPL. Symphonia decodes AAC-LC well and
reads the bare ADTS stream that the packets are wrapped into here, block by block.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sample_agent.engine.decoding.alac import open_alac
from sample_agent.engine.decoding.mp4 import AudioTrack, Mp4Error, read_audio_track
from sample_agent.engine.decoding.sniff import id3_size
from sample_agent.engine.decoding.stream import DAMAGED, AudioStream, Block, DecodingFailed, corrupt, cut
from sample_agent.engine.errors import AudioError

_PACKET_FRAMES = 1024
_PACKETS_PER_BLOCK = 60
# AAC's transform overlaps by half: a block is decoded from two packets before it, whose output is thrown away.
_PREROLL = 2
_MAX_PACKET_BYTES = 8191 - 7
_ADTS_SYNC = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]")
_SEARCH_BYTES = 1 << 17
_SAMPLE_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_LOW_COMPLEXITY, _BAND_REPLICATION, _PARAMETRIC_STEREO = 2, 5, 29


@dataclass(frozen=True)
class _Configuration:
    """The parts of an AudioSpecificConfig (ISO 14496-3) that a decoder of AAC-LC needs."""

    rate_index: int
    channels: int
    core_only: bool

    @property
    def sample_rate(self) -> int:
        return _SAMPLE_RATES[self.rate_index]


def open_m4a(file: BinaryIO, *, max_seconds: float) -> AudioStream:
    """Open MP4 audio or a bare ADTS stream.

    Raises:
        AudioError: "unsupported-format" without an audio track or with a codec we cannot decode, "corrupt-audio".
    """
    file.seek(0)
    if file.read(8)[4:] != b"ftyp":
        return _open_adts(file, max_seconds)
    try:
        track = read_audio_track(file)
    except Mp4Error as error:
        raise corrupt("m4a") from error
    if track is None:
        raise AudioError("unsupported-format", "The file is an MP4 without sound.")
    if track.codec == b"alac":
        return open_alac(file, track, max_seconds)
    if track.codec != b"mp4a":
        raise AudioError("unsupported-format", "The sound in this MP4 is neither AAC nor Apple Lossless.")
    return _open_track(file, track, max_seconds)


def _open_track(file: BinaryIO, track: AudioTrack, max_seconds: float) -> AudioStream:
    configuration = _parse_configuration(track.configuration)
    rate = configuration.sample_rate
    skip = track.skip * rate // track.timescale
    whole = (len(track.sizes) + track.missing) * _PACKET_FRAMES - skip
    length = whole if track.duration is None else min(whole, track.duration * rate // track.timescale)

    def packets() -> Iterator[bytes]:
        for offset, size in zip(track.offsets.tolist(), track.sizes.tolist(), strict=True):
            file.seek(offset)
            yield file.read(size)

    warnings = ["The file is HE-AAC: the highest frequencies are left out."] if configuration.core_only else []
    source = cut(_decoded(packets(), configuration, warnings), max(skip, 0), max(length, 0))
    return AudioStream("m4a", rate, configuration.channels, max(length, 0), source, max_seconds, warnings)


def _open_adts(file: BinaryIO, max_seconds: float) -> AudioStream:
    file.seek(0)
    start = id3_size(file.read(10))
    file.seek(start)
    # Zeros before the first packet are common enough; what sniffing skipped is skipped here.
    head = file.read(8192)
    start += len(head) - len(head.lstrip(b"\x00"))
    file.seek(start)
    header = file.read(7)
    if len(header) < 7 or header[2] >> 6 != _LOW_COMPLEXITY - 1:
        raise AudioError("unsupported-format", "The file is AAC of a kind we cannot decode; AAC-LC works.")
    channels = (header[2] & 1) << 2 | header[3] >> 6
    configuration = _checked(_Configuration((header[2] >> 2) & 0x0F, channels, core_only=False))

    warnings: list[str] = []

    def packets() -> Iterator[bytes]:
        at: int | None = start
        searched = start
        while at is not None:
            file.seek(at)
            found = file.read(9)
            length = _adts_length(found, header)
            if length is None:
                # Damage, or a tag at the end. The packet before it may have named a wrong length: look from there.
                at = _next_adts(file, searched, header)
                if at is not None and DAMAGED not in warnings:
                    warnings.append(DAMAGED)
                continue
            overhead = 7 if found[1] & 1 else 9
            file.seek(at + overhead)
            yield file.read(length - overhead)
            searched = at + overhead
            at += length

    source = _decoded(packets(), configuration, warnings)
    return AudioStream("m4a", configuration.sample_rate, channels, None, source, max_seconds, warnings)


def _adts_length(data: bytes, first: bytes) -> int | None:
    """Length of the packet whose header starts `data`; None if it is no header of the stream that `first` began."""
    if len(data) < 7 or data[:1] != b"\xff" or data[1] & 0xF6 != 0xF0:
        return None
    # Kind, sample rate and channels stay the same throughout.
    if data[2] & 0xFD != first[2] & 0xFD or (data[3] ^ first[3]) & 0xC0:
        return None
    length = (data[3] & 0x03) << 11 | data[4] << 3 | data[5] >> 5
    return length if length > (7 if data[1] & 1 else 9) else None


def _next_adts(file: BinaryIO, at: int, first: bytes) -> int | None:
    """The first place from `at` on where a packet of the stream is followed by another one, or ends the file."""
    while True:
        file.seek(at)
        window = file.read(_SEARCH_BYTES)
        for match in _ADTS_SYNC.finditer(window[: _SEARCH_BYTES - _MAX_PACKET_BYTES - 16]):
            start = match.start()
            length = _adts_length(window[start : start + 9], first)
            if length is None:
                continue
            following = window[start + length : start + length + 9]
            if _adts_length(following, first) or (not following and start + length == len(window)):
                return at + start
        if len(window) < _SEARCH_BYTES:
            return None
        at += _SEARCH_BYTES - _MAX_PACKET_BYTES - 16


def _parse_configuration(data: bytes) -> _Configuration:
    bits = int.from_bytes(data[:8].ljust(8, b"\x00"), "big")

    def take(at: int, count: int) -> int:
        return bits >> 64 - at - count & (1 << count) - 1

    kind, rate_index, channels = take(0, 5), take(5, 4), take(9, 4)
    core_only = kind in (_BAND_REPLICATION, _PARAMETRIC_STEREO)
    if core_only:
        # Behind the core's rate and channels stand the extension's rate and the core's own kind.
        kind = take(17, 5)
    if len(data) < 2 or kind != _LOW_COMPLEXITY:
        raise AudioError("unsupported-format", "The file is AAC of a kind we cannot decode; AAC-LC works.")
    return _checked(_Configuration(rate_index, channels, core_only))


def _checked(configuration: _Configuration) -> _Configuration:
    if configuration.rate_index >= len(_SAMPLE_RATES) or not 1 <= configuration.channels <= 6:
        raise corrupt("m4a")
    return configuration


def _decoded(packets: Iterator[bytes], configuration: _Configuration, warnings: list[str]) -> Iterator[Block]:
    preroll: list[bytes] = []
    while True:
        fresh = [packet for _, packet in zip(range(_PACKETS_PER_BLOCK), packets, strict=False)]
        if not fresh:
            return
        block = _output([*preroll, *fresh], len(fresh), configuration)
        if block is None:
            block = _salvaged(preroll, fresh, configuration)
            if DAMAGED not in warnings:
                warnings.append(DAMAGED)
        yield block
        preroll = fresh[-_PREROLL:]


def _salvaged(preroll: list[bytes], fresh: list[bytes], configuration: _Configuration) -> Block:
    """A block with a damaged packet in it, decoded packet by packet, with silence for those that do not decode.

    Raises:
        DecodingFailed: none does.
    """
    previous = [*preroll[-1:], *fresh] if preroll else [b"", *fresh]
    pieces = [
        _output([before, packet], 1, configuration) if before else _output([packet], 1, configuration)
        for before, packet in pairwise(previous)
    ]
    if all(piece is None for piece in pieces):
        raise DecodingFailed("no packet decodes")
    silence = np.zeros((_PACKET_FRAMES, configuration.channels), np.float32)
    return np.concatenate([silence if piece is None else piece for piece in pieces])


def _output(packets: list[bytes], wanted: int, configuration: _Configuration) -> Block | None:
    """What the last `wanted` packets decode to; None when they do not."""
    try:
        decoded = _decode_packets(packets, configuration)
    except DecodingFailed:
        return None
    whole = decoded.shape == (len(packets) * _PACKET_FRAMES, configuration.channels)
    return decoded[-wanted * _PACKET_FRAMES :] if whole else None


def _decode_packets(packets: list[bytes], configuration: _Configuration) -> Block:
    import sphn

    with _as_path(b"".join(_adts(packet, configuration) for packet in packets)) as path:
        try:
            channels, _ = sphn.read(path)
        except (ValueError, OSError) as error:
            raise DecodingFailed(str(error)) from error
        except BaseException as error:
            # A panic in Rust arrives as a BaseException that has no importable class.
            if type(error).__name__ != "PanicException":
                raise
            raise DecodingFailed(str(error)) from error
    return np.ascontiguousarray(channels.T, np.float32)


def _adts(packet: bytes, configuration: _Configuration) -> bytes:
    """A packet behind an ADTS header (ISO 13818-7)."""
    if len(packet) > _MAX_PACKET_BYTES:
        raise DecodingFailed("a packet is too large")
    length = len(packet) + 7
    rate, channels = configuration.rate_index, configuration.channels
    return (
        bytes(
            (
                0xFF,
                0xF1,
                (_LOW_COMPLEXITY - 1) << 6 | rate << 2 | channels >> 2,
                (channels & 3) << 6 | length >> 11,
                length >> 3 & 0xFF,
                (length & 7) << 5 | 0x1F,
                0xFC,
            )
        )
        + packet
    )


@contextmanager
def _as_path(data: bytes) -> Iterator[str]:
    """A path that reads as `data`: the decoder opens files only. In memory on Linux, so that nothing is left over."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("aac")
        try:
            os.write(descriptor, data)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    descriptor, path = tempfile.mkstemp(suffix=".aac")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        yield path
    finally:
        Path(path).unlink(missing_ok=True)
