"""The limit of the domain is what it says, on rows whose distances are known."""

import numpy as np
import pytest

from tachylite.learning import domain as module
from tachylite.learning.domain import Domain
from tachylite.learning.inputs import Inputs


def test_the_limit_is_the_quantile_of_gaps_between_compositions() -> None:
    """Compositions on a line, two rows each at one place: gaps between neighbours are 1, but for one of 3."""
    places = np.array([0.0, 1, 2, 3, 6])
    features = np.repeat(places, 2)
    matrix = np.column_stack([np.full(10, 1000.0), features, np.ones(10)])
    groups = np.repeat(["a", "b", "c", "d", "e"], 2)
    domain = Domain.from_training_rows(Inputs(("x",), ("Li",)), matrix, groups)
    gaps = np.array([1, 1, 1, 1, 3]) / features.std()
    assert np.isclose(domain.threshold, np.quantile(gaps, 0.95))
    rows = np.array([[1000.0, 3.4, 1], [1000.0, 12.0, 1]])
    np.testing.assert_allclose(domain.distances(rows), np.array([0.4, 6.0]) / features.std())
    assert domain.warnings_for(rows[0], "Li") == []
    assert len(domain.warnings_for(rows[1], "Li")) == 1
    again = Domain.from_arrays(domain.arrays(), ("x",), ("Li",))
    np.testing.assert_array_equal(again.distances(rows), domain.distances(rows))


def test_many_rows_are_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    matrix = np.column_stack([np.full(23, 1000.0), generator.normal(size=(23, 3)), np.ones(23)])
    groups = np.array([f"c{index // 2}" for index in range(23)])
    inputs = Inputs(("x", "y", "z"), ("Li",))
    whole = Domain.from_training_rows(inputs, matrix, groups)
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 5)
    parts = Domain.from_training_rows(inputs, matrix, groups)
    assert parts.threshold == pytest.approx(whole.threshold)
    between = np.sqrt(((parts.rows[:, None] - parts.rows[None]) ** 2).mean(axis=2))
    between[groups[:, None] == groups[None]] = np.inf
    farthest = [between[groups == group].min(axis=1).max() for group in np.unique(groups)]
    assert parts.threshold == pytest.approx(np.quantile(farthest, 0.95))
