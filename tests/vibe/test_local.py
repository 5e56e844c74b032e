"""The describer says what the descriptors say, and no more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sample_agent.engine import analyze_samples
from sample_agent.vibe import describe, describe_locally
from tests.sounds import RATE, chord, drum_loop, tone


def _features(**changes: Any) -> dict[str, Any]:
    return {
        "duration": 5.2,
        "kind": {"kind": "loop", "confidence": 0.9},
        "tempo": {"bpm": 92.04, "confidence": 0.8},
        "key": {"key": "F#m", "confidence": 0.7, "tonality": 0.7},
        "loudness": {"integrated_lufs": -18.0, "sample_peak_dbfs": -1.0},
        "spectral": {"centroid_hz": 900.0, "flatness": 0.001},
        "onsets": [0.1 * n for n in range(16)],
        **changes,
    }


def test_a_loop_is_described_by_sound_tempo_and_key() -> None:
    assert describe(_features()) == "Dark, punchy loop at 92 BPM in F#m"


@pytest.mark.parametrize(
    ("changes", "absent"),
    [
        ({"tempo": None}, "BPM"),
        ({"tempo": {"bpm": 92.0, "confidence": 0.1}}, "BPM"),
        ({"key": None}, "F#m"),
        ({"key": {"key": "F#m", "confidence": 0.1, "tonality": 0.7}}, "F#m"),
        ({"kind": {"kind": "one-shot", "confidence": 0.9}}, "F#m"),
    ],
)
def test_what_is_unsure_is_not_claimed(changes: dict[str, Any], absent: str) -> None:
    assert absent not in describe(_features(**changes))


def hit(name: str, confidence: float, pitch: float = 0.0) -> dict[str, Any]:
    return _features(
        kind={"kind": "one-shot", "confidence": 0.9},
        tempo=None,
        key=None,
        sound_class={"name": name, "confidence": confidence, "probabilities": {}},
        pitch={"note": "A2", "midi": 45.0, "frequency": 110.0, "confidence": pitch} if pitch else None,
    )


def test_a_one_shot_is_called_by_its_class_and_its_note() -> None:
    assert describe(hit("tom", 0.8, pitch=0.9)) == "Dark, long tom on A2"
    assert describe(hit("closed-hat", 0.8)) == "Dark, long closed hat"
    assert describe(hit("tom", 0.5, pitch=0.9)) == "Dark, long one-shot on A2"
    assert describe(hit("tom", 0.5, pitch=0.3)) == "Dark, long unpitched one-shot"


def test_a_loop_is_called_by_its_class_and_nothing_by_one_of_another_kind() -> None:
    drums = {"name": "drum-loop", "confidence": 0.9, "probabilities": {}}
    assert describe(_features(sound_class=drums, key=None)) == "Dark, punchy drum loop at 92 BPM"
    kick = {"name": "kick", "confidence": 0.9, "probabilities": {}}
    assert describe(_features(sound_class=kick)) == "Dark, punchy loop at 92 BPM in F#m"


def test_no_descriptors_at_all_give_a_sentence_still() -> None:
    assert describe({})
    assert describe({"kind": {"kind": "loop"}, "loudness": {"sample_peak_dbfs": -3.0}})


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros(RATE), "Silence, 1.0 seconds"),
        (drum_loop(100), "loop"),
        (tone(60, 0.2) * np.linspace(1, 0, int(0.2 * RATE)) ** 2, "deep"),
        (np.random.default_rng(0).normal(scale=0.1, size=RATE), "noisy"),
        (chord(110, 131, 165, seconds=4.0), "deep"),
    ],
)
def test_real_descriptors_are_put_into_fitting_words(samples: np.ndarray, words: str) -> None:
    features = analyze_samples(samples, RATE).to_dict()
    sentence = describe(features)
    assert words.lower() in sentence.lower()
    assert len(sentence) < 80
    assert sentence == describe(features)


def test_a_local_vibe_is_free() -> None:
    vibe = describe_locally(_features())
    assert (vibe.text, vibe.model, vibe.cost_usd) == (describe(_features()), "local", 0.0)
    assert vibe.tokens_input == vibe.tokens_output == 0
