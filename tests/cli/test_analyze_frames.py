"""`sample-agent analyze --per-frame`: what was heard over time, beside what is told of the whole file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sample_agent.engine import analyze_file
from tests.cli.running import analyze
from tests.engine.files import write
from tests.sounds import drum_loop


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "crate"
    folder.mkdir()
    write(folder / "a break.wav", samples=drum_loop(100, beats=8))
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    write(folder / "silence.wav", samples=np.zeros((4410, 1), np.float32))
    return folder


def test_each_result_has_the_frames_the_engine_gives_to_six_digits(folder: Path) -> None:
    done = analyze(folder, "--json", "--per-frame")
    lines = {Path(line["file"]).name: line for line in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert "per_frame" not in lines["broken.wav"]
    for name in ("a break.wav", "silence.wav"):
        heard = analyze_file(folder / name, per_frame=True).per_frame
        assert heard is not None
        told = lines[name]["per_frame"]
        assert list(told) == list(vars(heard))
        for descriptor, values in vars(heard).items():
            assert np.shape(told[descriptor]) == values.shape
            np.testing.assert_allclose(told[descriptor], values, rtol=5.1e-6)
    assert len(lines["a break.wav"]["per_frame"]["time"]) > 100


def test_what_is_known_without_frames_does_not_answer_for_what_is_wanted_with_them(folder: Path) -> None:
    plain = analyze(folder, "--json")
    first = analyze(folder, "--json", "--per-frame")
    assert "0 unchanged" in first.stderr
    again = analyze(folder, "--json", "--per-frame")
    assert "3 unchanged" in again.stderr
    assert again.stdout == first.stdout
    plain_again = analyze(folder, "--json")
    assert "3 unchanged" in plain_again.stderr
    assert plain_again.stdout == plain.stdout


def test_parquet_has_them_as_json_and_no_column_when_nobody_asked(folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    lines = analyze(folder, "--json", "--per-frame").stdout.splitlines()
    analyze(folder, "--per-frame", "--output", tmp_path / "with.parquet")
    rows = parquet.read_table(tmp_path / "with.parquet").to_pylist()
    assert [json.loads(row["per_frame"] or "null") for row in rows] == [
        json.loads(line).get("per_frame") for line in lines
    ]
    analyze(folder, "--output", tmp_path / "without.parquet")
    assert "per_frame" not in parquet.read_schema(tmp_path / "without.parquet").names


@pytest.mark.parametrize(
    ("options", "words"),
    [((), "--json"), (("--csv",), "--json"), (("-o", "out.csv"), ".parquet"), (("--json", "--remote"), "--remote")],
)
def test_where_frames_cannot_be_had_it_says_so(folder: Path, options: tuple[str, ...], words: str) -> None:
    done = analyze(folder, "--per-frame", *options)
    assert done.returncode == 2
    assert "--per-frame" in done.stderr
    assert words in done.stderr
    assert done.stdout == ""
