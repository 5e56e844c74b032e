"""Notes of one-shots made on the spot."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from sample_agent.engine import analyze_samples
from sample_agent.engine.listening import Listening
from sample_agent.engine.tonality.pitch import Pitch, estimate_pitch
from tests.sounds import RATE


def _pitch(samples: np.ndarray, rate: int = RATE) -> Pitch | None:
    listening = Listening(rate, 1)
    listening.feed(samples.astype(np.float32)[:, None])
    listening.finish()
    return estimate_pitch(listening.head, rate, listening.cells)


def _hertz(midi: float) -> float:
    return 440.0 * 2 ** ((midi - 69) / 12)


def _sum(midi: float, levels: dict[float, float], seconds: float = 0.8, decay: float = 3.0) -> np.ndarray:
    """Partials by their ratio to the note."""
    time = np.arange(round(seconds * RATE)) / RATE
    partials = {ratio: level for ratio, level in levels.items() if ratio * _hertz(midi) < 0.45 * RATE}
    sound = sum(level * np.sin(2 * np.pi * ratio * _hertz(midi) * time) for ratio, level in partials.items())
    return 0.2 * sound * np.exp(-decay * time) * np.minimum(1, time / 0.005)


_SINE = {1.0: 1.0}
_SAW = {float(n): 1 / n for n in range(1, 25)}
_SQUARE = {float(n): 1 / n for n in range(1, 25, 2)}
_HOLLOW = {float(n): 1.0 for n in range(2, 9)}


@pytest.mark.parametrize("levels", [_SINE, _SAW, _SQUARE], ids=["sine", "saw", "square"])
@pytest.mark.parametrize("midi", [21, 24, 28, 33, 40, 45, 52, 60, 69, 76, 84, 96, 105])
def test_plain_waves_have_their_note_from_27_hz_to_3500(levels: dict[float, float], midi: int) -> None:
    pitch = _pitch(_sum(midi, levels))
    assert pitch is not None
    assert pitch.midi == pytest.approx(midi, abs=0.1)
    assert pitch.frequency == pytest.approx(_hertz(midi), rel=0.006)


@pytest.mark.parametrize("midi", [40, 52, 60, 72])
def test_a_note_without_its_fundamental_is_heard_all_the_same(midi: int) -> None:
    pitch = _pitch(_sum(midi, _HOLLOW))
    assert pitch is not None
    assert pitch.midi == pytest.approx(midi, abs=0.1)


@pytest.mark.parametrize("midi", [40, 55, 64])
def test_a_stiff_plucked_string_has_its_note(midi: int) -> None:
    time = np.arange(RATE) / RATE
    partials = [
        np.exp(-(1 + n) * time) / n * np.sin(2 * np.pi * n * np.sqrt(1 + 2e-4 * n * n) * _hertz(midi) * time)
        for n in range(1, 15)
    ]
    pitch = _pitch(0.2 * np.sum(partials, axis=0))
    assert pitch is not None
    assert round(pitch.midi) == midi


def test_vibrato_does_not_move_the_note() -> None:
    time = np.arange(RATE) / RATE
    phase = 2 * np.pi * np.cumsum(_hertz(64 + 0.3 * np.sin(2 * np.pi * 5.5 * time))) / RATE
    pitch = _pitch(0.2 * sum(np.sin(n * phase) / n for n in range(1, 8)))
    assert pitch is not None
    assert round(pitch.midi) == 64


@pytest.mark.parametrize("midi", [26, 29, 33, 36])
def test_a_long_bass_drum_that_settles_has_the_note_it_settles_on(midi: int) -> None:
    time = np.arange(RATE) / RATE
    phase = 2 * np.pi * np.cumsum(_hertz(midi + 24 * np.exp(-time / 0.01))) / RATE
    pitch = _pitch(0.5 * np.tanh(2 * np.sin(phase)) * np.exp(-2 * time))
    assert pitch is not None
    assert pitch.midi == pytest.approx(midi, abs=0.5)


def test_a_bell_has_the_note_it_strikes_as_a_pitch_class() -> None:
    pitch = _pitch(_sum(72, {0.5: 0.3, 1.0: 1.0, 1.2: 0.6, 1.5: 0.3, 2.0: 0.9, 3.0: 0.2}))
    assert pitch is not None
    assert round(pitch.midi) % 12 == 0


def test_the_note_is_named_and_its_deviation_told() -> None:
    pitch = _pitch(_sum(42.2, _SAW))
    assert pitch is not None
    assert pitch.note == "F#2"
    assert pitch.midi == pytest.approx(42.2, abs=0.03)


@pytest.mark.parametrize("gain", [0.001, 0.1, 3.0])
def test_gain_and_silence_in_front_do_not_matter(gain: float) -> None:
    pitch = _pitch(np.concatenate((np.zeros(RATE // 3), gain * _sum(50, _SAW), np.zeros(RATE))))
    assert pitch is not None
    assert pitch.note == "D3"


@pytest.mark.parametrize("rate", [22_050, 48_000, 96_000])
def test_the_sample_rate_does_not_matter(rate: int) -> None:
    pitch = _pitch(soxr.resample(_sum(57, _SAW), RATE, rate), rate)
    assert pitch is not None
    assert pitch.midi == pytest.approx(57, abs=0.05)


@pytest.mark.parametrize("seconds", [0.06, 0.12])
def test_short_notes_have_a_note(seconds: float) -> None:
    pitch = _pitch(_sum(64, _SAW, seconds=seconds))
    assert pitch is not None
    assert round(pitch.midi) == 64


@pytest.mark.parametrize("seed", range(4))
def test_noise_hats_and_clicks_have_no_note(seed: int) -> None:
    random = np.random.default_rng(seed)
    time = np.arange(RATE // 2) / RATE
    noise = random.normal(0, 0.2, len(time))
    assert _pitch(noise) is None
    assert _pitch(noise * np.exp(-60 * time)) is None
    assert _pitch(np.diff(noise, prepend=0) * np.exp(-20 * time)) is None


@pytest.mark.parametrize("samples", [np.zeros(1000), np.full(5000, 0.3), np.eye(1, 4000)[0], np.ones(1), np.zeros(3)])
def test_silence_offsets_and_single_samples_have_no_note(samples: np.ndarray) -> None:
    assert _pitch(samples) is None


def test_an_analysis_of_a_one_shot_has_the_note_and_one_of_a_longer_thing_has_not() -> None:
    note = analyze_samples(_sum(48, _SAW, decay=5), RATE)
    assert note.kind.kind == "one-shot"
    assert note.pitch is not None
    assert note.to_dict()["pitch"]["note"] == "C3"
    melody = np.concatenate([_sum(midi, _SAW, 0.5) for midi in (48, 52, 55, 60) * 4])
    assert analyze_samples(melody, RATE).pitch is None
