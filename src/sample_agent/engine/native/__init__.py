"""The engine's kernel: its innermost loops in C, compiled when the package is built, called through cffi.

Whoever needs a loop asks `kernel()`. Where there is none (no compiler when the package was built, another machine, or
SAMPLE_AGENT_NATIVE=0) it is None, and the same is done in NumPy: slower, and equal but for rounding. Arrays are passed
by `address`: one that is not contiguous, or of another type than the function wants, is refused there.
"""

import os
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).parent
LIBRARY = FOLDER / "_kernel.so"
"""What the build makes of the C files here; the same name on every system."""

VERSION = 10
"""Rises with every change in functions.h; `kernel_version` in the library must say the same."""

Kernel = Any
"""The functions of functions.h, by name."""

_ELEMENTS = {
    "float": np.float32,
    "double": np.float64,
    "int16_t": np.int16,
    "int32_t": np.int32,
    "int64_t": np.int64,
    "uint8_t": np.uint8,
    "uint16_t": np.uint16,
}


@cache
def kernel() -> Kernel | None:
    """The kernel, loaded on the first call; None where the engine does without."""
    if os.environ.get("SAMPLE_AGENT_NATIVE", "") in {"0", "no", "off"} or not LIBRARY.is_file():
        return None
    try:
        library = _interface().dlopen(str(LIBRARY))
        # A library of another state of the sources would read arguments that are not there.
        return library if library.kernel_version() == VERSION else None
    except (ImportError, OSError, AttributeError):
        return None


def address(array: npt.NDArray[Any] | None) -> Any:
    """Where an array's numbers lie, as a pointer to its type that keeps the array alive; NULL for None.

    Raises:
        ValueError: it is not contiguous.
    """
    interface, types = _pointers()
    return interface.NULL if array is None else interface.from_buffer(types[array.dtype.char], array)


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
        arrays = first, last - first, np.ascontiguousarray(np.concatenate(runs), np.float32)
        # Kept: the struct only points at them.
        self._addresses = [address(array) for array in arrays]
        self.struct = _interface().new("struct filters *", [matrix.shape[1], *self._addresses])


@cache
def _interface() -> Any:
    """What cffi knows of functions.h; the build writes it beside the library."""
    return import_module(f"{__name__}._kernel_functions").ffi


@cache
def _pointers() -> tuple[Any, dict[str, Any]]:
    interface = _interface()
    return interface, {np.dtype(kind).char: interface.typeof(f"{name}[]") for name, kind in _ELEMENTS.items()}
