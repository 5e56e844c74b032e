import io
import os
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

import sample_agent.sp404.sound.intake as intake_module
import sample_agent.sp404.sound.prepare as module
from sample_agent.sp404.formats.wav import read_wav
from sample_agent.sp404.sound.prepare import MIN_FRAMES, NothingToPrepareError, prepare, write_prepared

RNG = np.random.default_rng(2)
AUDIO = Path(os.environ.get("SAMPLE_AGENT_AUDIO", Path(__file__).parents[3] / "shared/audio"))


def tone(rate: int, seconds: float = 0.5, channels: int = 1, level: float = 0.5, hertz: float = 440.0) -> np.ndarray:
    time = np.arange(round(rate * seconds)) / rate
    return np.stack(
        [level * np.sin(2 * np.pi * hertz * (1 + channel / 7) * time) for channel in range(channels)], axis=1
    ).astype(np.float32)


def decoded(samples: np.ndarray, rate: int, subtype: str) -> np.ndarray:
    """What a decoder gives for these samples in a file of this depth."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype=subtype)
    file.seek(0)
    return soundfile.read(file, dtype="float32", always_2d=True)[0]


@pytest.mark.parametrize("channels", [1, 2])
def test_a_16_bit_48_khz_source_passes_bit_for_bit(channels: int) -> None:
    source = RNG.integers(-32_768, 32_768, (10_000, channels), dtype=np.int16)
    source[:2] = [[-32_768] * channels, [32_767] * channels]
    prepared = prepare(source.astype(np.float32) / 32_768, 48_000)
    assert np.array_equal(prepared.pcm, source)
    report = prepared.report
    assert (report.resampled, report.dithered, report.folded, report.gain_db) == (False, False, False, 0)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_resampled_sound_is_within_dither_of_an_independent_conversion(rate: int, channels: int) -> None:
    source = decoded(tone(rate, channels=channels), rate, "PCM_16")
    prepared = prepare(source, rate)
    expected = soxr.resample(source.astype(np.float64), rate, 48_000, quality="HQ") * 32_768
    assert prepared.pcm.shape == (24_000, channels)
    assert prepared.report.resampled
    difference = prepared.pcm - expected
    # Half a step of rounding, and one of dither.
    assert np.abs(difference).max() < 1.51
    assert np.sqrt(np.mean(difference**2)) < 0.6


def test_a_24_bit_source_is_dithered_and_a_tone_below_one_step_survives() -> None:
    source = decoded(tone(48_000, seconds=4, level=0.4 / 32_768, hertz=1000), 48_000, "PCM_24")
    prepared = prepare(source, 48_000)
    assert prepared.report.dithered
    spectrum = np.abs(np.fft.rfft(prepared.pcm[:, 0]))
    assert np.argmax(spectrum) == 4000
    assert not np.rint(source * 32_768).any(), "without dither there would be nothing but silence"


def test_dither_is_the_same_every_time_and_different_for_another_sound() -> None:
    source = tone(44_100)
    assert np.array_equal(prepare(source, 44_100).pcm, prepare(source.copy(), 44_100).pcm)
    other = source.copy()
    other[-1] += 1e-6
    assert not np.array_equal(prepare(source, 44_100).pcm, prepare(other, 44_100).pcm)


def test_dither_is_triangular_and_has_no_memory() -> None:
    source = np.full((200_000, 1), 0.3 / 32_768, np.float32)
    error = prepare(source, 48_000).pcm[:, 0] - 0.3
    assert abs(error.mean()) < 0.01
    assert error.var() == pytest.approx(0.25, abs=0.01)
    assert abs(np.corrcoef(error[:-1], error[1:])[0, 1]) < 0.01


def test_how_long_a_chunk_is_does_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    source = tone(44_100, seconds=1, channels=2)
    whole = prepare(source, 44_100).pcm
    monkeypatch.setattr(module, "_PIECE", 1000)
    assert np.array_equal(prepare(source, 44_100).pcm, whole)


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 6])
def test_a_sound_that_comes_in_blocks_is_the_same_as_one_that_comes_whole(rate: int, channels: int) -> None:
    source = tone(rate, seconds=1, channels=channels, level=1.5)
    edges = [0, 1, 2, 100, 100, 7000, len(source)]
    pieces = (source[start:end] for start, end in pairwise(edges))
    file = io.BytesIO()
    report = write_prepared(file, pieces, rate)
    whole = prepare(source, rate)
    assert np.array_equal(read_wav(file.getvalue()), whole.pcm)
    assert report == whole.report


def test_no_block_behind_the_cut_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "MAX_FRAMES", 10_000)
    asked = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal asked
        while True:
            asked += 1
            yield np.zeros((4000, 2), np.float32)

    report = write_prepared(io.BytesIO(), endless(), 48_000)
    assert (report.frames, report.truncated, asked) == (10_000, True, 3)


def test_a_long_sound_takes_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    block = tone(44_100, seconds=2, channels=2)
    tracemalloc.start()
    with (tmp_path / "long.wav").open("wb") as file:
        report = write_prepared(file, (block for _ in range(120)), 44_100, scratch_dir=tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert report.frames == 240 * 48_000
    assert peak < 80 * 1024 * 1024
    assert [path.name for path in tmp_path.iterdir()] == ["long.wav"]


def test_channels_that_come_and_go_are_refused() -> None:
    with pytest.raises(ValueError, match="channels changes"):
        write_prepared(io.BytesIO(), [tone(48_000), tone(48_000, channels=2)], 48_000)


def test_digital_silence_stays_silent() -> None:
    source = tone(48_000)
    source[1000:2000] = 0
    assert not prepare(source, 48_000).pcm[1000:2000].any()
    assert not prepare(np.zeros((44_100, 2), np.float32), 44_100).pcm.any()


def test_mono_stays_mono_and_a_flat_array_is_mono() -> None:
    assert prepare(tone(44_100), 44_100).pcm.shape == (24_000, 1)
    assert prepare(tone(44_100)[:, 0], 44_100).pcm.shape == (24_000, 1)


@pytest.mark.parametrize("channels", [3, 4, 5, 6, 7, 8, 12])
def test_more_channels_are_folded_with_left_and_right_kept_apart(channels: int) -> None:
    source = np.zeros((9600, channels), np.float32)
    source[:, 0] = 0.25
    prepared = prepare(source, 48_000)
    assert prepared.pcm.shape == (9600, 2)
    assert prepared.pcm[:, 0].all()
    assert not prepared.pcm[:, 1].any()
    assert prepared.report.folded
    mirrored = np.zeros_like(source)
    mirrored[:, 1] = 0.25
    assert not prepare(mirrored, 48_000).pcm[:, 0].any()


def test_the_centre_of_a_surround_sound_goes_to_both_sides_and_the_bass_channel_to_none() -> None:
    source = np.zeros((9600, 6), np.float32)
    source[:, 2] = 0.5
    pcm = prepare(source, 48_000).pcm.astype(float)
    assert pcm.mean(axis=0) == pytest.approx(0.5 * np.sqrt(0.5) * 32_768, abs=1)
    source[:, 2], source[:, 3] = 0, 0.5
    assert not prepare(source, 48_000).pcm.any()


def test_what_would_clip_is_turned_down_and_never_wraps() -> None:
    source = tone(48_000, level=2.0, channels=2)
    prepared = prepare(source, 48_000)
    assert prepared.report.gain_db == pytest.approx(-6.02, abs=0.01)
    assert 32_700 < np.abs(prepared.pcm.astype(int)).max() <= 32_767
    assert np.corrcoef(prepared.pcm[:, 0], source[:, 0])[0, 1] > 0.999999


def test_overshoot_of_the_resampler_is_turned_down() -> None:
    square = np.sign(tone(44_100, hertz=1000)).astype(np.float32)
    prepared = prepare(square, 44_100)
    assert -3 < prepared.report.gain_db < 0
    assert np.abs(prepared.pcm.astype(int)).max() <= 32_767


def test_a_quiet_sound_is_not_made_louder() -> None:
    assert prepare(tone(44_100, level=0.001), 44_100).report.gain_db == 0


@pytest.mark.parametrize(("rate", "frames"), [(48_000, 1), (44_100, 1), (768_000, 1), (44_100, 3), (8_000, 5)])
def test_a_sound_too_short_for_the_unit_is_padded_with_silence(rate: int, frames: int) -> None:
    prepared = prepare(np.full((frames, 1), 0.5, np.float32), rate)
    assert len(prepared.pcm) == prepared.report.frames == MIN_FRAMES == 4800
    assert prepared.report.padded_frames == 4800 - round(frames * 48_000 / rate)
    assert not prepared.pcm[-prepared.report.padded_frames :].any()


def test_a_sound_too_long_for_the_unit_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "MAX_FRAMES", 10_000)
    cut = prepare(tone(44_100), 44_100)
    assert (len(cut.pcm), cut.report.truncated) == (10_000, True)
    fits = prepare(tone(48_000)[:10_000], 48_000)
    assert (len(fits.pcm), fits.report.truncated) == (10_000, False)


def test_values_that_are_no_sound_become_silence_and_are_counted() -> None:
    source = tone(48_000)
    source[[10, 20, 30], 0] = [np.nan, np.inf, -1e30]
    prepared = prepare(source, 48_000)
    assert prepared.report.repaired_values == 3
    assert not prepared.pcm[[10, 20, 30]].any()
    assert prepared.report.gain_db == 0


def test_nothing_is_nothing() -> None:
    for empty in (np.zeros((0, 2), np.float32), np.zeros((10, 0), np.float32)):
        with pytest.raises(NothingToPrepareError):
            prepare(empty, 48_000)


@pytest.mark.parametrize(
    ("samples", "rate"),
    [(np.zeros((10, 1), np.int16), 48_000), (np.zeros((2, 2, 2), np.float32), 48_000)]
    + [(np.zeros((10, 1), np.float32), rate) for rate in (0, -1, 999, 10**6)],
)
def test_what_is_no_sound_is_refused(samples: np.ndarray, rate: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        prepare(samples, rate)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 3000),
    st.integers(1, 9),
    st.sampled_from([8_000, 11_025, 44_100, 48_000, 96_000]),
    st.floats(1e-7, 100.0),
    st.integers(0, 2**32 - 1),
)
def test_every_sound_comes_out_playable(frames: int, channels: int, rate: int, level: float, seed: int) -> None:
    source = (np.random.default_rng(seed).uniform(-level, level, (frames, channels))).astype(np.float32)
    prepared = prepare(source, rate)
    assert prepared.pcm.dtype == np.int16
    assert prepared.pcm.shape == (prepared.report.frames, min(channels, 2))
    assert len(prepared.pcm) >= MIN_FRAMES
    assert prepared.report.gain_db <= 0


@pytest.mark.skipif(not AUDIO.is_dir(), reason="no folder of real audio (SAMPLE_AGENT_AUDIO)")
def test_real_samples_equal_an_independent_conversion() -> None:
    files = sorted(path for path in AUDIO.rglob("*") if path.suffix in {".wav", ".flac", ".mp3", ".ogg"})[:12]
    assert files
    for path in files:
        source, rate = soundfile.read(path, dtype="float32", always_2d=True, frames=10 * 48_000)
        prepared = prepare(source, rate)
        expected = soxr.resample(source.astype(np.float64), rate, 48_000, quality="HQ") * 32_768
        expected *= 10 ** (prepared.report.gain_db / 20)
        difference = prepared.pcm[: len(expected)] - expected
        assert np.abs(difference).max() < (3 if prepared.report.gain_db else 1.6), path.name
