"""The server's folder: made enterable for the account the server runs as, and held by one program at a time."""

from __future__ import annotations

import os
from pathlib import Path

from sample_agent.core.postgres.errors import AlreadyRunningError, FolderOwnerError


def make_folder(path: Path) -> None:
    """Create `path` and its missing parents; as root, enterable by others. What exists is left as it is."""
    missing = [folder for folder in (*reversed(path.parents), path) if not folder.exists()]
    for folder in missing:
        folder.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            folder.chmod(0o711)  # whatever the umask: the server's account only passes through


class FolderLock:
    """An advisory lock the kernel drops when its holder dies; the file tells who holds it."""

    def __init__(self, path: Path, data_dir: Path) -> None:
        self._path = path
        self._data_dir = data_dir
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises AlreadyRunningError when somebody holds it."""
        import fcntl

        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except PermissionError:
            raise FolderOwnerError(
                f"{self._path.parent} belongs to another user. Start sample-agent as that user, "
                "or choose another folder with --data-dir."
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).strip()
            os.close(descriptor)
            raise AlreadyRunningError(self._data_dir, int(holder) if holder.isdigit() else None) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
