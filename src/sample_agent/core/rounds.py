"""Work that is done again and again, as long as a program runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger


async def every(seconds: float, act: Callable[[], Awaitable[object]], log: FilteringBoundLogger, failed: str) -> None:
    """Do it now and every so many seconds, until cancelled; a round that fails is logged as `failed`, by its error's
    name alone: what an error says may tell of people."""
    while True:
        try:
            await act()
        except Exception as error:  # the next round tries again
            log.warning(failed, error=type(error).__name__)
        await asyncio.sleep(seconds)
