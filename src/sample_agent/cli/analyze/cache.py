"""What earlier runs found out: a file in the user's cache folder that may be deleted at any time."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import zlib
from contextlib import suppress
from pathlib import Path

from sample_agent.cli.analyze.result import Result

KEPT_DAYS = 180
"""How long a file's analysis is kept after it was last asked for."""

FRAMES_KEPT_DAYS = 7
"""The same with frames, which take megabytes: long enough for a run that was broken off to go on."""

_DAY = 86_400
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def default_cache(*, per_frame: bool = False) -> AnalysisCache | None:
    """The cache of this user; None where nothing can be written. Analyses with frames have one of their own."""
    from platformdirs import user_cache_path

    folder = user_cache_path("sample-agent")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if per_frame:
            return AnalysisCache(folder / "frames.db", kept_days=FRAMES_KEPT_DAYS)
        return AnalysisCache(folder / "analyses.db")
    except (OSError, sqlite3.Error):
        return None


class AnalysisCache:
    """Results by path, valid for one version of the file and of the programs that analysed it.

    A damaged cache is begun anew. Several commands may use one at the same time: one that another holds for longer
    than `patience` seconds is left alone.

    Raises:
        sqlite3.Error: it cannot be opened just now.
        OSError: a damaged one cannot be deleted.
    """

    def __init__(self, path: Path, *, kept_days: int = KEPT_DAYS, patience: float = 10.0) -> None:
        from sample_agent import description
        from sample_agent.engine import ENGINE_VERSION

        self._engine = ENGINE_VERSION
        # The words for a sound may change without the engine, and its models may be trained anew: the day the
        # describing code and the models were written counts.
        package = Path(description.__file__).parent
        written = _newest(package / "vibe"), _newest(package / "engine" / "models" / "weights")
        self._programs = ":".join(map(str, (ENGINE_VERSION, *written)))
        self._today = int(time.time() // _DAY)
        try:
            self._database = _opened(path, patience)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode not in _DAMAGED:
                raise
            for part in ("", "-wal", "-shm"):
                path.with_name(path.name + part).unlink(missing_ok=True)
            self._database = _opened(path, patience)
        self._forget(self._today - kept_days)

    def version(self, path: Path) -> str | None:
        """What tells this state of the file from every other; None when it cannot be looked at."""
        try:
            status = path.stat()
        except OSError:
            return None
        return f"{status.st_size}:{status.st_mtime_ns}:{self._programs}"

    def get(self, path: Path, version: str) -> Result | None:
        """The result for this version of the file, if it is known."""
        key = _key(path)
        with suppress(sqlite3.Error, ValueError, zlib.error, KeyError):
            row = self._database.execute(
                "select content, seen from analyses where path = ? and version = ?", (key, version)
            ).fetchone()
            if row is None:
                return None
            unpacker = zlib.decompressobj()
            content = json.loads(unpacker.decompress(row[0]))
            if row[1] != self._today:
                self._database.execute("update analyses set seen = ? where path = ?", (self._today, key))
            features, error = content["features"], content["error"]
            # What follows is packed as well, by whoever made it.
            frames = unpacker.unused_data or None
            return Result(path, features, error, frames=frames, tried_by=None if features else self._engine)
        return None

    def put(self, version: str, result: Result) -> None:
        """Remember a result; a disk that is full is no reason to stop.

        One by an engine of another version, which a worker elsewhere may have, is not what `version` promises.
        """
        if result.engine_version not in (None, self._engine):
            return
        content = zlib.compress(json.dumps({"features": result.features, "error": result.error}).encode(), 1)
        content += result.frames or b""
        with suppress(sqlite3.Error):
            self._database.execute(
                "insert or replace into analyses (path, version, seen, content) values (?, ?, ?, ?)",
                (_key(result.path), version, self._today, content),
            )

    def close(self) -> None:
        """Write out what is not on the disk yet."""
        self._database.close()

    def _forget(self, day: int) -> None:
        with suppress(sqlite3.Error):
            self._database.execute("delete from analyses where seen < ?", (day,))


def _key(path: Path) -> bytes:
    # Bytes, because a file's name need not be text.
    return os.fsencode(path.absolute())


def _opened(path: Path, patience: float) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=patience, isolation_level=None)
    try:
        # What is forgotten gives its room back; this comes before all else or is ignored.
        database.execute("pragma auto_vacuum = full")
        # Losing the latest entries with the machine is fine; waiting for the disk at each is not.
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = off")
        database.execute(
            "create table if not exists analyses"
            " (path blob primary key, version text not null, seen integer not null, content blob not null)"
            " without rowid"
        )
    except sqlite3.Error:
        database.close()
        raise
    return database


def _newest(folder: Path) -> int:
    return max((file.stat().st_mtime_ns for file in folder.iterdir() if file.is_file()), default=0)
