"""Waiting for what other processes do, with a limit instead of a hope."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import psutil

Found = TypeVar("Found")


def until(reached: Callable[[], Found], seconds: float = 30) -> Found:
    """The first truthy answer of `reached`; fails the test when none comes in time."""
    deadline = time.monotonic() + seconds
    while not (answer := reached()):
        assert time.monotonic() < deadline, f"not reached within {seconds} s"
        time.sleep(0.01)
    return answer


def processes_naming(text: str) -> list[psutil.Process]:
    """The processes with `text` in their command line or working folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and text in " ".join([*process.cmdline(), process.cwd()]):
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.pid != psutil.Process().pid]
