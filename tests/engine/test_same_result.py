"""The same bytes give the same result: in another process, and whatever transforms them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sample_agent.engine import Analysis, analyze_file, analyze_samples
from sample_agent.engine.signal import transforms
from tests.engine.files import write
from tests.engine.hits import snare
from tests.sounds import RATE, chord, drum_loop

_CODE = """
import hashlib, json, sys
from sample_agent.engine import analyze_file
for path in sys.argv[1:]:
    found = analyze_file(path)
    arrays = found.waveform.minimum, found.waveform.maximum, found.embedding
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays) + found.fingerprint.to_bytes())
    print(json.dumps([found.to_dict(), digest.hexdigest()]))
"""


def files(folder: Path) -> list[Path]:
    loop = 0.5 * drum_loop(104, beats=16)
    loop[: 2 * RATE] += 0.5 * chord(220, 262, 330)
    return [
        write(folder / "loop.wav", samples=loop),
        write(folder / "hit.flac", "FLAC", "PCM_16", snare()),
        write(folder / "chord.mp3", "MP3", "MPEG_LAYER_III"),
    ]


def test_the_same_bytes_give_the_same_result_in_other_processes(tmp_path: Path) -> None:
    paths = files(tmp_path)
    command = [sys.executable, "-c", _CODE, *map(str, paths)]
    # Hashes of strings differ from process to process, and so does the order of what is kept by them.
    runs = [
        subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60, env=os.environ | {"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    told = [json.loads(line)[0] for line in runs[0].splitlines()]
    assert told == [json.loads(json.dumps(analyze_file(path).to_dict())) for path in paths]


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for each in value.values() for number in numbers(each)]
    if isinstance(value, list | tuple):
        return [number for each in value for number in numbers(each)]
    return [float(value)] if isinstance(value, float | int) else []


def words(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [word for each in value.values() for word in words(each)]
    if isinstance(value, list | tuple):
        return [word for each in value for word in words(each)]
    return [value] if isinstance(value, str) else []


@pytest.fixture
def without_pocketfft(monkeypatch: pytest.MonkeyPatch) -> Any:
    """As where SciPy keeps its compiled transforms elsewhere."""

    def missing() -> Any:
        raise ModuleNotFoundError("pypocketfft")

    monkeypatch.setattr(transforms, "_pocketfft", missing)
    transforms.load.cache_clear()
    yield
    transforms.load.cache_clear()


def analyses() -> list[Analysis]:
    sounds = (drum_loop(104, beats=16), snare(), chord(220, 262, 330, seconds=4.0))
    return [analyze_samples(sound, RATE) for sound in sounds]


def test_scipys_public_transforms_give_the_same_results(request: pytest.FixtureRequest) -> None:
    direct = analyses()
    assert type(transforms.load()).__name__ != "_Scipy"
    request.getfixturevalue("without_pocketfft")
    assert type(transforms.load()).__name__ == "_Scipy"
    for one, other in zip(direct, analyses(), strict=True):
        assert words(one.to_dict()) == words(other.to_dict())
        assert numbers(one.to_dict()) == pytest.approx(numbers(other.to_dict()), rel=1e-5, abs=1e-5)
        np.testing.assert_allclose(one.embedding, other.embedding, atol=1e-5)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("length", [1, 2, 7, 1024, 1500])
def test_both_ways_transform_alike(request: pytest.FixtureRequest, kind: type, length: int) -> None:
    signals = np.random.default_rng(length).normal(size=(3, length)).astype(kind)

    def transformed() -> tuple[Any, Any, Any, int]:
        spectrum = transforms.rfft(signals, 2 * length)
        back = transforms.irfft(spectrum, 2 * length)
        return spectrum, back, transforms.irfft(np.square(spectrum.real), 2 * length), transforms.fast_length(length)

    direct = transformed()
    request.getfixturevalue("without_pocketfft")
    for one, other in zip(direct, transformed(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 if kind is np.float32 else 1e-9)
        assert np.asarray(one).dtype == np.asarray(other).dtype
