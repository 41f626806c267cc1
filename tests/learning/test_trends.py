"""What the published table says by itself, against what was published of it."""

from functools import cache

import numpy as np
import pytest
from tests.learning.learning_samples import make_sample
from tests.reference_data import reference

from tachylite.learning.tables import read_dataset
from tachylite.learning.trends import find_trends, pearson
from tachylite.schemas.learning import Trends

PUBLISHED = reference("zheng2024/feature_target.dat")
published = pytest.mark.reference("zheng2024/feature_target.dat")


@cache
def trends() -> Trends:
    return find_trends(read_dataset(PUBLISHED))


@published
def test_signs_of_the_published_correlations() -> None:
    """Table 1 is of 5000 K melts, this table ends at 2500 K; the signs of all strong correlations are equal."""
    strong = [
        correlation
        for correlation in trends().correlations
        if correlation.published is not None and abs(correlation.published) >= 0.35
    ]
    assert trends().temperature_k == 2500
    assert len(strong) == 22
    wrong = [
        correlation.feature
        for correlation in strong
        if np.sign(correlation.pearson.value) != np.sign(correlation.published or 0)
    ]
    assert wrong == []


@published
def test_larger_anions_leave_lithium_faster() -> None:
    by_anion = {trend.anion: trend for trend in trends().anions}
    for lighter, heavier in (("F", "Cl"), ("Cl", "Br"), ("Br", "I"), ("O", "S")):
        assert by_anion[lighter].target.value < by_anion[heavier].target.value, (lighter, heavier)
    assert by_anion["Cl"].compositions == by_anion["Br"].compositions == 1
    assert not np.isfinite(by_anion["Cl"].target.error)
    slow, fast = by_anion["O"].activation_energy_ev, by_anion["S"].activation_energy_ev
    assert slow is not None
    assert fast is not None
    assert slow.value - fast.value > 2 * (slow.error**2 + fast.error**2) ** 0.5


@published
def test_activation_energies_fall_with_fraction_and_radius() -> None:
    r = trends().activation_against_radius
    assert r is not None
    assert r.value + 2 * r.error < 0


def test_activation_energies_of_a_known_law() -> None:
    dataset = make_sample(noise=0.0)
    trends_of_law = find_trends(dataset)
    energies = dict(zip(trends_of_law.activation_compositions, trends_of_law.activation_energies_ev, strict=True))
    for index, text in enumerate(dataset.formulas[::3]):
        assert energies[text] == pytest.approx(0.25 + 0.05 * dataset.features[3 * index, 0])
    assert trends_of_law.temperature_k == 2000


def test_pearson_has_an_error_or_no_value() -> None:
    generator = np.random.default_rng(0)
    samples = []
    for _ in range(400):
        x = generator.normal(size=50)
        r = pearson(x, 0.6 * x + 0.8 * generator.normal(size=50))
        assert r is not None
        samples.append((r.value, r.error))
    values, errors = np.array(samples).T
    assert np.mean(values) == pytest.approx(0.6, abs=0.02)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.15)
    assert pearson(np.ones(9), np.arange(9.0)) is None
    assert pearson(np.arange(3.0), np.arange(3.0)) is None
