"""An installation to break: a durable PostgreSQL, storage, and workers as processes of their own."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psutil
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from sample_agent.accounts.models import User
from sample_agent.apps.wiring import make_storage
from sample_agent.billing import PLANS, Plan, quotas
from sample_agent.core.database import Database
from sample_agent.core.identifiers import new_id
from sample_agent.core.settings import Settings
from sample_agent.library import service
from sample_agent.library.drawings import keys_beside
from sample_agent.library.upload import ReceivedFile

PATIENCE = 120
SCRIPTED_WORKER = Path(__file__).with_name("scripted_worker.py")


@dataclass(frozen=True)
class Uploaded:
    """A file as it was accepted."""

    sample_id: UUID
    job_id: UUID
    user_id: UUID
    size: int


class Worker:
    """A worker process, with everything it prints."""

    def __init__(self, argv: Sequence[str], env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it and all it has started, at once, as the loss of a machine does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait(self, seconds: float = PATIENCE) -> int:
        return self.process.wait(seconds)

    def printed(self) -> str:
        return self.log.read_text(errors="replace")


class Installation:
    """Where uploads arrive and workers run. `url` is the application's database address."""

    def __init__(self, data_dir: Path, url: str, port: int, **settings: Any) -> None:
        self.data_dir = data_dir
        self.url = url
        self.settings = Settings(
            _env_file=None, data_dir=data_dir, database_url=url, worker_processes=2, worker_port=port, **settings
        )
        self.storage = make_storage(self.settings, links_from="")
        self.database = Database(url, pool_size=4)
        self.workers: list[Worker] = []
        self._number = 0

    # --- uploads ---

    async def make_user(self) -> UUID:
        user = User(id=new_id(), email=f"{new_id()}@example.com", password_hash="-")
        async with self.database.transaction(purpose="identity") as session:
            session.add(user)
        return user.id

    async def upload(
        self, user_id: UUID, *, plan: Plan = PLANS["enterprise"], content: bytes | None = None
    ) -> Uploaded:
        """Store a file of its own kind of noise and enter it into the library, as the upload route does."""
        self._number += 1
        sample_id = new_id()
        content = content or short_sound(self._number)
        file = ReceivedFile(
            key=f"uploads/{user_id}/{sample_id}.wav",
            filename=f"sound {self._number}.wav",
            size=len(content),
            sha256=sample_id.bytes * 2,
            format="wav",
        )
        async with self.database.transaction(user_id) as session:
            reservation = await quotas.reserve(session, user_id, "storage", file.size, limit=plan.storage_bytes)
        await self.storage.put(file.key, content, file.content_type)
        async with self.database.transaction(user_id) as session:
            added = await service.add_sample(
                session,
                sample_id=sample_id,
                user_id=user_id,
                plan=plan,
                file=file,
                folder="",
                tags=[],
                reservation=reservation,
            )
        assert added.upload.job_id is not None
        return Uploaded(sample_id, added.upload.job_id, user_id, file.size)

    # --- workers ---

    def start_worker(self, **settings: Any) -> Worker:
        """The worker as it is installed."""
        return self._start([sys.executable, "-m", "sample_agent", "worker"], settings)

    def start_scripted_worker(self, where: str, until: Path | None = None, **settings: Any) -> Worker:
        return self._start([sys.executable, str(SCRIPTED_WORKER), where, str(until or "")], settings)

    def environment(self, **settings: Any) -> dict[str, str]:
        own = ("worker_processes", "worker_port", "job_heartbeat_seconds", "job_ageing_seconds", "job_stop_seconds")
        return self.environment_for(
            database_url=self.url,
            data_dir=self.data_dir,
            **{name: getattr(self.settings, name) for name in own} | settings,
        )

    @staticmethod
    def environment_for(**settings: Any) -> dict[str, str]:
        """The environment of a program with these settings."""
        given = {"log_format": "json", **settings}
        return {**os.environ, **{f"SAMPLE_AGENT_{name.upper()}": str(value) for name, value in given.items()}}

    def _start(self, argv: Sequence[str], settings: dict[str, Any]) -> Worker:
        log = self.data_dir / f"worker-{len(self.workers)}.log"
        self.workers.append(Worker(argv, self.environment(**settings), log))
        return self.workers[-1]

    async def close(self) -> None:
        for worker in self.workers:
            worker.kill()
        await self.database.close()

    # --- what became of it ---

    async def rows(self, query: str, **values: Any) -> list[Any]:
        async with self.database.transaction(purpose="worker") as session:
            return list(await session.execute(text(query), values))

    async def counts(self) -> dict[str, int]:
        """Jobs by status."""
        return {
            row.status: row.n for row in await self.rows("select status, count(*) n from processing_jobs group by 1")
        }

    async def until(self, reached: Callable[[dict[str, int]], bool], seconds: float = PATIENCE) -> None:
        """Wait for the jobs to stand as asked for; a database that is away is waited for, too."""
        deadline = time.monotonic() + seconds
        counts: dict[str, int] = {}
        while True:
            with suppress(DBAPIError, OSError, TimeoutError):
                counts = await self.counts()
                if reached(counts):
                    return
            assert not self.workers or self.workers[-1].process.poll() != 1, self.last_words()
            assert time.monotonic() < deadline, f"not reached within {seconds} s: {counts}\n{self.last_words()}"
            await asyncio.sleep(0.05)

    async def until_all_ended(self, seconds: float = PATIENCE) -> None:
        await self.until(lambda counts: counts != {} and not {"pending", "processing"} & counts.keys(), seconds)

    def last_words(self) -> str:
        return "\n".join(f"--- {worker.log.name}\n{worker.printed()[-2000:]}" for worker in self.workers[-2:])

    async def check_that_everything_happened_once(self, uploads: Sequence[Uploaded]) -> None:
        """Every upload is analysed, with one result, one completing attempt and one preview; nothing else is left."""
        owners = {upload.user_id for upload in uploads}
        jobs = {row.id: row for row in await self.rows("select * from processing_jobs")}
        assert len(jobs) == len(uploads)
        for upload in uploads:
            job = jobs[upload.job_id]
            assert (job.status, job.error_code, job.lease) == ("completed", None, None)
        completing = await self.rows(
            "select job_id, count(*) filter (where outcome = 'completed') completed,"
            " count(*) filter (where outcome is null) still_open from job_attempts group by 1"
        )
        assert {(row.completed, row.still_open) for row in completing} == {(1, 0)}
        samples = {row.id: row for row in await self.rows("select * from samples")}
        results: list[UUID] = []
        for owner in owners:
            async with self.database.transaction(owner) as session:
                results += list(await session.scalars(text("select sample_id from audio_features")))
                assert await quotas.used(session, owner, "storage") == sum(
                    upload.size for upload in uploads if upload.user_id == owner
                )
        assert sorted(results) == sorted(samples) == sorted(upload.sample_id for upload in uploads)
        assert {row.status for row in samples.values()} == {"completed"}
        stored = {item.key async for item in self.storage.list()}
        expected = [key for row in samples.values() for key in (row.file_key, *keys_beside(row.preview_key))]
        # Short sounds have no outline to look closer at.
        assert stored == {key for key in expected if not key.endswith(".peaks") or key in stored}
        await self.until_queue_is_empty()

    async def until_queue_is_empty(self) -> None:
        async def empty() -> bool:
            return not await self.rows("select id from pgqueuer")

        await until(empty)

    def temporary_files(self) -> list[str]:
        """What lies in the scratch folder, but for the empty folders of living processes."""
        return [
            str(path) for path in (self.data_dir / "scratch").rglob("*") if path.is_file() and path.suffix != ".lock"
        ]

    def engine_processes(self) -> list[psutil.Process]:
        """Analysing child processes whose worker is gone."""
        orphans = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if "engine._worker" in " ".join(process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                    parent = process.parent()
                    if parent is None or parent.pid == 1:
                        orphans.append(process)
        return orphans


async def until(reached: Callable[[], Awaitable[bool]], seconds: float = PATIENCE) -> None:
    """Wait for what other processes do."""
    async with asyncio.timeout(seconds):
        while not await reached():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def short_sound(number: int) -> bytes:
    """A tenth of a second of a decaying tone with its own pitch, as WAV."""
    rate = 22050
    time_ = np.arange(rate // 10) / rate
    tone = np.sin(2 * np.pi * (110 + number) * time_) * np.exp(-30 * time_)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((tone * 20000).astype("<i2").tobytes())
    return buffer.getvalue()
