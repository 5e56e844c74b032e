import json
import subprocess
import sys
from pathlib import Path

from sample_agent.sp404.projects.output import write_folder, write_zip
from tests.cli.cards import card
from tests.sp404.projects import full


def test_a_clean_project_ends_with_no_error(tmp_path: Path) -> None:
    write_zip(full(), tmp_path / "a.zip", "PROJECT_01")
    done = card("verify", tmp_path / "a.zip")
    assert (done.code, done.err) == (0, "")
    assert done.out.strip().endswith("No errors, 0 warnings.")


def test_errors_are_listed_and_end_with_one(tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "P")
    (tmp_path / "P" / "SMPL" / "BANK2-01.SMP").unlink()
    (tmp_path / "P" / "notes.txt").write_text("hello")
    done = card("verify", tmp_path / "P")
    assert done.code == 1
    assert "SMPL/BANK2-01.SMP is missing" in done.out
    assert "1 error, 1 warning." in done.out
    read = json.loads((listed := card("verify", tmp_path / "P", "--json")).out)
    assert listed.code == 1
    assert read["ok"] is False
    assert [each["severity"] for each in read["findings"]] == ["error", "warning"]
    assert read["findings"][0]["where"] == "B1"


def test_warnings_alone_end_with_zero(tmp_path: Path) -> None:
    write_folder(full(), tmp_path / "P")
    (tmp_path / "P" / "notes.txt").write_text("hello")
    done = card("verify", tmp_path / "P", "--json")
    assert done.code == 0
    assert json.loads(done.out)["ok"] is True


def test_the_program_tells_a_damaged_file_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "PADCONF.BIN").write_bytes(b"RFPD" + bytes(100))
    for command, code in (("verify", 1), ("inspect", 1)):
        done = subprocess.run(
            [sys.executable, "-m", "sample_agent", "card", command, tmp_path / "PADCONF.BIN"],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == code
        assert "version 0 is not known" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert card("verify", tmp_path / "nothing").err.startswith("Error: ")
