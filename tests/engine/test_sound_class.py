"""What a sample is, on sounds whose making says it, and on recordings when they are there."""

from __future__ import annotations

import numpy as np
import pytest

from sample_agent.engine import analyze_samples
from sample_agent.engine.sound.sound_class import DRUMS, SOUND_CLASSES
from tests.engine.hits import closed_hat, cymbal, kick, snare
from tests.sounds import RATE, drum_loop


@pytest.mark.parametrize(
    ("sound", "names"),
    [
        (kick(), {"kick"}),
        (snare(), {"snare", "clap"}),
        (closed_hat(), {"closed-hat"}),
        (cymbal(), {"cymbal", "open-hat"}),
        (drum_loop(120, beats=16), {"drum-loop"}),
    ],
    ids=["kick", "snare", "closed-hat", "cymbal", "drum-loop"],
)
def test_plain_sounds_are_told(sound: np.ndarray, names: set[str]) -> None:
    found = analyze_samples(sound, RATE).sound_class
    assert found is not None
    assert found.name in names


def test_probabilities_are_of_all_classes_and_make_one() -> None:
    found = analyze_samples(snare(), RATE).sound_class
    assert found is not None
    assert set(found.probabilities) == set(SOUND_CLASSES)
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-4)
    assert found.confidence == max(found.probabilities.values()) == found.probabilities[found.name]


def test_silence_has_no_class() -> None:
    assert analyze_samples(np.zeros(RATE), RATE).sound_class is None


@pytest.mark.parametrize("gain", [0.01, 0.3])
def test_a_quieter_sound_is_of_the_same_class(gain: float) -> None:
    loud, quiet = (analyze_samples(kick() * level, RATE).sound_class for level in (1.0, gain))
    assert loud is not None
    assert quiet is not None
    assert quiet.probabilities == pytest.approx(loud.probabilities, abs=0.02)


def test_silence_around_a_sound_does_not_change_its_class() -> None:
    padded = np.pad(kick(), (RATE // 5, RATE))
    bare, wrapped = analyze_samples(kick(), RATE).sound_class, analyze_samples(padded, RATE).sound_class
    assert bare is not None
    assert wrapped is not None
    assert bare.name == wrapped.name


def test_a_single_hit_has_no_key() -> None:
    for hit in (kick(), snare(), closed_hat(), cymbal()):
        analysis = analyze_samples(hit, RATE)
        assert analysis.sound_class is not None
        assert analysis.sound_class.name in DRUMS
        assert analysis.key is None
