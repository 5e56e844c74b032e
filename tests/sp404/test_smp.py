import hashlib
import io
import struct
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.formats.smp import MAX_FRAMES, SmpHeader, read_smp_blocks, smp_size, write_smp
from tests.damage import damaged
from tests.device_files import every_device_file

RNG = np.random.default_rng(404)


def written(pcm: np.ndarray) -> bytes:
    file = io.BytesIO()
    assert write_smp(file, pcm.shape[1], len(pcm), [pcm]) == len(file.getvalue())
    return file.getvalue()


def read(content: bytes) -> np.ndarray:
    header, blocks = read_smp_blocks(io.BytesIO(content))
    return np.concatenate([np.empty((0, header.channels), np.int16), *blocks])


def noise(frames: int, channels: int) -> np.ndarray:
    return RNG.integers(-32_768, 32_768, (frames, channels), dtype=np.int16)


@pytest.mark.parametrize("path", every_device_file("*.SMP.head"))
def test_the_header_of_a_units_own_file_is_read_and_written_again(path: Path) -> None:
    head = path.read_bytes()
    size = int(path.with_suffix(".size").read_text())
    header = SmpHeader.read(head, size)
    assert header.channels == 2
    assert header.file_size == size
    assert header.to_bytes() == head


def test_the_header_has_the_published_bytes_and_checksum() -> None:
    head = SmpHeader.for_audio(2, 144_000).to_bytes()
    assert head[:20] == bytes.fromhex("52465756 0008CBF8 0000BB80 00000002 00000010")
    assert head[20:32] == bytes(12)
    assert head[32:36] == bytes.fromhex("2974FF85")
    assert head[32:48] == hashlib.md5(head[4:20]).digest()
    assert head[48:] == bytes(464)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frames", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_written_audio_is_read_back(frames: int, channels: int) -> None:
    pcm = noise(frames, channels)
    content = written(pcm)
    assert len(content) == smp_size(channels, frames)
    assert np.array_equal(read(content), pcm)


def test_the_audio_is_big_endian_and_interleaved_from_byte_512() -> None:
    content = written(np.array([[1, -2], [0x1234, -32_768]], dtype=np.int16))
    assert content[512:] == bytes.fromhex("0001 FFFE 1234 8000")


@pytest.mark.parametrize("channels", [0, 3, -1])
def test_only_mono_and_stereo_are_written(channels: int) -> None:
    file = io.BytesIO()
    with pytest.raises(OutOfRangeError, match="channels"):
        write_smp(file, channels, 1, [])
    assert file.getvalue() == b""


@pytest.mark.parametrize("frames", [-1, MAX_FRAMES + 1])
@pytest.mark.parametrize("channels", [1, 2])
def test_more_than_sixteen_minutes_are_refused_before_anything_is_written(channels: int, frames: int) -> None:
    file = io.BytesIO()
    with pytest.raises(OutOfRangeError, match="46,126,464"):
        write_smp(file, channels, frames, [])
    assert file.getvalue() == b""


def test_the_longest_file_has_the_size_a_unit_gave_it() -> None:
    header = SmpHeader.for_audio(2, MAX_FRAMES)
    assert header.file_size == 184_506_368
    assert SmpHeader.read(header.to_bytes(), 184_506_368) == header
    assert header.duration == pytest.approx(960.968)


@pytest.mark.parametrize(
    "blocks",
    [
        [np.zeros((2, 2), np.int16)],
        [np.zeros((4, 2), np.int16)],
        [np.zeros((3, 1), np.int16)],
        [np.zeros(3, np.int16)],
        [np.zeros((3, 2), np.float32)],
        [np.zeros((3, 2), np.dtype(np.int16).newbyteorder())],
    ],
    ids=["too few", "too many", "mono", "flat", "float", "other byte order"],
)
def test_blocks_have_to_be_what_was_promised(blocks: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"frames|int16"):
        write_smp(io.BytesIO(), 2, 3, blocks)


def test_a_source_that_gives_more_than_it_promised_is_stopped_at_once() -> None:
    def endless() -> Iterator[np.ndarray]:
        while True:
            yield np.zeros((100, 1), np.int16)

    file = io.BytesIO()
    with pytest.raises(ValueError, match="more than the promised 250 frames"):
        write_smp(file, 1, 250, endless())
    assert len(file.getvalue()) <= smp_size(1, 250)


def with_field(index: int, value: int) -> bytes:
    """A header of a one-second stereo file with one of its four numbers changed, and the checksum that goes with it."""
    fields = [smp_size(2, 48_000) - 8, 48_000, 2, 16]
    fields[index] = value
    packed = struct.pack(">4I", *fields)
    return b"RFWV" + packed + bytes(12) + hashlib.md5(packed).digest() + bytes(464)


@pytest.mark.parametrize(
    ("head", "size", "message"),
    [
        (b"", 0, "less than a header"),
        (b"RF", 2, "less than a header"),
        (b"RIFF" + bytes(508), 512, "begins with"),
        (SmpHeader.for_audio(2, 48_000).to_bytes()[:-1], 192_512, "less than a header"),
        (with_field(0, 192_000), 192_512, "promises"),
        (with_field(1, 44_100), 192_512, "sample rate"),
        (with_field(2, 0), 192_512, "channels"),
        (with_field(2, 3), 192_512, "channels"),
        (with_field(3, 24), 192_512, "bits"),
        (with_field(0, 192_506), 192_514, "not whole"),
        (with_field(0, 0xFFFFFFFC - 8), 0xFFFFFFFC, "more than the unit takes"),
        (SmpHeader.for_audio(2, 48_000).to_bytes(), 192_508, "promises"),
        (SmpHeader.for_audio(2, 48_000).to_bytes(), 192_516, "promises"),
    ],
)
def test_a_header_that_is_not_right_is_refused_with_the_reason(head: bytes, size: int, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        SmpHeader.read(head, size)


def test_a_wrong_checksum_is_refused_and_its_place_named() -> None:
    head = bytearray(SmpHeader.for_audio(1, 10).to_bytes())
    head[0x2F] ^= 1
    with pytest.raises(FormatError, match="byte 0x0020: the checksum"):
        SmpHeader.read(head, smp_size(1, 10))


def test_a_file_that_shrinks_while_it_is_read_is_refused() -> None:
    content = written(noise(100_000, 2))
    _, blocks = read_smp_blocks(io.BytesIO(content[:-2]), len(content))
    with pytest.raises(FormatError, match="ends too soon"):
        list(blocks)


def test_a_file_in_the_middle_of_a_stream_is_read_to_its_own_end() -> None:
    pcm = noise(1_000, 1)
    stream = io.BytesIO(b"before" + written(pcm))
    stream.seek(6)
    _, blocks = read_smp_blocks(stream)
    assert np.array_equal(np.concatenate(list(blocks)), pcm)


class DribblingFile:
    """Gives at most `most` bytes at a time, as a pipe may."""

    def __init__(self, content: bytes, most: int) -> None:
        self._file = io.BytesIO(content)
        self._most = most

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, self._most))


def test_a_stream_that_gives_little_at_a_time_is_read_whole() -> None:
    pcm = noise(10_000, 2)
    content = written(pcm)
    header, blocks = read_smp_blocks(cast(BinaryIO, DribblingFile(content, 313)), len(content))
    assert np.array_equal(np.concatenate(list(blocks)), pcm)
    assert header.frames == 10_000


class LongFile:
    """Forgets what is written to it, and gives silence after the header when it is read."""

    def __init__(self) -> None:
        self.head = b""
        self.size = 0
        self.place = 0

    def write(self, content: bytes) -> int:
        self.head = (self.head + content[: 512 - len(self.head)])[:512]
        self.size += len(content)
        return len(content)

    def read(self, size: int) -> bytes:
        content = self.head[self.place : self.place + size]
        content += bytes(min(size, self.size - self.place) - len(content))
        self.place += len(content)
        return content


def test_sixteen_minutes_are_written_and_read_in_constant_memory() -> None:
    block = np.zeros((1 << 16, 2), np.int16)

    def silence() -> Iterator[np.ndarray]:
        for start in range(0, MAX_FRAMES, len(block)):
            yield block[: MAX_FRAMES - start]

    file = LongFile()
    tracemalloc.start()
    try:
        assert write_smp(cast(BinaryIO, file), 2, MAX_FRAMES, silence()) == 184_506_368
        header, blocks = read_smp_blocks(cast(BinaryIO, file), file.size)
        frames = sum(len(found) for found in blocks)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert frames == header.frames == MAX_FRAMES
    assert file.place == file.size == 184_506_368
    assert peak < 4_000_000


def test_a_long_mono_file_of_a_unit_is_read_and_none_is_written() -> None:
    header = SmpHeader(1, 2 * MAX_FRAMES)
    assert header.file_size == 184_506_368
    assert SmpHeader.read(header.to_bytes(), header.file_size) == header
    with pytest.raises(OutOfRangeError, match="46,126,464"):
        SmpHeader.for_audio(1, MAX_FRAMES + 1)
    for channels in (1, 2):
        with pytest.raises(OutOfRangeError, match="frames"):
            SmpHeader(channels, 2 * MAX_FRAMES // channels + 1)


def test_a_file_larger_than_any_of_a_unit_is_refused() -> None:
    fields = struct.pack(">IIII", 512 + 2 * (2 * MAX_FRAMES + 1) - 8, 48_000, 1, 16)
    head = b"RFWV" + fields + bytes(12) + hashlib.md5(fields).digest() + bytes(464)
    with pytest.raises(FormatError, match="more than the unit takes"):
        SmpHeader.read(head, 512 + 2 * (2 * MAX_FRAMES + 1))


@given(
    channels=st.sampled_from([1, 2]),
    frames=st.integers(0, MAX_FRAMES),
    filler=st.binary(min_size=464, max_size=464),
    reserved=st.binary(min_size=12, max_size=12),
)
def test_any_header_comes_back(channels: int, frames: int, filler: bytes, reserved: bytes) -> None:
    header = SmpHeader(channels, frames, filler, reserved)
    assert SmpHeader.read(header.to_bytes(), header.file_size) == header


@settings(deadline=None)
@given(content=st.one_of(st.binary(max_size=2_000), damaged(written(noise(64, 2)))))
def test_a_damaged_file_is_read_as_it_is_or_refused(content: bytes) -> None:
    file = io.BytesIO(content)
    try:
        header, blocks = read_smp_blocks(file)
        pcm = b"".join(block.astype(">i2").tobytes() for block in blocks)
    except FormatError:
        return
    assert header.to_bytes() + pcm == content
