"""Keys of music made on the spot, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from sample_agent.engine.signal.tonal import TonalFrames, TonalMeter
from sample_agent.engine.tonality.key import KEYS, Key, estimate_key, relation
from sample_agent.engine.tonality.tuning import estimate_tuning, find_tones
from tests.sounds import RATE, drum_loop

_CHORDS = {
    False: ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)),
    True: ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7)),
}


def _note(midi: float, seconds: float) -> np.ndarray:
    """Six harmonics that die away."""
    time = np.arange(round(seconds * RATE)) / RATE
    hertz = 440 * 2 ** ((midi - 69) / 12)
    return sum(np.sin(2 * np.pi * n * hertz * time) / n for n in range(1, 7)) * np.exp(-1.5 * time)


def _cadences(tonic: int, minor: bool, cents: float = 0.0, times: int = 2) -> np.ndarray:
    """I-IV-V-I over a bass, several times."""
    bars = []
    for chord in _CHORDS[minor]:
        notes = [48 + tonic + step + cents / 100 for step in chord] + [36 + tonic + chord[0] % 12 + cents / 100]
        bars.append(sum(_note(note, 0.8) for note in notes))
    return 0.1 * np.tile(np.concatenate(bars), times)


def _tonal(samples: np.ndarray, rate: int = RATE) -> TonalFrames:
    meter = TonalMeter(rate, 60.0)
    meter.feed(samples.astype(np.float32), last=True)
    return meter.finish()


def _key(samples: np.ndarray, rate: int = RATE) -> Key:
    key = estimate_key(_tonal(samples, rate))
    assert key is not None
    return key


def test_a_name_that_agrees_makes_the_key_surer() -> None:
    tonal = _tonal(_cadences(9, True)[: 2 * RATE])
    plain, named = estimate_key(tonal), estimate_key(tonal, "Am")
    assert plain is not None
    assert named is not None
    assert named.key == "Am"
    assert named.hinted
    assert not plain.hinted
    assert named.confidence > plain.confidence


def test_a_name_that_nothing_heard_agrees_with_changes_no_key() -> None:
    tonal = _tonal(_cadences(9, True))
    assert estimate_key(tonal, "F#") == estimate_key(tonal)


def test_a_name_makes_no_key_of_noise() -> None:
    assert estimate_key(_tonal(np.random.default_rng(0).normal(scale=0.1, size=4 * RATE)), "Am") is None


@pytest.mark.parametrize("minor", [False, True])
@pytest.mark.parametrize("tonic", range(12))
def test_cadences_are_in_their_key_in_all_transpositions(tonic: int, minor: bool) -> None:
    assert _key(_cadences(tonic, minor)).key == KEYS[tonic + 12 * minor]


def test_played_higher_by_semitones_the_key_follows_with_the_same_confidence() -> None:
    low = _key(_cadences(2, True))
    for steps in (1, 3, 7):
        high = _key(soxr.resample(_cadences(2, True), RATE * 2 ** (steps / 12), RATE))
        assert high.key == KEYS[12 + (2 + steps) % 12]
        assert high.confidence == pytest.approx(low.confidence, abs=0.15)


@pytest.mark.parametrize("cents", [-40, -15, 20, 45])
def test_music_out_of_tune_keeps_its_key_and_says_by_how_much(cents: float) -> None:
    key = _key(_cadences(9, False, cents))
    assert key.key == "A"
    assert key.tuning_cents == pytest.approx(cents, abs=5)


@pytest.mark.parametrize("gain", [0.001, 0.1, 4.0])
def test_gain_does_not_matter(gain: float) -> None:
    music = _cadences(4, True)
    assert _key(gain * music).confidence == pytest.approx(_key(music).confidence, abs=0.01)
    assert _key(gain * music).key == _key(music).key


def test_silence_before_and_after_does_not_matter() -> None:
    music, silence = _cadences(7, False), np.zeros(5 * RATE)
    alone, within = _key(music), _key(np.concatenate((silence, music, silence)))
    assert within.key == alone.key
    assert within.confidence == pytest.approx(alone.confidence, abs=0.1)


@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000, 96_000])
def test_the_sample_rate_does_not_matter(rate: int) -> None:
    assert _key(soxr.resample(_cadences(11, True), RATE, rate), rate).key == "Bm"


def test_drums_on_top_do_not_hide_a_key() -> None:
    music = _cadences(5, True, times=3)
    drums = np.resize(drum_loop(96, beats=8), len(music))
    assert _key(music + 0.3 * drums).key == "Fm"


def test_alternatives_are_ranked_and_say_what_they_are_to_the_key() -> None:
    key = _key(_cadences(0, False))
    shares = [key.confidence, *(other.confidence for other in key.alternatives)]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1.0 + 1e-6
    assert all(other.relation == relation(key.key, other.key) for other in key.alternatives)


@pytest.mark.parametrize(
    ("key", "other", "expected"),
    [
        ("C", "Am", "relative"),
        ("Am", "C", "relative"),
        ("F#m", "A", "relative"),
        ("C", "Cm", "parallel"),
        ("Dm", "D", "parallel"),
        ("C", "G", "fifth"),
        ("C", "F", "fifth"),
        ("Em", "Bm", "fifth"),
        ("C", "D", "other"),
        ("C", "Em", "other"),
    ],
)
def test_relations_of_keys(key: str, other: str, expected: str) -> None:
    assert relation(key, other) == expected


def test_one_note_is_not_told_with_confidence_to_be_a_key() -> None:
    key = estimate_key(_tonal(0.3 * np.tile(_note(45, 0.5), 8)))
    assert key is None or key.confidence < 0.9


@pytest.mark.parametrize("seed", range(3))
def test_noise_and_silence_have_no_key(seed: int) -> None:
    assert estimate_key(_tonal(np.random.default_rng(seed).normal(scale=0.1, size=4 * RATE))) is None
    assert estimate_key(_tonal(np.zeros(RATE))) is None


def test_tones_are_where_the_sines_are() -> None:
    time = np.arange(2 * RATE) / RATE
    pitches = (45.0, 57.3, 76.5, 93.0)
    frames = _tonal(sum(0.1 * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time) for pitch in pitches))
    tones = find_tones(frames.power, frames.width_hz)
    loud = tones.weight > 0.02 * tones.weight.max()
    middle = tones.pitch[loud & (tones.frame == tones.frames // 2)]
    assert middle == pytest.approx(pitches, abs=0.03)
    assert tones.tonality > 0.9


def test_the_tuning_of_tones_a_quarter_off_is_found() -> None:
    frames = _tonal(_cadences(3, False, 25))
    assert estimate_tuning(find_tones(frames.power, frames.width_hz)) == pytest.approx(0.25, abs=0.04)
