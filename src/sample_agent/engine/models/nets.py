"""Nets of one hidden layer from plain arrays: trained elsewhere, evaluated with numpy alone."""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import address, checked, kernel
from sample_agent.engine.signal.frames import Floats

_WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True, eq=False)
class Nets:
    """Several nets that are asked together.

    Attributes:
        mean, scale: float32, shape (inputs,): inputs are standardised and held within five deviations.
        hidden: float32, shape (inputs, nets * units), with hidden_bias (nets * units,).
        output: float32, shape (nets, units, outputs), with output_bias (nets, outputs).
    """

    mean: Floats
    scale: Floats
    hidden: Floats
    hidden_bias: Floats
    output: Floats
    output_bias: Floats

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[np.generic]], prefix: str = "") -> "Nets":
        """From named arrays."""

        def floats(name: str) -> Floats:
            return arrays[prefix + name].astype(np.float32)

        hidden = floats("hidden")
        return cls(
            floats("mean"),
            floats("scale"),
            np.ascontiguousarray(hidden.transpose(1, 0, 2).reshape(hidden.shape[1], -1)),
            floats("hidden_bias").ravel(),
            floats("output"),
            floats("output_bias"),
        )

    def __call__(self, inputs: Floats) -> Floats:
        """What each net says of the inputs (shape (inputs,)): shape (nets, outputs)."""
        if loaded := kernel():
            inputs = np.ascontiguousarray(inputs, np.float32)
            outputs = np.empty(self.output_bias.shape, np.float32)
            sizes = len(inputs), self.output.shape[0], self.output.shape[1], self.output.shape[2]
            checked(loaded.ask_nets(address(inputs), *self._places, *sizes, address(outputs)))
            return outputs
        standard = np.minimum(np.maximum((inputs - self.mean) / self.scale, np.float32(-5)), np.float32(5))
        units = np.maximum(standard @ self.hidden + self.hidden_bias, np.float32(0))
        nets, width, _ = self.output.shape
        answers: Floats = (units.reshape(nets, 1, width) @ self.output)[:, 0] + self.output_bias
        return answers

    def likelihoods(self, inputs: Floats) -> Floats:
        """How likely each output is, in the mean of the nets: shape (outputs,), sum 1."""
        answers = self(inputs)
        if loaded := kernel():
            likely = np.empty(answers.shape[1], np.float32)
            loaded.mean_likelihoods(address(answers), *answers.shape, address(likely))
            return likely
        mean: Floats = softmax(answers).mean(axis=0)
        return mean

    @cached_property
    def _places(self) -> tuple[int | None, ...]:
        """Where the arrays lie, for the kernel."""
        arrays = self.mean, self.scale, self.hidden, self.hidden_bias, self.output, self.output_bias
        if not all(array.flags.c_contiguous and array.dtype == np.float32 for array in arrays):
            raise RuntimeError("weights are no contiguous float32")
        return tuple(address(array) for array in arrays)


class Weights(dict[str, npt.NDArray[Any]]):
    """Arrays by name; asking for one that is not there says what that means."""

    def __init__(self, name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        super().__init__(arrays)
        self._name = name

    def __missing__(self, key: str) -> NoReturn:
        raise RuntimeError(_unusable(self._name, f"{key!r} is not in them"))


def read_weights(name: str) -> Weights:
    """The arrays of weights/NAME.npz.

    Raises:
        RuntimeError: they are missing or damaged, which only a new installation mends.
    """
    try:
        with np.load(_WEIGHTS / f"{name}.npz", allow_pickle=False) as archive:
            return Weights(name, {key: archive[key] for key in archive.files})
    except (OSError, EOFError, ValueError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        # A file that is no archive at all is read as a single array, which has no names.
        raise RuntimeError(_unusable(name, str(error) or type(error).__name__)) from error


def _unusable(name: str, why: str) -> str:
    return f"The engine's weights {name}.npz are missing or damaged ({why}); install sample-agent anew."


def softmax(logits: Floats) -> Floats:
    """Probabilities along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    likely: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return likely
