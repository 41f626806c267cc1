"""What the learners see of a row: temperature, descriptors, elements."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.learning.dataset import Dataset
from tachylite.physics.composition import parse_formula

ELEMENTS = "element fractions"
"""Name of the block of columns that is one thing: the composition."""


@dataclass(frozen=True)
class Inputs:
    """Columns of the matrix that learners take: temperature in K, the descriptors, one atomic fraction an element."""

    names: tuple[str, ...]
    """Of the descriptors."""
    elements: tuple[str, ...]

    @property
    def n_described(self) -> int:
        """Columns before the fractions: what the published models take."""
        return 1 + len(self.names)

    @property
    def blocks(self) -> dict[str, NDArray[np.int64]]:
        """Columns of each input by its name; the fractions are one input."""
        columns = {name: np.array([index]) for index, name in enumerate(("temperature", *self.names))}
        return columns | {ELEMENTS: self.n_described + np.arange(len(self.elements))}

    def encode(self, temperature_k: Array, features: Array, formulas: Sequence[str]) -> Array:
        """Matrix (n, columns) of rows; an element that is none of ours has no column."""
        composition = {text: parse_formula(text).fractions for text in set(formulas)}
        fractions = [[composition[text].get(symbol, 0.0) for symbol in self.elements] for text in formulas]
        return np.column_stack([temperature_k, features, np.array(fractions).reshape(len(formulas), -1)])


def inputs_of(dataset: Dataset) -> tuple[Inputs, Array]:
    """Columns and matrix of a dataset."""
    inputs = Inputs(dataset.names, dataset.elements)
    return inputs, inputs.encode(dataset.temperature_k, dataset.features, dataset.formulas)
