"""The limit of the domain is what it says, on rows whose distances are known."""

import numpy as np

from tachylite.learning.domain import Domain
from tachylite.learning.inputs import Inputs


def test_the_limit_is_the_quantile_of_gaps_between_compositions() -> None:
    """Compositions on a line, two rows each at one place: gaps between neighbours are 1, but for one of 3."""
    places = np.array([0.0, 1, 2, 3, 6])
    features = np.repeat(places, 2)
    matrix = np.column_stack([np.full(10, 1000.0), features, np.ones(10)])
    groups = np.repeat(["a", "b", "c", "d", "e"], 2)
    domain = Domain.of(Inputs(("x",), ("Li",)), matrix, groups)
    gaps = np.array([1, 1, 1, 1, 3]) / features.std()
    assert np.isclose(domain.threshold, np.quantile(gaps, 0.95))
    asked = np.array([[1000.0, 3.4, 1], [1000.0, 12.0, 1]])
    np.testing.assert_allclose(domain.distances(asked), np.array([0.4, 6.0]) / features.std())
    assert domain.complaints(asked[0], "Li") == []
    assert len(domain.complaints(asked[1], "Li")) == 1
    again = Domain.from_arrays(domain.arrays(), ("x",), ("Li",))
    np.testing.assert_array_equal(again.distances(asked), domain.distances(asked))
