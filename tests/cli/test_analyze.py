"""`sample-agent analyze`, run as a user runs it."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

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


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from sample_agent.cli import main; main()", "analyze", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": "", "COLUMNS": "140", "NO_COLOR": "1"},
    )


def test_a_folder_gives_one_json_line_a_file_and_fails_for_the_broken_one(folder: Path) -> None:
    done = _run(folder, "--json")
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
    done = _run(folder, "--csv", "--jobs", "1")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [Path(row["file"]).name for row in rows] == ["Break 100bpm.wav", "broken.wav", "chord without suffix"]
    assert float(rows[0]["tempo"]) > 0
    assert rows[1]["error"]
    assert rows[2]["key"] == "Am"


def test_the_table_names_files_and_reasons(folder: Path) -> None:
    done = _run(folder)
    assert done.returncode == 1
    assert "Break 100bpm.wav" in done.stdout
    assert "failed" in done.stdout
    assert "damaged" in done.stdout


def test_good_files_end_with_success(folder: Path) -> None:
    done = _run(folder / "Break 100bpm.wav", folder / "Break 100bpm.wav", "--json")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize(("name", "first"), [("out.jsonl", "{"), ("out.csv", "file,")])
def test_the_name_of_the_output_chooses_its_format(folder: Path, tmp_path: Path, name: str, first: str) -> None:
    done = _run(folder / "Break 100bpm.wav", "--output", tmp_path / name)
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
    done = _run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_folder_without_audio_is_explained(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("buy milk")
    done = _run(tmp_path)
    assert done.returncode == 2
    assert "Nothing to analyse" in done.stderr


def test_the_server_is_not_loaded_for_it() -> None:
    heavy = "{'fastapi', 'sqlalchemy', 'asyncpg', 'scipy', 'numpy', 'soundfile', 'uvicorn'}"
    program = f"import sys, sample_agent.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
