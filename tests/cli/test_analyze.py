"""`sample-agent analyze`, run as a user runs it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from sample_agent.cli.analyze.analyzing import cached, here, in_order
from sample_agent.cli.analyze.cache import AnalysisCache
from sample_agent.cli.analyze.result import Result
from sample_agent.engine import ENGINE_VERSION
from tests.cli.running import ANALYZE, analyze
from tests.engine import tasks
from tests.engine.files import write
from tests.sounds import chord, drum_loop


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good files, one of them deeper and misnamed, a bad one, and what macOS leaves about."""
    folder = tmp_path_factory.mktemp("library")
    write(folder / "Break 100bpm.wav", samples=drum_loop(100, beats=16))
    (folder / "deep" / "er").mkdir(parents=True)
    write(folder / "deep" / "er" / "chord without suffix", "FLAC", "PCM_16", chord(220, 262, 330))
    (folder / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVE")
    (folder / "._Break 100bpm.wav").write_bytes(b"\x00\x05\x16\x07")
    (folder / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    (folder / "notes.txt").write_text("buy milk")
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_folder_gives_one_json_line_a_file_and_fails_for_the_broken_one(folder: Path) -> None:
    done = analyze(folder, "--json")
    lines = {Path(line["file"]).name: line for line in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert set(lines) == {"Break 100bpm.wav", "chord without suffix", "broken.wav"}
    assert lines["Break 100bpm.wav"]["kind"]["kind"] == "loop"
    assert lines["Break 100bpm.wav"]["hints"]["tempo"] == 100
    assert lines["chord without suffix"]["key"]["key"] == "Am"
    assert lines["chord without suffix"]["vibe"]
    assert lines["broken.wav"]["error"]["code"] == "corrupt-audio"
    assert "3 files" in done.stderr
    assert "1 failed" in done.stderr


def test_csv_has_a_header_and_a_row_a_file(folder: Path) -> None:
    done = analyze(folder, "--csv", "--jobs", "1")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [Path(row["file"]).name for row in rows] == ["Break 100bpm.wav", "broken.wav", "chord without suffix"]
    assert float(rows[0]["tempo"]) > 0
    assert rows[1]["error"]
    assert rows[2]["key"] == "Am"


def test_the_table_names_files_and_below_it_whole_reasons_however_narrow_it_is(folder: Path) -> None:
    reason = next(row["error"] for row in csv.DictReader(io.StringIO(analyze(folder, "--csv").stdout)) if row["error"])
    assert len(reason) > 40
    for columns in (140, 80):
        done = analyze(folder, columns=columns)
        assert done.returncode == 1
        assert "Break" in done.stdout
        assert "failed" in done.stdout
        assert done.stdout.splitlines()[-1] == f"{folder / 'broken.wav'}: {reason}"


def test_results_and_failures_say_which_engine_it_was_in_every_format(folder: Path, tmp_path: Path) -> None:
    lines = [analyze(folder, "--json").stdout for _ in range(2)]
    assert lines[0] == lines[1]
    for line in map(json.loads, lines[0].splitlines()):
        assert line["engine_version"] == ENGINE_VERSION
    for row in csv.DictReader(io.StringIO(analyze(folder, "--csv").stdout)):
        assert row["engine_version"] == ENGINE_VERSION
    parquet = pytest.importorskip("pyarrow.parquet")
    analyze(folder, "--output", tmp_path / "out.parquet")
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["engine_version"] for row in rows] == [ENGINE_VERSION] * 3


def test_good_files_end_with_success(folder: Path) -> None:
    done = analyze(folder / "Break 100bpm.wav", folder / "Break 100bpm.wav", "--json")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(("name", "first"), [("out.jsonl", "{"), ("out.csv", "file,")])
def test_the_name_of_the_output_chooses_its_format(folder: Path, tmp_path: Path, name: str, first: str) -> None:
    done = analyze(folder / "Break 100bpm.wav", "--output", tmp_path / name)
    assert done.returncode == 0
    assert done.stdout == ""
    assert (tmp_path / name).read_text().startswith(first)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.wav",), "No such file"),
        ((".", "--json", "--csv"), "exclude"),
        ((".", "--output", "out.xyz"), "--json or --csv"),
        ((), "Missing argument"),
    ],
)
def test_misuse_is_explained(arguments: tuple[str, ...], words: str) -> None:
    done = analyze(*arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_folder_without_audio_is_explained(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("buy milk")
    done = analyze(tmp_path)
    assert done.returncode == 2
    assert "Nothing to analyse" in done.stderr


def test_the_server_is_not_loaded_for_it() -> None:
    heavy = "{'fastapi', 'sqlalchemy', 'asyncpg', 'scipy', 'numpy', 'soundfile', 'uvicorn'}"
    program = f"import sys, sample_agent.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_has_not_changed_is_not_analysed_again(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    first = analyze(copy, "--json")
    again = analyze(copy, "--json")
    assert "0 unchanged" in first.stderr
    assert "3 unchanged" in again.stderr
    assert again.stdout == first.stdout
    write(copy / "Break 100bpm.wav", samples=drum_loop(120, beats=16))
    changed = analyze(copy, "--json")
    assert "2 unchanged" in changed.stderr
    assert changed.stdout != first.stdout
    assert "0 unchanged" in analyze(copy, "--json", "--fresh").stderr


def test_a_run_that_was_broken_off_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "loops").mkdir()
    for number in range(60):
        write(tmp_path / "loops" / f"{number:02}.wav", samples=drum_loop(90 + number, beats=8))
    command = [*ANALYZE, str(tmp_path / "loops"), "--json", "-j", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        done = [run.stdout.readline() for _ in range(5)]
        run.kill()
    assert all(done)
    again = analyze(tmp_path / "loops", "--json")
    assert again.returncode == 0
    assert len(again.stdout.splitlines()) == 60
    assert int(again.stderr.split(" unchanged")[0].split()[-1]) >= 5


def test_a_damaged_cache_is_begun_anew(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "sample-agent" / "analyses.db"
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"not a database" * 100)
    done = analyze(folder / "Break 100bpm.wav", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["kind"]["kind"] == "loop"


def test_a_cache_that_another_run_holds_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    file = write(tmp_path / "kick.wav")
    first = AnalysisCache(path)
    version = first.version(file) or ""
    first.put(version, Result(file, {"heard": "kick"}, None))
    first.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("pragma locking_mode = exclusive")
        other.execute("begin exclusive")
        with pytest.raises(sqlite3.OperationalError):
            AnalysisCache(path, patience=0.01)
    again = AnalysisCache(path)
    assert again.get(file, version) is not None
    again.close()


def test_what_another_engine_found_out_is_not_remembered(tmp_path: Path) -> None:
    file = write(tmp_path / "kick.wav")
    cache = AnalysisCache(tmp_path / "cache.db")
    version = cache.version(file) or ""
    cache.put(version, Result(file, {"engine_version": "0"}, None))
    assert cache.get(file, version) is None
    cache.close()


def test_parquet_has_a_typed_row_a_file(folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    done = analyze(folder, "--output", tmp_path / "out.parquet")
    assert done.returncode == 1
    rows = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [Path(row["file"]).name for row in rows] == ["Break 100bpm.wav", "broken.wav", "chord without suffix"]
    assert rows[0]["sample_rate"] == 44_100
    assert json.loads(rows[0]["features"])["hints"]["tempo"] == 100
    assert rows[1]["error"]
    assert rows[1]["tempo"] is None


def test_an_output_that_was_there_stays_when_the_run_is_stopped(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("of last week")
    done = analyze(folder / "missing", "--output", tmp_path / "out.csv")
    assert done.returncode == 2
    assert (tmp_path / "out.csv").read_text() == "of last week"
    assert list(tmp_path.glob(".out*")) == []


def test_a_name_that_is_not_text_is_no_obstacle(tmp_path: Path) -> None:
    write(tmp_path / "kick.wav", samples=drum_loop(100, beats=4))
    (tmp_path / "kick.wav").rename(tmp_path / os.fsdecode(b"kick \xff.wav"))
    for options in (["--json"], ["--csv"], []):
        done = analyze(tmp_path, *options)
        assert done.returncode == 0, done.stderr


def test_every_reader_of_json_and_csv_takes_a_name_that_is_not_text(tmp_path: Path) -> None:
    names = os.fsdecode(b"good \xff.wav"), os.fsdecode(b"gone \xff.wav")
    write(tmp_path / "good.wav", samples=drum_loop(100, beats=4)).rename(tmp_path / names[0])
    (tmp_path / names[1]).symlink_to(tmp_path / "nowhere")
    done = analyze(tmp_path, "--json")
    # Stricter than Python's own reader, which takes half a character.
    rows = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert [Path(row["file"]).name for row in rows] == [r"gone \xff.wav", r"good \xff.wav"]
    assert rows[0]["error"]["code"] == "file-not-found"
    analyze(tmp_path, "--output", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        assert [row["file"] for row in csv.DictReader(file)] == [row["file"] for row in rows]


async def test_a_defect_that_one_file_brings_to_light_is_an_error_of_that_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good, odd = write(tmp_path / "good.wav"), write(tmp_path / "odd.wav")
    cache = AnalysisCache(tmp_path / "cache.db")
    async with here(1, tasks.fail_for_odd) as ask:
        results = [each async for each in in_order([odd, good], cached(ask, cache), 2)]
    assert [each.error and each.error["code"] for each in results] == ["analysis-failed", None]
    assert results[1].features == {"heard": "good.wav"}
    assert "ZeroDivisionError" in (results[0].error or {})["message"]
    assert "odd.wav" in caplog.text
    assert "Traceback" in caplog.text
    assert cache.get(odd, cache.version(odd) or "") is None
    assert cache.get(good, cache.version(good) or "") is not None
    cache.close()
