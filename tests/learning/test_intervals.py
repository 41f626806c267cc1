"""Intervals hold what they promise for groups that were not seen."""

import numpy as np
import pytest

from tachylite.learning.intervals import LEVELS, calibrate


def test_the_quantile_by_hand() -> None:
    """Twenty groups of one row, residuals 1 to 20, a 21st to come: 90 % is the 19th, 95 % the 20th."""
    residuals = np.arange(1.0, 21.0)
    calibration = calibrate("none", residuals, np.zeros(20), np.ones(20), [f"g{index}" for index in range(20)])
    assert calibration.factors == (19.0, 20.0)
    low, high = calibration.intervals(np.array([5.0]), np.array([2.0]), 0.90)
    assert (low[0], high[0]) == (5 - 38, 5 + 38)


def test_every_group_counts_once() -> None:
    """One group of a thousand rows with small residuals does not outvote nineteen others."""
    residuals = np.concatenate([np.full(1000, 0.1), np.full(19, 3.0)])
    groups = ["big"] * 1000 + [f"g{index}" for index in range(19)]
    calibration = calibrate("none", residuals, np.zeros(1019), np.ones(1019), groups)
    assert calibration.factors[0] == 3.0


def test_few_groups_promise_nothing() -> None:
    calibration = calibrate("none", np.ones(40), np.zeros(40), np.ones(40), [f"g{index % 8}" for index in range(40)])
    assert calibration.factors == (float("inf"), float("inf"))


@pytest.mark.parametrize("transform", ["square root", "logarithm"])
def test_ends_are_in_the_unit_of_the_target(transform: str) -> None:
    target = np.linspace(0.5, 2, 40)
    centre = (np.sqrt if transform == "square root" else np.log)(target)
    groups = [f"g{index}" for index in range(40)]
    calibration = calibrate(transform, target, centre + 0.1, np.ones(40), groups)  # type: ignore[arg-type]  # a literal
    low, high = calibration.intervals(centre, np.ones(40), 0.95)
    back = np.square if transform == "square root" else np.exp
    np.testing.assert_allclose(low, back(centre - 0.1))
    np.testing.assert_allclose(high, back(centre + 0.1))
    none, _ = calibration.intervals(np.array([0.05]), np.ones(1), 0.95)
    assert none[0] >= 0


def test_coverage_of_new_groups() -> None:
    """Rows of a group share a part of their error, and spreads differ: 90 and 95 % of new groups are covered."""
    generator = np.random.default_rng(11)

    def sample(n_groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        groups = np.repeat(np.arange(n_groups), 4)
        spread = generator.uniform(0.2, 2, n_groups)[groups]
        return spread * (generator.normal(size=n_groups)[groups] + generator.normal(size=len(groups))), spread, groups

    covered = []
    for _ in range(60):
        error, spread, groups = sample(150)
        calibration = calibrate("none", error, np.zeros(len(error)), spread, groups.astype(str))
        error, spread, groups = sample(150)
        shares = []
        for level in LEVELS:
            low, high = calibration.intervals(np.zeros(len(error)), spread, level)
            shares.append(((low <= error) & (error <= high)).mean())
        covered.append(shares)
    scatter = np.std(covered, axis=0) / len(covered) ** 0.5
    np.testing.assert_array_less(np.abs(np.mean(covered, axis=0) - LEVELS), 3 * scatter + 1 / 150)
