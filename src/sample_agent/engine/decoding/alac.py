"""Apple Lossless in MP4: its packets, some at a time, in a CAF wrapper, which libsndfile reads.

One wrapper around a whole track would do, were it not for memory and for libsndfile's table of packets, which ends
somewhere behind half an hour. Packets do not depend on each other, so blocks of them have no seams.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from sample_agent.engine.decoding.mp4 import AudioTrack
from sample_agent.engine.decoding.stream import BLOCK_FRAMES, DAMAGED, AudioStream, Block, DecodingFailed, corrupt, cut

_COOKIE = struct.Struct(">IBBBBBBHIII")
_MOST_FRAMES_PER_PACKET = 1 << 14
"""Encoders write 4096."""
_MAX_OVERHEAD_BYTES = 1 << 10
"""A packet that does not compress holds its samples as they are, behind a small header."""

_SOUND, _FILLING = (0, 1, 3), (4, 6)
"""Kinds of elements: one channel, two, and the one for low frequencies; data and fill bits."""


@dataclass(frozen=True)
class _Configuration:
    """The magic cookie (Apple's description of ALACSpecificConfig), and what matters in it here."""

    cookie: bytes
    frames_per_packet: int
    depth: int
    channels: int
    sample_rate: int

    @property
    def packets_per_block(self) -> int:
        return max(1, BLOCK_FRAMES // self.frames_per_packet)

    @property
    def max_packet_bytes(self) -> int:
        return self.frames_per_packet * self.channels * 4 + _MAX_OVERHEAD_BYTES


def open_alac(file: BinaryIO, track: AudioTrack, max_seconds: float) -> AudioStream:
    """Open the Apple Lossless track of an MP4 file.

    Raises:
        AudioError: "corrupt-audio" when its description makes no sense.
    """
    configuration = _parse_configuration(track.configuration)
    rate, per_packet = configuration.sample_rate, configuration.frames_per_packet
    skip = track.skip * rate // track.timescale
    most = (len(track.sizes) + track.missing) * per_packet - skip
    if track.duration is None:
        # The last packet may hold as little as one frame.
        length, claimed = most, most - per_packet + 1
    else:
        length = claimed = min(most, track.duration * rate // track.timescale)
    warnings: list[str] = []
    source = cut(_decoded(file, track, configuration, warnings), skip, max(length, 0))
    return AudioStream("m4a", rate, configuration.channels, max(claimed, 0), source, max_seconds, warnings)


def _parse_configuration(cookie: bytes) -> _Configuration:
    if len(cookie) < _COOKIE.size:
        raise corrupt("m4a")
    frames_per_packet, _, depth, _, _, _, channels, _, _, _, sample_rate = _COOKIE.unpack_from(cookie)
    if not 1 <= frames_per_packet <= _MOST_FRAMES_PER_PACKET or not channels:
        raise corrupt("m4a")
    return _Configuration(cookie, frames_per_packet, depth, channels, sample_rate)


def _decoded(file: BinaryIO, track: AudioTrack, configuration: _Configuration, warnings: list[str]) -> Iterator[Block]:
    for start in range(0, len(track.sizes), configuration.packets_per_block):
        places = slice(start, start + configuration.packets_per_block)
        packets = []
        for offset, size in zip(track.offsets[places].tolist(), track.sizes[places].tolist(), strict=True):
            file.seek(offset)
            # What is longer than a packet can be is none, and not worth its memory.
            packets.append(file.read(size) if size <= configuration.max_packet_bytes else b"")
        block = _output(packets, configuration)
        if len(block) < len(packets) * configuration.frames_per_packet:
            block = _packet_by_packet(packets, configuration, warnings)
        yield block


def _packet_by_packet(packets: list[bytes], configuration: _Configuration, warnings: list[str]) -> Block:
    """A block that is not full: a packet in it is damaged and becomes silence, or is a short one, as at the end.

    Raises:
        DecodingFailed: no packet decodes.
    """
    pieces = [_output([packet], configuration) for packet in packets]
    if not any(len(piece) for piece in pieces):
        raise DecodingFailed("no packet decodes")
    if not all(len(piece) for piece in pieces) and DAMAGED not in warnings:
        warnings.append(DAMAGED)
    silence = np.zeros((configuration.frames_per_packet, configuration.channels), np.float32)
    return np.concatenate([piece if len(piece) else silence for piece in pieces])


def _output(packets: list[bytes], configuration: _Configuration) -> Block:
    """What the packets decode to, or nothing when one of them is none."""
    import soundfile

    nothing: Block = np.zeros((0, configuration.channels), np.float32)
    # libsndfile takes a packet that it cannot decode for silence.
    if not all(_begins_like_one(packet) for packet in packets):
        return nothing
    try:
        with soundfile.SoundFile(io.BytesIO(_caf(packets, configuration))) as sound:
            most = len(packets) * configuration.frames_per_packet
            block: Block = sound.read(most, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        return nothing
    return block if block.shape[1] == configuration.channels else nothing


def _begins_like_one(packet: bytes) -> bool:
    """Whether a packet begins with the header of an element: its kind, its number, and twelve bits that are zero."""
    head = int.from_bytes(packet[:3], "big")
    kind, unused = head >> 21, head >> 5 & 0xFFF
    return len(packet) > 3 and (kind in _FILLING or (kind in _SOUND and not unused))


def _caf(packets: list[bytes], configuration: _Configuration) -> bytes:
    """A Core Audio Format file of some packets (Apple's specification, version 1)."""
    flags = {16: 1, 20: 2, 24: 3, 32: 4}.get(configuration.depth, 1)
    rate, per_packet, channels = configuration.sample_rate, configuration.frames_per_packet, configuration.channels
    description = struct.pack(">d4sIIIII", rate, b"alac", flags, 0, per_packet, channels, 0)
    frames = len(packets) * per_packet
    table = struct.pack(">qqii", len(packets), frames, 0, 0) + b"".join(_variable(len(p)) for p in packets)
    data = b"\x00\x00\x00\x00" + b"".join(packets)
    chunks = ((b"desc", description), (b"kuki", configuration.cookie), (b"pakt", table), (b"data", data))
    return b"caff\x00\x01\x00\x00" + b"".join(struct.pack(">4sq", name, len(body)) + body for name, body in chunks)


def _variable(number: int) -> bytes:
    """A number in groups of seven bits, all but the last marked."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))
