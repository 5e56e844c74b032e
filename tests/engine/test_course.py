"""How a sound runs: envelope, silence, onsets, slices, frames; and what its samples are like."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest

from sample_agent.engine import Analysis, analyze_samples
from tests.sounds import RATE, drum_loop, tone


def _decaying(attack: float, seconds_for_20_db: float, seconds: float = 1.5) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    rise = np.minimum(time / attack, 1.0)
    fall = 10 ** (-np.maximum(time - attack, 0) / seconds_for_20_db)
    return 0.8 * rise * fall * np.sin(2 * np.pi * 1000 * time)


@pytest.mark.parametrize("attack", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("decay", [0.1, 0.4])
def test_attack_and_decay_are_measured(attack: float, decay: float) -> None:
    envelope = analyze_samples(_decaying(attack, decay), RATE).envelope
    # From a tenth to nine tenths of a straight rise.
    assert envelope.attack == pytest.approx(0.8 * attack, abs=0.004)
    assert envelope.decay == pytest.approx(decay, abs=0.01)


def test_silence_at_both_ends_is_measured() -> None:
    sound = np.concatenate((np.zeros(RATE // 4), tone(440, 1.0), np.zeros(RATE // 2)))
    silence = analyze_samples(sound, RATE).silence
    assert silence.start == pytest.approx(0.25, abs=0.003)
    assert silence.end == pytest.approx(0.5, abs=0.003)


def test_clipping_is_counted_and_clean_peaks_are_not() -> None:
    assert analyze_samples(tone(100, 1.0, 1.0), RATE).clipping.count == 0
    clipped = analyze_samples(np.clip(tone(100, 1.0, 1.5), -1, 1), RATE).clipping
    assert clipped.count == pytest.approx(200, abs=2)
    assert clipped.samples > 200 * 50
    assert clipped.over == 0
    assert analyze_samples(tone(100, 1.0, 1.5), RATE).clipping.over > 0


def test_an_offset_is_found() -> None:
    assert analyze_samples(tone(440, 1.0) + 0.05, RATE).dc_offset == pytest.approx(0.05, abs=1e-3)
    assert analyze_samples(tone(440, 1.0), RATE).dc_offset == pytest.approx(0.0, abs=1e-3)


def test_mono_compatibility_tells_same_from_opposite_and_unrelated() -> None:
    sine, noise = tone(440, 1.0), np.random.default_rng(0).normal(scale=0.1, size=(RATE, 2))
    same = analyze_samples(np.stack((sine, sine), axis=1), RATE).mono_compatibility
    opposite = analyze_samples(np.stack((sine, -sine), axis=1), RATE).mono_compatibility
    unrelated = analyze_samples(noise, RATE).mono_compatibility
    assert same is not None
    assert opposite is not None
    assert unrelated is not None
    assert (same.correlation, same.loss_db) == pytest.approx((1.0, 0.0), abs=1e-3)
    assert opposite.correlation == pytest.approx(-1.0, abs=1e-3)
    assert opposite.loss_db < -60
    assert unrelated.loss_db == pytest.approx(-3.0, abs=0.2)
    assert analyze_samples(sine, RATE).mono_compatibility is None


def test_onsets_are_placed_within_three_milliseconds() -> None:
    expected = [0.1, 0.37, 0.52, 0.9]
    sound = np.zeros(int(1.5 * RATE))
    for time in expected:
        start = round(time * RATE)
        sound[start : start + RATE // 8] += np.exp(-np.arange(RATE // 8) / RATE * 30) * np.random.default_rng(1).normal(
            scale=0.3, size=RATE // 8
        )
    assert analyze_samples(sound, RATE).onsets == pytest.approx(expected, abs=0.003)


@pytest.fixture(scope="module")
def sliced() -> tuple[np.ndarray, Analysis]:
    loop = drum_loop(100, beats=8)
    return loop, analyze_samples(loop, RATE)


def test_slices_of_a_loop_lie_on_its_grid(sliced: tuple[np.ndarray, Analysis]) -> None:
    _, analysis = sliced
    assert analysis.tempo is not None
    starts = np.array([piece.start for piece in analysis.slices])
    assert 8 <= len(starts) <= 16
    step = 60 / 100 / 2
    assert np.abs(starts / step - np.round(starts / step)).max() * step < 0.012
    assert {piece.source for piece in analysis.slices} == {"grid"}


def test_slices_start_at_zero_crossings_and_leave_no_gap(sliced: tuple[np.ndarray, Analysis]) -> None:
    loop, analysis = sliced
    for piece, following in zip(analysis.slices, analysis.slices[1:], strict=False):
        assert piece.end_frame == following.start_frame
        before, after = loop[following.start_frame - 1], loop[following.start_frame]
        assert np.signbit(before) != np.signbit(after)
    assert analysis.slices[-1].end_frame == len(loop)


@pytest.mark.parametrize("rest", [1.2, 2.4, 4.8])
def test_slices_of_a_loop_behind_a_rest_start_with_its_first_sound(rest: float) -> None:
    loop = drum_loop(100, beats=16)
    samples = np.concatenate((np.zeros(round(rest * RATE)), loop))
    analysis = analyze_samples(samples, RATE)
    assert analysis.tempo is not None
    assert {piece.source for piece in analysis.slices} == {"grid"}
    assert analysis.slices[0].start == pytest.approx(rest, abs=0.01)
    for piece in analysis.slices:
        assert np.abs(samples[piece.start_frame : piece.end_frame]).max() > 0.01


def test_slices_of_a_long_file_of_no_whole_beats_start_with_its_first_sound() -> None:
    music = np.concatenate((np.zeros(round(0.4 * RATE)), np.tile(drum_loop(120, beats=8), 30)))
    analysis = analyze_samples(music, RATE)
    assert analysis.slices[0].source == "grid"
    assert analysis.slices[0].start == pytest.approx(0.4, abs=0.01)


def test_a_hit_is_one_slice_without_the_silence_behind_it() -> None:
    hit = np.concatenate((_decaying(0.002, 0.1, 0.5), np.zeros(RATE)))
    (piece,) = analyze_samples(hit, RATE).slices
    assert piece.source == "whole"
    assert piece.end == pytest.approx(0.3, abs=0.05)


def test_frames_are_described_on_request() -> None:
    low, high = tone(300, 1.0), tone(3000, 1.0)
    analysis = analyze_samples(np.concatenate((low, high)), RATE, per_frame=True)
    frames = analysis.per_frame
    assert frames is not None
    count = len(frames.time)
    assert count == 1 + 2 * RATE // 512
    assert frames.contrast_db.shape == (count, 7)
    assert frames.mfcc.shape == (count, 13)
    assert frames.mel.shape == (count, 40)
    first, second = frames.time < 0.9, frames.time > 1.1
    assert np.median(frames.centroid_hz[first]) == pytest.approx(300, rel=0.05)
    assert np.median(frames.centroid_hz[second]) == pytest.approx(3000, rel=0.05)
    assert np.median(frames.zero_crossing_rate[second]) == pytest.approx(6000 / RATE, rel=0.02)
    assert np.median(frames.rms[first]) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    assert frames.time[frames.onset_strength[5:].argmax() + 5] == pytest.approx(1.0, abs=0.03)
    assert analyze_samples(low, RATE).per_frame is None


def test_frames_of_a_long_file_are_all_there_on_request() -> None:
    analysis = analyze_samples(tone(300, 10.0), RATE, per_frame=True)
    assert analysis.per_frame is not None
    assert len(analysis.per_frame.centroid_hz) == len(analysis.per_frame.time) == 1 + 10 * RATE // 512


def test_outlines_come_in_three_resolutions_that_agree() -> None:
    analysis = analyze_samples(drum_loop(100, beats=16), RATE)
    assert len(analysis.waveform_row) == 128
    assert len(analysis.waveform.maximum) == 2048
    assert len(analysis.waveform_zoom.maximum) == 16_384
    assert np.array_equal(analysis.waveform_zoom.at(2048).minimum, analysis.waveform.minimum)


@pytest.mark.parametrize("seconds", [0.05, 1.0, 20.0])
def test_the_spectrogram_is_a_picture_of_the_sound(seconds: float) -> None:
    spectrogram = analyze_samples(tone(1000, seconds), RATE).spectrogram
    rows, columns = spectrogram.levels.shape
    assert rows == 128
    assert 1 <= columns <= 512
    octaves = np.log2(spectrogram.highest_hz / spectrogram.lowest_hz)
    expected = (rows - 1) * (1 - np.log2(1000 / spectrogram.lowest_hz) / octaves)
    assert spectrogram.levels[:, columns // 2].argmax() == pytest.approx(expected, abs=2)
    width, height, pixels = _read_png(spectrogram.png())
    assert height == 128
    assert width >= columns
    assert len(pixels) == height * (width + 1)


def _read_png(content: bytes) -> tuple[int, int, bytes]:
    """Size and filtered rows of a PNG whose checksums are right."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    at, chunks = 8, {}
    while at < len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", content, at + 8 + size)[0] == zlib.crc32(name + body)
        chunks[name] = body
        at += 12 + size
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    assert len(chunks[b"PLTE"]) == 768
    return width, height, zlib.decompress(chunks[b"IDAT"])
