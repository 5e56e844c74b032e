"""Silence before and behind a sound is none of it."""

from __future__ import annotations

import numpy as np
import pytest

from sample_agent.engine import Analysis, analyze_samples
from tests.engine.hits import closed_hat, cymbal, kick, snare
from tests.sounds import RATE, drum_loop


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE))


def same_sound(one: Analysis, other: Analysis) -> None:
    assert one.kind.kind == other.kind.kind
    assert one.sound_class is not None
    assert other.sound_class is not None
    assert one.sound_class.name == other.sound_class.name
    assert one.sound_class.confidence == pytest.approx(other.sound_class.confidence, abs=0.1)
    assert one.envelope.temporal_centroid == pytest.approx(other.envelope.temporal_centroid, abs=0.03)
    assert one.envelope.crest_db == pytest.approx(other.envelope.crest_db, abs=0.3)
    assert one.envelope.attack == pytest.approx(other.envelope.attack, abs=0.004)
    assert one.envelope.decay == pytest.approx(other.envelope.decay, abs=0.01)


@pytest.mark.parametrize("hit", [kick(), snare(), closed_hat(), cymbal()], ids=["kick", "snare", "hat", "cymbal"])
@pytest.mark.parametrize("seconds", [0.05, 0.5, 10.0])
def test_silence_in_front_of_a_hit_moves_nothing(hit: np.ndarray, seconds: float) -> None:
    same_sound(analyze_samples(hit, RATE), analyze_samples(np.concatenate((silence(seconds), hit)), RATE))


@pytest.mark.parametrize("hit", [kick(), snare(), closed_hat(), cymbal()], ids=["kick", "snare", "hat", "cymbal"])
def test_silence_behind_a_hit_moves_nothing(hit: np.ndarray) -> None:
    same_sound(analyze_samples(hit, RATE), analyze_samples(np.concatenate((hit, silence(2.0))), RATE))


@pytest.mark.parametrize("bpm", [86.0, 100.0, 128.0, 171.0])
@pytest.mark.parametrize("seconds", [0.05, 0.7, 2.0])
def test_silence_behind_a_loop_leaves_its_tempo(bpm: float, seconds: float) -> None:
    tempo = analyze_samples(np.concatenate((drum_loop(bpm, beats=16), silence(seconds))), RATE).tempo
    assert tempo is not None
    assert tempo.bpm == pytest.approx(bpm, rel=0.01)


def test_a_silent_file_has_an_envelope_of_zeros() -> None:
    envelope = analyze_samples(silence(1.0), RATE).envelope
    assert (envelope.attack, envelope.decay, envelope.temporal_centroid, envelope.crest_db) == (0, 0, 0, 0)


@pytest.mark.parametrize("seconds", [0.3, 10.0, 46.0, 55.0, 100.0])
def test_a_note_has_its_pitch_however_late_it_comes(seconds: float) -> None:
    time = np.arange(RATE) / RATE
    note = sum(np.sin(2 * np.pi * 220 * n * time) / n for n in (1, 2, 3)) * np.exp(-time * 4) * 0.4
    found = analyze_samples(np.concatenate((silence(seconds), note)), RATE)
    assert found.pitch is not None
    assert found.pitch.note == "A3"
    assert found.pitch.frequency == pytest.approx(220, rel=0.005)
    for piece in found.slices:
        assert 0 <= piece.start_frame < piece.end_frame <= found.frames
