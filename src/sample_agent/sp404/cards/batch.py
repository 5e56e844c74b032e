"""Many sounds prepared at once: threads that share the work, stop when told to, and leave nothing half done."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from sample_agent.sp404.sound.prepare import NothingToPrepareError, Preparation, Treatment, Writer, write_prepared
from sample_agent.sp404.sound.stretch import TooLongToStretchError


class UnreadableSourceError(Exception):
    """A sample's sound cannot be had. Its text is a sentence for its owner; the others are prepared all the same."""


@dataclass(frozen=True)
class Sound:
    """An open sound: float blocks of shape (frames, channels), full scale at ±1, at `sample_rate` Hz."""

    sample_rate: int
    blocks: Iterable[NDArray[np.floating]]


Source = Callable[[], AbstractContextManager[Sound]]
"""Opens a sample's sound; raises `UnreadableSourceError`, then or while it is read, when that cannot be done."""

OnProgress = Callable[[int, int], None]
"""Called with how many sounds are done, and how many there are, in the thread that waits for them."""


@dataclass(frozen=True)
class Order:
    """What to prepare: where the sound comes from, what to do to it, in which format, and where to put it."""

    source: Source
    treatment: Treatment
    write: Writer
    target: Path


@dataclass(frozen=True)
class PreparedFile:
    """A finished file, its checksum, and what was done to make it."""

    path: Path
    size: int
    sha256: str
    preparation: Preparation


def prepare_all(
    orders: Sequence[Order], *, workers: int | None = None, on_progress: OnProgress | None = None
) -> list[PreparedFile | str]:
    """Prepare sounds side by side; for each, in the order given, its file or the reason why there is none.

    Threads are enough: decoding, resampling and rounding let go of the interpreter. Each holds one block of a short
    sound, or of a long one a scratch file in the folder of its target.

    Any exception, also one from `on_progress` or Ctrl-C, stops the threads within a block and leaves no half file.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(workers or os.cpu_count() or 1, "prepare") as threads:
        futures = [threads.submit(_prepare, order, stop) for order in orders]
        try:
            for done, _ in enumerate(as_completed(futures), 1):
                if on_progress is not None:
                    on_progress(done, len(orders))
            return [future.result() for future in futures]
        except BaseException:
            stop.set()
            threads.shutdown(cancel_futures=True)
            for order in orders:
                order.target.unlink(missing_ok=True)
            raise


class _Stopped(Exception):
    pass


def _prepare(order: Order, stop: threading.Event) -> PreparedFile | str:
    try:
        with order.source() as sound, order.target.open("wb") as file:
            summing = _Summing(file)
            preparation = write_prepared(
                cast("BinaryIO", summing),
                _until(stop, sound.blocks),
                sound.sample_rate,
                treatment=order.treatment,
                write=order.write,
                scratch_dir=order.target.parent,
            )
    except (UnreadableSourceError, NothingToPrepareError, TooLongToStretchError) as error:
        order.target.unlink(missing_ok=True)
        return str(error)
    return PreparedFile(order.target, summing.size, summing.sha256, preparation)


def _until(stop: threading.Event, blocks: Iterable[NDArray[np.floating]]) -> Iterator[NDArray[np.floating]]:
    for block in blocks:
        if stop.is_set():
            raise _Stopped
        yield block


class _Summing:
    """A file that is written from beginning to end, and its checksum on the way."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, content: bytes | memoryview) -> int:
        self._digest.update(content)
        written = self._file.write(content)
        self.size += written
        return written

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()
