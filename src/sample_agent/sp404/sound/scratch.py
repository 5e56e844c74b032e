"""Where a sound lies between two passes: in memory while it is short, in an unnamed file when it is long."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray

_MOST_IN_MEMORY = 32 * 1024 * 1024

# Each thread keeps the room for one short sound: asking the system for new memory takes a tenth of the time of all.
_spare = threading.local()
_SPARE_VALUES = 1 << 18


class Scratch:
    """float32[frames, channels], written from beginning to end and then read anywhere."""

    def __init__(self, folder: Path | None = None) -> None:
        self.channels = 0
        self.frames = 0
        self._folder = folder
        room: NDArray[np.float32] | None = _spare.__dict__.pop("room", None)
        self._room = np.empty(_SPARE_VALUES, dtype=np.float32) if room is None else room
        self._sound = self._room.reshape(-1, 1)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _spare.room = self._room
        if self._file is not None:
            self._file.close()

    def append(self, sound: NDArray[np.float32]) -> None:
        if self.channels == 0:
            self.channels = sound.shape[1]
            self._sound = self._room.reshape(-1, self.channels)
        end = self.frames + len(sound)
        if self._file is None and end > len(self._sound):
            self._make_room(end)
        if self._file is None:
            self._sound[self.frames : end] = sound
        else:
            self._file.write(np.ascontiguousarray(sound).data)
        self.frames = end

    def read(self, start: int, end: int) -> NDArray[np.float32]:
        """The frames from `start` up to `end`. Not to be written to."""
        end = min(end, self.frames)
        if self._file is None:
            return self._sound[start:end]
        frame = self.channels * 4
        self._file.seek(start * frame)
        content = self._file.read((end - start) * frame)
        return np.frombuffer(content, dtype=np.float32).reshape(-1, self.channels)

    def blocks(self, size: int, start: int = 0, end: int | None = None) -> Iterator[NDArray[np.float32]]:
        """The frames from `start` up to `end` in blocks of `size`; the last may be shorter."""
        stop = self.frames if end is None else end
        for first in range(start, stop, size):
            yield self.read(first, min(first + size, stop))

    def _make_room(self, frames: int) -> None:
        if frames * self.channels * 4 > _MOST_IN_MEMORY:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (closed with the scratch)
            self._file.write(np.ascontiguousarray(self._sound[: self.frames]).data)
            self._sound = self._sound[:0]
            return
        larger = np.empty((max(frames, 2 * len(self._sound)), self.channels), dtype=np.float32)
        larger[: self.frames] = self._sound[: self.frames]
        self._sound = larger
