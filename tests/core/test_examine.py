"""Whose fault it is when an analysis does not come to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sample_agent.core.examine import EngineUnavailable, examine
from sample_agent.engine import AudioError
from sample_agent.engine.pool import EnginePool
from tests.engine.tasks import raise_error


class Raising(EnginePool):
    """Real worker processes, in which every analysis raises `error`."""

    error: type[Exception] = RuntimeError

    async def analyze(self, path: str | Path, **options: Any) -> Any:
        return await self.run(raise_error, self.error)


@pytest.fixture
async def pool() -> AsyncIterator[Raising]:
    async with Raising(1) as pool:
        yield pool


def unseen(percent: int, step: str) -> None:
    pass


@pytest.mark.parametrize("error", [RuntimeError, ValueError, KeyError])
async def test_what_a_decoder_raises_is_put_down_to_the_file(pool: Raising, error: type[Exception]) -> None:
    pool.error = error
    with pytest.raises(AudioError) as caught:
        await examine(pool, Path("any.wav"), filename="", on_progress=unseen)
    assert caught.value.code == "analysis-failed"


async def test_a_disk_that_fails_is_not(pool: Raising) -> None:
    pool.error = OSError
    with pytest.raises(EngineUnavailable):
        await examine(pool, Path("any.wav"), filename="", on_progress=unseen)


async def test_nor_is_a_pool_that_is_closed(pool: Raising) -> None:
    await pool.close()
    with pytest.raises(EngineUnavailable):
        await examine(pool, Path("any.wav"), filename="", on_progress=unseen)
