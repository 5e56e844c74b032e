"""Without its weights the engine says so, before it takes a file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sample_agent
from tests.engine.files import write

WEIGHTS = ("class", "embedding", "key", "kind", "pitch", "tempo")
_LOAD = "from sample_agent.engine.analysis import load_models; load_models()"
_POOL = """
import asyncio
from sample_agent.engine.pool import EnginePool
async def main():
    async with EnginePool(1) as pool:
        await pool.start()
asyncio.run(main())
"""


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """A copy of the package whose weights may be broken."""
    package = Path(sample_agent.__file__).parent
    skipped = shutil.ignore_patterns("_web", "__pycache__", "*.pyc")
    shutil.copytree(package, tmp_path / "sample_agent", ignore=skipped)
    return tmp_path


def ran(code: str, installation: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    path = f"import sys; sys.path.insert(0, {str(installation)!r})\n"
    return subprocess.run(
        [sys.executable, "-c", path + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"HOME": str(installation), "XDG_CACHE_HOME": str(installation / "cache")},
    )


def weights(installation: Path, name: str) -> Path:
    return installation / "sample_agent" / "engine" / "models" / "weights" / f"{name}.npz"


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("name", WEIGHTS)
def test_missing_weights_are_one_clear_sentence(installation: Path, name: str) -> None:
    weights(installation, name).unlink()
    said = last_line(ran(_LOAD, installation))
    assert said.startswith("RuntimeError: The engine's weights")
    assert f"{name}.npz" in said
    assert said.endswith("install sample-agent anew.")


@pytest.mark.parametrize("damage", ["empty", "half", "noise", "changed", "another"])
def test_damaged_weights_are_one_clear_sentence(installation: Path, damage: str) -> None:
    path = weights(installation, "kind")
    content = path.read_bytes()
    middle = len(content) // 2
    damaged = {
        "empty": b"",
        "half": content[:middle],
        "noise": bytes(range(256)) * 40,
        "changed": content[:middle] + bytes(64) + content[middle + 64 :],
        "another": weights(installation, "tempo").read_bytes(),
    }
    path.write_bytes(damaged[damage])
    said = last_line(ran(_LOAD, installation))
    assert said.startswith("RuntimeError: The engine's weights kind.npz are missing or damaged")


def test_a_worker_without_weights_fails_at_its_start(installation: Path) -> None:
    weights(installation, "tempo").unlink()
    said = last_line(ran(_POOL, installation))
    assert "PoolUnavailableError: The engine's weights tempo.npz" in said


def test_the_command_says_so_once_and_blames_no_file(installation: Path, tmp_path: Path) -> None:
    weights(installation, "key").write_bytes(b"")
    files = [write(tmp_path / f"{name}.wav") for name in "ab"]
    command = "from sample_agent.cli import main; main()"
    done = ran(command, installation, "analyze", *files, "--json", "--fresh")
    assert done.returncode == 1
    assert last_line(done).startswith("Error: The engine's weights key.npz")
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
