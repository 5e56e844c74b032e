"""Apple Lossless in MP4: its packets in a CAF wrapper, which libsndfile reads."""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from sample_agent.engine.decoding.mp4 import AudioTrack
from sample_agent.engine.decoding.stream import BLOCK_FRAMES, AudioStream, Block, DecodingFailed, corrupt

_COOKIE = struct.Struct(">IBBBBBBHIII")


def open_alac(file: BinaryIO, track: AudioTrack, max_seconds: float) -> AudioStream:
    """Open the Apple Lossless track of an MP4 file.

    Raises:
        AudioError: "corrupt-audio" when its description makes no sense.
    """
    import soundfile

    try:
        frames_per_packet, _, depth, _, _, _, channels, _, _, _, sample_rate = _COOKIE.unpack(track.configuration[:24])
        caf = _caf(file, track, frames_per_packet, depth, channels, sample_rate)
        sound = soundfile.SoundFile(io.BytesIO(caf))
    except (struct.error, soundfile.LibsndfileError) as error:
        raise corrupt("m4a") from error

    def read() -> Iterator[Block]:
        with sound:
            while True:
                try:
                    block = sound.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
                except soundfile.LibsndfileError as error:
                    raise DecodingFailed(str(error)) from error
                if not len(block):
                    return
                yield block

    return AudioStream("m4a", sound.samplerate, sound.channels, sound.frames, read(), max_seconds)


def _caf(file: BinaryIO, track: AudioTrack, frames_per_packet: int, depth: int, channels: int, rate: int) -> bytes:
    """A Core Audio Format file of the track's packets (Apple's specification, version 1)."""
    flags = {16: 1, 20: 2, 24: 3, 32: 4}.get(depth, 1)
    description = struct.pack(">d4sIIIII", rate, b"alac", flags, 0, frames_per_packet, channels, 0)
    packets = []
    for offset, size in zip(track.offsets.tolist(), track.sizes.tolist(), strict=True):
        file.seek(offset)
        packets.append(file.read(size))
    frames = len(packets) * frames_per_packet if track.duration is None else track.duration * rate // track.timescale
    padding = max(len(packets) * frames_per_packet - frames, 0)
    table = struct.pack(">qqii", len(packets), frames, 0, padding) + b"".join(_variable(len(p)) for p in packets)
    data = b"\x00\x00\x00\x00" + b"".join(packets)
    chunks = ((b"desc", description), (b"kuki", track.configuration), (b"pakt", table), (b"data", data))
    return b"caff\x00\x01\x00\x00" + b"".join(struct.pack(">4sq", name, len(body)) + body for name, body in chunks)


def _variable(number: int) -> bytes:
    """A number in groups of seven bits, all but the last marked."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))
