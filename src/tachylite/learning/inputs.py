"""Inputs of the learners: temperature, descriptors and atomic fractions of the elements as one matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tachylite.arrays import Array
from tachylite.learning.dataset import Dataset
from tachylite.physics.composition import parse_formula

ELEMENTS = "element fractions"
"""Name of the columns of atomic fractions, which together are one input."""


@dataclass(frozen=True)
class Inputs:
    """Columns of the matrix that learners take: temperature in K, the descriptors, one atomic fraction an element."""

    names: tuple[str, ...]
    """Of the descriptors."""
    elements: tuple[str, ...]

    @property
    def n_descriptor_columns(self) -> int:
        """Number of columns before the fractions: the inputs of the published models."""
        return 1 + len(self.names)

    @property
    def blocks(self) -> dict[str, NDArray[np.int64]]:
        """Columns of each input by its name; the fractions are one input."""
        columns = {name: np.array([index]) for index, name in enumerate(("temperature", *self.names))}
        return columns | {ELEMENTS: self.n_descriptor_columns + np.arange(len(self.elements))}

    def encode(self, temperature_k: Array, features: Array, formulas: Sequence[str]) -> Array:
        """Matrix (n, columns) of rows; an element that is not among `elements` has no column."""
        composition = {text: parse_formula(text).fractions for text in set(formulas)}
        fractions = [[composition[text].get(symbol, 0.0) for symbol in self.elements] for text in formulas]
        return np.column_stack([temperature_k, features, np.array(fractions).reshape(len(formulas), -1)])


def encode_dataset(dataset: Dataset) -> tuple[Inputs, Array]:
    """Columns of a dataset, and its matrix (n, columns)."""
    inputs = Inputs(dataset.names, dataset.elements)
    return inputs, inputs.encode(dataset.temperature_k, dataset.features, dataset.formulas)
