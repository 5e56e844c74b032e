"""Ending in order when told to: by Ctrl-C, a closed terminal or a shutdown."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class ToldToStop(Exception):
    """The work was broken off, and has cleared up behind itself.

    Args:
        number: the signal that said so.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def run_until_told(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, with the work cancelled by the first signal that asks for an end.

    A second Ctrl-C does not wait for it to clear up.

    Raises:
        ToldToStop: that came, and the work is not done.
    """
    told: list[int] = []
    try:
        return asyncio.run(_listening(work, told))
    except asyncio.CancelledError:
        if not told:
            raise
    except KeyboardInterrupt:
        # The second one; or the first, where a loop cannot listen for signals.
        told.append(signal.SIGINT)
    raise ToldToStop(told[0])


async def _listening(work: Coroutine[Any, Any, T], told: list[int]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)

    def stop(number: int) -> None:
        # A terminal that closes and a service that is stopped may send several.
        if not told:
            told.append(number)
            task.cancel()
        if number == signal.SIGINT:
            loop.remove_signal_handler(number)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # Who started us in the background, or with nohup, had one ignored.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            with suppress(NotImplementedError):
                loop.add_signal_handler(number, stop, number)
    return await task
