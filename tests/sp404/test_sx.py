import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sample_agent.sp404.errors import FormatError, OutOfRangeError
from sample_agent.sp404.formats.sx import PadInfo, SxPad, SxSlot
from sample_agent.sp404.formats.sx_wav import SxWavHeader, read_sx_wav_blocks, write_sx_wav
from tests.damage import damaged
from tests.device_files import UTTORI, every_device_file, needs_device_files

A1, J12 = SxSlot.parse("A1"), SxSlot.parse("J12")


def wav(slot: SxSlot = A1, frames: int = 3_000, channels: int = 2) -> bytes:
    file = io.BytesIO()
    pcm = np.arange(frames * channels, dtype=np.int16).reshape(frames, channels)
    write_sx_wav(file, slot, channels, frames, [pcm[:1_000], pcm[1_000:]])
    return file.getvalue()


@needs_device_files
def test_the_pads_of_a_real_card_are_read_and_written_again() -> None:
    content = (UTTORI / "test" / "assets" / "PAD_INFO.BIN").read_bytes()
    pad_info = PadInfo.read(content)
    assert pad_info.to_bytes() == content
    first = pad_info[A1]
    assert (first.volume, first.reverse, first.gate, first.channels) == (87, True, False, 2)
    assert (first.original_tempo, first.user_tempo, first.tempo_mode) == (109.9, 109.9, 0)
    assert sum(not pad.is_empty for pad in pad_info.pads) == 18


@needs_device_files
def test_single_records_are_read_and_written_again() -> None:
    records = [each.read_bytes() for each in (UTTORI / "test" / "assets").glob("*.BIN") if each.stat().st_size == 32]
    assert len(records) == 6
    assert [SxPad.read(record).to_bytes() for record in records] == records


@pytest.mark.parametrize("path", every_device_file("audio-wave/*.[wW][aA][vV]"))
def test_a_sound_of_roland_s_converter_is_read_and_made_again(path: Path) -> None:
    content = path.read_bytes()
    with path.open("rb") as file:
        header, blocks = read_sx_wav_blocks(file, len(content), block_frames=1_000)
        again = io.BytesIO()
        assert header.slot == SxSlot.parse_sound_name(path.name)
        write_sx_wav(again, header.slot, header.channels, header.frames, blocks)
    assert again.getvalue() == content


@needs_device_files
def test_the_records_know_the_size_of_the_sounds() -> None:
    pad_info = PadInfo.read((UTTORI / "test" / "assets" / "PAD_INFO.BIN").read_bytes())
    assert pad_info[A1].original_end == (UTTORI / "audio-wave" / "A0000001.wav").stat().st_size
    assert pad_info[J12].original_end == (UTTORI / "audio-wave" / "J0000012.WAV").stat().st_size


def test_an_empty_pad_is_the_unit_s() -> None:
    expected = bytes.fromhex("00000200 00000200 00000200 00000200 7f000001 00010200 000004b0 000004b0")
    assert SxPad.empty().to_bytes() == expected
    assert SxPad.empty().is_empty
    assert PadInfo().to_bytes() == expected * 120


def test_a_pad_is_made_for_a_sound() -> None:
    content = wav(J12, channels=1)
    pad = SxPad.for_sound(len(content), 1, tempo=92.5).replace(volume=100, loop=True, gate=False)
    read = PadInfo.read(PadInfo().with_pad(J12, pad).to_bytes())[J12]
    assert (read.original_end, read.user_end, read.channels, read.is_wave) == (6_512, 6_512, 1, True)
    assert (read.original_tempo, read.volume, read.loop, read.gate) == (92.5, 100, True, False)
    assert read.problems() == []


@pytest.mark.parametrize(
    "fields", [{"volume": 128}, {"channels": 0}, {"tempo_mode": 3}, {"user_start": 511}, {"colour": 1}, {"volume": 0.5}]
)
def test_a_value_the_unit_does_not_have_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(OutOfRangeError):
        SxPad.empty().replace(**fields)


@given(st.binary(min_size=3_840, max_size=3_840))
def test_any_3840_bytes_are_kept(content: bytes) -> None:
    assert PadInfo.read(content).to_bytes() == content


@given(st.binary(max_size=4_000))
def test_other_sizes_are_refused(content: bytes) -> None:
    for read, size in ((PadInfo.read, 3_840), (SxPad.read, 32)):
        if len(content) != size:
            with pytest.raises(FormatError, match=r"PAD_INFO\.BIN"):
                read(content)


@pytest.mark.parametrize("label", ["A0", "A13", "K1", "", "A1\n", "J012"])
def test_a_pad_that_is_not_there_is_refused(label: str) -> None:
    with pytest.raises(OutOfRangeError):
        SxSlot.parse(label)


def test_pads_and_sounds_have_each_other_s_names() -> None:
    slots = [SxSlot.from_index(index) for index in range(120)]
    assert slots[0] == A1
    assert slots[-1] == J12
    assert [SxSlot.parse(str(slot)) for slot in slots] == slots
    assert [SxSlot.parse_sound_name(slot.wav_name) for slot in slots] == slots
    assert SxSlot.parse_sound_name("b0000007.aif") == SxSlot.parse("B7")
    assert SxSlot.parse_sound_name("A0000013.WAV") is None


def test_the_other_header_seen_in_the_wild_is_read() -> None:
    ours = wav()
    other = ours[:16] + (16).to_bytes(4, "little") + ours[20:36] + b"RLND" + (460).to_bytes(4, "little") + ours[46:504]
    other += bytes(504 - len(other)) + ours[504:]
    header = SxWavHeader.read(other[:512], len(other))
    assert (header.channels, header.frames, header.slot) == (2, 3_000, A1)
    assert header.to_bytes() == other[:512]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w[:500], "header alone"),
        (lambda w: w[:-2], "says it has"),
        (lambda w: b"RIFX" + w[4:], "begin as a WAV"),
        (lambda w: w[:22] + b"\3" + w[23:], "PCM in mono or stereo"),
        (lambda w: w[:20] + b"\3" + w[21:], "PCM in mono or stereo"),
        (lambda w: w[:38] + b"LIST" + w[42:], "no chunk 'RLND'"),
        (lambda w: w[:46] + b"x" + w[47:], "not of the SP-404SX"),
        (lambda w: w[:42] + b"\xff\xff\xff\x7f" + w[46:], "byte 512"),
        (lambda w: w[:508] + b"\xff\xff\xff\x7f" + w[512:], "bytes early"),
        (lambda w: w[:508] + b"\x03" + w[509:], "within a sample frame"),
    ],
)
def test_a_damaged_sound_is_refused_with_the_reason(change, message: str) -> None:
    content = change(wav())
    with pytest.raises(FormatError, match=message):
        SxWavHeader.read(content[:512], len(content))


@given(damaged(wav(frames=1_100)))
def test_a_damaged_sound_is_read_or_refused(content: bytes) -> None:
    try:
        header, blocks = read_sx_wav_blocks(io.BytesIO(content), len(content))
        assert sum(len(block) for block in blocks) == header.frames
    except FormatError:
        pass


def test_a_sound_that_is_not_as_long_as_announced_is_refused() -> None:
    for frames in (1, 3):
        with pytest.raises(ValueError, match="announced"):
            write_sx_wav(io.BytesIO(), A1, 1, frames, [np.zeros((2, 1), np.int16)])
    with pytest.raises(OutOfRangeError):
        SxWavHeader.for_audio(A1, 3, 1)
    with pytest.raises(OutOfRangeError):
        SxWavHeader.for_audio(A1, 2, 1 << 30)
