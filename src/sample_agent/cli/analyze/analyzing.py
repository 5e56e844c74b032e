"""Results for many files, in their order, with a bounded number under way."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sample_agent.cli.analyze.result import Result

if TYPE_CHECKING:
    from sample_agent.cli.analyze.cache import AnalysisCache

_log = logging.getLogger(__name__)

_PASSING = frozenset({"analysis-timeout", "too-much-memory", "analysis-crashed", "analysis-failed", "file-not-found"})
"""Errors that may end otherwise the next time, so they are not remembered."""


Analyze = Callable[[Path], Awaitable[Result]]


@asynccontextmanager
async def here(
    workers: int, describe: Callable[[str], dict[str, Any]] | None = None, *, per_frame: bool = False
) -> AsyncIterator[Analyze]:
    """Analyses in processes of this machine, by `describe_file` unless another importable function is given.

    With `per_frame`, by `describe_frames_too`.
    A defect of ours that one file brings to light is an error of that file: the others are none the worse for it. What
    no file could be analysed with raises PoolUnavailableError.
    """
    from sample_agent.description import describe_file, describe_frames_too
    from sample_agent.engine import ENGINE_VERSION, AudioError
    from sample_agent.engine.pool import EnginePool, PoolUnavailableError

    async with EnginePool(workers) as pool:

        async def described(path: Path) -> Result:
            if per_frame:
                features, frames = await pool.run(describe_frames_too, str(path))
                return Result(path, features, None, frames=frames)
            return Result(path, await pool.run(describe or describe_file, str(path)), None)

        def failed(path: Path, code: str, message: str) -> Result:
            return Result(path, None, {"code": code, "message": message}, tried_by=ENGINE_VERSION)

        async def analyze(path: Path) -> Result:
            try:
                return await described(path)
            except AudioError as error:
                return failed(path, error.code, error.message)
            except PoolUnavailableError:
                raise
            except Exception as error:
                _log.exception("%s could not be analysed.", ascii(str(path)))
                message = f"The analysis failed, which is a defect of ours ({type(error).__name__})."
                return failed(path, "analysis-failed", message)

        yield analyze


def cached(analyze: Analyze, cache: AnalysisCache | None) -> Analyze:
    """`analyze`, which is asked only about what `cache` does not know. Without a cache, about everything."""
    if cache is None:
        return analyze

    async def ask(path: Path) -> Result:
        # Of before the analysis: a file that changes meanwhile is analysed again the next time.
        version = cache.version(path)
        if version is not None and (known := cache.get(path, version)) is not None:
            return replace(known, unchanged=True)
        result = await analyze(path)
        if version is not None and (result.error is None or result.error["code"] not in _PASSING):
            cache.put(version, result)
        return result

    return ask


async def in_order(files: Iterable[Path], analyze: Analyze, ahead: int) -> AsyncIterator[Result]:
    """Results in the order of the files; at most `ahead` are begun before the first of them is taken."""
    under_way: deque[asyncio.Task[Result]] = deque()
    try:
        for file in files:
            under_way.append(asyncio.ensure_future(analyze(file)))
            if len(under_way) >= ahead:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
