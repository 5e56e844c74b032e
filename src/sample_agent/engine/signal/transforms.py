"""Fourier transforms of real signals, by SciPy's pocketfft without the rest of SciPy.

`import scipy.fft` takes longer than analysing a hundred short samples: it brings in special functions and array
interfaces that no transform needs. The compiled module it rests on loads in a few milliseconds by itself. Where it is
not found, or does not answer as expected, `scipy.fft` does the same.
"""

from contextlib import suppress
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex64] | npt.NDArray[np.complex128]

_UNSCALED, _BY_LENGTH = 0, 2


def rfft(signals: Real, size: int | None = None) -> Any:
    """Transform along the last axis: complex as precise as the signals, shape (..., size // 2 + 1).

    Args:
        signals: shape (..., samples).
        size: fill the signals up with silence to this many samples; at least as many as there are.
    """
    length = signals.shape[-1]
    if size is not None and size > length:
        padded = np.zeros((*signals.shape[:-1], size), signals.dtype)
        padded[..., :length] = signals
        signals = padded
    return load().r2c(signals, (signals.ndim - 1,), True, _UNSCALED, None, 1)


def irfft(spectra: Complex | Real, size: int) -> Any:
    """The inverse: real, shape (..., size), from shape (..., size // 2 + 1), which may be real, too."""
    if spectra.dtype.kind != "c":
        spectra = spectra.astype(np.result_type(spectra.dtype, np.complex64))
    return load().c2r(spectra, (spectra.ndim - 1,), size, False, _BY_LENGTH, None, 1)


def fast_length(samples: int) -> int:
    """The smallest size not below `samples` that transforms fast."""
    return int(load().good_size(samples, True))


@cache
def load() -> Any:
    """The module that transforms; found on the first call."""
    # Whatever another SciPy does differently: there is its public way.
    with suppress(Exception):
        module = _pocketfft()
        spectrum = module.r2c(np.ones((1, 6), np.float32), (1,), True, _UNSCALED, None, 1)
        back = module.c2r(spectrum, (1,), 6, False, _BY_LENGTH, None, 1)
        if spectrum[0, 0] == 6 and abs(back[0] - 1).max() < 1e-6 and module.good_size(7, True) >= 7:
            return module
    return _Scipy()


def _pocketfft() -> Any:
    # Finding a package does not import it.
    package = find_spec("scipy")
    for place in (package.submodule_search_locations if package else None) or ():
        for suffix in EXTENSION_SUFFIXES:
            path = Path(place) / "fft" / "_pocketfft" / f"pypocketfft{suffix}"
            if path.exists():
                spec = spec_from_file_location("pypocketfft", path)
                if spec and spec.loader:
                    module = module_from_spec(spec)
                    spec.loader.exec_module(module)
                    return module
    raise ModuleNotFoundError("pypocketfft")


class _Scipy:
    """`scipy.fft` with the arguments of pocketfft."""

    def r2c(self, signals: Real, axes: tuple[int, ...], *_: object) -> Any:
        import scipy.fft

        return scipy.fft.rfft(signals, axis=axes[0])

    def c2r(self, spectra: Complex, axes: tuple[int, ...], size: int, *_: object) -> Any:
        import scipy.fft

        return scipy.fft.irfft(spectra, size, axis=axes[0])

    def good_size(self, samples: int, real: bool) -> int:
        import scipy.fft

        return int(scipy.fft.next_fast_len(samples, real))
