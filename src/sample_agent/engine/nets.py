"""Nets of one hidden layer from plain arrays: trained elsewhere, evaluated with numpy alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sample_agent.engine.frames import Floats

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
        standard = np.minimum(np.maximum((inputs - self.mean) / self.scale, np.float32(-5)), np.float32(5))
        units = np.maximum(standard @ self.hidden + self.hidden_bias, np.float32(0))
        nets, width, _ = self.output.shape
        outputs: Floats = (units.reshape(nets, 1, width) @ self.output)[:, 0] + self.output_bias
        return outputs


def read_weights(name: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays of weights/NAME.npz."""
    with np.load(_WEIGHTS / f"{name}.npz", allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def softmax(logits: Floats) -> Floats:
    """Probabilities along the last axis."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    likely: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return likely
