import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sample_agent.sp404.sound.stretch import (
    MAX_STRETCH_FRAMES,
    TooLongToStretchError,
    stretch_loop,
    stretched_frames,
    tempo_fit,
)

RATIOS = [0.3, 0.55, 2.1, 4.0]


def spinning(hertz: float, seconds: float = 2.0) -> np.ndarray:
    """A tone whose right channel is a quarter of a turn behind; a whole number of turns fits into it."""
    turns = round(hertz * seconds)
    angle = 2 * np.pi * turns * np.arange(round(48_000 * seconds)) / round(48_000 * seconds)
    return np.stack([0.5 * np.cos(angle), 0.5 * np.sin(angle)], axis=1).astype(np.float32)


def clicks(count: int = 8, apart: int = 12_000) -> np.ndarray:
    """Short bursts of noise on the beat, the first on frame 0."""
    burst = np.random.default_rng(3).standard_normal((1200, 2)) * np.exp(-np.arange(1200) / 200)[:, np.newaxis] * 0.2
    sound = np.zeros((count * apart, 2), np.float32)
    for number in range(count):
        sound[number * apart : number * apart + 1200] += burst
    return sound


@pytest.mark.parametrize(
    ("own", "project"), [(90, 90), (100, 150), (100, 50), (170, 85), (60, 90), (120, 174.9), (93.3, 140)]
)
def test_a_tempo_within_reach_of_the_unit_is_left_to_it(own: float, project: float) -> None:
    fit = tempo_fit(own, project)
    if 0.5 <= project / own <= 1.5:
        assert (fit.needed, fit.stretch, fit.tempo) == (False, 1.0, own)


@pytest.mark.parametrize(("own", "project"), [(170, 80), (60, 95), (70, 174), (200, 90)])
def test_a_tempo_out_of_reach_is_met_exactly(own: float, project: float) -> None:
    fit = tempo_fit(own, project)
    assert fit.needed
    assert fit.tempo == project
    assert fit.stretch == pytest.approx(own / project)


@pytest.mark.parametrize(("own", "project"), [(0, 90), (90, 0), (-1, 90), (float("nan"), 90), (90, float("inf"))])
def test_what_is_no_tempo_is_refused(own: float, project: float) -> None:
    with pytest.raises(ValueError, match="not the tempo"):
        tempo_fit(own, project)


def test_a_stretched_loop_has_as_many_beats_as_before() -> None:
    # Four bars of 4/4 at 170 BPM, for a project at 80.
    frames = round(16 * 60 / 170 * 44_100)
    assert abs(stretched_frames(frames, 44_100, 170 / 80) - 16 * 60 / 80 * 48_000) <= 2


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("hertz", [55, 440, 3000, 9000])
def test_pitch_level_and_stereo_stay(ratio: float, hertz: float) -> None:
    result = stretch_loop(spinning(hertz), round(96_000 * ratio))
    whole = result[:, 0] + 1j * result[:, 1].astype(np.float64)
    # Away from the seam, where a tone that did not fit into the new length has to be joined.
    inner = whole[len(whole) // 8 : -len(whole) // 8]
    turns = np.polyfit(np.arange(len(inner)), np.unwrap(np.angle(inner)), 1)[0] * 48_000 / (2 * np.pi)
    assert 1200 * np.log2(turns / hertz) == pytest.approx(0, abs=0.01)
    assert np.abs(inner) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("ratio", RATIOS)
def test_attacks_lie_where_the_new_tempo_has_them_and_are_as_sharp_as_before(ratio: float) -> None:
    source = clicks()
    result = stretch_loop(source, round(len(source) * ratio))
    for number in range(8):
        place = round(number * 12_000 * ratio)
        attack = result[place : place + 240]
        assert np.corrcoef(attack.ravel(), source[:240].ravel())[0, 1] > 0.98
        before = result.take(np.arange(place - 1200, place - 96), axis=0, mode="wrap")
        assert np.square(before).mean() < np.square(attack).mean() * 1e-3


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_seam_is_no_louder_than_the_rest(ratio: float) -> None:
    result = stretch_loop(spinning(200), round(96_000 * ratio))
    steps = np.abs(np.diff(np.concatenate([result, result[:1]]), axis=0)).max(axis=1)
    assert steps.max() <= 0.5 * 2 * np.pi * 200 / 48_000 * 1.5
    assert np.abs(result).max() <= 0.5 * 1.5


def test_silence_stays_silence() -> None:
    assert not stretch_loop(np.zeros((48_000, 2), np.float32), 100_000).any()


def test_the_same_length_is_the_same_sound() -> None:
    source = clicks()
    assert np.array_equal(stretch_loop(source, len(source)), source)


def test_a_loop_that_is_too_long_is_refused() -> None:
    with pytest.raises(TooLongToStretchError, match="60 seconds"):
        stretch_loop(np.zeros((MAX_STRETCH_FRAMES // 2, 1), np.float32), MAX_STRETCH_FRAMES + 1)


@pytest.mark.parametrize(("frames", "wanted"), [(0, 100), (100, 0), (100, 1601), (1601, 100)])
def test_a_stretch_beyond_reason_is_refused(frames: int, wanted: int) -> None:
    with pytest.raises(ValueError, match="cannot be stretched"):
        stretch_loop(np.zeros((frames, 1), np.float32), wanted)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 20_000), st.integers(1, 2), st.floats(1 / 12, 12.0), st.floats(1e-6, 4.0), st.integers(0, 2**32 - 1)
)
def test_every_loop_comes_out_in_the_exact_length_finite_and_not_much_louder(
    frames: int, channels: int, ratio: float, level: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    source = (rng.standard_normal((frames, channels)) * level).astype(np.float32)
    for _ in range(int(rng.integers(0, 6))):
        quiet = int(rng.integers(0, frames))
        source[quiet : quiet + frames // 5] *= 1e-3
    wanted = max(1, -(-frames // 16), round(frames * ratio))
    result = stretch_loop(source, wanted)
    assert result.shape == (wanted, channels)
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= 4 * np.abs(source).max()
    assert np.array_equal(stretch_loop(source, wanted), result)
