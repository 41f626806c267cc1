"""Replaced atoms: the numbers asked for, charges that can cancel, and sites without correlations."""

import numpy as np
import pytest
from ase.build import bulk
from ase.neighborlist import neighbor_list

from tachylite.errors import InputError
from tachylite.physics.substitution import Replacement, check_neutral, quasirandom_sites, replaced_counts


def replacement(element: str, by: str, fraction: float) -> Replacement:
    return Replacement(element=element, by=by, fraction=fraction)


def test_fractions_are_those_of_what_the_crystal_had() -> None:
    host = {"Li": 10, "Ge": 4, "S": 12}
    both = [replacement("Ge", "Si", 0.5), replacement("Ge", "Sn", 0.25)]
    assert replaced_counts(host, both) == {"Li": 10, "Ge": 1, "S": 12, "Si": 2, "Sn": 1}
    assert replaced_counts(host, [replacement("Ge", "Si", 1.0)]) == {"Li": 10, "S": 12, "Si": 4}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([replacement("P", "Si", 0.5)], "there is no P, only Li, Ge, S"),
        ([replacement("Ge", "Si", 0.1)], "is no atom of 4; take a larger --atoms"),
        ([replacement("Ge", "Si", 0.75), replacement("Ge", "Sn", 0.5)], "more than its 4 sites"),
    ],
)
def test_impossible_replacements_are_refused(wrong: list[Replacement], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replaced_counts({"Li": 10, "Ge": 4, "S": 12}, wrong)


def test_charges_must_be_able_to_cancel() -> None:
    thiophosphate = {"Li": 10, "Ge": 1, "P": 2, "S": 12}
    check_neutral(thiophosphate, {"Li": 10, "Si": 1, "P": 2, "S": 12})
    check_neutral(thiophosphate, {"Li": 11, "Al": 1, "P": 2, "S": 12})
    with pytest.raises(InputError, match="MgCl cannot be neutral with usual oxidation states"):
        check_neutral({"Na": 4, "Cl": 4}, {"Mg": 4, "Cl": 4})
    check_neutral({"Cu": 3, "Au": 1}, {"Cu": 2, "Au": 2})
    check_neutral({"Cu": 4}, {"Cu": 3, "Au": 1})
    # a formula unit of 100 atoms
    check_neutral({"Li": 40, "Ge": 4, "P": 8, "S": 48}, {"Li": 40, "Ge": 3, "Si": 1, "P": 8, "S": 48})


def test_pairs_are_uncorrelated_in_all_near_shells() -> None:
    """A quarter of an fcc lattice: 48 of 192 in place of what a random choice leaves, 0.03 to 0.07."""
    crystal = bulk("Cu", "fcc", 3.6, cubic=True).repeat((4, 4, 3))
    chosen = np.zeros(len(crystal))
    sites = quasirandom_sites(crystal.positions, crystal.cell.array, 48, np.random.default_rng(1))
    chosen[sites] = 1
    assert chosen.sum() == 48
    i, j, d = neighbor_list("ijd", crystal, 5.2)
    for shell in (2.55, 3.6, 4.41, 5.09):
        near = np.isclose(d, shell, atol=0.05)
        unlike = (chosen[i[near]] * (1 - chosen[j[near]])).sum() / chosen[i[near]].sum()
        assert abs(1 - unlike / 0.75) < 0.01


def test_a_seed_decides_the_sites() -> None:
    crystal = bulk("Cu", "fcc", 3.6, cubic=True).repeat(2)

    def sites(seed: int) -> list[int]:
        return quasirandom_sites(crystal.positions, crystal.cell.array, 8, np.random.default_rng(seed))

    assert sites(1) == sites(1)
    assert sites(1) != sites(2)
    assert quasirandom_sites(crystal.positions, crystal.cell.array, 32, np.random.default_rng(0)) == list(range(32))
