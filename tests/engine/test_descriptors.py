"""Known answers on sounds made for the purpose."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sample_agent.engine import Analysis, AudioError, analyze_file, analyze_samples, waveform_peaks
from sample_agent.engine.metadata.hints import read_hints
from sample_agent.engine.tonality.key import TONICS, camelot
from tests.engine.files import write
from tests.sounds import RATE, chord, drum_loop, tone


def test_a_sine_at_minus_23_lufs_measures_minus_23() -> None:
    # EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS.
    sine = 10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 * np.arange(20 * 48_000) / 48_000)
    loudness = analyze_samples(np.stack((sine, sine), axis=1), 48_000).loudness
    assert loudness.integrated_lufs == pytest.approx(-23.0, abs=0.1)
    assert loudness.sample_peak_dbfs == pytest.approx(-23.0, abs=0.1)


def test_quiet_passages_are_gated_out_of_the_loudness() -> None:
    # EBU Tech 3341, case 3: loud in the middle, 13 dB quieter before and after, and the quiet parts do not count.
    level = np.concatenate([np.full(10 * 48_000, -36.0), np.full(60 * 48_000, -23.0), np.full(10 * 48_000, -36.0)])
    sine = 10 ** (level / 20) * np.sin(2 * np.pi * 1000 * np.arange(len(level)) / 48_000)
    loudness = analyze_samples(np.stack((sine, sine), axis=1), 48_000).loudness
    assert loudness.integrated_lufs == pytest.approx(-23.0, abs=0.1)


def test_one_loud_channel_is_three_decibels_below_two() -> None:
    sine = tone(1000, 3.0)
    both = analyze_samples(np.stack((sine, sine), axis=1), RATE).loudness.integrated_lufs
    left = analyze_samples(np.stack((sine, 0 * sine), axis=1), RATE).loudness.integrated_lufs
    assert both is not None
    assert left is not None
    assert both - left == pytest.approx(3.01, abs=0.02)


def test_the_true_peak_between_samples_is_found() -> None:
    # A sine at a quarter of the sample rate, sampled 45 degrees off its tops.
    sine = 0.5 * np.sin(np.pi / 2 * np.arange(RATE) + np.pi / 4)
    loudness = analyze_samples(sine, RATE).loudness
    assert loudness.sample_peak_dbfs == pytest.approx(-9.03, abs=0.01)
    assert loudness.true_peak_dbtp == pytest.approx(-6.02, abs=0.3)


@pytest.mark.parametrize("bpm", [72.0, 92.5, 120.0, 140.0, 174.0])
def test_a_drum_loop_has_its_tempo(bpm: float) -> None:
    analysis = analyze_samples(drum_loop(bpm, beats=16), RATE)
    assert analysis.kind.kind == "loop"
    assert analysis.tempo is not None
    heard = [analysis.tempo.bpm, *(other.bpm for other in analysis.tempo.alternatives)]
    assert any(abs(candidate / bpm - 1) < 0.005 for candidate in heard)
    assert min(abs(analysis.tempo.bpm / bpm / factor - 1) for factor in (0.5, 1, 2)) < 0.005


def test_half_and_double_are_among_the_alternatives() -> None:
    tempo = analyze_samples(drum_loop(100, beats=16), RATE).tempo
    assert tempo is not None
    others = [other.bpm for other in tempo.alternatives]
    assert any(abs(other / tempo.bpm - 2) < 0.02 for other in others) or tempo.bpm > 110
    assert any(abs(other / tempo.bpm - 0.5) < 0.02 for other in others) or tempo.bpm < 100
    assert 0 <= sum((tempo.confidence, *(other.confidence for other in tempo.alternatives))) <= 1.001


def test_a_click_track_of_two_minutes_is_a_track_with_its_tempo() -> None:
    clicks = np.zeros(100 * RATE)
    clicks[:: RATE * 60 // 125] = 0.9
    analysis = analyze_samples(np.convolve(clicks, np.hanning(64), "same"), RATE)
    assert analysis.kind.kind == "track"
    assert analysis.tempo is not None
    assert analysis.tempo.bpm == pytest.approx(125, rel=0.005)


def test_a_one_shot_has_no_tempo() -> None:
    decaying = tone(55, 0.6) * np.exp(-np.arange(int(0.6 * RATE)) / RATE * 9)
    analysis = analyze_samples(decaying, RATE)
    assert analysis.kind.kind == "one-shot"
    assert analysis.tempo is None


def _cadence(tonic: int, minor: bool) -> np.ndarray:
    """I-IV-V-I, with the raised leading note in minor."""
    third = 3 if minor else 4
    chords = ((0, third, 7), (5, 5 + third, 12), (7, 11, 14), (0, third, 7))
    return np.concatenate(
        [chord(*(220 * 2 ** ((tonic + note - 9) / 12) for note in notes), seconds=1.0) for notes in chords]
    )


@pytest.mark.parametrize("tonic", range(0, 12, 5))
@pytest.mark.parametrize("minor", [False, True])
def test_a_cadence_has_its_key(tonic: int, minor: bool) -> None:
    key = analyze_samples(_cadence(tonic, minor), RATE).key
    assert key is not None
    assert key.key == TONICS[tonic] + ("m" if minor else "")
    assert key.camelot == camelot(key.key)
    assert len(key.alternatives) == 3


def test_camelot_codes_follow_the_circle_of_fifths() -> None:
    assert [camelot(key) for key in ("C", "G", "Am", "F#m", "B", "D#m")] == ["8B", "9B", "8A", "11A", "1B", "2A"]


def test_tuning_is_measured_in_cents() -> None:
    key = analyze_samples(chord(220 * 2 ** (0.3 / 12), 330 * 2 ** (0.3 / 12), seconds=3.0), RATE).key
    assert key is not None
    assert key.tuning_cents == pytest.approx(30, abs=6)


def test_noise_has_no_key() -> None:
    noise = np.random.default_rng(0).normal(scale=0.1, size=3 * RATE)
    assert analyze_samples(noise, RATE).key is None


def test_spectral_descriptors_tell_a_sine_from_noise() -> None:
    sine = analyze_samples(tone(1000, 1.0), RATE).spectral
    noise = analyze_samples(np.random.default_rng(0).normal(scale=0.1, size=RATE), RATE).spectral
    assert sine.centroid_hz == pytest.approx(1000, rel=0.05)
    assert noise.centroid_hz == pytest.approx(RATE / 4, rel=0.05)
    assert noise.rolloff_hz == pytest.approx(0.85 * RATE / 2, rel=0.05)
    assert sine.flatness < 1e-3 < 0.4 < noise.flatness
    assert sine.zero_crossing_rate == pytest.approx(2000 / RATE, rel=0.01)
    assert noise.zero_crossing_rate == pytest.approx(0.5, abs=0.02)
    assert len(sine.mfcc) == 13
    assert len(sine.contrast_db) == 7


def test_onsets_stand_where_sounds_start() -> None:
    clicks = np.zeros(4 * RATE)
    times = np.array([0.0, 0.7, 1.1, 2.5, 3.3])
    for time in times:
        start = int(time * RATE)
        clicks[start : start + 2000] = np.random.default_rng(0).normal(size=2000) * np.exp(-np.arange(2000) / 300)
    onsets = np.array(analyze_samples(0.5 * clicks, RATE).onsets)
    assert len(onsets) == len(times)
    assert np.abs(onsets - times).max() < 0.03


def test_the_waveform_follows_the_signal_at_any_length() -> None:
    for frames in (1, 100, RATE, 200_001):
        ramp = np.linspace(0, 1, frames, dtype=np.float32)
        outline = waveform_peaks(ramp, 128)
        assert len(outline.minimum) == len(outline.maximum) == 128
        assert (outline.minimum <= outline.maximum).all()
        assert outline.maximum[-1] == pytest.approx(ramp[-1])
        assert (np.diff(outline.maximum) >= 0).all()
    row = analyze_samples(np.linspace(0, 0.01, RATE, dtype=np.float32), RATE).waveform_row
    assert len(row) == 128
    assert row[-1] == 255
    assert list(row) == sorted(row)


@pytest.mark.parametrize("kind", [np.float64, np.int16])
def test_the_outline_of_samples_of_any_type_is_that_of_floats(kind: type) -> None:
    samples = np.rint(1000 * np.sin(np.arange(5000) / 50)).astype(kind)
    outline, expected = waveform_peaks(samples, 128), waveform_peaks(samples.astype(np.float32), 128)
    assert np.array_equal(outline.maximum, expected.maximum)


def test_no_samples_have_no_outline() -> None:
    with pytest.raises(AudioError) as caught:
        waveform_peaks(np.zeros(0, np.float32))
    assert caught.value.code == "empty-audio"


def test_the_outline_of_a_file_is_that_of_its_samples(tmp_path: Path) -> None:
    samples = drum_loop(100).astype(np.float32)
    outline = waveform_peaks(write(tmp_path / "a.wav", "WAV", "FLOAT", samples), 2048)
    expected = waveform_peaks(samples, 2048)
    assert np.array_equal(outline.maximum, expected.maximum)
    assert np.array_equal(outline.minimum, expected.minimum)


def test_silence_is_analysed_with_a_warning() -> None:
    analysis = analyze_samples(np.zeros((RATE, 2)), RATE)
    assert analysis.loudness.integrated_lufs is None
    assert analysis.loudness.true_peak_dbtp is None
    assert analysis.tempo is None
    assert analysis.key is None
    assert analysis.warnings == ("The file is silent.",)
    assert analysis.waveform_row == bytes(128)
    json.dumps(analysis.to_dict(), allow_nan=False)


def test_a_single_sample_is_analysed() -> None:
    analysis = analyze_samples(np.array([0.5]), RATE)
    assert analysis.frames == 1
    assert analysis.loudness.sample_peak_dbfs == pytest.approx(-6.02, abs=0.01)
    json.dumps(analysis.to_dict(), allow_nan=False)


def test_no_samples_at_all_are_refused() -> None:
    with pytest.raises(AudioError) as caught:
        analyze_samples(np.zeros((0, 2)), RATE)
    assert caught.value.code == "empty-audio"


@pytest.mark.parametrize(
    ("name", "tempo", "key"),
    [
        ("Dusty Break 92bpm F#min.wav", 92, "F#m"),
        ("DRUMS_128_Am_loop.aif", 128, "Am"),
        ("bass loop (174 BPM) Db maj.wav", 174, "C#"),
        ("Kick 01.wav", None, None),
        ("TR-808 Kick.wav", None, None),
        ("A loop in 4.wav", None, None),
        ("pad_Ebmin_bpm85.5.flac", 85.5, "D#m"),
        ("take 100 120.wav", None, None),
        ("C:\\samples\\Gm chord.wav", None, "Gm"),
    ],
)
def test_file_names_give_hints(name: str, tempo: float | None, key: str | None) -> None:
    hints = read_hints(name)
    assert (hints.tempo, hints.key) == (tempo, key)


def test_progress_names_each_step(tmp_path: Path) -> None:
    steps: list[tuple[int, str]] = []
    analyze_file(
        write(tmp_path / "a.wav", samples=drum_loop(100)),
        on_progress=lambda percent, step: steps.append((percent, step)),
    )
    assert [percent for percent, _ in steps] == sorted(percent for percent, _ in steps)
    assert list(dict.fromkeys(step for _, step in steps)) == ["decoding", "loudness", "tempo", "key", "waveform"]


def test_the_analysis_as_data_holds_what_the_interface_promises() -> None:
    analysis: Analysis = analyze_samples(np.stack([drum_loop(100)] * 2, axis=1), RATE)
    data = json.loads(json.dumps(analysis.to_dict(), allow_nan=False))
    assert {
        "engine_version",
        "tempo",
        "key",
        "kind",
        "loudness",
        "spectral",
        "onsets",
        "duration",
        "sample_rate",
        "channels",
        "hints",
        "warnings",
    } <= set(data)
    assert {"bpm", "confidence", "alternatives"} <= set(data["tempo"])
    assert {"integrated_lufs", "true_peak_dbtp", "sample_peak_dbfs"} == set(data["loudness"])
    assert set(data["kind"]) == {"kind", "confidence"}
