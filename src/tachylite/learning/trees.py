"""Forests and boosted trees as plain arrays, evaluated without the library that grew them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.learning.dataset import optional_import

type IntArray = NDArray[np.int64]

_LEAF = -1
_ARRAYS = ("feature", "threshold", "left", "right", "value", "roots")


@dataclass(frozen=True)
class Trees:
    """A sum of regression trees: left at a node where the column, in single precision, is below the threshold."""

    feature: IntArray
    """Column that a node compares, shape (nodes,); -1 for a leaf."""
    threshold: NDArray[np.float32]
    left: IntArray
    right: IntArray
    value: Array
    """Of a leaf."""
    roots: IntArray
    """First node of every tree, shape (trees,)."""
    base: float
    """Constant that is added to the sum."""

    def centre(self, inputs: Array) -> Array:
        """Predicted values (m,) of inputs (m, p): sums over the trees."""
        columns = np.asarray(inputs, dtype=np.float32)
        total = np.full(len(columns), self.base)
        rows = np.arange(len(columns))
        for root in self.roots:
            nodes = np.full(len(columns), root)
            active = rows
            while active.size:
                node = nodes[active]
                feature = self.feature[node]
                active, node, feature = (array[feature != _LEAF] for array in (active, node, feature))
                below = columns[active, feature] < self.threshold[node]
                nodes[active] = np.where(below, self.left[node], self.right[node])
            total += self.value[nodes]
        return total

    def spread(self, inputs: Array) -> Array:
        """Ones (m,): trees give no uncertainty."""
        return np.ones(len(inputs))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays by name from which `from_arrays` makes the same trees."""
        return {name: getattr(self, name) for name in _ARRAYS} | {"base": np.array(self.base)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make trees from their `arrays`; ValueError where a branch leads back, or out of the arrays."""
        nodes = np.arange(len(arrays["feature"]))
        inner = arrays["feature"] != _LEAF
        for side in (arrays["left"], arrays["right"]):
            if not ((nodes[inner] < side[inner]) & (side[inner] < len(nodes))).all():
                raise ValueError("a tree of it leads nowhere")
        return cls(**{name: arrays[name] for name in _ARRAYS}, base=float(arrays["base"]))


def grow_forest(inputs: Array, target: Array, settings: Mapping[str, Any], seed: int) -> Trees:
    """Random forest of scikit-learn (Breiman 2001, DOI 10.1023/A:1010933404324) with these settings."""
    with optional_import("scikit-learn"):
        from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(**settings, random_state=seed).fit(inputs, target)
    parts = []
    for estimator in forest.estimators_:
        tree = estimator.tree_
        leaf = tree.children_left < 0
        # there x <= t in double precision; here x < t', the next single above the last one that is <= t
        single = tree.threshold.astype(np.float32)
        floor = np.where(single > tree.threshold, np.nextafter(single, np.float32(-np.inf)), single)
        above = np.nextafter(floor, np.float32(np.inf))
        value = tree.value[:, 0, 0] / len(forest.estimators_)
        parts.append((np.where(leaf, _LEAF, tree.feature), above, tree.children_left, tree.children_right, value))
    return _concatenate(parts, 0.0)


def grow_boosted(inputs: Array, target: Array, settings: Mapping[str, Any], seed: int) -> Trees:
    """Gradient boosted trees of XGBoost (Chen and Guestrin 2016, DOI 10.1145/2939672.2939785) with these settings."""
    with optional_import("xgboost"):
        from xgboost import XGBRegressor

    model = XGBRegressor(**settings, random_state=seed).fit(inputs, target)
    learner = json.loads(bytes(model.get_booster().save_raw("json")))["learner"]
    base = float(str(learner["learner_model_param"]["base_score"]).strip("[]"))
    parts = []
    for tree in learner["gradient_booster"]["model"]["trees"]:
        left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
        condition = np.array(tree["split_conditions"], dtype=np.float32)
        feature = np.where(left < 0, _LEAF, np.array(tree["split_indices"]))
        # a leaf keeps its value where a node keeps its threshold
        parts.append((feature, condition, left, right, np.where(left < 0, condition, 0).astype(np.float64)))
    return _concatenate(parts, base)


def _concatenate(parts: Sequence[tuple[NDArray[Any], ...]], base: float) -> Trees:
    """Put the nodes of all trees into one set of arrays."""
    starts = np.cumsum([0, *(len(part[0]) for part in parts)])
    feature, threshold, left, right, value = zip(*parts, strict=True)
    shifted = [
        np.concatenate([np.where(child < 0, child, child + start) for child, start in zip(side, starts, strict=False)])
        for side in (left, right)
    ]
    return Trees(
        np.concatenate(feature).astype(np.int64),
        np.concatenate(threshold),
        shifted[0].astype(np.int64),
        shifted[1].astype(np.int64),
        np.concatenate(value).astype(np.float64),
        starts[:-1].astype(np.int64),
        base,
    )
