"""The same recording is known again, and another one is not taken for it."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
import soxr

from sample_agent.engine import analyze_samples
from sample_agent.engine.sound.fingerprint import Fingerprint, same_sound
from tests.engine.hits import closed_hat, cymbal, kick, snare
from tests.sounds import RATE, chord, drum_loop

SOUNDS = {
    "kick": kick(),
    "snare": snare(),
    "cymbal": cymbal(),
    "chord": chord(220, 277, 330, seconds=1.5).astype(np.float32),
    "loop": drum_loop(120, beats=16).astype(np.float32),
}


def _print(sound: np.ndarray, rate: int = RATE) -> Fingerprint:
    return analyze_samples(sound, rate).fingerprint


def _encoded(sound: np.ndarray, kind: str, subtype: str) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, format=kind, subtype=subtype)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


@pytest.mark.parametrize("name", SOUNDS)
def test_another_encoding_gain_or_rate_is_the_same_sound(name: str) -> None:
    sound = SOUNDS[name]
    original = _print(sound)
    for other in (
        _print(_encoded(sound, "MP3", "MPEG_LAYER_III")),
        _print(_encoded(sound, "OGG", "VORBIS")),
        _print(sound * np.float32(0.2)),
        _print(soxr.resample(sound, RATE, 48_000), 48_000),
    ):
        assert same_sound(original, other).same


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("seconds", [0.005, 0.01, 0.02])
def test_a_trimmed_start_is_the_same_sound(name: str, seconds: float) -> None:
    assert same_sound(_print(SOUNDS[name]), _print(SOUNDS[name][int(seconds * RATE) :])).same


@pytest.mark.parametrize("name", ["cymbal", "chord", "loop"])
@pytest.mark.parametrize("seconds", [0.05, 0.1])
def test_of_what_lasts_more_may_be_trimmed(name: str, seconds: float) -> None:
    assert same_sound(_print(SOUNDS[name]), _print(SOUNDS[name][int(seconds * RATE) :])).same


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("seconds", [0.007, 0.013])
def test_either_of_two_sounds_may_be_named_first(name: str, seconds: float) -> None:
    a, b = _print(SOUNDS[name]), _print(SOUNDS[name][int(seconds * RATE) :])
    one, other = same_sound(a, b), same_sound(b, a)
    assert (one.same, one.confidence, one.difference_db) == (other.same, other.confidence, other.difference_db)
    assert one.offset == pytest.approx(-other.offset)


@pytest.mark.parametrize("semitones", [-5, -3, 3, 5])
def test_a_kick_played_at_another_pitch_is_another_sound(semitones: int) -> None:
    other = soxr.resample(SOUNDS["kick"], RATE * 2 ** (semitones / 12), RATE)
    assert not same_sound(_print(SOUNDS["kick"]), _print(other)).same


def test_silence_put_in_front_is_told_as_the_offset() -> None:
    match = same_sound(_print(np.pad(SOUNDS["loop"], (RATE // 2, 0))), _print(SOUNDS["loop"]))
    assert match.same
    assert match.offset == pytest.approx(0.5, abs=0.03)


def test_other_sounds_are_not_the_same() -> None:
    prints = {name: _print(sound) for name, sound in SOUNDS.items()}
    prints |= {"other kick": _print(kick(60, 0.3)), "other snare": _print(snare(5)), "hat": _print(closed_hat())}
    prints["loop at another tempo"] = _print(drum_loop(124, beats=16))
    for first, second in [(a, b) for a in prints for b in prints if a < b and {a, b} != {"snare", "other snare"}]:
        assert not same_sound(prints[first], prints[second]).same, (first, second)


def test_a_fingerprint_stays_small_however_long_the_file() -> None:
    long = _print(np.tile(SOUNDS["loop"], 20))
    assert long.fine.nbytes + long.coarse.nbytes < 16_000


def test_silence_is_the_same_as_nothing() -> None:
    silent = _print(np.zeros(RATE))
    assert not same_sound(silent, silent).same
    assert not same_sound(silent, _print(SOUNDS["kick"])).same


def test_a_fingerprint_is_stored_as_bytes_and_read_again() -> None:
    made = analyze_samples(drum_loop(96, beats=8), RATE).fingerprint
    again = Fingerprint.from_bytes(made.to_bytes())
    assert again.to_bytes() == made.to_bytes()
    assert (again.start, again.duration) == (made.start, made.duration)
    assert same_sound(made, again).confidence > 0.95
    assert same_sound(made, again).difference_db < 1e-3


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda stored: b"", "no fingerprint"),
        (lambda stored: b"RIFF" + stored[4:], "no fingerprint"),
        (lambda stored: stored[:4] + b"\x63\x00" + stored[6:], "version 99"),
        (lambda stored: stored[:-1], "not complete"),
    ],
    ids=["empty", "something else", "another version", "cut short"],
)
def test_bytes_that_are_no_fingerprint_are_refused(damage: Callable[[bytes], bytes], message: str) -> None:
    stored = analyze_samples(drum_loop(96, beats=4), RATE).fingerprint.to_bytes()
    with pytest.raises(ValueError, match=message):
        Fingerprint.from_bytes(damage(stored))
