"""What can go wrong with the embedded server, each with what to do about it."""

from __future__ import annotations

from pathlib import Path


class PostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be used."""


class AlreadyRunningError(PostgresError):
    """Another program runs the server of this data folder."""

    def __init__(self, data_dir: Path, pid: int | None) -> None:
        self.data_dir = data_dir
        self.pid = pid
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"sample-agent already runs on {data_dir} ({who}). Stop it first, or choose another folder with --data-dir."
        )


class NoBinariesError(PostgresError):
    """No usable PostgreSQL was found on this machine."""


class UnreachableFolderError(PostgresError):
    """The account the server runs as cannot enter a folder it needs."""

    def __init__(self, folder: Path, account: str, needed_for: Path) -> None:
        self.folder = folder
        super().__init__(
            f"PostgreSQL refuses to run as root and runs as {account!r} instead, who cannot enter {folder} "
            f"(needed for {needed_for}). Choose another folder with --data-dir, for example /var/lib/sample-agent; "
            f"or start sample-agent as an ordinary user; or allow it with: chmod o+x {folder}"
        )


class FolderOwnerError(PostgresError):
    """The data folder belongs to another user."""


class VersionMismatchError(PostgresError):
    """The data folder was written by another major version of PostgreSQL."""

    def __init__(self, cluster: Path, found: str, offered: str) -> None:
        super().__init__(
            f"{cluster} was written by PostgreSQL {found} and this installation brings {offered}; a major version "
            f"cannot read another's files. Set SAMPLE_AGENT_PG_BIN to the bin folder of a PostgreSQL {found}, or move "
            "the data over with pg_upgrade or pg_dump."
        )


class StartError(PostgresError):
    """The server did not start; carries the end of its log."""

    def __init__(self, problem: str, log: str) -> None:
        self.log = log
        super().__init__(f"{problem}\n{log}".rstrip())
