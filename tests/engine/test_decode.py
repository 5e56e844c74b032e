"""Files in, samples out; and clear words for what is no audio."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sample_agent.engine import AudioError, analyze_file, decode, sniff_format
from tests.engine.files import AUDIO, WRITABLE, pcm_wav, with_flac_length, write, zeros_in_flac
from tests.engine.memory import analysis_apart
from tests.sounds import RATE, tone

M4A = ("chord.m4a", "chord-faststart.m4a", "chord-lossless.m4a", "chord.aac")


@pytest.mark.parametrize(("name", "container", "subtype"), WRITABLE)
def test_every_format_decodes_to_its_samples_whatever_its_name(
    tmp_path: Path, name: str, container: str, subtype: str
) -> None:
    path = write(tmp_path / "mislabelled.txt", container, subtype)
    audio = decode(path)
    assert audio.format == name == sniff_format(path.read_bytes()[:4096])
    assert audio.samples.dtype == np.float32
    assert audio.samples.shape[1] == 2
    assert len(audio.samples) / audio.sample_rate == pytest.approx(2.0, abs=0.2)
    left, right = np.abs(audio.samples[RATE // 2 : RATE]).max(axis=0)
    assert left == pytest.approx(0.5, abs=0.03)
    assert right == pytest.approx(0.25, abs=0.03)
    assert audio.warnings == ()


@pytest.mark.parametrize("name", M4A)
def test_m4a_decodes_to_what_was_encoded(name: str) -> None:
    audio = decode(AUDIO / name)
    assert audio.format == "m4a"
    assert audio.sample_rate == RATE
    spectrum = np.abs(np.fft.rfft(audio.samples[8192 : 8192 + RATE, 1]))
    assert spectrum.argmax() == 440
    assert np.abs(audio.samples[8192 : 8192 + RATE, 1]).max() == pytest.approx(0.2, abs=0.05)


def test_encoder_delay_of_m4a_is_cut_off() -> None:
    # 1.5 seconds went in; the bare stream, which cannot say so, keeps its padding.
    assert len(decode(AUDIO / "chord.m4a").samples) == pytest.approx(1.5 * RATE, abs=1)
    assert len(decode(AUDIO / "chord.aac").samples) % 1024 == 0


def test_a_long_aac_file_has_no_seams_between_blocks(tmp_path: Path) -> None:
    once = (AUDIO / "chord.aac").read_bytes()
    path = tmp_path / "long.aac"
    path.write_bytes(once * 3)
    sine = decode(path).samples[4096:60_000, 1]
    # A click would be a jump far beyond what a 440 Hz sine does from one sample to the next.
    assert np.abs(np.diff(sine)).max() < 0.2 * 2 * np.pi * 440 / RATE * 1.2


def test_aiff_c_and_id3_before_mp3_are_recognised(tmp_path: Path) -> None:
    mp3 = write(tmp_path / "plain.mp3", "MP3", "MPEG_LAYER_III").read_bytes()
    tagged = b"ID3\x03\x00\x00\x00\x00\x20\x00" + b"\x00" * 4096 + mp3
    path = tmp_path / "tagged.mp3"
    path.write_bytes(tagged)
    assert sniff_format(tagged[:4096]) == "mp3"
    assert decode(path).format == "mp3"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"RIFF\x00\x00\x00\x00AVI ",
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        b"\xff\xd8\xff\xe0" + bytes(64),
        b"%PDF-1.7",
        b"PK\x03\x04" + bytes(60),
        b"\x00\x00\x00\x18ftypheic" + bytes(40),
        b"OggS" + bytes(22) + b"\x01\x2a" + b"\x80theora" + bytes(40),
        "plain text, nothing to hear".encode("utf-16"),
    ],
)
def test_other_files_are_not_taken_for_audio(head: bytes) -> None:
    assert sniff_format(head) is None


def test_a_video_is_told_from_m4a_where_its_tracks_are_in_reach() -> None:
    movie = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41"
    video = movie + b"\x00\x00\x00\x28moov\x00\x00\x00\x20hdlr" + bytes(8) + b"vide" + bytes(12)
    sound = movie + b"\x00\x00\x00\x28moov\x00\x00\x00\x20hdlr" + bytes(8) + b"soun" + bytes(12)
    assert sniff_format(video) is None
    assert sniff_format(sound) == "m4a"


def test_random_bytes_are_rarely_audio() -> None:
    random = np.random.default_rng(1)
    assert sum(sniff_format(random.bytes(4096)) is not None for _ in range(500)) <= 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-audio"),
        (b"hello", "unsupported-format"),
        (pcm_wav(b"")[:12], "corrupt-audio"),
        (pcm_wav(b""), "empty-audio"),
        (pcm_wav(b"\0" * 1000, rate=0), "corrupt-audio"),
        (pcm_wav(b"\0" * 1000, rate=100), "unsupported-format"),
        (pcm_wav(b"\0" * 1000, rate=800_000), "unsupported-format"),
        (pcm_wav(b"\0" * 1000, claimed=RATE * 2 * 36_000), "too-long"),
        (b"fLaC", "corrupt-audio"),
        (b"fLaC" + bytes(100), "corrupt-audio"),
        (b"\x00\x00\x00\x1cftypM4A " + bytes(20), "corrupt-audio"),
        (b"OggS" + bytes(22) + b"\x01\x1e\x01vorbis" + bytes(30), "corrupt-audio"),
    ],
)
def test_hopeless_files_fail_with_a_reason(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "file.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError) as caught:
        decode(path)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")


def test_missing_files_and_folders_fail_with_a_reason(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.wav", tmp_path):
        with pytest.raises(AudioError) as caught:
            decode(path)
        assert caught.value.code == "file-not-found"


def test_a_flac_header_that_claims_ten_hours_is_refused_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", "FLAC")
    path.write_bytes(with_flac_length(path.read_bytes(), RATE * 36_000))
    with pytest.raises(AudioError) as caught:
        decode(path)
    assert caught.value.code == "too-long"


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_short_flac_file_gives_the_samples_that_libsndfile_gives(tmp_path: Path, subtype: str, channels: int) -> None:
    samples = np.random.default_rng(channels).uniform(-1, 1, (100_000, channels))
    samples[0], samples[1] = -1, 1
    path = write(tmp_path / "a.flac", "FLAC", subtype, samples)
    audio = decode(path)
    assert np.array_equal(audio.samples, soundfile.read(path, dtype="float32", always_2d=True)[0])
    assert audio.sample_rate == RATE
    assert audio.warnings == ()


def test_a_flac_file_that_does_not_tell_its_length_is_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", "FLAC")
    before = decode(path).samples
    path.write_bytes(with_flac_length(path.read_bytes(), 0))
    assert np.array_equal(decode(path).samples, before)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_flipped_bit_in_a_flac_file_is_told(tmp_path: Path, place: float) -> None:
    path = write(tmp_path / "a.flac", "FLAC", samples=np.random.default_rng(0).uniform(-1, 1, (RATE, 2)))
    flac = bytearray(path.read_bytes())
    flac[int(place * len(flac))] ^= 8
    path.write_bytes(flac)
    assert decode(path).warnings


def test_a_small_file_that_unpacks_to_hours_stops_in_bounded_memory(tmp_path: Path) -> None:
    bomb = zeros_in_flac(tmp_path / "bomb.flac", 300)
    assert bomb.stat().st_size < 300_000
    for limits in ({"max_seconds": 200.0}, {"max_bytes": 20 << 20}):
        with pytest.raises(AudioError) as caught:
            decode(bomb, **limits)
        assert caught.value.code == "too-long"
    found = analysis_apart(write(tmp_path / "small.wav"), bomb, max_seconds=250)
    assert found["error"] == "too-long"
    # 250 seconds of stereo float are 88 MB; the analysis keeps none of them.
    assert found["mebibytes"] < 40


def test_three_hours_are_analysed_in_little_more_memory_than_a_minute(tmp_path: Path) -> None:
    # Most of it is a hole in the file, which reads as silence.
    rate, seconds = 8000, 3 * 3600
    path = tmp_path / "long.wav"
    sounding = np.rint(20_000 * np.sin(2 * np.pi * 220 * np.arange(2 * rate) / rate)).astype("<i2")
    with path.open("wb") as file:
        file.write(pcm_wav(b"", claimed=2 * rate * seconds, rate=rate))
        for minute in range(0, 180, 5):
            file.seek(44 + 2 * minute * 60 * rate)
            file.write(sounding.tobytes())
        file.truncate(44 + 2 * rate * seconds)
    found = analysis_apart(write(tmp_path / "small.wav"), path)
    assert found["duration"] == seconds
    assert found["kind"] == "track"
    # All of it as floats would be 346 MB.
    assert found["mebibytes"] < 120


@pytest.mark.parametrize(
    ("container", "subtype"), [("WAV", "PCM_16"), ("AIFF", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")]
)
def test_a_truncated_file_gives_what_is_there_with_a_warning(tmp_path: Path, container: str, subtype: str) -> None:
    path = write(tmp_path / "whole", container, subtype, samples=tone(440, 8.0))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    audio = decode(path)
    assert 1.0 < len(audio.samples) / RATE < 7.0
    assert audio.warnings


def test_a_truncated_m4a_gives_what_is_there_with_a_warning(tmp_path: Path) -> None:
    content = (AUDIO / "chord-faststart.m4a").read_bytes()
    path = tmp_path / "cut.m4a"
    path.write_bytes(content[: len(content) * 2 // 3])
    audio = decode(path)
    assert 0.3 < len(audio.samples) / RATE < 1.3
    assert audio.warnings


def test_damaged_packets_of_m4a_become_silence_with_a_warning(tmp_path: Path) -> None:
    content = bytearray((AUDIO / "chord.m4a").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40] = b"\xff" * 40
    path = tmp_path / "damaged.m4a"
    path.write_bytes(content)
    audio = decode(path)
    assert len(audio.samples) == pytest.approx(1.5 * RATE, abs=1)


def test_a_recorder_that_left_the_length_open_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "open.wav"
    path.write_bytes(pcm_wav(np.zeros(RATE, "<i2").tobytes(), claimed=0xFFFFFFFF))
    audio = decode(path)
    assert len(audio.samples) == RATE
    assert audio.warnings == ()


def test_numbers_that_are_none_are_silenced_with_a_warning(tmp_path: Path) -> None:
    samples = tone(440, 1.0)
    samples[100:200], samples[300], samples[400] = np.nan, np.inf, 1e30
    audio = decode(write(tmp_path / "nan.wav", "WAV", "FLOAT", samples))
    assert np.isfinite(audio.samples).all()
    assert audio.warnings


@pytest.mark.parametrize("subtype", ["DOUBLE", "FLOAT"])
def test_what_is_far_too_loud_is_limited_and_what_is_infinite_is_silenced(tmp_path: Path, subtype: str) -> None:
    samples = tone(440, 0.1)
    loud = 1e300 if subtype == "DOUBLE" else 1e38
    samples[100:104] = loud, -loud, np.inf, np.nan
    audio = decode(write(tmp_path / "loud.wav", "WAV", subtype, samples))
    assert audio.samples[100:104, 0].tolist() == [64, -64, 0, 0]
    assert np.array_equal(audio.samples[104:, 0], samples[104:].astype(np.float32))
    assert audio.warnings


def test_sixty_four_channels_work_and_more_are_refused(tmp_path: Path) -> None:
    many = write(tmp_path / "64.wav", samples=np.full((4410, 64), 0.1))
    assert analyze_file(many).channels == 64
    too_many = write(tmp_path / "65.wav", samples=np.full((4410, 65), 0.1))
    with pytest.raises(AudioError) as caught:
        decode(too_many)
    assert caught.value.code == "unsupported-format"


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 96_000, 192_000, 384_000])
def test_unusual_sample_rates_work(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate), rate)
    analysis = analyze_file(path)
    assert analysis.duration == pytest.approx(1.0)
    assert analysis.spectral.centroid_hz == pytest.approx(440, rel=0.25)


def test_an_mp4_without_sound_says_so(tmp_path: Path) -> None:
    movie_header = struct.pack(">I4s", 28, b"mvhd") + bytes(12) + struct.pack(">II", 1000, 0)
    movie = struct.pack(">I4s", 8 + len(movie_header), b"moov") + movie_header
    path = tmp_path / "mute.m4a"
    path.write_bytes(b"\x00\x00\x00\x10ftypM4A \x00\x00\x00\x00" + movie)
    with pytest.raises(AudioError) as caught:
        decode(path)
    assert caught.value.code == "unsupported-format"
