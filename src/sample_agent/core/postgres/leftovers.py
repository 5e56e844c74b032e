"""What a killed server leaves behind: processes that outlive it for a moment, and a stale `postmaster.pid`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sample_agent.core.postgres.errors import PostgresError


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether `condition` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def end_leftovers(cluster: Path) -> None:
    """End every server process of `cluster` and remove its stale pid file. The caller holds the lock of the folder.

    Safe for the data: what was committed is in the write-ahead log, which the next start replays. Needed because a
    backend that is busy does not notice that the postmaster died, and because a recycled process number in
    `postmaster.pid` keeps the server from starting.
    """
    for signum in (signal.SIGQUIT, signal.SIGKILL):
        for pid in server_processes(cluster):
            with suppress(ProcessLookupError):
                os.kill(pid, signum)
        if wait_until(lambda: not server_processes(cluster), 5):
            break
    else:
        raise PostgresError(f"processes {server_processes(cluster)} of {cluster} do not die; is the disk stuck?")
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def server_processes(cluster: Path) -> list[int]:
    """The numbers of the PostgreSQL processes that work on `cluster`."""
    if sys.platform != "linux":
        return _named_in_pid_file(cluster)
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _is_of(entry, cluster)]


def _is_of(process: Path, cluster: Path) -> bool:
    # Every PostgreSQL process works in the cluster's folder; so might a person's shell, hence the second look.
    try:
        program = (process / "exe").readlink().name.removesuffix(" (deleted)")
        return program == "postgres" and (process / "cwd").readlink() == cluster
    except OSError:
        return False


def _named_in_pid_file(cluster: Path) -> list[int]:
    pid = postmaster_pid(cluster)
    if pid is None:
        return []
    command = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return [pid] if "postgres" in command and str(cluster) in command else []


def postmaster_pid(cluster: Path) -> int | None:
    """The process number in `postmaster.pid`."""
    try:
        return int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def is_ready(cluster: Path, pid: int) -> bool:
    """Whether the postmaster `pid` says it takes connections: the eighth line of its pid file, as pg_ctl reads it."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"
