"""What must not change when nothing that matters does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soxr

from sample_agent.engine import Analysis, analyze_file, analyze_samples
from sample_agent.engine.listening import Listening
from sample_agent.engine.sound.embedding import similarity
from tests.engine.files import write
from tests.sounds import RATE, chord, drum_loop, tone


@pytest.fixture(scope="module")
def loop() -> np.ndarray:
    """Drums and chords, eight beats at 100 BPM."""
    drums = drum_loop(100, beats=8)
    harmony = np.concatenate([chord(220, 262, 330, seconds=2.4), chord(196, 247, 294, seconds=2.4)])
    return 0.5 * drums + 0.5 * harmony[: len(drums)]


@pytest.fixture(scope="module")
def heard(loop: np.ndarray) -> Analysis:
    return analyze_samples(loop, RATE)


def _bpm(analysis: Analysis) -> float:
    assert analysis.tempo is not None
    return analysis.tempo.bpm


def _key(analysis: Analysis) -> str:
    assert analysis.key is not None
    return analysis.key.key


@pytest.mark.parametrize("gain", [0.01, 0.25, 2.0])
def test_gain_changes_loudness_alone(loop: np.ndarray, heard: Analysis, gain: float) -> None:
    louder = analyze_samples(loop * gain, RATE)
    assert _bpm(louder) == pytest.approx(_bpm(heard), rel=1e-4)
    assert _key(louder) == _key(heard)
    assert louder.kind.kind == heard.kind.kind
    assert louder.onsets == pytest.approx(heard.onsets)
    assert louder.spectral.centroid_hz == pytest.approx(heard.spectral.centroid_hz, rel=1e-3)
    assert louder.loudness.integrated_lufs is not None
    assert heard.loudness.integrated_lufs is not None
    difference = louder.loudness.integrated_lufs - heard.loudness.integrated_lufs
    assert difference == pytest.approx(20 * np.log10(gain), abs=0.05)


def test_silence_behind_a_loop_leaves_tempo_key_and_timbre(loop: np.ndarray, heard: Analysis) -> None:
    longer = analyze_samples(np.concatenate((loop, np.zeros(RATE))), RATE)
    assert _bpm(longer) == pytest.approx(_bpm(heard), rel=0.01)
    assert _key(longer) == _key(heard)
    assert longer.spectral.centroid_hz == pytest.approx(heard.spectral.centroid_hz, rel=0.02)
    assert longer.loudness.integrated_lufs == pytest.approx(heard.loudness.integrated_lufs, abs=0.5)


def test_a_repeated_loop_keeps_tempo_and_key(loop: np.ndarray, heard: Analysis) -> None:
    for times in (2, 4):
        repeated = analyze_samples(np.tile(loop, times), RATE)
        assert _bpm(repeated) == pytest.approx(_bpm(heard), rel=0.005)
        assert _key(repeated) == _key(heard)


def test_played_faster_tempo_and_key_follow(loop: np.ndarray, heard: Analysis) -> None:
    # Two semitones up is 2 ** (2 / 12) faster.
    factor = 2 ** (2 / 12)
    faster = analyze_samples(soxr.resample(loop, RATE * factor, RATE), RATE)
    assert _bpm(faster) == pytest.approx(_bpm(heard) * factor, rel=0.01)
    keys = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    before, after = _key(heard), _key(faster)
    assert after.endswith("m") == before.endswith("m")
    assert (keys.index(after.removesuffix("m")) - keys.index(before.removesuffix("m"))) % 12 == 2


@pytest.mark.parametrize("rate", [22_050, 48_000, 96_000])
def test_the_sample_rate_does_not_matter(loop: np.ndarray, heard: Analysis, rate: int) -> None:
    resampled = analyze_samples(soxr.resample(loop, RATE, rate), rate)
    assert _bpm(resampled) == pytest.approx(_bpm(heard), rel=0.005)
    assert _key(resampled) == _key(heard)
    assert resampled.loudness.integrated_lufs == pytest.approx(heard.loudness.integrated_lufs, abs=0.5)


def test_mono_and_twice_the_same_channel_are_alike(loop: np.ndarray, heard: Analysis) -> None:
    stereo = analyze_samples(np.stack((loop, loop), axis=1), RATE)
    assert stereo.to_dict()["spectral"] == heard.to_dict()["spectral"]
    assert _bpm(stereo) == _bpm(heard)


@pytest.mark.parametrize(("container", "subtype"), [("FLAC", "PCM_24"), ("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS")])
def test_the_encoding_does_not_matter(
    tmp_path: Path, loop: np.ndarray, heard: Analysis, container: str, subtype: str
) -> None:
    encoded = analyze_file(write(tmp_path / "loop", container, subtype, loop))
    assert _bpm(encoded) == pytest.approx(_bpm(heard), rel=0.005)
    assert _key(encoded) == _key(heard)
    assert encoded.kind.kind == heard.kind.kind
    assert encoded.loudness.integrated_lufs == pytest.approx(heard.loudness.integrated_lufs, abs=0.3)


def test_the_same_bytes_give_the_same_answer(tmp_path: Path, loop: np.ndarray) -> None:
    path = write(tmp_path / "loop.wav", samples=loop)
    assert analyze_file(path).to_dict() == analyze_file(path).to_dict()


def _loop(bpm: float = 100.0, semitones: float = 0.0) -> np.ndarray:
    """Two bars of drums under two chords, at a tempo and a pitch."""
    drums = drum_loop(bpm, beats=8)
    factor = 2 ** (semitones / 12)
    half = 4 * 60 / bpm + 0.01
    chords = ((220.0, 261.63, 329.63), (196.0, 246.94, 293.66))
    harmony = np.concatenate([chord(*(hertz * factor for hertz in notes), seconds=half) for notes in chords])
    return 0.5 * drums + 0.5 * harmony[: len(drums)]


@pytest.mark.parametrize("bpm", [90.0, 110.0, 125.0])
def test_stretched_in_time_the_tempo_follows_and_the_key_stays(bpm: float) -> None:
    before, after = analyze_samples(_loop(), RATE), analyze_samples(_loop(bpm), RATE)
    assert _bpm(after) == pytest.approx(_bpm(before) * bpm / 100, rel=0.005)
    assert _key(after) == _key(before)


@pytest.mark.parametrize("semitones", [-5, -2, 3, 6])
def test_shifted_in_pitch_the_key_follows_and_the_tempo_stays(semitones: int) -> None:
    keys = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    before, after = analyze_samples(_loop(), RATE), analyze_samples(_loop(semitones=semitones), RATE)
    assert _bpm(after) == pytest.approx(_bpm(before), rel=0.005)
    assert _key(after).endswith("m") == _key(before).endswith("m")
    steps = keys.index(_key(after).removesuffix("m")) - keys.index(_key(before).removesuffix("m"))
    assert steps % 12 == semitones % 12


def test_silence_behind_a_hit_changes_nothing_but_its_length() -> None:
    hit = tone(180, 0.5) * np.exp(-np.arange(RATE // 2) / RATE * 12)
    before, after = analyze_samples(hit, RATE), analyze_samples(np.concatenate((hit, np.zeros(RATE))), RATE)
    assert after.kind.kind == before.kind.kind == "one-shot"
    assert after.envelope.attack == pytest.approx(before.envelope.attack, abs=0.002)
    assert after.envelope.decay == pytest.approx(before.envelope.decay, abs=0.002)
    assert after.onsets == pytest.approx(before.onsets)
    assert after.silence.end == pytest.approx(before.silence.end + 1.0, abs=0.005)
    assert after.slices[0].end == pytest.approx(before.slices[0].end, abs=0.005)


@pytest.mark.parametrize("channels", [2, 4, 6])
def test_more_channels_of_the_same_are_heard_the_same(loop: np.ndarray, heard: Analysis, channels: int) -> None:
    many = analyze_samples(np.repeat(loop[:, None], channels, axis=1), RATE)
    assert many.spectral.centroid_hz == pytest.approx(heard.spectral.centroid_hz, rel=1e-4)
    assert many.onsets == pytest.approx(heard.onsets)
    assert _bpm(many) == pytest.approx(_bpm(heard), rel=1e-4)
    assert _key(many) == _key(heard)


def test_how_the_samples_arrive_does_not_matter(loop: np.ndarray) -> None:
    block = loop[:, None].astype(np.float32)
    at_once, in_pieces = Listening(RATE, 1), Listening(RATE, 1)
    at_once.feed(block)
    for start in range(0, len(block), 1777):
        in_pieces.feed(block[start : start + 1777])
    at_once.finish()
    in_pieces.finish()
    assert np.array_equal(at_once.head, in_pieces.head)
    np.testing.assert_allclose(in_pieces.mel, at_once.mel, rtol=1e-3, atol=1e-9)
    np.testing.assert_allclose(in_pieces.tonal.power, at_once.tonal.power, rtol=1e-3, atol=1e-9)
    np.testing.assert_allclose(in_pieces.cells.energy, at_once.cells.energy, rtol=1e-5)
    assert in_pieces.loudness.integrated_lufs == pytest.approx(at_once.loudness.integrated_lufs, abs=1e-4)
    assert in_pieces.loudness.true_peak_dbtp == pytest.approx(at_once.loudness.true_peak_dbtp, abs=0.1)


@pytest.mark.parametrize(("before", "after"), [(70, 0), (0, 70), (120, 60)])
def test_a_hit_in_a_long_silence_is_still_that_hit(before: int, after: int) -> None:
    hit = tone(180, 0.5) * np.exp(-np.arange(RATE // 2) / RATE * 12)
    alone = analyze_samples(hit, RATE)
    lost = analyze_samples(np.concatenate((np.zeros(before * RATE), hit, np.zeros(after * RATE))), RATE)
    assert lost.sound_class is not None
    assert alone.sound_class is not None
    assert lost.sound_class.name == alone.sound_class.name
    assert lost.kind.kind == "one-shot"
    assert similarity(lost.embedding, alone.embedding).total > 0.8


def test_two_hits_at_the_ends_of_a_long_silence_are_no_silence() -> None:
    hit = tone(180, 0.5) * np.exp(-np.arange(RATE // 2) / RATE * 12)
    analysis = analyze_samples(np.concatenate((hit, np.zeros(130 * RATE), hit)), RATE)
    assert analysis.sound_class is not None
    assert analysis.embedding.any()


def test_sound_behind_a_quarter_of_an_hour_of_silence_is_warned_of() -> None:
    # A low rate, for the sake of speed.
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 8000)
    analysis = analyze_samples(np.concatenate((np.zeros(910 * 8000), sound)), 8000)
    assert analysis.onsets == ()
    assert analysis.silence.start == pytest.approx(910, abs=1)
    assert any("15 minutes" in warning for warning in analysis.warnings)


def test_channels_that_cancel_each_other_out_are_heard_and_warned_of(loop: np.ndarray, heard: Analysis) -> None:
    opposite = analyze_samples(np.stack((loop, -loop), axis=1), RATE)
    assert opposite.sound_class == heard.sound_class
    assert opposite.onsets == heard.onsets
    assert opposite.slices == heard.slices
    assert np.array_equal(opposite.embedding, heard.embedding)
    assert opposite.mono_compatibility is not None
    assert opposite.mono_compatibility.loss_db < -60
    assert any("cancel" in warning for warning in opposite.warnings)
    assert not analyze_samples(np.stack((loop, 0 * loop), axis=1), RATE).warnings
