"""The kernel does what NumPy does, and the engine goes on without it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from sample_agent.engine import analyze_file, analyze_samples
from sample_agent.engine.level.loudness import LoudnessMeter
from sample_agent.engine.level.peaks import PeakMeter
from sample_agent.engine.level.waveform import Waveform
from sample_agent.engine.listening import Listening
from sample_agent.engine.models.nets import Nets
from sample_agent.engine.models.trees import Trees
from sample_agent.engine.native import LIBRARY, build, kernel
from sample_agent.engine.rhythm.onsets import find_onsets, onset_envelopes
from sample_agent.engine.signal.cells import CellMeter
from sample_agent.engine.signal.decimation import Decimator
from sample_agent.engine.signal.tonal import TonalMeter
from sample_agent.engine.sound.descriptors import describe
from sample_agent.engine.sound.fingerprint import fingerprint, same_sound
from sample_agent.engine.timbre.short_frames import ShortFrames
from sample_agent.engine.tonality.pitch import FEATURES, PitchCandidates, pitch_candidates, pitch_likelihoods
from sample_agent.engine.tonality.pitch_classes import pitch_classes
from sample_agent.engine.tonality.tuning import Tones, find_tones
from tests.engine.files import write
from tests.engine.hits import closed_hat, cymbal, kick, snare
from tests.sounds import RATE, chord, drum_loop, tone

pytestmark = pytest.mark.skipif(kernel() is None, reason="the kernel was not built: no C compiler, or switched off")

T = TypeVar("T")
LENGTHS = (1, 2, 7, 64, 65, 1000, 70_001)
RATES = (1000, 8000, 44_100, 96_000, 768_000)


@contextmanager
def numpy_alone() -> Iterator[None]:
    """The engine without its kernel."""
    before = os.environ.get("SAMPLE_AGENT_NATIVE")
    os.environ["SAMPLE_AGENT_NATIVE"] = "0"
    kernel.cache_clear()
    try:
        assert kernel() is None
        yield
    finally:
        os.environ.pop("SAMPLE_AGENT_NATIVE")
        if before is not None:
            os.environ["SAMPLE_AGENT_NATIVE"] = before
        kernel.cache_clear()


def both(make: Callable[[], T]) -> tuple[T, T]:
    """What the kernel makes, and what NumPy makes."""
    assert kernel() is not None
    native = make()
    with numpy_alone():
        return native, make()


def noise(length: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((length, channels)) * 0.2).astype(np.float32)


def signals() -> dict[str, np.ndarray]:
    """Mono signals that are hard on sums, logarithms and comparisons, shape (samples,)."""
    click = np.zeros(5000, np.float32)
    click[2500] = 1
    return {
        "noise": noise(30_000)[:, 0],
        "silence": np.zeros(30_000, np.float32),
        "click": click,
        "tone": tone(440, 1.0).astype(np.float32),
        "loudest": np.sign(noise(9001)[:, 0]) * np.float32(64),
        "faintest": noise(9001)[:, 0] * np.float32(1e-38),
        "offset": np.full(9001, 0.9, np.float32),
        "loop": drum_loop(120).astype(np.float32),
        "sound after silence": np.concatenate((np.zeros(20_000), kick())).astype(np.float32),
    }


SIGNALS = signals()
PURE = {"tone", "offset"}
"""Between their partials there is nothing but rounding, which no two transforms share."""


def listened(samples: np.ndarray, rate: int, every_frame: bool = False) -> Listening:
    listening = Listening(rate, samples.shape[1], every_frame=every_frame)
    for start in range(0, len(samples), 50_000):
        listening.feed(samples[start : start + 50_000])
    listening.finish()
    return listening


def alike(native: Any, numpy: Any, *, rtol: float = 1e-4, atol: float = 1e-6) -> None:
    np.testing.assert_allclose(native, numpy, rtol=rtol, atol=atol)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("rate", RATES)
def test_frames_of_every_length_and_rate_are_described_alike(rate: int, length: int) -> None:
    samples = noise(length, 2)
    native, numpy = both(lambda: listened(samples, rate))
    alike(native.mel, numpy.mel, atol=1e-9)
    alike(native.tonal.power, numpy.tonal.power, atol=1e-9)
    for name in ("frame", "weight", "centroid_hz", "bandwidth_hz", "flatness"):
        alike(getattr(native.statistics, name), getattr(numpy.statistics, name), rtol=1e-3, atol=1e-4)
    # A bin more or less, where the sum comes out even.
    assert np.abs(native.statistics.rolloff_hz - numpy.statistics.rolloff_hz).max() <= rate / 64
    alike(native.statistics.contrast_db, numpy.statistics.contrast_db, rtol=1e-3, atol=0.02)
    assert np.abs(native.spectrogram.levels.astype(int) - numpy.spectrogram.levels).max() <= 1


@pytest.mark.parametrize("name", SIGNALS)
def test_hard_signals_are_heard_alike(name: str) -> None:
    samples = SIGNALS[name][:, None]
    native, numpy = both(lambda: listened(samples, RATE, every_frame=True))
    alike(native.mel, numpy.mel, rtol=1e-3, atol=1e-9 * max(float(numpy.mel.max()), 1e-30))
    alike(native.cells.energy, numpy.cells.energy, atol=1e-30)
    assert np.array_equal(native.cells.minimum, numpy.cells.minimum)
    assert np.array_equal(native.cells.maximum, numpy.cells.maximum)
    assert np.array_equal(native.cells.crossings, numpy.cells.crossings)
    assert np.array_equal(native.head, numpy.head)
    assert native.spectral.zero_crossing_rate == numpy.spectral.zero_crossing_rate
    assert native.loudness.sample_peak_dbfs == numpy.loudness.sample_peak_dbfs
    for finding in ("integrated_lufs", "true_peak_dbtp"):
        one, other = getattr(native.loudness, finding), getattr(numpy.loudness, finding)
        assert (one is None) == (other is None)
        assert one is None or abs(one - other) < 1e-3


@pytest.mark.parametrize("channels", range(1, 9))
def test_any_number_of_channels_is_taken_apart_alike(channels: int) -> None:
    samples = noise(70_001, channels) + np.linspace(-0.1, 0.2, channels, dtype=np.float32)
    native, numpy = both(lambda: listened(samples, RATE))
    alike(native.head, numpy.head, atol=1e-7)
    assert native.dc_offset == pytest.approx(numpy.dc_offset, rel=1e-4)
    assert native.loudness.integrated_lufs == pytest.approx(numpy.loudness.integrated_lufs, abs=1e-4)
    assert native.loudness.true_peak_dbtp == pytest.approx(numpy.loudness.true_peak_dbtp, abs=1e-4)
    if channels == 2:
        assert native.mono_compatibility is not None
        assert numpy.mono_compatibility is not None
        assert native.mono_compatibility.correlation == pytest.approx(numpy.mono_compatibility.correlation, abs=1e-5)
        assert native.mono_compatibility.loss_db == pytest.approx(numpy.mono_compatibility.loss_db, abs=1e-4)


def test_channels_that_cancel_each_other_are_noticed_alike() -> None:
    one = noise(30_000)
    native, numpy = both(lambda: listened(np.concatenate((one, -one), axis=1), RATE))
    assert native.cancels
    assert numpy.cancels
    assert np.array_equal(native.head, numpy.head)


@pytest.mark.parametrize("size", [8, 16, 64, 1024])
def test_cells_count_crossings_over_their_edges(size: int) -> None:
    samples = noise(size * 50)[:, 0]

    def measured() -> list[Any]:
        meter = CellMeter(size)
        return [meter.measure(samples[at * size : (at + 5) * size], 1.0) for at in range(0, 50, 5)]

    for native, numpy in zip(*both(measured), strict=True):
        assert np.array_equal(native.crossings, numpy.crossings)
        alike(native.energy, numpy.energy)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_weighted_energy_falls_into_the_same_steps(rate: int, channels: int) -> None:
    block = np.ascontiguousarray((noise(70_001, channels) + np.float32(0.3)).T)

    def measured() -> tuple[float | None, list[float]]:
        meter = LoudnessMeter(rate, channels)
        for start in range(0, block.shape[1], 1 << 15):
            meter.feed(np.ascontiguousarray(block[:, start : start + (1 << 15)]))
        return meter.integrated(), meter._energies

    native, numpy = both(measured)
    alike(native[1], numpy[1], atol=1e-5 * max(numpy[1]))
    assert native[0] == pytest.approx(numpy[0], abs=1e-4)


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("rate", [8000, 44_100, 96_000, 192_000])
def test_peaks_between_samples_are_as_high(rate: int, name: str) -> None:
    def measured() -> tuple[float, float]:
        meter = PeakMeter(rate, 2)
        block = np.stack((SIGNALS[name], SIGNALS[name][::-1]))
        half = block.shape[1] // 2
        meter.feed(block[:, :half])
        meter.feed(block[:, half:], last=True)
        return meter.sample_peak, meter.true_peak

    native, numpy = both(measured)
    assert native == pytest.approx(numpy, rel=1e-5)


@pytest.mark.parametrize("factor", [1, 2, 4, 8, 64])
@pytest.mark.parametrize("length", LENGTHS)
def test_decimation_gives_the_same_samples(factor: int, length: int) -> None:
    samples = noise(length)[:, 0]

    def decimated() -> np.ndarray:
        decimator = Decimator(factor)
        return np.concatenate(
            (decimator.feed(samples[: length // 2]), decimator.feed(samples[length // 2 :], last=True))
        )

    alike(*both(decimated), atol=1e-6)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("length", LENGTHS)
def test_sounds_of_every_length_have_the_same_descriptors(rate: int, length: int) -> None:
    heard = listened(noise(length), rate)
    native, numpy = both(lambda: describe(heard.mel, heard.mel_rate, heard.cells, heard.tonal))
    alike(native.values, numpy.values, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", SIGNALS)
def test_what_follows_from_what_was_heard_is_the_same(name: str) -> None:
    heard = listened(SIGNALS[name][:, None], RATE)
    native, numpy = both(lambda: describe(heard.mel, heard.mel_rate, heard.cells, heard.tonal))
    alike(native.values, numpy.values, rtol=1e-4, atol=0.01 if name in PURE else 1e-4)

    native_envelopes, numpy_envelopes = both(lambda: onset_envelopes(heard.mel, heard.mel_rate))
    for band in ("full", "low", "middle", "high"):
        alike(getattr(native_envelopes, band), getattr(numpy_envelopes, band), atol=1e-6)
    native_onsets, numpy_onsets = both(lambda: find_onsets(numpy_envelopes, heard.cells))
    assert np.array_equal(native_onsets.time, numpy_onsets.time)

    native_print, numpy_print = both(lambda: fingerprint(heard.mel, heard.mel_rate, heard.tonal))
    assert (native_print.start, native_print.duration) == (numpy_print.start, numpy_print.duration)
    for picture in ("fine", "coarse", "notes"):
        one, other = getattr(native_print, picture).astype(int), getattr(numpy_print, picture)
        assert one.shape == other.shape
        assert np.abs(one - other).max(initial=0) <= 1
    if name not in ("silence", "faintest"):
        assert same_sound(native_print, numpy_print).same

    native_tones, numpy_tones = both(lambda: find_tones(heard.tonal.power, heard.tonal.width_hz))
    assert np.array_equal(native_tones.frame, numpy_tones.frame)
    alike(native_tones.pitch, numpy_tones.pitch, atol=1e-3)
    alike(native_tones.weight, numpy_tones.weight, rtol=1e-3)
    assert native_tones.tonality == pytest.approx(numpy_tones.tonality, rel=1e-4)


@pytest.mark.parametrize("tuning", [-0.4, 0.0, 0.3])
@pytest.mark.parametrize("frames", [1, 2, 7, 40])
def test_tones_are_sorted_into_the_same_pitch_classes(frames: int, tuning: float) -> None:
    random = np.random.default_rng(frames)
    count = random.integers(0, 12, frames)
    count[-1] = 3
    pitch = np.concatenate([np.sort(random.uniform(34, 106, one)) for one in count]).astype(np.float32)
    weight = random.exponential(1, len(pitch)).astype(np.float32)
    tones = Tones(np.repeat(np.arange(frames), count), pitch, weight, frames, 0.5)
    native, numpy = both(lambda: pitch_classes(tones, tuning))
    alike(native, numpy, atol=1e-5)


@pytest.mark.parametrize("candidates", [1, 5, 12])
def test_what_is_likely_of_notes_is_alike(candidates: int) -> None:
    random = np.random.default_rng(candidates)
    frequency = random.uniform(30, 4000, candidates).astype(np.float32)
    features = random.normal(size=(candidates, FEATURES)).astype(np.float32)
    asked = PitchCandidates(frequency, features, random.normal(size=4).astype(np.float32))
    native, numpy = both(lambda: pitch_likelihoods(asked))
    alike(native, numpy, atol=1e-5)
    assert native.sum() == pytest.approx(1)


@pytest.mark.parametrize("rate", [1000, 8000, 44_100, 192_000])
@pytest.mark.parametrize("name", SIGNALS)
def test_notes_have_the_same_candidates(rate: int, name: str) -> None:
    heard = listened(SIGNALS[name][:, None], rate)
    native, numpy = both(lambda: pitch_candidates(heard.head, rate, heard.cells))
    assert (native is None) == (numpy is None)
    if native is not None and numpy is not None:
        leading = slice(1 if name in PURE else None)
        alike(native.frequency[leading], numpy.frequency[leading], rtol=1e-4)
        alike(native.features[leading], numpy.features[leading], rtol=1e-3, atol=1e-3)
        alike(native.sound, numpy.sound, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("length", [1, 2, 2047, 2048, 2049, 100_000])
@pytest.mark.parametrize("points", [1, 128, 2048])
def test_outlines_are_the_same(length: int, points: int) -> None:
    low = noise(length)[:, 0]
    native, numpy = both(lambda: Waveform(low, low + 1).at(points))
    assert np.array_equal(native.minimum, numpy.minimum)
    assert np.array_equal(native.maximum, numpy.maximum)


def test_trees_and_nets_answer_alike() -> None:
    random = np.random.default_rng(0)
    trees = Trees(
        random.integers(0, 20, (50, 31)).astype(np.int16),
        random.standard_normal((50, 31)).astype(np.float32),
        random.standard_normal((50, 32)).astype(np.float32),
    )
    rows = random.standard_normal((33, 20)).astype(np.float32)
    alike(*both(lambda: trees(rows)), rtol=1e-6)
    nets = Nets.of(
        {
            "mean": random.standard_normal(30),
            "scale": 0.1 + random.random(30),
            "hidden": random.standard_normal((3, 30, 17)),
            "hidden_bias": random.standard_normal((3, 17)),
            "output": random.standard_normal((3, 17, 5)),
            "output_bias": random.standard_normal((3, 5)),
        }
    )
    alike(*both(lambda: nets(rows[0].repeat(2)[:30])), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "sound",
    [kick(), snare(), closed_hat(), cymbal(), tone(220, 0.7), chord(261.6, 329.6, 392.0), drum_loop(97)],
    ids=["kick", "snare", "hat", "cymbal", "tone", "chord", "loop"],
)
def test_whole_analyses_come_to_the_same_conclusions(sound: np.ndarray) -> None:
    samples = np.stack((sound, 0.8 * sound), axis=1)
    native, numpy = both(lambda: analyze_samples(samples, RATE, filename="sound.wav"))
    assert native.kind.kind == numpy.kind.kind
    assert native.sound_class is not None
    assert numpy.sound_class is not None
    assert native.sound_class.name == numpy.sound_class.name
    assert (native.key and native.key.key) == (numpy.key and numpy.key.key)
    assert (native.pitch and native.pitch.note) == (numpy.pitch and numpy.pitch.note)
    assert (native.tempo and round(native.tempo.bpm, 2)) == (numpy.tempo and round(numpy.tempo.bpm, 2))
    assert native.onsets == numpy.onsets
    assert native.slices == numpy.slices
    assert float(native.embedding @ numpy.embedding) > 0.999
    assert np.array_equal(native.waveform.maximum, numpy.waveform.maximum)


def test_the_same_bytes_give_the_same_result_in_another_process(tmp_path: Path) -> None:
    path = write(tmp_path / "loop.wav", samples=drum_loop(120))
    code = """
import json, sys
from sample_agent.engine import analyze_file
print(json.dumps(analyze_file(sys.argv[1]).to_dict()))
"""
    said = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == json.loads(json.dumps(analyze_file(path).to_dict()))


@pytest.mark.parametrize("value", ["0", "off", "no"])
def test_the_kernel_can_be_switched_off(value: str) -> None:
    code = "from sample_agent.engine.native import kernel; print(kernel())"
    environment = os.environ | {"SAMPLE_AGENT_NATIVE": value}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert said.stdout.strip() == "None"


@pytest.mark.parametrize("library", [b"", b"no library", None], ids=["empty", "other", "missing"])
def test_without_a_usable_library_the_engine_works_in_numpy(
    library: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / LIBRARY.name
    if library is not None:
        path.write_bytes(library)
    monkeypatch.setattr("sample_agent.engine.native.LIBRARY", path)
    kernel.cache_clear()
    try:
        assert kernel() is None
        assert analyze_samples(drum_loop(120), RATE).tempo is not None
    finally:
        monkeypatch.undo()
        kernel.cache_clear()


def test_a_library_of_other_sources_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sample_agent.engine.native.VERSION", -1)
    kernel.cache_clear()
    try:
        assert kernel() is None
    finally:
        monkeypatch.undo()
        kernel.cache_clear()


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources that `build` works on."""
    for path in (*build.FOLDER.glob("*.c"), *build.FOLDER.glob("*.h")):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    monkeypatch.setattr(build, "LIBRARY", tmp_path / "_kernel.so")
    monkeypatch.setattr(build, "STAMP", tmp_path / "_kernel.sources")
    return tmp_path


def test_the_kernel_is_built_once_and_again_when_its_sources_change(sources: Path) -> None:
    assert build.build() is True
    assert build.build() is False
    with (sources / "samples.c").open("a") as file:
        file.write("/* changed */\n")
    assert build.build() is True


def test_without_a_compiler_there_is_no_kernel_and_no_old_one_either(
    sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sources / "_kernel.so").write_bytes(b"of other sources")
    monkeypatch.setenv("CC", "no-such-compiler")
    assert build.build() is None
    assert sorted(path.name for path in sources.glob("_kernel.*")) == []


def test_meters_can_be_fed_piece_by_piece() -> None:
    samples = noise(40_000)[:, 0]

    def measured(pieces: int) -> tuple[np.ndarray, np.ndarray]:
        short = ShortFrames(RATE, 2048, 512, most=1000, dense=50)
        tonal = TonalMeter(RATE, 900.0)
        for piece in np.array_split(samples, pieces):
            short.feed(piece)
            tonal.feed(piece)
        empty = np.zeros(0, np.float32)
        short.feed(empty, last=True)
        tonal.feed(empty, last=True)
        return short.finish(0.0)[0], tonal.finish().power

    for whole, pieces in zip(measured(1), measured(7), strict=True):
        assert np.array_equal(whole, pieces)
