"""The K-weighting filter of ITU-R BS.1770, run block-wise.

Inside a block of 32 samples the output is one matrix product with the filter's impulse response; only its four states
are carried on: through groups of 16 blocks by another product, and over the groups by doubling. The result is exact,
and the recursion stays out of Python without a compiled filter (importing SciPy's takes longer than analysing most
files). The kernel does the same eight samples at a time and goes on to their energy, see native/samples.c.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import Kernel, address
from sample_agent.engine.signal.frames import Floats

_BLOCK = 32
_GROUP = 16
_SHORT = 8
_NEGLIGIBLE = 1e-9

Matrix = npt.NDArray[np.float64]


class KWeighting:
    """The filters of several channels, with their states."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._sample_rate = sample_rate
        self._state = np.zeros((channels, 4))

    def add_energy(
        self, loaded: Kernel, samples: Floats, weights: Matrix, step: float, position: float, steps: Matrix
    ) -> None:
        """Filter the next samples, shape (channels, samples), with the kernel, and add up the energy by steps.

        Args:
            loaded: the kernel.
            samples: any number of them, contiguous.
            weights: of each channel.
            step: samples in a step.
            position: of the first sample in the first step.
            steps: what to add to, shape (steps,): as many as are touched.
        """
        output, onward = _short_matrices(self._sample_rate)
        where = address(output), address(onward), address(self._state), address(weights)
        loaded.weighted_energy(address(samples), *samples.shape, *where, step, position, address(steps))

    def run(self, samples: Floats) -> Floats:
        """The next samples, filtered; shape (channels, samples) both ways.

        Only the last piece of a signal may be anything else than a whole number of groups of 512.
        """
        matrices, (channels, length) = _block_matrices(self._sample_rate), samples.shape
        missing = -length % (_BLOCK * _GROUP)
        if missing:
            samples = np.concatenate((samples, np.zeros((channels, missing), np.float32)), axis=1)
        rows = samples.reshape(-1, _BLOCK)
        joined = np.empty((len(rows), _BLOCK + 4), np.float32)
        joined[:, :_BLOCK] = rows
        joined[:, _BLOCK:] = self._states((rows @ matrices.into_state).reshape(channels, -1, _GROUP * 4))
        filtered: Floats = (joined @ matrices.output).reshape(channels, -1)
        return filtered[:, :length]

    def _states(self, entering: Floats) -> Floats:
        """States before each block, shape (channels * blocks, 4), from what enters in each, (channels, groups, 64)."""
        matrices, width = _block_matrices(self._sample_rate), entering.shape[2]
        inside = entering @ matrices.within_group
        before = np.zeros((len(entering), entering.shape[1] + 1, 4))
        before[:, 0] = self._state
        before[:, 1:] = inside[:, :, width:]
        _scan(before, matrices.powers)
        self._state = before[:, -1]
        states: Floats = inside[:, :, :width] + before[:, :-1].astype(np.float32) @ matrices.through_group
        return states.reshape(-1, 4)


class _BlockMatrices(NamedTuple):
    output: Floats
    """(36, 32): a block's samples and the state before it to its output."""
    into_state: Floats
    """(32, 4): a block's samples to the state behind it."""
    within_group: Floats
    """(64, 68): what enters in the blocks of a group to the state before each of them and behind the last."""
    through_group: Floats
    """(4, 64): the state before a group to the state before each of its blocks."""
    powers: tuple[Matrix, ...]
    """Transition over 1, 2, 4, ... groups, transposed, until nothing is left of the state."""


def _scan(states: Matrix, powers: tuple[Matrix, ...]) -> None:
    """From what enters before each group to the states there, in place: s[k + 1] += A s[k] for all k by doubling."""
    for doubling, power in enumerate(powers):
        reach = 1 << doubling
        if reach >= states.shape[1]:
            break
        states[:, reach:] += states[:, :-reach] @ power


@cache
def _block_matrices(sample_rate: int) -> _BlockMatrices:
    step, enter, out, through = _cascade(_shelf(sample_rate), _high_pass(sample_rate))
    outputs, states = [out], [enter]
    for _ in range(_BLOCK - 1):
        outputs.append(outputs[-1] @ step)
        states.append(step @ states[-1])
    response = np.array([through, *(output @ enter for output in outputs[:-1])])
    offsets = np.arange(_BLOCK)[None, :] - np.arange(_BLOCK)[:, None]
    impulse = np.where(offsets >= 0, response[np.maximum(offsets, 0)], 0.0)
    over_blocks = [np.eye(4)]
    for _ in range(_GROUP):
        over_blocks.append(over_blocks[-1] @ np.linalg.matrix_power(step, _BLOCK))
    within = np.zeros((_GROUP, 4, _GROUP + 1, 4))
    for source in range(_GROUP):
        for target in range(source + 1, _GROUP + 1):
            within[source, :, target] = over_blocks[target - source - 1].T
    powers = [over_blocks[_GROUP]]
    while np.abs(powers[-1]).max() > _NEGLIGIBLE:
        powers.append(powers[-1] @ powers[-1])
    return _BlockMatrices(
        np.concatenate((impulse, np.array(outputs).T)).astype(np.float32),
        np.array(states[::-1]).astype(np.float32),
        within.reshape(_GROUP * 4, -1).astype(np.float32),
        np.concatenate([power.T for power in over_blocks[:_GROUP]], axis=1).astype(np.float32),
        tuple(np.ascontiguousarray(power.T) for power in powers),
    )


@cache
def _short_matrices(sample_rate: int) -> tuple[Floats, Matrix]:
    """Eight samples and the state before them to eight of output (12, 8) and to the state behind them (12, 4)."""
    step, enter, out, through = _cascade(_shelf(sample_rate), _high_pass(sample_rate))
    powers = [np.eye(4)]
    for _ in range(_SHORT):
        powers.append(step @ powers[-1])
    output, onward = np.zeros((_SHORT + 4, _SHORT)), np.zeros((_SHORT + 4, 4))
    for sample in range(_SHORT):
        output[sample, sample] = through
        for later in range(sample + 1, _SHORT):
            output[sample, later] = out @ powers[later - sample - 1] @ enter
        output[_SHORT:, sample] = out @ powers[sample]
        onward[sample] = powers[_SHORT - 1 - sample] @ enter
    onward[_SHORT:] = powers[_SHORT].T
    return np.ascontiguousarray(output, np.float32), onward


class _Section(NamedTuple):
    """A filter in state space: state' = step @ state + enter * x; y = out @ state + through * x."""

    step: Matrix
    enter: Matrix
    out: Matrix
    through: float


def _shelf(sample_rate: int) -> _Section:
    """The first stage: high frequencies up by 4 dB, as a head in front of the loudspeaker does.

    BS.1770 tabulates 48 kHz only; the analogue prototypes behind both of its tables (B. De Man, "Evaluation of
    implementations of the EBU R128 loudness measurement", AES 2018) give the same filters at every rate.
    """
    high_gain = 10 ** (3.999843853973347 / 20)
    return _second_order(
        1681.974450955533, 0.7071752369554196, (high_gain, high_gain**0.4996667741545416, 1.0), sample_rate
    )


def _high_pass(sample_rate: int) -> _Section:
    """The second stage: lows fall off below 38 Hz."""
    section = _second_order(38.13547087602444, 0.5003270373238773, (1.0, 0.0, 0.0), sample_rate)
    # The table's numerator is exactly 1, -2, 1, which makes its pass band a touch louder than unity.
    tangent = np.tan(np.pi * 38.13547087602444 / sample_rate)
    gain = 1 + tangent / 0.5003270373238773 + tangent**2
    return section._replace(out=section.out * gain, through=section.through * gain)


def _second_order(hz: float, quality: float, gains: tuple[float, float, float], sample_rate: int) -> _Section:
    """Bilinear transform of (h s^2 + b s / Q + l) / (s^2 + s / Q + 1), s in units of the frequency.

    In the analogue filter's own two states rather than in a direct form, which loses its precision where the pole of
    a low frequency meets a high sample rate.
    """
    high, band, low = gains
    tangent = np.tan(np.pi * min(hz / sample_rate, 0.45))
    analogue = np.array([[-1 / quality, -1.0], [1.0, 0.0]])
    enter, out = np.array([1.0, 0.0]), np.array([(band - high) / quality, low - high])
    inverse = np.linalg.inv(np.eye(2) - tangent * analogue)
    return _Section(
        inverse @ (np.eye(2) + tangent * analogue),
        2 * tangent * inverse @ enter,
        out @ inverse,
        high + tangent * float(out @ inverse @ enter),
    )


def _cascade(first: _Section, second: _Section) -> _Section:
    step = np.block([[first.step, np.zeros((2, 2))], [np.outer(second.enter, first.out), second.step]])
    return _Section(
        step,
        np.concatenate((first.enter, second.enter * first.through)),
        np.concatenate((second.through * first.out, second.out)),
        second.through * first.through,
    )
