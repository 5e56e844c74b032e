import io
from dataclasses import replace

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

import sample_agent.sp404.sound.scratch as scratch_module
from sample_agent.sp404.formats.smp import read_smp_blocks, write_smp
from sample_agent.sp404.sound.prepare import MIN_FRAMES, prepare, write_prepared
from sample_agent.sp404.sound.treatment import LOUDEST_DB, Preparation, Treatment, bank_gains

ONE_SHOT = Treatment.for_kind("one-shot")
LOOP = Treatment.for_kind("loop")
TRACK = Treatment.for_kind("track")


def hit(before: int = 4800, length: int = 24_000, after: int = 48_000, channels: int = 1) -> np.ndarray:
    """A decaying tone with digital silence around it, at 48 kHz."""
    time = np.arange(length)
    sound = 0.5 * np.sin(2 * np.pi * 220 * time / 48_000) * np.exp(-time / 3000)
    whole = np.concatenate([np.zeros(before), sound, np.zeros(after)])
    return np.stack([whole * (1 - channel / 4) for channel in range(channels)], axis=1).astype(np.float32)


def loop(channels: int = 2, level: float = 0.5) -> np.ndarray:
    time = np.arange(48_000)
    return np.stack(
        [level * np.cos(2 * np.pi * 100 * (1 + channel) * time / 48_000) for channel in range(channels)], axis=1
    ).astype(np.float32)


def as_smp(samples: np.ndarray, rate: int, treatment: Treatment) -> tuple[np.ndarray, Preparation]:
    file = io.BytesIO()
    report = write_prepared(file, [samples], rate, treatment=treatment, write=write_smp)
    file.seek(0)
    _, blocks = read_smp_blocks(file)
    return np.concatenate(list(blocks)), report


@pytest.mark.parametrize("treatment", [Treatment(), ONE_SHOT, LOOP, TRACK, replace(LOOP, stretch=2.5)])
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_an_smp_holds_the_same_samples_as_the_wav(treatment: Treatment, rate: int) -> None:
    source = hit(channels=2)
    pcm, report = as_smp(source, rate, treatment)
    wav = prepare(source, rate, treatment)
    assert np.array_equal(pcm, wav.pcm)
    assert report == wav.report


def test_without_a_treatment_nothing_but_the_format_changes() -> None:
    source = np.random.default_rng(0).integers(-32_768, 32_768, (10_000, 2), dtype=np.int16)
    pcm, report = as_smp(source.astype(np.float32) / 32_768, 48_000, Treatment())
    assert np.array_equal(pcm, source)
    assert not report.dithered


def test_silence_around_a_one_shot_is_cut_off_and_the_sound_is_all_there() -> None:
    source = hit()
    prepared = prepare(source, 48_000, ONE_SHOT)
    report = prepared.report
    assert 4800 - 96 - 64 <= report.trimmed_start <= 4800
    assert report.trimmed_end > 48_000
    assert len(prepared.pcm) == len(source) - report.trimmed_start - report.trimmed_end
    lost = np.concatenate([source[: report.trimmed_start], source[len(source) - report.trimmed_end :]])
    assert np.abs(lost).max() <= 0.5 * 10 ** (-66 / 20)


def test_quiet_and_loud_versions_of_a_sound_are_cut_at_the_same_place() -> None:
    cuts = [prepare(hit() * level, 48_000, ONE_SHOT).report for level in (1.0, 0.1)]
    assert cuts[0].trimmed_start == cuts[1].trimmed_start
    assert cuts[0].trimmed_end == cuts[1].trimmed_end


def test_an_offset_does_not_hide_the_silence() -> None:
    prepared = prepare(hit() + np.float32(0.02), 44_100, ONE_SHOT)
    assert prepared.report.dc_offset == (pytest.approx(0.02, abs=1e-4),)
    assert prepared.report.trimmed_start > 5000
    assert prepared.report.trimmed_end > 48_000


@pytest.mark.parametrize("treatment", [LOOP, TRACK])
def test_loops_and_tracks_keep_their_length(treatment: Treatment) -> None:
    source = hit()
    report = prepare(source, 48_000, treatment).report
    assert (report.frames, report.trimmed_start, report.trimmed_end) == (len(source), 0, 0)


def test_a_loop_keeps_its_edges_and_wraps() -> None:
    source = loop()
    pcm = prepare(source, 48_000, LOOP).pcm
    assert np.abs(pcm - source * 32_768).max() < 1.51
    assert np.abs(pcm[0].astype(int) - pcm[-1]).max() < 20


def test_edges_that_would_click_are_faded_over_5_ms_at_most() -> None:
    source = loop(1)
    prepared = prepare(source, 48_000, TRACK)
    report = prepared.report
    assert report.faded_out == 240
    assert 0 < report.faded_in <= 240
    assert np.abs(prepared.pcm[[0, -1]]).max() <= 1
    kept = slice(report.faded_in, -report.faded_out)
    assert np.abs(prepared.pcm[kept] - source[kept] * 32_768).max() < 1.51


def test_edges_that_are_at_zero_are_not_faded() -> None:
    report = prepare(hit(), 48_000, TRACK).report
    assert (report.faded_in, report.faded_out) == (0, 0)


def test_a_drum_that_starts_at_once_keeps_its_attack() -> None:
    source = hit(before=0)
    source[:, 0] = np.roll(source[:, 0], -55)  # starts at the top of a wave
    prepared = prepare(source, 48_000, ONE_SHOT)
    assert prepared.report.faded_in == 12
    assert np.abs(prepared.pcm[12:100] - source[12:100] * 32_768).max() < 1.51


def test_a_trim_leaves_enough_for_the_unit() -> None:
    click = np.zeros((48_000, 1), np.float32)
    click[1000] = 0.9
    report = prepare(click, 48_000, ONE_SHOT).report
    assert (report.frames, report.padded_frames) == (MIN_FRAMES, 0)


def test_silence_alone_is_not_trimmed() -> None:
    prepared = prepare(np.zeros((48_000, 2), np.float32), 48_000, ONE_SHOT)
    assert prepared.report.frames == 48_000
    assert prepared.report.peak_db is None
    assert not prepared.pcm.any()


def test_an_offset_is_taken_away_and_told() -> None:
    source = loop() * np.float32(0.5) + np.array([0.03, -0.01], np.float32)
    prepared = prepare(source, 48_000, LOOP)
    assert prepared.report.dc_offset == pytest.approx((0.03, -0.01), abs=1e-5)
    assert np.abs(prepared.pcm.mean(axis=0)).max() < 1


def test_a_drum_that_swings_to_one_side_has_no_offset() -> None:
    thump = hit()
    thump[:, 0] = np.abs(thump[:, 0])
    assert thump.mean() > 0.01
    assert prepare(thump, 48_000, ONE_SHOT).report.dc_offset == ()


def test_noise_has_no_offset() -> None:
    noise = (np.random.default_rng(4).standard_normal((96_000, 2)) * 0.2).astype(np.float32)
    assert prepare(noise, 48_000, LOOP).report.dc_offset == ()


def test_two_channels_with_the_same_sound_become_one() -> None:
    source = np.repeat(np.random.default_rng(1).integers(-9000, 9000, (20_000, 1), dtype=np.int16), 2, axis=1)
    prepared = prepare(source.astype(np.float32) / 32_768, 48_000, replace(Treatment(), mono_below_db=-60))
    assert prepared.report.merged_to_mono
    assert np.array_equal(prepared.pcm, source[:, :1])


def test_two_channels_that_are_all_but_the_same_become_their_mean() -> None:
    source = np.repeat(loop(1), 2, axis=1)
    source[:, 1] += np.float32(0.0001) * np.random.default_rng(2).standard_normal(len(source)).astype(np.float32)
    prepared = prepare(source, 48_000, LOOP)
    assert prepared.report.merged_to_mono
    assert np.abs(prepared.pcm[:, 0] - source.mean(axis=1) * 32_768).max() < 1.51


def test_a_little_stereo_is_stereo() -> None:
    source = np.repeat(loop(1), 2, axis=1)
    source[:, 1] *= 0.99
    report = prepare(source, 48_000, LOOP).report
    assert (report.channels, report.merged_to_mono) == (2, False)


def test_a_peak_is_brought_where_it_is_wanted() -> None:
    prepared = prepare(hit() * 0.1, 48_000, replace(ONE_SHOT, normalise_db=-1.0))
    assert prepared.report.peak_db == pytest.approx(-1.0, abs=0.001)
    assert 20 * np.log10(np.abs(prepared.pcm).max() / 32_768) == pytest.approx(-1.0, abs=0.01)


def test_a_gain_stops_at_the_ceiling_and_says_so() -> None:
    free = prepare(loop() * 0.5, 48_000, replace(LOOP, gain_db=6.0, ceiling_db=-1.0)).report
    assert (free.gain_db, free.gain_held_back) == (6.0, False)
    held = prepare(loop(), 48_000, replace(LOOP, gain_db=12.0, ceiling_db=-1.0)).report
    assert held.gain_held_back
    assert held.peak_db == pytest.approx(-1.0, abs=0.001)


def test_the_same_place_of_the_sound_is_found_again_after_a_trim() -> None:
    source = hit()
    report = prepare(source, 48_000, ONE_SHOT).report
    assert report.frame_at(0.1) == 4800 - report.trimmed_start
    assert report.frame_at(0.0) == 0
    assert report.frame_at(99.0) == report.frames - report.padded_frames


def test_the_same_place_of_the_sound_is_found_again_after_a_stretch() -> None:
    report = prepare(loop(), 48_000, replace(LOOP, stretch=2.0)).report
    assert report.frames == 96_000
    assert report.frame_at(0.25) == 24_000


def test_a_loop_cannot_be_trimmed_and_stretched() -> None:
    with pytest.raises(ValueError, match="length is its tempo"):
        Treatment(trim_below_db=-60, stretch=2.0)


@pytest.mark.parametrize(
    "field",
    [
        {"trim_below_db": -10.0},
        {"fade_seconds": -1.0},
        {"mono_below_db": 0.0},
        {"stretch": 0.0},
        {"stretch": float("nan")},
        {"normalise_db": 1.0},
        {"gain_db": float("inf")},
        {"ceiling_db": 0.1},
    ],
)
def test_a_wish_out_of_range_is_refused_by_name(field: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(field))):
        Treatment(**field)  # type: ignore[arg-type]


def test_a_sound_in_a_scratch_file_is_the_same_as_one_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    source = (rng.standard_normal((300_000, 2)) * 0.1).astype(np.float32)
    expected = prepare(source, 44_100, ONE_SHOT)
    monkeypatch.setattr(scratch_module, "_MOST_IN_MEMORY", 1_000_000)
    spilled = prepare(source, 44_100, ONE_SHOT)
    assert np.array_equal(spilled.pcm, expected.pcm)
    assert spilled.report == expected.report


def test_a_bank_is_brought_to_its_median() -> None:
    assert bank_gains([-20.0, -14.0, -10.0], [-12.0, -6.0, -2.0]) == (6.0, 0.0, -4.0)


def test_a_sound_without_room_gets_as_loud_as_it_can() -> None:
    assert bank_gains([-20.0, -14.0, -10.0], [-1.5, -6.0, -2.0], ceiling_db=-0.5) == (1.0, 0.0, -4.0)
    assert bank_gains([-20.0, -14.0], [0.0, 0.0]) == (0.0, -3.0)


def test_what_has_no_loudness_is_left_alone() -> None:
    assert bank_gains([None, float("-inf")], [None, None]) == (0.0, 0.0)
    assert bank_gains([None, -20.0, -14.0], [None, -30.0, -30.0], target=-10.0) == (0.0, 10.0, 4.0)


@given(
    st.lists(st.tuples(st.none() | st.floats(-80, 0), st.none() | st.floats(-80, LOUDEST_DB)), min_size=1, max_size=16),
    st.none() | st.floats(-40, -5),
)
def test_no_gain_of_a_bank_makes_a_sound_clip(sounds: list[tuple[float | None, float | None]], target: float) -> None:
    gains = bank_gains([loud for loud, _ in sounds], [peak for _, peak in sounds], target=target)
    for gain, (_, peak) in zip(gains, sounds, strict=True):
        assert -12 <= gain <= 12
        if peak is not None:
            assert peak + gain <= LOUDEST_DB + 1e-9


TREATMENTS = st.builds(
    Treatment,
    remove_dc=st.booleans(),
    trim_below_db=st.none() | st.floats(-100, -20),
    fade_seconds=st.sampled_from([0.0, 0.001, 0.005, 0.5]),
    mono_below_db=st.none() | st.floats(-100, -20),
    normalise_db=st.none() | st.floats(-40, 0),
    gain_db=st.floats(-60, 60),
    ceiling_db=st.floats(-40, 0),
)


@settings(max_examples=60, deadline=None)
@given(
    TREATMENTS,
    st.integers(1, 30_000),
    st.integers(1, 3),
    st.sampled_from([22_050, 44_100, 48_000]),
    st.floats(1e-6, 10.0),
    st.integers(0, 2**32 - 1),
)
def test_whatever_is_wanted_nothing_clips_and_every_frame_is_accounted_for(
    treatment: Treatment, frames: int, channels: int, rate: int, level: float, seed: int
) -> None:
    source = (np.random.default_rng(seed).standard_normal((frames, channels)) * level).astype(np.float32)
    source[: frames // 3] *= 1e-6
    prepared = prepare(source, rate, treatment)
    report = prepared.report
    assert len(prepared.pcm) == report.frames >= MIN_FRAMES
    at_48k = report.frames - report.padded_frames + report.trimmed_start + report.trimmed_end
    assert abs(at_48k - frames * 48_000 / rate) <= 1
    assert np.abs(prepared.pcm.astype(int)).max() <= 32_768 * 10 ** (treatment.ceiling_db / 20) + 1.5
    again = prepare(source.copy(), rate, treatment)
    assert np.array_equal(again.pcm, prepared.pcm)
    assert again.report == report


@settings(max_examples=30, deadline=None)
@given(st.integers(5000, 40_000), st.sampled_from([44_100, 32_000, 96_000]), st.integers(0, 2**32 - 1))
def test_the_middle_of_a_treated_sound_is_what_an_independent_conversion_gives(
    frames: int, rate: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    source = (rng.standard_normal((frames, 2)) * np.exp(-np.arange(frames) / 5000)[:, np.newaxis] * 0.1).astype(
        np.float32
    )
    prepared = prepare(source, rate, replace(ONE_SHOT, gain_db=3.0))
    report = prepared.report
    expected = soxr.resample(source.astype(np.float64), rate, 48_000, quality="HQ")
    expected = (expected - np.array(report.dc_offset or (0.0, 0.0))) * 10 ** (report.gain_db / 20) * 32_768
    kept = expected[report.trimmed_start : len(expected) - report.trimmed_end]
    inner = slice(report.faded_in, len(kept) - report.faded_out)
    # Half a step of rounding, one of dither, and the gain's third decimal.
    difference = np.abs(prepared.pcm[: len(kept)][inner] - kept[inner])
    assert (difference <= 1.51 + np.abs(kept[inner]) * 1e-4).all()
