"""Which rows a model learns from, and which it is tested on."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tachylite.errors import InputError
from tachylite.learning.dataset import Dataset
from tachylite.learning.packages import requires_package

type Rows = NDArray[np.int64]
type Fold = tuple[Rows, Rows]
"""Rows to learn from and rows to predict."""

type Split = Literal["composition", "chemical system", "random"]
SPLITS: tuple[Split, ...] = get_args(Split.__value__)
"""The one that says what a new composition may expect first; the random one flatters."""

N_FOLDS = 5
_TRAIN_SIZE, _STATE = 0.85, 62
"""Of the published split (Zheng et al. 2024, DOI 10.1038/s41524-024-01469-2)."""


def split_rows(dataset: Dataset, split: Split) -> list[Fold]:
    """Folds of a dataset.

    `composition` and `chemical system`: five folds, each row held out once, all rows of a group on the same side.
    `random`: the published one, 15 % of the rows held out once, whatever their composition.

    Raises InputError where there are fewer than five groups.
    """
    if split == "random":
        with requires_package("scikit-learn"):
            from sklearn.model_selection import train_test_split
        train, test = train_test_split(np.arange(len(dataset)), train_size=_TRAIN_SIZE, random_state=_STATE)
        return [(train, test)]
    return grouped_folds(dataset.compositions if split == "composition" else dataset.systems, split)


def grouped_folds(
    groups: Sequence[str] | NDArray[np.str_], what: str = "composition", n_folds: int = N_FOLDS
) -> list[Fold]:
    """Folds with every group (n,) on one side, balanced by their numbers of rows; InputError for too few groups."""
    with requires_package("scikit-learn"):
        from sklearn.model_selection import GroupKFold

    labels = np.asarray(groups)
    count = len(np.unique(labels))
    if count < n_folds:
        raise InputError(
            f"the rows are of {count} {what}{'s' if count != 1 else ''}; {n_folds} folds that keep each on one side "
            f"need at least {n_folds}"
        )
    return list(GroupKFold(n_folds).split(np.zeros(len(labels)), groups=labels))
