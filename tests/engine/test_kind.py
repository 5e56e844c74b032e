"""One-shot, loop or track."""

from __future__ import annotations

import numpy as np
import pytest

from sample_agent.engine import analyze_samples
from tests.engine.hits import cymbal, kick, snare
from tests.sounds import RATE, chord, drum_loop


@pytest.mark.parametrize("sound", [kick(), snare(), cymbal()], ids=["kick", "snare", "cymbal"])
def test_a_hit_is_a_one_shot_and_has_no_tempo(sound: np.ndarray) -> None:
    analysis = analyze_samples(sound, RATE)
    assert analysis.kind.kind == "one-shot"
    assert analysis.kind.confidence > 0.8
    assert analysis.tempo is None


@pytest.mark.parametrize("frequency", [55.0, 73.4, 98.0, 131.0])
@pytest.mark.parametrize("seconds", [0.8, 1.0, 2.0])
def test_a_single_bass_note_has_no_tempo_and_no_beat_grid(frequency: float, seconds: float) -> None:
    time = np.arange(int(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * frequency * partial * time) / partial for partial in range(1, 9))
    analysis = analyze_samples((0.3 * wave * np.exp(-2 * time)).astype(np.float32), RATE)
    assert analysis.kind.kind == "one-shot"
    assert analysis.tempo is None
    assert all(piece.source != "grid" for piece in analysis.slices)


def test_a_long_pad_that_swells_and_fades_is_a_one_shot() -> None:
    pad = chord(110, 165, 220, seconds=6.0) * np.hanning(6 * RATE)
    assert analyze_samples(pad, RATE).kind.kind == "one-shot"


@pytest.mark.parametrize("beats", [4, 8, 16])
def test_bars_of_drums_are_a_loop(beats: int) -> None:
    kind = analyze_samples(drum_loop(100, beats=beats), RATE).kind
    assert kind.kind == "loop"
    assert kind.confidence > 0.6


def test_what_is_long_is_a_track_the_surer_the_longer() -> None:
    minute = drum_loop(100, beats=100)
    kinds = [analyze_samples(sound, RATE).kind for sound in (minute, np.tile(minute, 3))]
    assert [kind.kind for kind in kinds] == ["track", "track"]
    assert kinds[0].confidence < kinds[1].confidence <= 1


def test_silence_is_answered_without_certainty() -> None:
    kind = analyze_samples(np.zeros(RATE), RATE).kind
    assert kind.confidence <= 0.5
