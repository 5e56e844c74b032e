"""The numbers of a sound mean what the files of its parts say."""

from __future__ import annotations

import numpy as np
import pytest

from sample_agent.engine.listening import Listening
from sample_agent.engine.sound.descriptors import PARTS, SOUND_NUMBERS, Descriptors, describe, part_slices
from tests.engine.hits import closed_hat, cymbal, kick
from tests.sounds import RATE, chord, drum_loop, tone

NOISE = np.random.default_rng(0).normal(scale=0.1, size=2 * RATE)


def described(samples: np.ndarray, rate: int = RATE) -> Descriptors:
    listening = Listening(rate, 1)
    listening.feed(samples.astype(np.float32)[:, None])
    listening.finish()
    return describe(listening.mel, listening.mel_rate, listening.cells, listening.tonal)


def part(name: str, samples: np.ndarray) -> np.ndarray:
    descriptors = described(samples)
    return descriptors.values[descriptors.parts[name]]


def silence(seconds: float) -> np.ndarray:
    return np.zeros(int(seconds * RATE))


def test_the_parts_fill_the_row_one_behind_the_other() -> None:
    values, places = described(drum_loop(120)).values, part_slices()
    assert tuple(places) == PARTS
    assert [places[name].start for name in PARTS] == [0, *(places[name].stop for name in PARTS[:-1])]
    assert places["looping"] == slice(SOUND_NUMBERS, len(values))
    assert values.dtype == np.float32
    assert np.isfinite(values).all()


def test_silence_is_a_row_of_zeros() -> None:
    assert not described(silence(1)).values.any()


@pytest.mark.parametrize("samples", [1, 2, 100, 3000])
@pytest.mark.parametrize("rate", [1000, 8000, RATE, 192_000])
def test_sounds_too_short_to_say_much_are_described_in_finite_numbers(rate: int, samples: int) -> None:
    values = described(NOISE[:samples], rate).values
    assert len(values) == part_slices()["looping"].stop
    assert np.isfinite(values).all()


@pytest.mark.parametrize("gain", [1e-3, 0.1, 8.0])
def test_gain_changes_no_number(gain: float) -> None:
    # With the hiss that every recording has: where there is nothing but rounding, gain decides what is left of it.
    loop = drum_loop(120) + 1e-3 * np.resize(NOISE, 4 * RATE)
    assert np.abs(described(gain * loop).values - described(loop).values).max() < 5e-3


def test_the_middle_of_a_long_file_is_described_and_no_more() -> None:
    loud, ends = np.tile(drum_loop(120, beats=16), 8), np.tile(NOISE, 10)
    alone, amidst = part("spectrum", loud), part("spectrum", np.concatenate((ends, loud, ends)))
    # All but the finer stretches at the bottom, which are read from the long frames of the whole file.
    assert np.abs(amidst - alone)[:50].max() < 0.02


def test_a_hit_far_from_the_middle_is_found() -> None:
    near = np.concatenate((np.zeros(1024), kick()))
    far = np.concatenate((np.zeros(20 * 1024), kick(), silence(120)))
    for name in ("spectrum", "timbre", "tonality", "envelope"):
        assert np.corrcoef(part(name, near), part(name, far))[0, 1] > 0.99


def test_the_spectrum_says_where_the_energy_lies() -> None:
    middle = [part("spectrum", sound)[40] for sound in (kick(), tone(1000), closed_hat())]
    assert middle == sorted(middle)
    # The eleventh of 40 mel bands has its middle at 990 Hz; the stretches at the bottom meet at 60 Hz.
    assert part("spectrum", tone(1000))[:40].argmax() == 10
    assert part("spectrum", tone(52))[50:59].argmax() == 1
    assert part("spectrum", tone(70))[50:59].argmax() == 2


def test_noise_is_flatter_than_a_chord_in_timbre() -> None:
    noise, notes = part("timbre", NOISE), part("timbre", chord(220, 277, 330))
    # Flatness of lows, middles and highs, each before its spread; then of seven octaves, and how far peaks stand out.
    assert (noise[143:149:2] > notes[143:149:2]).all()
    flat, prominent = slice(149, 156), slice(156, 163)
    # The octaves from 140 to 1100 Hz have the notes in them.
    assert (noise[flat][2:5] > notes[flat][2:5] + 0.5).all()
    assert (noise[prominent][2:5] < notes[prominent][2:5]).all()


def test_a_kick_falls_in_pitch_and_a_note_does_not() -> None:
    falls, stays = part("tonality", kick())[18:24], part("tonality", tone(55))[18:24]
    assert falls[0] - falls[-1] > 2 * abs(stays[0] - stays[-1])
    assert falls[0] > falls[-1]


def test_a_note_is_as_high_as_it_is_and_a_chord_has_its_intervals() -> None:
    note = part("tonality", chord(220))
    # A3 is 33 semitones above C1, of seven octaves.
    assert note[2] == pytest.approx(33 / 84, abs=0.01)
    major = part("tonality", chord(220, 220 * 2 ** (4 / 12), 220 * 2 ** (7 / 12)))
    assert major[6] > note[6]
    thirds_and_fourths, seconds_and_tritones = major[[14, 15, 16]], major[[12, 17]]
    assert thirds_and_fourths.min() > seconds_and_tritones.max()


def test_onsets_are_counted_and_periods_found_in_rhythm() -> None:
    hits = silence(4)
    for start in range(8):
        hits[start * RATE // 2 :][: RATE // 10] += closed_hat()[: RATE // 10]
    rhythm = part("rhythm", hits)
    assert 2 ** (4 * rhythm[0]) - 1 == pytest.approx(8, abs=0.1)
    assert rhythm[2] == pytest.approx(0.5, abs=0.01)
    assert rhythm[3] < 0.05
    # The period, in octaves of a second over four, and the seconds of the clip.
    assert 2 ** (4 * rhythm[8]) == pytest.approx(0.5, rel=0.03)
    assert 2 ** (4 * rhythm[12]) == pytest.approx(4, rel=0.02)


def test_the_envelope_says_how_fast_a_sound_dies() -> None:
    falls = [part("envelope", sound)[2:7] for sound in (closed_hat(), kick(), cymbal())]
    assert (np.diff(falls, axis=0) > 0).all()
    assert (np.diff(falls, axis=1) >= 0).all()


def test_hands_that_clap_fall_apart() -> None:
    clap = silence(0.3)
    for hand, start in enumerate((0.0, 0.015, 0.03)):
        burst = np.random.default_rng(hand).normal(size=RATE // 4) * np.exp(-np.arange(RATE // 4) / RATE / 0.003)
        clap[int(start * RATE) :][: len(burst)] += burst
    peaks, dip = part("envelope", 0.2 * clap)[30:32]
    assert 5 * peaks >= 2
    assert dip > 0.5


def test_a_loop_that_lasts_whole_beats_pulses_in_multiples_of_them() -> None:
    loop = drum_loop(120, beats=16)
    exact, cut = part("looping", loop), part("looping", loop[: int(0.93 * len(loop))])
    assert exact[7] > cut[7] + 0.2
    assert exact[9] > cut[9] + 0.2


def test_silence_at_the_ends_and_a_seam_that_joins_are_heard() -> None:
    pad = chord(220, 330, seconds=3.0)
    joins, fades = part("looping", pad), part("looping", np.concatenate((pad, silence(1))))
    assert joins[1] == pytest.approx(joins[0], abs=0.1)
    assert fades[1] < -0.9
    assert np.expm1(2 * fades[4]) / 8 == pytest.approx(1, abs=0.1)
    assert joins[3] == joins[4] == pytest.approx(0, abs=0.02)
