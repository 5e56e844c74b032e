"""Files that hold secrets: there whole or not at all, and readable by whom they are for from their first byte on."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path


def write_secret(
    path: Path,
    content: bytes,
    *,
    mode: int = 0o600,
    owner_of: Path | None = None,
    moment: datetime | None = None,
    replace: bool = True,
) -> None:
    """Put a file in its place in one step, whatever the umask says, and on disk before it is there.

    Written by root it belongs to whom `owner_of` belongs to; the service need not run as root, too. `moment` becomes
    its time. Raises FileExistsError when it must not `replace` one.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(mode)
        if owner_of is not None and hasattr(os, "geteuid") and os.geteuid() == 0:
            owner = owner_of.stat()
            os.chown(draft, owner.st_uid, owner.st_gid, follow_symlinks=False)
        if moment is not None:
            os.utime(draft, (moment.timestamp(), moment.timestamp()))
        if replace:
            draft.replace(path)
        else:
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def read_or_create_secret(path: Path, create: Callable[[], str]) -> str:
    """The secret kept in `path`, created with mode 0600 the first time. Safe when several processes start at once."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        with suppress(FileExistsError):
            write_secret(path, create().encode(), replace=False)
    return path.read_text()
