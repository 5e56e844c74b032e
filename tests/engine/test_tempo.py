"""Tempo of loops, of pieces cut out of them and of tracks, with and without what the file says itself."""

from __future__ import annotations

import numpy as np
import pytest

from sample_agent.engine import analyze_samples
from sample_agent.engine.models.trees import Trees
from sample_agent.engine.rhythm.tempo import Tempo
from sample_agent.engine.signal.frames import Floats
from tests.engine.hits import closed_hat, kick, snare
from tests.sounds import RATE, drum_loop, tone


def tempo_of(samples: Floats, filename: str = "") -> Tempo:
    tempo = analyze_samples(samples, RATE, filename=filename).tempo
    assert tempo is not None
    return tempo


@pytest.mark.parametrize("bpm", [97.3, 104.0, 120.0, 128.0, 140.0, 171.0])
def test_a_loop_has_its_tempo(bpm: float) -> None:
    assert tempo_of(drum_loop(bpm)).bpm == pytest.approx(bpm, rel=0.005)


@pytest.mark.parametrize(("start", "seconds"), [(0.31, 5.37), (1.13, 7.91), (0.87, 4.43)])
def test_a_piece_cut_at_random_out_of_a_repeated_loop_has_it_too(start: float, seconds: float) -> None:
    tiled = np.tile(drum_loop(112.0), (4, 1)) if drum_loop(112.0).ndim == 2 else np.tile(drum_loop(112.0), 4)
    piece = tiled[int(start * RATE) : int((start + seconds) * RATE)]
    assert tempo_of(piece).bpm == pytest.approx(112.0, rel=0.01)


def test_a_track_has_it_too() -> None:
    loop = drum_loop(126.0)
    track = np.concatenate([loop] * int(60 * RATE / len(loop)))
    assert tempo_of(track).bpm == pytest.approx(126.0, rel=0.005)


def test_alternatives_are_other_tempi_and_the_likeliest_comes_first() -> None:
    tempo = tempo_of(drum_loop(120.0))
    confidences = [other.confidence for other in tempo.alternatives]
    assert confidences == sorted(confidences, reverse=True)
    assert all(abs(other.bpm / tempo.bpm - 1) > 0.02 for other in tempo.alternatives)
    assert tempo.confidence + sum(confidences) <= 1.001
    # Half and double are always there to choose, where they are tempi.
    said = [other.bpm for other in tempo.alternatives]
    assert any(abs(bpm / (tempo.bpm / 2) - 1) < 0.02 for bpm in said)


def test_a_name_that_agrees_makes_the_answer_surer() -> None:
    loop = drum_loop(120.0)
    plain, named = tempo_of(loop), tempo_of(loop, "Beat 120bpm.wav")
    assert named.bpm == plain.bpm
    assert named.confidence >= plain.confidence
    assert named.hinted
    assert not plain.hinted


def test_a_name_that_nothing_heard_agrees_with_changes_nothing() -> None:
    loop = drum_loop(120.0)
    plain, named = tempo_of(loop), tempo_of(loop, "Beat 111bpm.wav")
    assert (named.bpm, named.confidence, named.hinted) == (plain.bpm, plain.confidence, False)


def test_silence_has_no_tempo() -> None:
    assert analyze_samples(np.zeros(8 * RATE, np.float32), RATE).tempo is None


def test_the_same_samples_give_the_same_tempo() -> None:
    loop = drum_loop(133.0)
    assert tempo_of(loop) == tempo_of(loop)


def test_trees_say_what_walking_them_by_hand_says() -> None:
    random = np.random.default_rng(0)
    trees = Trees(
        random.integers(0, 4, (5, 7)).astype(np.int16),
        random.normal(size=(5, 7)).astype(np.float32),
        random.normal(size=(5, 8)).astype(np.float32),
    )
    rows = random.normal(size=(20, 4)).astype(np.float32)

    def walked(row: Floats) -> float:
        total = 0.0
        for tree in range(5):
            node = 0
            for _ in range(3):
                right = row[trees.feature[tree, node]] > trees.threshold[tree, node]
                node = 2 * node + 1 + int(right)
            total += float(trees.value[tree, node - 7])
        return total

    assert trees(rows) == pytest.approx([walked(row) for row in rows])


def placed(length: int, sounds: list[tuple[int, Floats]]) -> Floats:
    mix = np.zeros(length)
    for start, sound in sounds:
        mix[start : start + len(sound)] += sound[: length - start]
    return 0.7 * mix / np.abs(mix).max()


@pytest.mark.parametrize("bpm", [140.0, 160.0, 180.0, 200.0, 215.0])
@pytest.mark.parametrize("other", [snare(), closed_hat()], ids=["snare", "hat"])
def test_a_fast_loop_in_bars_of_three_has_the_tempo_of_its_beats(bpm: float, other: Floats) -> None:
    beat = 60 / bpm * RATE
    sounds = [(round(number * beat), kick() if number % 3 == 0 else 0.7 * other) for number in range(12)]
    assert tempo_of(placed(round(12 * beat), sounds)).bpm == pytest.approx(bpm, rel=0.01)


@pytest.mark.parametrize("bpm", [55.0, 60.0, 90.0, 120.0, 180.0, 210.0])
def test_a_click_has_the_tempo_that_it_clicks_at(bpm: float) -> None:
    time = np.arange(RATE // 50) / RATE
    click = np.sin(2 * np.pi * 1000 * time) * np.exp(-time * 250)
    beat = 60 / bpm * RATE
    sounds = [(round(number * beat), click) for number in range(16)]
    assert tempo_of(placed(round(16 * beat), sounds)).bpm == pytest.approx(bpm, rel=0.01)


@pytest.mark.parametrize("seconds", [4.0, 8.0, 12.0])
@pytest.mark.parametrize("sound", ["sine", "noise"])
def test_nothing_is_sure_of_the_tempo_of_what_has_none(sound: str, seconds: float) -> None:
    samples = tone(220, seconds)
    if sound == "noise":
        samples = 0.2 * np.random.default_rng(0).normal(size=int(seconds * RATE))
    tempo = analyze_samples(samples, RATE).tempo
    assert tempo is None or tempo.confidence < 0.5
