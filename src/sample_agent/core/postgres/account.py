"""The operating system account the server runs as: PostgreSQL refuses root."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sample_agent.core.postgres.errors import FolderOwnerError, UnreachableFolderError

_FIRST_UNREACHABLE = 'for folder in "$@"; do [ -x "$folder" ] || { printf %s "$folder"; exit 1; }; done'


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int
    drop: bool
    """Whether we are root and have to become this account."""

    def popen_options(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.drop else {}

    def own(self, path: Path) -> None:
        if self.drop:
            os.chown(path, self.uid, self.gid)

    def unreachable(self, path: Path) -> Path | None:
        """The outermost folder on the way to `path` (itself included) that this account cannot enter."""
        if not self.drop:
            return None
        way = [str(folder) for folder in (*reversed(path.parents), path)]
        # Asked of the system, as that user: mode bits alone know nothing of access lists and mount options.
        answer = subprocess.run(
            ["/bin/sh", "-c", _FIRST_UNREACHABLE, "sh", *way],
            stdout=subprocess.PIPE,
            cwd="/",
            check=False,
            **self.popen_options(),
        )
        return Path(os.fsdecode(answer.stdout)) if answer.returncode else None

    def require_reach(self, path: Path) -> None:
        """Raise UnreachableFolderError when this account cannot enter `path`."""
        if folder := self.unreachable(path):
            raise UnreachableFolderError(folder, self.name, path)


def server_account(cluster: Path) -> Account:
    """Ourselves; as root the owner of an existing cluster, else `postgres`, else `nobody`.

    Raises FolderOwnerError when the cluster belongs to somebody we cannot become.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise FolderOwnerError(
                f"{cluster} belongs to user {_name(owner)!r}, and this is {_name(os.geteuid())!r}. "
                "Start sample-agent as that user, or choose another folder with --data-dir."
            )
        return Account(_name(os.geteuid()), os.geteuid(), os.getegid(), drop=False)
    if owner == 0:
        raise FolderOwnerError(
            f"{cluster} belongs to root, as whom PostgreSQL refuses to run. Give it away: chown -R nobody {cluster}"
        )
    entry = pwd.getpwuid(owner) if owner is not None and _known(owner) else None
    if owner is not None and entry is None:
        return Account(str(owner), owner, cluster.stat().st_gid, drop=True)
    entry = entry or _first_of("postgres", "nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, drop=True)


def _known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _name(uid: int | None) -> str:
    return pwd.getpwuid(uid).pw_name if uid is not None and _known(uid) else str(uid)


def _first_of(*names: str) -> pwd.struct_passwd:
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise FolderOwnerError(f"this machine has no user {' or '.join(names)} for PostgreSQL to run as instead of root")
