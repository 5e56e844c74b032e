"""Files that workers analyse without their entering a library: whoever asks has the queue and the storage at hand.

The file is put into storage, a task with its key into the queue; a worker puts the result beside the file, and whoever
asked fetches it and clears up.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import orjson
import structlog

from sample_agent.core.database import Database
from sample_agent.core.identifiers import made_at, new_id
from sample_agent.core.queue import enqueue, withdraw
from sample_agent.core.queue_runner import RetryLater
from sample_agent.core.storage import ObjectMissing, Storage
from sample_agent.engine.errors import AudioError
from sample_agent.library.analyzer import Analyzer, AnalyzerUnavailable

ANALYZE_LOOSE_FILE = "analyze-loose-file"
FOLDER = "loose"
PRIORITY = -100
"""Behind whatever people wait for."""

ENGINE_PAUSE = timedelta(seconds=5)
POLL_SECONDS, SLOWEST_POLL_SECONDS = 0.1, 2.0
"""How long to wait before looking for a result again: longer each time, since a bucket counts every look."""

log = structlog.get_logger("loose files")


class LooseFiles:
    """Files of one run, under a folder of their own in storage."""

    def __init__(self, database: Database, storage: Storage) -> None:
        self._database = database
        self._storage = storage
        self._folder = f"{FOLDER}/{new_id()}"

    async def analyze(self, path: Path) -> dict[str, Any]:
        """What a worker finds out about the file at `path`: {"features": …} or {"error": {code, message}}.

        Waits for as long as it takes. Cancelling takes the task back.

        Raises:
            OSError: the file cannot be read.
        """
        key = f"{self._folder}/{new_id()}"
        async with self._cleared(key):
            await self._storage.put(key, path, "application/octet-stream")
            async with self._database.transaction(purpose="worker") as session:
                # A name need not be text, and a payload has to be.
                payload = {"key": key, "filename": os.fsencode(path.name).decode("utf-8", "replace")}
                await enqueue(session, ANALYZE_LOOSE_FILE, payload, priority=PRIORITY, dedupe_key=key)
            pause = POLL_SECONDS
            while True:
                try:
                    answer: dict[str, Any] = orjson.loads(await self._storage.read(result_key(key)))
                    return answer
                except ObjectMissing:
                    await anyio.sleep(pause)
                    pause = min(1.5 * pause, SLOWEST_POLL_SECONDS)

    @asynccontextmanager
    async def _cleared(self, key: str) -> AsyncIterator[None]:
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                async with self._database.transaction(purpose="worker") as session:
                    await withdraw(session, key)
                await self._storage.delete(key)
                await self._storage.delete(result_key(key))


async def analyze_loose_file(payload: dict[str, Any], *, storage: Storage, analyzer: Analyzer) -> None:
    """Analyse the file in `payload` and put the result beside it. Raises RetryLater while nobody can analyse.

    A defect of ours is a result, too: somebody waits for one, and the next try would end the same. Like an analysis, an
    error says which version of the engine found it.
    """
    from sample_agent.engine import ENGINE_VERSION

    key = payload["key"]
    try:
        answer: dict[str, Any] = {"features": await analyzer.describe(key, filename=payload["filename"])}
    except AudioError as error:
        answer = {"error": {"code": error.code, "message": error.message}}
    except AnalyzerUnavailable as error:
        log.warning("nobody can analyse now", error=str(error))
        raise RetryLater(ENGINE_PAUSE, "nobody can analyse now") from error
    except Exception as error:
        log.exception("a file could not be analysed", key=key)
        message = f"The analysis failed, which is a defect of ours ({type(error).__name__})."
        answer = {"error": {"code": "analysis-failed", "message": message}}
    if "error" in answer:
        answer["engine_version"] = ENGINE_VERSION
    await storage.put(result_key(key), orjson.dumps(answer), "application/json")


async def sweep_loose_files(storage: Storage, *, older_than: timedelta) -> int:
    """Delete what runs that were killed left behind; how many objects there were."""
    horizon = datetime.now(UTC) - older_than
    left = [stored.key async for stored in storage.list(FOLDER) if _begun(stored.key) < horizon]
    for key in left:
        await storage.delete(key)
    return len(left)


def _begun(key: str) -> datetime:
    return made_at(UUID(key.split("/")[1]))


def result_key(key: str) -> str:
    """Where the result for the file under `key` lies."""
    return f"{key}.json"
