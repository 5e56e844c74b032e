"""How alike two sounds are, in all and in parts, whatever file they come in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from sample_agent.engine import analyze_file, analyze_samples
from sample_agent.engine.sound.embedding import EMBEDDING_SIZE, PART_WEIGHTS, PARTS, part, similarities, similarity
from tests.engine.hits import closed_hat, cymbal, kick, snare
from tests.sounds import RATE, chord, drum_loop

SOUNDS = {
    "kick": kick(),
    "deep kick": kick(38, 0.9),
    "snare": snare(),
    "hat": closed_hat(),
    "cymbal": cymbal(),
    "chord": chord(220, 277, 330, seconds=1.5).astype(np.float32),
    "loop": drum_loop(120, beats=8).astype(np.float32),
}


@pytest.fixture(scope="module")
def library() -> dict[str, np.ndarray]:
    return {name: analyze_samples(sound, RATE).embedding for name, sound in SOUNDS.items()}


def test_a_vector_is_small_and_of_length_one(library: dict[str, np.ndarray]) -> None:
    assert EMBEDDING_SIZE <= 128
    for vector in library.values():
        assert vector.dtype == np.float32
        assert vector.shape == (EMBEDDING_SIZE,)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
        for name in PARTS:
            assert np.linalg.norm(part(vector, name)) == pytest.approx(1, abs=1e-4)


def test_the_product_of_two_vectors_is_their_similarity(library: dict[str, np.ndarray]) -> None:
    a, b = library["kick"], library["snare"]
    found = similarity(a, b)
    assert found.total == pytest.approx(float(a @ b), abs=1e-5)
    assert found.total == pytest.approx(sum(PART_WEIGHTS[name] * found.parts[name] for name in PARTS), abs=1e-5)


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("kind", ["48 kHz", "22.05 kHz", "mp3", "flac", "-12 dB"])
def test_a_sound_is_found_first_in_whatever_file_it_is(
    name: str, kind: str, library: dict[str, np.ndarray], tmp_path: Path
) -> None:
    sound, rate, suffix = SOUNDS[name], RATE, "wav"
    if kind.endswith("kHz"):
        rate = round(float(kind.split()[0]) * 1000)
        sound = soxr.resample(sound, RATE, rate)
    elif kind == "-12 dB":
        sound = sound * np.float32(10 ** (-12 / 20))
    else:
        suffix = kind
    path = tmp_path / f"sound.{suffix}"
    soundfile.write(path, sound, rate)
    asked = analyze_file(path).embedding
    totals, _ = similarities(asked, np.stack(list(library.values())))
    assert list(library)[int(totals.argmax())] == name
    # A hat has little left below 11 kHz.
    assert totals.max() > (0.7 if kind == "22.05 kHz" else 0.9)


def test_weights_choose_what_counts(library: dict[str, np.ndarray]) -> None:
    a, b = library["kick"], library["deep kick"]
    both = similarity(a, b)
    for name in PARTS:
        assert similarity(a, b, {name: 2.0}).total == pytest.approx(both.parts[name], abs=1e-5)


@pytest.mark.parametrize(
    "weights", [{}, {"spectrum": -1.0}, {"colour": 1.0}, {"rhythm": 0.0}, {"rhythm": float("nan")}]
)
def test_weights_that_mean_nothing_are_refused(weights: dict, library: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"weights|part"):
        similarity(library["kick"], library["snare"], weights)


def test_why_two_match_is_said_in_words(library: dict[str, np.ndarray]) -> None:
    same = similarity(library["kick"], library["kick"]).words()
    assert len(same) == len(PARTS)
    assert "the same attack and decay" in same
    assert len(similarity(library["kick"], library["cymbal"]).words()) < len(PARTS)


def test_silence_is_like_nothing(library: dict[str, np.ndarray]) -> None:
    silent = analyze_samples(np.zeros(RATE), RATE).embedding
    assert not silent.any()
    assert similarity(silent, library["kick"]).total == 0


def test_the_vector_is_part_of_the_json(library: dict[str, np.ndarray]) -> None:
    written = analyze_samples(SOUNDS["kick"], RATE).to_dict()["embedding"]
    assert np.allclose(written, library["kick"], atol=1e-5)
