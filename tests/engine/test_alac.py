"""Apple Lossless of any length, block by block."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sample_agent.engine import AudioError, decode
from sample_agent.engine.decoding.decode import open_audio
from sample_agent.engine.decoding.mp4 import AudioTrack, read_audio_track
from tests.engine.files import AUDIO, write
from tests.engine.memory import analysis_apart
from tests.sounds import RATE, tone

LOSSLESS = AUDIO / "chord-lossless.m4a"
PER_PACKET = 4096


@pytest.fixture(scope="module")
def once() -> np.ndarray:
    """What the packets of the carried file decode to; the last one is a short one."""
    samples = decode(LOSSLESS).samples
    assert len(samples) == pytest.approx(1.5 * RATE, abs=1)
    return samples


def test_blocks_of_packets_have_no_seams(tmp_path: Path, once: np.ndarray) -> None:
    path = mp4(tmp_path / "long.m4a", carried(), [*range(16)] * 70)
    audio = decode(path)
    assert np.array_equal(audio.samples, np.concatenate([once[: 16 * PER_PACKET]] * 70))
    assert audio.warnings == ()


def test_a_short_packet_at_the_end_is_no_damage(tmp_path: Path, once: np.ndarray) -> None:
    for times in (1, 3, 16):
        path = mp4(tmp_path / "odd.m4a", carried(), [*[3, 4, 5] * times, 16])
        expected = [*[once[3 * PER_PACKET : 6 * PER_PACKET]] * times, once[16 * PER_PACKET :]]
        audio = decode(path)
        assert np.array_equal(audio.samples, np.concatenate(expected))
        assert audio.warnings == ()


def test_a_track_may_begin_and_end_within_its_packets(tmp_path: Path, once: np.ndarray) -> None:
    path = mp4(tmp_path / "edited.m4a", carried(), [*range(16)] * 3, edit=(1000, 100_000))
    assert np.array_equal(decode(path).samples, np.concatenate([once[: 16 * PER_PACKET]] * 3)[1000:101_000])


@pytest.mark.parametrize("first", [b"\x40", b"\xe0", b"\x20\x01"])
def test_a_packet_that_does_not_decode_is_silence_with_a_warning(
    tmp_path: Path, once: np.ndarray, first: bytes
) -> None:
    # Such a packet begins with an element that nobody writes, or ends where it begins, or has bits where none are.
    packets = carried()
    packets[5] = first + packets[5][len(first) :]
    audio = decode(mp4(tmp_path / "damaged.m4a", packets, [*range(16)] * 3))
    damaged = once[: 16 * PER_PACKET].copy()
    damaged[5 * PER_PACKET : 6 * PER_PACKET] = 0
    assert np.array_equal(audio.samples, np.concatenate([damaged] * 3))
    assert any("damaged" in warning for warning in audio.warnings)


@pytest.mark.parametrize("packet", [b"\x40" * 4000, b"\xff" * 4000, b""])
def test_nothing_but_damage_is_corrupt(tmp_path: Path, packet: bytes) -> None:
    with pytest.raises(AudioError) as caught:
        decode(mp4(tmp_path / "damaged.m4a", [packet], [0] * 3))
    assert caught.value.code == "corrupt-audio"


def test_a_packet_too_large_to_be_one_is_not_read(tmp_path: Path, once: np.ndarray) -> None:
    packets = [*carried(), bytes(1 << 20)]
    audio = decode(mp4(tmp_path / "damaged.m4a", packets, [0, 17, 2]))
    expected = once[: 3 * PER_PACKET].copy()
    expected[PER_PACKET : 2 * PER_PACKET] = 0
    assert np.array_equal(audio.samples, expected)
    assert audio.warnings


@pytest.mark.parametrize("frames", [0, 1 << 20, (1 << 32) - 1])
def test_packets_of_a_length_that_nobody_writes_are_refused(tmp_path: Path, frames: int) -> None:
    content = LOSSLESS.read_bytes()
    path = tmp_path / "cookie.m4a"
    path.write_bytes(content.replace(track().configuration, struct.pack(">I", frames) + track().configuration[4:]))
    with pytest.raises(AudioError) as caught:
        decode(path)
    assert caught.value.code == "corrupt-audio"


def test_three_quarters_of_an_hour_sound_to_the_end_in_bounded_memory(tmp_path: Path) -> None:
    # Mostly silence, which is decoded faster; one packet of sixteen sounds.
    samples = np.concatenate((tone(440, PER_PACKET / RATE), np.zeros(PER_PACKET)))
    cookie, packets = encoded(tmp_path / "two.caf", samples)
    times = 3600 * RATE * 3 // 4 // (16 * PER_PACKET)
    path = mp4(tmp_path / "long.m4a", packets, [*[1] * 15, 0] * times, cookie=cookie)
    with open_audio(path) as stream:
        frames = sounding = last = 0
        for block in stream.blocks():
            frames += len(block)
            sounding += int(np.count_nonzero(np.abs(block) > 0.1))
            last = int(np.abs(block).max() > 0.1)
    assert frames == times * 16 * PER_PACKET
    assert sounding == times * np.count_nonzero(np.abs(decoded_once(tmp_path, packets, cookie)) > 0.1)
    assert last
    assert stream.warnings == []
    found = analysis_apart(write(tmp_path / "small.wav"), path)
    assert found["duration"] == pytest.approx(frames / RATE)
    # All of it as floats would be 475 MB.
    assert found["mebibytes"] < 100


def decoded_once(folder: Path, packets: list[bytes], cookie: bytes) -> np.ndarray:
    return decode(mp4(folder / "once.m4a", packets, [0, 1], cookie=cookie)).samples


def track() -> AudioTrack:
    with LOSSLESS.open("rb") as file:
        found = read_audio_track(file)
    assert found is not None
    return found


def carried() -> list[bytes]:
    """The packets of the carried file."""
    content, found = LOSSLESS.read_bytes(), track()
    return [content[at : at + size] for at, size in zip(found.offsets.tolist(), found.sizes.tolist(), strict=True)]


def encoded(path: Path, samples: np.ndarray) -> tuple[bytes, list[bytes]]:
    """Cookie and packets of samples, as libsndfile encodes them."""
    soundfile.write(path, samples, RATE, format="CAF", subtype="ALAC_16")
    content = path.read_bytes()
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at + 12 <= len(content):
        name, size = struct.unpack_from(">4sq", content, at)
        chunks.setdefault(name, content[at + 12 : at + 12 + size])
        at += 12 + size
    sizes, size = [], 0
    for byte in chunks[b"pakt"][24:]:
        size = size << 7 | byte & 0x7F
        if not byte & 0x80:
            sizes.append(size)
            size = 0
    (count,) = struct.unpack_from(">q", chunks[b"pakt"])
    ends = np.cumsum([4, *sizes[:count]]).tolist()
    return chunks[b"kuki"], [chunks[b"data"][start:end] for start, end in pairwise(ends)]


def mp4(
    path: Path,
    packets: list[bytes],
    named: list[int],
    *,
    edit: tuple[int, int] | None = None,
    cookie: bytes | None = None,
) -> Path:
    """An MP4 file of Apple Lossless that may name the same few packets again and again: long, and small all the same.

    Args:
        path: where to.
        packets: what is there.
        named: numbers of packets, in the order in which they sound.
        edit: first frame and number of frames that sound.
        cookie: says how the packets are encoded; that of the carried file if None.
    """
    content = LOSSLESS.read_bytes()
    start = content.index(b"stsd") - 4
    description = content[start : start + int.from_bytes(content[start : start + 4], "big")]
    if cookie:
        assert len(cookie) == len(track().configuration)
        description = description.replace(track().configuration, cookie)
    kind = _box(b"ftyp", b"M4A \0\0\0\0")
    starts = np.cumsum([len(kind) + 8, *map(len, packets)])
    table = _box(
        b"stbl",
        description,
        _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1)),
        _box(
            b"stsz", struct.pack(">III", 0, 0, len(named)), np.array([len(packets[n]) for n in named], ">u4").tobytes()
        ),
        _box(b"stco", struct.pack(">II", 0, len(named)), starts[named].astype(">u4").tobytes()),
    )
    media = _box(
        b"mdia",
        _box(b"mdhd", struct.pack(">IIIIII", 0, 0, 0, RATE, 0, 0)),
        _box(b"hdlr", bytes(8) + b"soun" + bytes(13)),
        _box(b"minf", table),
    )
    edits = _box(b"edts", _box(b"elst", struct.pack(">IIIiI", 0, 1, edit[1], edit[0], 1 << 16))) if edit else b""
    movie = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, RATE, 0) + bytes(80))
    path.write_bytes(kind + _box(b"mdat", *packets) + _box(b"moov", movie, _box(b"trak", edits, media)))
    return path


def _box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), name) + body
