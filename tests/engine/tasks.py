"""What a worker may be asked to do, and what a bad file may make it do."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable


def double(number: int) -> int:
    return 2 * number


def process_id() -> int:
    return os.getpid()


def hang() -> None:
    time.sleep(3600)


def spin() -> None:
    while True:
        pass


def eat_memory() -> int:
    return len(bytearray(8 << 30))


def crash() -> None:
    ctypes.string_at(0)


def abort() -> None:
    os.abort()


def leave() -> None:
    os._exit(3)


def chatter() -> str:
    print("this is not the protocol", flush=True)  # noqa: T201
    os.write(1, b"nor is this")
    return "fine"


def fail(text: str) -> None:
    raise LookupError(text)


def count(on_progress: Callable[[int, str], None]) -> str:
    for percent in (10, 50, 90):
        on_progress(percent, "counting")
    return "done"


def announce_and_hang(on_progress: Callable[[int, str], None]) -> None:
    on_progress(0, "hanging")
    hang()


def core_limit() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_CORE)[0]


def fail_for_odd(path: str) -> dict[str, str]:
    """A describer with a defect."""
    if path.endswith("odd.wav"):
        raise ZeroDivisionError("division by zero")
    return {"heard": path.rpartition("/")[2]}


def raise_error(error: type[Exception]) -> None:
    raise error("as told")
