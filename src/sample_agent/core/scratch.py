"""Temporary files that are gone when the work is done, and after a crash when the next program starts."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import structlog

log = structlog.get_logger("scratch")


@contextlib.contextmanager
def scratch_space(root: Path) -> Iterator[Path]:
    """A folder in `root` for this process alone, removed at the end.

    First removes the folders of processes that died without doing so. A process holds a lock on a file beside its
    folder; the system lets go of it however the process ends, so no clock and no process number has to be trusted.
    """
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    _sweep(root)
    lock, descriptor = _locked_file(root)
    folder = lock.with_suffix("")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        _remove(folder, lock)
        os.close(descriptor)


@contextlib.contextmanager
def private_folder(space: Path) -> Iterator[Path]:
    """A folder in `space` for one piece of work, removed at its end with everything in it."""
    folder = Path(tempfile.mkdtemp(dir=space))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(root: Path) -> None:
    for lock in root.glob("*.lock"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            descriptor = os.open(lock, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(lock.with_suffix(""), lock)
                log.info("removed what a dead process left", folder=str(lock.with_suffix("")))
            finally:
                os.close(descriptor)


def _locked_file(root: Path) -> tuple[Path, int]:
    while True:
        lock = root / f"{secrets.token_hex(8)}.lock"
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        # Between these lines another process may have taken the file for a dead one's, and removed it.
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(lock.stat(), os.fstat(descriptor)):
                return lock, descriptor
        os.close(descriptor)


def _remove(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.unlink(missing_ok=True)
