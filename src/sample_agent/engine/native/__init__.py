"""The engine's kernel: its innermost loops in C, compiled when the package is built, called through ctypes.

Whoever needs a loop asks `kernel()`. Where there is none (no compiler when the package was built, another machine, or
SAMPLE_AGENT_NATIVE=0) it is None, and the same is done in NumPy: slower, and equal but for rounding. Arrays are passed
by address; every caller sees to it that they are contiguous and of the right type.
"""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native.signatures import RESULTS, SIGNATURES, VERSION

FOLDER = Path(__file__).parent
LIBRARY = FOLDER / "_kernel.so"
"""What the build makes of the C files here; the same name on every system."""


class Kernel:
    """The functions of the library, by name; each is described where it is defined."""

    def __init__(self, library: ctypes.CDLL) -> None:
        for name, arguments in SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes, function.restype = arguments, RESULTS.get(name)
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the kernel has no function {name!r}")


@cache
def kernel() -> Kernel | None:
    """The kernel, loaded on the first call; None where the engine does without."""
    if os.environ.get("SAMPLE_AGENT_NATIVE", "") in {"0", "no", "off"} or not LIBRARY.is_file():
        return None
    try:
        library = ctypes.CDLL(str(LIBRARY))
        library.kernel_version.restype = ctypes.c_long
        # A library of another state of the sources would read arguments that are not there.
        return Kernel(library) if library.kernel_version() == VERSION else None
    except (OSError, AttributeError):
        return None


def address(array: npt.NDArray[Any] | None) -> int | None:
    """Where an array's numbers lie; the caller keeps the array alive for as long as they are used."""
    return None if array is None else int(array.__array_interface__["data"][0])


def checked(status: int) -> None:
    """Raise what a function's negative status stands for."""
    if status < 0:
        raise MemoryError("the kernel got no memory")


class Filters:
    """Triangular filters, float32 of shape (bins, filters), as runs of weights: what the C struct `filters` holds."""

    def __init__(self, matrix: npt.NDArray[np.float32]) -> None:
        used = matrix > 0
        some = used.any(axis=0)
        first = np.where(some, used.argmax(axis=0), 0).astype(np.int32)
        last = np.where(some, len(matrix) - used[::-1].argmax(axis=0), 0).astype(np.int32)
        runs = [matrix[start:stop, place] for place, (start, stop) in enumerate(zip(first, last, strict=True))]
        self.number = matrix.shape[1]
        # Kept: the struct only points at them.
        self._arrays = first, last - first, np.ascontiguousarray(np.concatenate(runs), np.float32)
        self.struct = _FiltersStruct(self.number, *(address(array) for array in self._arrays))
        self.address = ctypes.addressof(self.struct)


class _FiltersStruct(ctypes.Structure):
    _fields_ = (
        ("number", ctypes.c_long),
        ("first", ctypes.c_void_p),
        ("count", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
    )


@cache
def transform(size: int) -> int:
    """The kernel's tables for frames of `size` samples under a Hann window; made once and kept."""
    from sample_agent.engine.signal.frames import hann_window

    loaded = kernel()
    tables = loaded.transform_new(size, address(hann_window(size))) if loaded else None
    if not tables:
        raise MemoryError("the kernel got no memory")
    return int(tables)


@cache
def long_transform(size: int) -> int:
    """The kernel's tables for transforms of one signal of `size` samples; made once and kept."""
    loaded = kernel()
    tables = loaded.long_transform_new(size) if loaded else None
    if not tables:
        raise MemoryError("the kernel got no memory")
    return int(tables)
