"""Boosted regression trees as plain arrays: trained elsewhere, evaluated with numpy alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_agent.engine.native import address, kernel

Array = npt.NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Trees:
    """The sum of many binary trees, each padded to the same depth.

    Attributes:
        feature: int16, shape (trees, inner nodes): the column a node looks at. The children of node `i` are
            `2 * i + 1`, taken when the value is at most the threshold, and `2 * i + 2`.
        threshold: float32, same shape.
        value: float32, shape (trees, leaves).
    """

    feature: npt.NDArray[np.int16]
    threshold: npt.NDArray[np.float32]
    value: npt.NDArray[np.float32]

    @classmethod
    def of(cls, arrays: Mapping[str, Array], prefix: str = "trees") -> "Trees":
        """From the arrays that `arrays` gives."""
        return cls(
            arrays[f"{prefix}_feature"].astype(np.int16),
            arrays[f"{prefix}_threshold"].astype(np.float32),
            arrays[f"{prefix}_value"].astype(np.float32),
        )

    def arrays(self, prefix: str = "trees") -> dict[str, Array]:
        """Named arrays for an `.npz` file."""
        return {
            f"{prefix}_feature": self.feature,
            f"{prefix}_threshold": self.threshold,
            f"{prefix}_value": self.value,
        }

    def __call__(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """What the trees say of each row (shape (rows, columns)), summed: shape (rows,)."""
        trees, inner = self.feature.shape
        if loaded := kernel():
            rows = np.ascontiguousarray(rows, np.float32)
            sums = np.empty(len(rows))
            arrays = address(self.feature), address(self.threshold), address(self.value)
            loaded.sum_of_trees(*arrays, trees, inner, address(rows), *rows.shape, address(sums))
            return sums
        depth = (inner + 1).bit_length() - 1
        first = np.arange(trees) * inner
        feature, threshold = self.feature.ravel().astype(np.intp), self.threshold.ravel()
        rows = np.ascontiguousarray(rows, np.float32)
        start = np.arange(len(rows))[:, None] * rows.shape[1]
        # Nodes are numbered through all trees. All rows stand at the same node of a tree at first: its root.
        onward = 1 - first
        node = (rows[:, feature[first]] > threshold[first]) + (first + 1)
        for _ in range(depth - 1):
            value = rows.take(feature.take(node) + start)
            right = value > threshold.take(node)
            node *= 2
            node += onward
            node += right
        # Each tree has one leaf more than it has inner nodes, and leaves are numbered after those.
        node += np.arange(trees) - inner
        return np.asarray(self.value.take(node).sum(axis=1, dtype=np.float64))
