"""The K-weighting filter of ITU-R BS.1770, run block-wise.

Inside a block of 64 samples the output is one matrix product with the filter's impulse response; only its four states
are carried on, and those of all blocks are found by doubling. The result is exact, and the recursion stays out of
Python without a compiled filter (importing SciPy's takes longer than analysing most files).
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sample_agent.engine.frames import Floats

_BLOCK = 64
_NEGLIGIBLE = 1e-9

Matrix = npt.NDArray[np.float64]


class KWeighting:
    """One channel's filter, with its state."""

    def __init__(self, sample_rate: int) -> None:
        self._matrices = _block_matrices(sample_rate)
        self._state = np.zeros(4)

    def run(self, samples: Floats) -> Floats:
        """The next samples, filtered; shape (samples,) both ways."""
        matrices = self._matrices
        blocks = np.zeros((-(-len(samples) // _BLOCK), _BLOCK), np.float32)
        blocks.reshape(-1)[: len(samples)] = samples
        states = _scan(blocks @ matrices.into_state, matrices.powers, self._state)
        output: Floats = blocks @ matrices.impulse
        output += states.astype(np.float32) @ matrices.out_of_state
        self._state = self._state_after(samples, states)
        return output.reshape(-1)[: len(samples)]

    def _state_after(self, samples: Floats, states: Matrix) -> Matrix:
        """The state behind the last real sample: the last block may be filled up with zeros that never were."""
        rest = len(samples) % _BLOCK or _BLOCK
        transition = np.linalg.matrix_power(self._matrices.step, rest)
        entered = samples[len(samples) - rest :] @ self._matrices.into_state[_BLOCK - rest :]
        state: Matrix = transition @ states[-1] + entered
        return state


class _BlockMatrices(NamedTuple):
    impulse: Floats
    """(64, 64): a block's samples to its output."""
    into_state: Floats
    """(64, 4): a block's samples to the state behind it."""
    out_of_state: Floats
    """(4, 64): the state before a block to its share of the output."""
    powers: tuple[Matrix, ...]
    """Transition over 1, 2, 4, ... blocks, transposed, until nothing is left of the state."""
    step: Matrix
    """(4, 4): transition over one sample."""


def _scan(entering: Floats, powers: tuple[Matrix, ...], initial: Matrix) -> Matrix:
    """States before each block: s[k + 1] = A s[k] + entering[k], for all k at once by doubling."""
    states = np.empty((len(entering), 4))
    states[0] = initial
    states[1:] = entering[:-1]
    for doubling, power in enumerate(powers):
        reach = 1 << doubling
        if reach >= len(states):
            break
        states[reach:] += states[:-reach] @ power
    return states


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
    powers = [np.linalg.matrix_power(step, _BLOCK)]
    while np.abs(powers[-1]).max() > _NEGLIGIBLE:
        powers.append(powers[-1] @ powers[-1])
    return _BlockMatrices(
        impulse.astype(np.float32),
        np.array(states[::-1]).astype(np.float32),
        np.array(outputs).T.astype(np.float32),
        tuple(np.ascontiguousarray(power.T) for power in powers),
        step,
    )


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
