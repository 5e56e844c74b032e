"""Temporary files: gone at the end, and after a crash when the next process starts."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sample_agent.core.scratch import private_folder, scratch_space

HOLDER = """
import sys, time
from pathlib import Path
from sample_agent.core.scratch import scratch_space
with scratch_space(Path(sys.argv[1])) as space:
    (space / "half-done.wav").write_bytes(b"x")
    print(space, flush=True)
    sys.stdin.read()
"""


def holder(root: Path) -> tuple[subprocess.Popen[str], Path]:
    """Another process with a scratch space that has a file in it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.communicate()


def test_nothing_is_left_at_the_end(tmp_path: Path) -> None:
    with scratch_space(tmp_path / "scratch") as space, private_folder(space) as folder:
        (folder / "a.wav").write_bytes(b"x")
        assert folder.parent == space
    assert list((tmp_path / "scratch").iterdir()) == []


def test_nothing_is_left_after_a_failure(tmp_path: Path) -> None:
    def fail() -> None:
        with scratch_space(tmp_path / "scratch") as space, private_folder(space) as folder:
            (folder / "a.wav").write_bytes(b"x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    process, left = holder(tmp_path)
    process.send_signal(signal.SIGKILL)
    end(process)
    assert (left / "half-done.wav").exists()
    with scratch_space(tmp_path) as space:
        assert {path.stem for path in tmp_path.iterdir()} == {space.name}
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    process, theirs = holder(tmp_path)
    with scratch_space(tmp_path):
        assert (theirs / "half-done.wav").exists()
    end(process)
    assert list(tmp_path.iterdir()) == []
