"""Worker processes that decode and analyse, so that no file can take the service down with it.

Each worker is a child process with its own memory limit. A task that runs too long, takes too much memory or crashes
its process ends as an `AudioError`; the worker is replaced and the pool goes on.
"""

import asyncio
import contextlib
import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sample_agent.engine import _worker
from sample_agent.engine.analysis import Analysis, Progress, analyze_file
from sample_agent.engine.errors import AudioError
from sample_agent.engine.preview import PreviewInfo, render_preview

TIMEOUT_SECONDS = 120.0
MEMORY_BYTES = 1 << 30

_START_SECONDS = 60.0
_TOO_MUCH_MEMORY = "The file needs more memory than one analysis may take."
_HEADER = struct.Struct("<Q")


class PoolUnavailableError(RuntimeError):
    """The pool is closed, or its processes cannot be talked to; nothing is said about the file."""


class _NotTakenError(Exception):
    """The process had ended before it took the task, so the task is not to blame."""


class EnginePool:
    """A fixed number of worker processes, each with one task at a time.

    Use as an async context manager. Tasks beyond the number of workers wait their turn; the time limit counts from
    the moment a task starts to run. Cancelling the caller kills the worker that runs its task.

    Args:
        workers: how many processes; by default one for each core.
        timeout_seconds: wall-clock time that one task may take.
        memory_bytes: memory that one task may take on top of what an idle worker has. Enforced on Linux.
    """

    def __init__(
        self,
        workers: int | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._timeout = timeout_seconds
        self._memory = memory_bytes
        self._idle: asyncio.LifoQueue[_Worker | None] = asyncio.LifoQueue()
        self._all: set[_Worker] = set()
        self._closed = False
        self._closing = asyncio.Lock()
        for _ in range(self.workers):
            self._idle.put_nowait(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Start a first worker now rather than with the first task, so that an installation that cannot work says so.

        Raises:
            PoolUnavailableError, OSError: no process could be had, or what it needs is missing or damaged.
        """
        worker = await self._take()
        try:
            if worker is None:
                worker = await self._start()
        finally:
            self._give_back(worker)

    async def analyze(
        self, path: str | Path, *, filename: str | None = None, on_progress: Progress | None = None
    ) -> Analysis:
        """`analyze_file` in a worker.

        Raises:
            AudioError: as `analyze_file`; also "analysis-timeout", "too-much-memory", "analysis-crashed".
        """
        analysis: Analysis = await self.run(analyze_file, str(path), filename=filename, on_progress=on_progress)
        return analysis

    async def render_preview(self, path: str | Path, destination: str | Path) -> PreviewInfo:
        """`render_preview` in a worker; a worker that dies leaves no half-written file.

        Raises:
            AudioError: as `analyze`.
        """
        try:
            info: PreviewInfo = await self.run(render_preview, str(path), str(destination))
        except BaseException:
            await asyncio.to_thread(Path(destination).unlink, missing_ok=True)
            raise
        return info

    async def run(
        self,
        function: Callable[..., Any],
        *args: Any,
        on_progress: Progress | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call a top-level function in a worker and return what it returns.

        Args:
            function: importable by name; arguments and result must be picklable.
            on_progress: when given, the function is given an `on_progress` keyword, too; what it calls that with
                arrives here.

        Raises:
            AudioError: "analysis-timeout", "too-much-memory" or "analysis-crashed".
            PoolUnavailableError, OSError: no process could be had, or the pool was closed meanwhile.
            Exception: whatever the function raises, as it raised it.
        """
        call = pickle.dumps((function, args, kwargs, on_progress is not None))
        worker = await self._take()
        try:
            if worker is not None:
                with contextlib.suppress(_NotTakenError):
                    return await self._run_in(worker, call, on_progress)
            worker = await self._start()
            try:
                return await self._run_in(worker, call, on_progress)
            except _NotTakenError:
                raise self._ended("before it took its task") from None
        finally:
            self._give_back(worker)

    async def close(self) -> None:
        """End all workers, at once, and wait for whoever has a task to hear of it."""
        self._closed = True
        await asyncio.gather(*(worker.kill() for worker in list(self._all)))
        turns: list[_Worker | None] = []
        async with self._closing:
            try:
                # Whoever is just starting a worker ends it before giving back its turn.
                while len(turns) < self.workers:
                    turns.append(await self._idle.get())
            finally:
                for turn in turns:
                    self._idle.put_nowait(turn)

    async def _take(self) -> "_Worker | None":
        """The turn of the caller, with an idle worker that lives or none. To be given back."""
        self._check_open()
        worker = await self._idle.get()
        try:
            self._check_open()
        except PoolUnavailableError:
            self._idle.put_nowait(worker)
            raise
        if worker is not None and not worker.alive:
            await self._discard(worker)
            return None
        return worker

    def _check_open(self) -> None:
        if self._closed:
            raise _closed()

    def _give_back(self, worker: "_Worker | None") -> None:
        self._idle.put_nowait(worker if worker is not None and worker.alive else None)

    async def _start(self) -> "_Worker":
        self._check_open()
        worker = await _Worker.start(self._memory)
        self._all.add(worker)
        try:
            # What was closed while the process came into being did not know of it.
            self._check_open()
            async with asyncio.timeout(_START_SECONDS):
                await worker.get_ready()
        except EOFError:
            await self._discard(worker)
            raise self._ended("while it was starting") from None
        except BaseException:
            await self._discard(worker)
            raise
        return worker

    async def _run_in(self, worker: "_Worker", call: bytes, on_progress: Progress | None) -> Any:
        try:
            async with asyncio.timeout(self._timeout):
                succeeded, value = await worker.call(call, on_progress)
        except TimeoutError:
            await self._discard(worker)
            raise AudioError(
                "analysis-timeout", f"The file took longer than {self._timeout:g} seconds and was given up."
            ) from None
        except (EOFError, OSError, pickle.UnpicklingError):
            exit_code = await self._discard(worker)
            raise (_closed() if self._closed else _crash(exit_code)) from None
        except BaseException:
            await self._discard(worker)
            raise
        if succeeded:
            return value
        if isinstance(value, MemoryError):
            # What it could not allocate is free again, but a fresh process is certain.
            await self._discard(worker)
            raise AudioError("too-much-memory", _TOO_MUCH_MEMORY) from value
        raise value

    def _ended(self, when: str) -> PoolUnavailableError:
        return _closed() if self._closed else PoolUnavailableError(f"A new worker process ended {when}.")

    async def _discard(self, worker: "_Worker") -> int:
        self._all.discard(worker)
        return await worker.kill()


class _Worker:
    """One child process and its pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise PoolUnavailableError("A worker needs pipes.")
        self._process, self._calls, self._answers = process, process.stdin, process.stdout
        self._killed = False

    @property
    def alive(self) -> bool:
        """Whether the process still runs, as far as the system has told us yet."""
        return not self._killed and self._process.returncode is None

    @classmethod
    async def start(cls, memory_bytes: int) -> "_Worker":
        """A process that is to `get_ready` before the first call."""
        # One thread for each worker: parallelism comes from the number of workers.
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            f"import sys; sys.path[:] = {sys.path!r}; from sample_agent.engine._worker import main; main()",
            str(os.getpid()),
            str(memory_bytes),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        return cls(process)

    async def get_ready(self) -> None:
        """Wait until the process can take calls. Raises PoolUnavailableError with what it lacks, EOFError."""
        kind, value = await self._receive()
        if kind != _worker.READY:
            raise PoolUnavailableError(value)

    async def call(self, call: bytes, on_progress: Progress | None) -> tuple[bool, Any]:
        """Whether the task succeeded, and its result or exception. Raises _NotTakenError if nobody began it."""
        try:
            self._calls.write(_HEADER.pack(len(call)) + call)
            await self._calls.drain()
            await self._receive()
        except (EOFError, OSError):
            raise _NotTakenError from None
        while True:
            kind, value = await self._receive()
            if kind == _worker.PROGRESS:
                if on_progress:
                    on_progress(*value)
            else:
                return kind == _worker.RESULT, value

    async def kill(self) -> int:
        """End the process and wait for it; its exit code."""
        self._killed = True
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        return await asyncio.shield(self._process.wait())

    async def _receive(self) -> tuple[str, Any]:
        (size,) = _HEADER.unpack(await self._answers.readexactly(_HEADER.size))
        message: tuple[str, Any] = pickle.loads(await self._answers.readexactly(size))  # noqa: S301
        return message


def _closed() -> PoolUnavailableError:
    return PoolUnavailableError("The pool is closed.")


def _crash(exit_code: int) -> AudioError:
    if exit_code == -getattr(signal, "SIGKILL", 9):
        # Not by us: this is how the system ends what has eaten its memory.
        return AudioError("too-much-memory", _TOO_MUCH_MEMORY)
    return AudioError("analysis-crashed", "The file crashed its decoder: it is damaged in a way we cannot read.")
