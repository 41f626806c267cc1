"""Folds: what must not be on both sides is not."""

from dataclasses import replace

import numpy as np
import pytest
from tests.learning.learning_samples import make_sample
from tests.reference_data import require

from tachylite.errors import InputError
from tachylite.learning.splits import Split, split_rows

pytest.importorskip("sklearn")


@pytest.mark.parametrize("split", ["composition", "chemical system"])
def test_groups_stay_together_and_every_row_is_held_out_once(split: Split) -> None:
    dataset = make_sample()
    groups = dataset.compositions if split == "composition" else dataset.systems
    folds = split_rows(dataset, split)
    assert len(folds) == 5
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(len(dataset)))


def test_the_random_split_is_the_published_one() -> None:
    """Sizes as published: 673 rows to learn from and 119 to test on; temperatures of one composition on both sides."""
    sample = make_sample()
    dataset = sample.rows(np.resize(np.arange(len(sample)), 792))
    ((train, test),) = split_rows(dataset, "random")
    assert (len(train), len(test)) == (673, 119)
    assert set(dataset.compositions[train]) & set(dataset.compositions[test])


@pytest.mark.parametrize(("split", "count"), [("composition", 1), ("composition", 4), ("chemical system", 1)])
def test_too_few_groups_are_refused(split: Split, count: int) -> None:
    dataset = make_sample()
    formulas = tuple(f"Li{1 + index % count}O" for index in range(len(dataset)))
    with pytest.raises(InputError, match=f"the rows are of {count} {split}s?;"):
        split_rows(replace(dataset, formulas=formulas), split)


def test_the_published_test_rows() -> None:
    """The rows of the published split, in the published file, where D was rounded before the logarithm."""
    folder = require("zheng2024")
    from tachylite.learning.tables import read_dataset

    dataset = read_dataset(folder / "feature_target.dat")
    ((_, test),) = split_rows(dataset, "random")
    lines = (folder / "test_target_lnD_kbT.dat").read_text().splitlines()[1:]
    published = sorted(float(line.split()[1]) for line in lines)
    np.testing.assert_allclose(np.sort(np.log(1e-3 * dataset.target[test])), published, atol=2e-3)
