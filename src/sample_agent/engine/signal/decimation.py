"""A signal at a fraction of its sample rate: what tonality is heard in, at a quarter of the transform's cost."""

from functools import cache

import numpy as np

from sample_agent.engine.native import address, kernel
from sample_agent.engine.signal.frames import Floats

LOWEST_RATE = 10_000
"""Decimation stops before the rate would fall below this, in Hz."""
CLEAN_SHARE = 0.75
"""Up to this share of half the new rate the spectrum is true: flat within 0.1 dB, aliases below -60 dB."""

_OUTPUTS = 16
_KAISER = 6.2


def decimation_factor(sample_rate: int) -> int:
    """The power of two, 1 to 64, by which a signal is decimated."""
    factor = 1
    while factor < 64 and sample_rate // (2 * factor) >= LOWEST_RATE:
        factor *= 2
    return factor


class Decimator:
    """Low-pass filter and decimation by a power of two, block by block, as two products of matrices.

    Output `i` stands for input `i * factor`: the filter's delay is taken out.
    """

    def __init__(self, factor: int) -> None:
        self._factor = factor
        self._row = _OUTPUTS * factor
        self._held = np.zeros(self._row // 2, np.float32)
        self._samples = self._outputs = 0

    def feed(self, samples: Floats, *, last: bool = False) -> Floats:
        """The next samples, decimated; what the filter cannot finish yet waits for the next, or for silence."""
        if self._factor == 1:
            return samples
        self._samples += len(samples)
        pieces = [self._held, samples]
        if last:
            pieces.append(np.zeros(3 * self._row, np.float32))
        waiting = np.concatenate(pieces)
        # The filter is as long as a row: the window of a row's last output reaches over the whole next one.
        rows = len(waiting) // self._row - 1
        if rows <= 0:
            self._held = waiting
            return np.zeros(0, np.float32)
        self._held = waiting[rows * self._row :]
        decimated = self._filtered(waiting, rows)
        if last:
            decimated = decimated[: -(-self._samples // self._factor) - self._outputs]
        self._outputs += len(decimated)
        return decimated

    def _filtered(self, waiting: Floats, rows: int) -> Floats:
        if loaded := kernel():
            outputs = np.empty(rows * _OUTPUTS, np.float32)
            response = _response(self._factor)
            where = address(response), len(response), address(outputs)
            loaded.decimate(address(waiting), len(outputs), self._factor, *where)
            return outputs
        cut = waiting[: (rows + 1) * self._row].reshape(rows + 1, self._row)
        own, next_row = _matrices(self._factor)
        output: Floats = cut[:-1] @ own
        output += cut[1:] @ next_row
        return output.reshape(-1)


@cache
def _response(factor: int) -> Floats:
    """A windowed sinc, symmetric about its middle, one weight longer than a row."""
    row = _OUTPUTS * factor
    time = np.arange(row + 1) - row / 2
    response = np.sinc(time / factor) * np.i0(_KAISER * np.sqrt(1 - (2 * time / row) ** 2))
    return np.asarray(response / response.sum(), np.float32)


@cache
def _matrices(factor: int) -> tuple[Floats, Floats]:
    """What a row's samples, and those of the next row, add to the row's outputs."""
    row = _OUTPUTS * factor
    response = _response(factor)
    matrix = np.zeros((2 * row, _OUTPUTS), np.float32)
    for output in range(_OUTPUTS):
        matrix[output * factor : output * factor + row + 1, output] = response
    return np.ascontiguousarray(matrix[:row]), np.ascontiguousarray(matrix[row:])
