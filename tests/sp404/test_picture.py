import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sample_agent.sp404.errors import FormatError
from sample_agent.sp404.formats.picture import Picture
from tests.damage import damaged
from tests.device_files import UGC, every_device_file, needs_device_files

RNG = np.random.default_rng(128)
SPECKLE = RNG.random((64, 128)) < 0.5


def bmp(
    bits: int, rows: bytes, palette: bytes = b"", *, colours: int = 0, height: int = 64, extra: bytes = b""
) -> bytes:
    """A BMP as a drawing program makes it; `extra` stretches the second header."""
    offset = 54 + len(extra) + len(palette)
    file_header = struct.pack("<2sIHHI", b"BM", offset + len(rows), 0, 0, offset)
    info = struct.pack("<IiiHHIIiiII", 40 + len(extra), 128, height, 1, bits, 0, len(rows), 2835, 2835, colours, 0)
    return file_header + info + extra + palette + rows


WHITE_FIRST = b"\xff\xff\xff\0\0\0\0\0"
BLACK_FIRST = b"\0\0\0\0\xff\xff\xff\0"


@pytest.mark.parametrize("path", every_device_file("*.bmp"))
def test_a_units_own_picture_is_read_and_written_again(path: Path) -> None:
    content = path.read_bytes()
    picture = Picture.read(content)
    assert picture.to_bytes() == content
    assert picture.bits == 1
    assert Picture.of(picture.pixels).to_bytes() == content


@needs_device_files
def test_a_units_own_picture_stands_upright() -> None:
    path = UGC / "pad-sequencer" / "2026-04-08" / "PICTURE" / "screen_saver_1.bmp"
    letter = Picture.read(path.read_bytes()).pixels[7:22, 22:33]  # the P of "SP-404"
    bowl, stem = letter[:, 4:], letter[:, :4]
    assert stem.all(axis=1).sum() == 15
    assert bowl[:3].all(axis=1).any()
    assert not bowl[-3:].any()


def test_the_first_row_of_the_array_is_the_top_of_the_picture_and_the_last_in_the_file() -> None:
    pixels = np.zeros((64, 128), np.bool_)
    pixels[0, 0] = pixels[63, 127] = True
    content = Picture.of(pixels).to_bytes()
    assert len(content) == 1_086
    assert content[62 + 15] == 0x01
    assert content[-16] == 0x80
    assert sum(content[62:]) == 0x81


@given(pixels=arrays(np.bool_, (64, 128)))
def test_any_pixels_come_back(pixels: np.ndarray) -> None:
    assert np.array_equal(Picture.read(Picture.of(pixels).to_bytes()).pixels, pixels)


@pytest.mark.parametrize(
    "pixels", [np.zeros((128, 64), np.bool_), np.zeros((64, 128), np.uint8), np.zeros(5, np.bool_)]
)
def test_only_pixels_of_the_screen_make_a_picture(pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"bool\[64, 128\]"):
        Picture.of(pixels)


def test_a_palette_that_begins_with_white_turns_the_bits_around() -> None:
    rows = np.packbits(~SPECKLE[::-1], axis=1).tobytes()
    assert np.array_equal(Picture.read(bmp(1, rows, WHITE_FIRST)).pixels, SPECKLE)


def test_a_picture_stored_from_the_top_is_read_from_the_top() -> None:
    rows = np.packbits(SPECKLE, axis=1).tobytes()
    assert np.array_equal(Picture.read(bmp(1, rows, BLACK_FIRST, height=-64)).pixels, SPECKLE)


@pytest.mark.parametrize("extra", [0, 68, 84])
def test_four_and_eight_bits_are_read_through_their_palette(extra: int) -> None:
    greys = bytes(part for grey in range(0, 256, 17) for part in (grey, grey, grey, 0))
    shades = RNG.integers(0, 16, (64, 128), dtype=np.uint8)
    four = (shades[::-1, 0::2] << 4 | shades[::-1, 1::2]).tobytes()
    for content in (
        bmp(4, four, greys, extra=bytes(extra)),
        bmp(8, shades[::-1].tobytes(), greys, colours=16, extra=bytes(extra)),
    ):
        picture = Picture.read(content)
        assert np.array_equal(picture.pixels, shades >= 8)
        assert picture.to_bytes() == content


def test_24_bits_are_lit_where_they_are_bright() -> None:
    colours = np.zeros((64, 128, 3), np.uint8)
    colours[:, :32] = (0, 255, 0)  # green is bright
    colours[:, 32:64] = (255, 0, 0)  # blue is not
    colours[:, 64:96] = 255
    lit = Picture.read(bmp(24, colours[::-1].tobytes())).pixels
    assert np.array_equal(lit, np.broadcast_to((np.arange(128) // 32) % 2 == 0, (64, 128)))


def test_a_picture_with_something_after_the_pixels_is_kept() -> None:
    content = Picture.of(SPECKLE).to_bytes() + b"made by hand"
    assert Picture.read(content).to_bytes() == content


def changed(offset: int, layout: str, value: int) -> bytes:
    content = bytearray(Picture.of(SPECKLE).to_bytes())
    struct.pack_into(layout, content, offset, value)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "less than its headers"),
        (b"BM" + bytes(51), "less than its headers"),
        (b"\x89PNG" + bytes(2_000), "begins with"),
        (Picture.of(SPECKLE).to_bytes()[:-1], "pixels end too soon"),
        (Picture.of(SPECKLE).to_bytes()[:60], "colours end too soon"),
        (Picture.of(SPECKLE).to_bytes() + bytes(70_000), "too many"),
        (changed(10, "<I", 61), "overlap"),
        (changed(10, "<I", 0xFFFFFFFF), "pixels end too soon"),
        (changed(14, "<I", 12), "header of 12"),
        (changed(14, "<I", 0xFFFFFFFF), "colours end too soon"),
        (changed(18, "<i", 127), "127x64"),
        (changed(22, "<i", -0x80000000), "not 128x64"),
        (changed(26, "<H", 2), "planes"),
        (changed(28, "<H", 2), "2 bits"),
        (changed(28, "<H", 32), "32 bits"),
        (changed(28, "<H", 8), "overlap"),
        (changed(28, "<H", 4), "overlap"),
        (changed(30, "<I", 1), "compressed"),
    ],
)
def test_a_picture_that_is_not_right_is_refused_with_the_reason(content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        Picture.read(content)


def test_colours_a_palette_leaves_out_are_dark() -> None:
    rows = bytes([1]) * 8_192
    assert not Picture.read(bmp(8, rows, b"\xff\xff\xff\0", colours=1)).pixels.any()
    assert Picture.read(bmp(8, bytes(8_192), b"\xff\xff\xff\0", colours=1)).pixels.all()


@settings(deadline=None)
@given(
    content=st.one_of(
        st.binary(max_size=200),
        damaged(Picture.of(SPECKLE).to_bytes()),
        damaged(bmp(8, bytes(8_192), WHITE_FIRST, colours=2)),
    )
)
def test_a_damaged_picture_is_read_as_it_is_or_refused(content: bytes) -> None:
    try:
        picture = Picture.read(content)
    except FormatError:
        return
    assert picture.to_bytes() == content
    assert picture.pixels.shape == (64, 128)
