import io
import wave

import numpy as np
import pytest
import soundfile

from sample_agent.sp404.formats.wav import (
    HEADER_BYTES,
    NotCanonicalWavError,
    read_wav,
    read_wav_header,
    wav_header,
    wav_size,
    write_wav,
)

RNG = np.random.default_rng(1)


def written(pcm: np.ndarray) -> bytes:
    file = io.BytesIO()
    assert write_wav(file, pcm) == len(file.getvalue())
    return file.getvalue()


def noise(frames: int, channels: int) -> np.ndarray:
    return RNG.integers(-32_768, 32_768, (frames, channels), dtype=np.int16)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("frames", [0, 1, 300_001])
def test_a_written_file_is_read_back_and_has_the_promised_size(frames: int, channels: int) -> None:
    pcm = noise(frames, channels)
    content = written(pcm)
    assert len(content) == wav_size(channels, frames) == HEADER_BYTES + frames * channels * 2
    assert np.array_equal(read_wav(content), pcm)


@pytest.mark.parametrize("channels", [1, 2])
def test_other_readers_agree(channels: int) -> None:
    pcm = noise(4800, channels)
    content = written(pcm)
    samples, rate = soundfile.read(io.BytesIO(content), dtype="int16", always_2d=True)
    assert rate == 48_000
    assert np.array_equal(samples, pcm)
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (channels, 2, 48_000)
        assert file.readframes(4800) == pcm.tobytes()


def test_the_header_is_the_canonical_one() -> None:
    assert wav_header(2, 1).hex(" ", 4) == (
        "52494646 28000000 57415645 666d7420 10000000 01000200 80bb0000 00ee0200 04001000 64617461 04000000"
    )


def test_an_array_in_column_order_is_written_row_by_row() -> None:
    pcm = noise(1000, 2)
    assert written(np.asfortranarray(pcm)) == written(pcm)


@pytest.mark.parametrize(
    "pcm",
    [np.zeros((10, 3), np.int16), np.zeros((10, 0), np.int16), np.zeros(10, np.int16), np.zeros((10, 1), np.float32)],
)
def test_what_is_no_sample_for_the_unit_is_refused(pcm: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"channels"):
        write_wav(io.BytesIO(), pcm)


def test_a_file_over_four_gigabytes_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        wav_header(2, 2**30)


def damaged(**changes: object) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.zeros((100, changes.get("channels", 1))), changes.get("rate", 48_000), **changes["how"])
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        written(noise(100, 2))[:-1],
        written(noise(100, 2)) + b"\0",
        written(noise(100, 1)).replace(b"data", b"LIST", 1),
        damaged(how={"format": "WAV", "subtype": "PCM_24"}),
        damaged(how={"format": "WAV", "subtype": "FLOAT"}),
        damaged(how={"format": "WAVEX", "subtype": "PCM_16"}),
        damaged(how={"format": "WAV", "subtype": "PCM_16"}, rate=44_100),
        damaged(how={"format": "WAV", "subtype": "PCM_16"}, channels=3),
        damaged(how={"format": "FLAC", "subtype": "PCM_16"}),
    ],
)
def test_any_other_file_is_refused(content: bytes) -> None:
    with pytest.raises(NotCanonicalWavError):
        read_wav(content)


def test_a_header_alone_can_be_checked() -> None:
    shape = read_wav_header(wav_header(2, 500), wav_size(2, 500))
    assert (shape.channels, shape.frames) == (2, 500)
