import pytest

from tachylite.physics.thermodynamics.hull import Hull, Phase

LITHIUM = Phase("Li", {"Li": 1}, -1.9, 20.0)
SILICON = Phase("Si", {"Si": 8}, -5.4, 20.4)
COMPOUND = Phase("LiSi", {"Li": 4, "Si": 4}, -3.85, 15.5)
METASTABLE = Phase("Li3Si", {"Li": 3, "Si": 1}, -2.8, 16.0)
HULL = Hull([LITHIUM, SILICON, COMPOUND, METASTABLE])


def test_formation_energies_are_above_the_elements() -> None:
    assert HULL.formation_energy({"Li": 1, "Si": 1}, -3.85) == pytest.approx(-3.85 - (-1.9 - 5.4) / 2)
    assert HULL.formation_energy({"Li": 5}, -1.9) == pytest.approx(0)


def test_between_two_stable_phases_lies_their_mean() -> None:
    counts = {"Li": 3, "Si": 1}
    assert HULL.energy(counts) == pytest.approx((-1.9 - 3.85) / 2)
    assert {phase.formula: share for phase, share in HULL.stable_phases(counts)} == pytest.approx(
        {"Li": 0.5, "LiSi": 0.5}
    )
    assert HULL.volume(counts) == pytest.approx((20.0 + 15.5) / 2)
    assert {phase.name for phase in HULL.vertices} == {"Li", "Si", "LiSi"}


def test_an_element_takes_its_lowest_polymorph() -> None:
    hull = Hull([*HULL.phases, Phase("dense silicon", {"Si": 2}, -5.2, 15.0)])
    assert hull.volume({"Si": 1}) == pytest.approx(20.4)


def test_a_hull_needs_every_element() -> None:
    with pytest.raises(ValueError, match="Si"):
        Hull([LITHIUM, COMPOUND]).energy({"Li": 1, "Si": 1})
