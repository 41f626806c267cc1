"""The union of spheres against formulas, and against counting points."""

from itertools import product
from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tachylite.arrays import Array
from tachylite.descriptors.packing import union_volume

CUBE = np.eye(3)
FCC = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])


def cap(radius: float, height: float) -> float:
    return pi * height**2 * (3 * radius - height) / 3


def counted(positions: Array, radii: Array, cell: Array, n: int) -> tuple[float, float]:
    """Fraction of points of a shifted grid that lie in a sphere, and a generous error of it."""
    shift = np.random.default_rng(n).random(3)
    axes = [(np.arange(n) + s) / n for s in shift]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = np.zeros(len(points), dtype=np.bool_)
    to_fractional = np.linalg.inv(cell)
    for position, radius in zip(positions, radii, strict=True):
        wrapped = points - position @ to_fractional
        wrapped -= np.round(wrapped)
        for image in product((-1, 0, 1), repeat=3):
            inside |= (((wrapped + image) @ cell) ** 2).sum(axis=1) < radius**2
    surface = 4 * pi * float((radii**2).sum()) / abs(np.linalg.det(cell)) ** (2 / 3)
    # points near the surface decide; their number grows as n^2, its scatter as n
    return float(inside.mean()), 2 * sqrt(surface) * n / n**3


def test_two_spheres() -> None:
    r1, r2, distance = 1.3, 0.9, 1.1
    shared = pi * (r1 + r2 - distance) ** 2 * (distance**2 + 2 * distance * (r1 + r2) - 3 * (r1 - r2) ** 2)
    union = 4 / 3 * pi * (r1**3 + r2**3) - shared / (12 * distance)
    pair = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 4.1]])
    assert union_volume(pair, np.array([r1, r2]), 9 * CUBE) == pytest.approx(union, rel=1e-12)


def test_a_sphere_inside_another_and_two_that_coincide() -> None:
    whole = 4 / 3 * pi
    nested = np.array([[0.0, 0, 0], [0.2, 0, 0], [0, 0.3, 0.1]])
    assert union_volume(nested, np.array([1.0, 0.5, 0.3]), 5 * CUBE) == pytest.approx(whole, rel=1e-12)
    assert union_volume(np.zeros((3, 3)), np.ones(3), 5 * CUBE) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("radius", [0.3, 0.5, 0.6, 0.7])
def test_simple_cubic(radius: float) -> None:
    # up to 1/sqrt 2 the six caps of a sphere do not meet
    expected = 4 / 3 * pi * radius**3 - 6 * cap(radius, max(radius - 0.5, 0.0))
    assert union_volume(np.zeros((1, 3)), np.array([radius]), CUBE) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("radius", [1.28, 1.6])
def test_bcc_lithium(radius: float) -> None:
    # neighbours at a sqrt(3)/2 = 3.04; three spheres would meet from 1.86 on
    a = 3.51
    bcc = np.array([[0, 0, 0], [a / 2, a / 2, a / 2]])
    expected = 2 * (4 / 3 * pi * radius**3 - 8 * cap(radius, max(radius - a * sqrt(3) / 4, 0.0)))
    assert union_volume(bcc, np.full(2, radius), a * CUBE) == pytest.approx(expected, rel=1e-12)


def test_spheres_that_cover_all_space_fill_it() -> None:
    # beyond sqrt(3)/2 and 1/2 no hole is left
    assert union_volume(np.zeros((1, 3)), np.array([0.9]), CUBE) == pytest.approx(1, rel=1e-9)
    assert union_volume(FCC, np.full(4, 0.51), CUBE) == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("radius", [0.75, 0.85])
def test_planes_and_edges_that_coincide(radius: float) -> None:
    # in cubic crystals four spheres share an edge; a shift by less than an Angstrom/10^6 takes the degeneracy away
    crystal = np.array(list(product((0.0, 1.0), repeat=3)))
    shaken = crystal + np.random.default_rng(0).normal(scale=1e-7, size=(8, 3))
    exact, near = (union_volume(places, np.full(8, radius), 2 * CUBE) for places in (crystal, shaken))
    assert exact == pytest.approx(near, rel=1e-6)
    assert exact / 8 == pytest.approx(union_volume(np.zeros((1, 3)), np.array([radius]), CUBE), rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.3, 1.8))
def test_random_spheres_against_counted_points(seed: int, largest: float) -> None:
    rng = np.random.default_rng(seed)
    cell = 4 * CUBE + rng.uniform(-0.7, 0.7, (3, 3))
    positions, radii = rng.random((7, 3)) @ cell, rng.uniform(0.2, largest, 7)
    fraction, error = counted(positions, radii, cell, 40)
    assert union_volume(positions, radii, cell) / abs(np.linalg.det(cell)) == pytest.approx(fraction, abs=error)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(1.001, 1.5))
def test_larger_spheres_fill_more_and_never_more_than_their_sum(seed: int, growth: float) -> None:
    rng = np.random.default_rng(seed)
    cell = 5 * CUBE + rng.uniform(-0.7, 0.7, (3, 3))
    positions, radii = rng.random((10, 3)) @ cell, rng.uniform(0.2, 1.5, 10)
    volume = union_volume(positions, radii, cell)
    assert volume < union_volume(positions, radii * growth, cell) + 1e-9
    assert volume <= min(4 / 3 * pi * float((radii**3).sum()), abs(np.linalg.det(cell))) * (1 + 1e-9)
