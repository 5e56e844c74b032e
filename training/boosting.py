"""Boosted trees that rank: trained with LightGBM, kept as the plain arrays the engine evaluates."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import numpy.typing as npt

from sample_agent.engine.models.trees import Trees
from sample_agent.engine.signal.frames import Floats

Array = npt.NDArray[np.float64]


def train_ranker(
    rows: Floats, target: Array, groups: npt.NDArray[np.int64], weights: Array, *, trees: int, depth: int, rate: float,
    seed: int = 0,
) -> Trees:  # fmt: skip
    """Trees whose sums, as exponents, give the chance of each row of a group to be the right one.

    Args:
        rows: shape (rows, columns).
        target: the right chances, adding up to 1 within each group.
        groups: how many rows each group has.
        weights: of each group.
        trees, depth, rate: how many trees, how deep, how fast they learn.
    """
    starts = np.concatenate(([0], np.cumsum(groups)[:-1]))
    weight = np.repeat(weights, groups)

    def listwise(scores: Array, _: lightgbm.Dataset) -> tuple[Array, Array]:
        # Gradient of the cross-entropy between the softmax of the scores and the target.
        highest = np.repeat(np.maximum.reduceat(scores, starts), groups)
        chance = np.exp(scores - highest)
        chance /= np.repeat(np.add.reduceat(chance, starts), groups)
        return weight * (chance - target), weight * np.maximum(chance * (1 - chance), 1e-3)

    parameters = {
        "objective": listwise, "learning_rate": rate, "max_depth": depth, "num_leaves": 2**depth - 4,
        "min_data_in_leaf": 60, "min_sum_hessian_in_leaf": 2.0, "lambda_l2": 2.0, "max_bin": 63,
        "feature_fraction": 0.4, "bagging_fraction": 0.7, "bagging_freq": 1, "seed": seed,
        "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
    }  # fmt: skip
    booster = lightgbm.train(parameters, lightgbm.Dataset(rows), num_boost_round=trees)
    return _plain([tree["tree_structure"] for tree in booster.dump_model()["tree_info"]], depth)


def _plain(roots: list[dict[str, Any]], depth: int) -> Trees:
    inner = 2**depth - 1
    feature = np.zeros((len(roots), inner), np.int16)
    threshold = np.full((len(roots), inner), np.inf, np.float32)
    value = np.zeros((len(roots), inner + 1), np.float32)

    def lay_out(tree: int, node: dict[str, Any], at: int) -> None:
        if at >= inner:
            value[tree, at - inner] = node["leaf_value"]
        elif "leaf_value" in node:
            # All go left, through nodes that ask nothing.
            lay_out(tree, node, 2 * at + 1)
        else:
            feature[tree, at], threshold[tree, at] = node["split_feature"], node["threshold"]
            lay_out(tree, node["left_child"], 2 * at + 1)
            lay_out(tree, node["right_child"], 2 * at + 2)

    for tree, root in enumerate(roots):
        lay_out(tree, root, 0)
    return Trees(feature, threshold, value)
