"""Splits of a dataset into rows to train on and rows to test on."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tachylite.errors import InputError
from tachylite.learning.dataset import Dataset, optional_import

type Rows = NDArray[np.int64]
type Fold = tuple[Rows, Rows]
"""Indices of the rows to train on and of those to test on."""

type Split = Literal["composition", "chemical system", "random"]
SPLITS: tuple[Split, ...] = get_args(Split.__value__)
"""The error on new compositions is that of the first; that of the random one is too small."""

_N_FOLDS = 5
_TRAIN_SIZE, _SEED = 0.85, 62
"""Of the published split (Zheng et al. 2024, DOI 10.1038/s41524-024-01469-2)."""


def split_rows(dataset: Dataset, split: Split) -> list[Fold]:
    """Split a dataset into folds, each with rows to train on and rows to test on.

    `composition` and `chemical system`: five folds, each row held out once, all rows of a group on the same side.
    `random`: the published one, 15 % of the rows held out once, whatever their composition.

    Raises InputError where there are fewer than five groups.
    """
    if split == "random":
        with optional_import("scikit-learn"):
            from sklearn.model_selection import train_test_split
        train, test = train_test_split(np.arange(len(dataset)), train_size=_TRAIN_SIZE, random_state=_SEED)
        return [(train, test)]
    return grouped_folds(dataset.compositions if split == "composition" else dataset.systems, split)


def grouped_folds(
    groups: Sequence[str] | NDArray[np.str_],
    group_name: str = "composition",
    n_folds: int = _N_FOLDS,
    *,
    seed: int | None = None,
) -> list[Fold]:
    """Split rows into folds of similar size so that those of one group (n,) stay together, groups at random by a seed.

    Raises InputError for fewer groups than folds.
    """
    with optional_import("scikit-learn"):
        from sklearn.model_selection import GroupKFold

    labels = np.asarray(groups)
    count = len(np.unique(labels))
    if count < n_folds:
        groups_of_rows = f"{count} {group_name}{'s' if count != 1 else ''}"
        raise InputError(
            f"the rows are of {groups_of_rows}; {n_folds} folds that keep each on one side need at least {n_folds}"
        )
    return list(
        GroupKFold(n_folds, shuffle=seed is not None, random_state=seed).split(np.zeros(len(labels)), groups=labels)
    )
