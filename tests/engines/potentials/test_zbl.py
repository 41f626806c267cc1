"""The repulsion of nuclei: the published function where atoms collide, nothing where they bond."""

from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk, molecule
from ase.data import atomic_numbers, covalent_radii
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.potentials.sample_structures import melt, state_of

from tachylite.engines.potentials.lennard_jones import LennardJonesPotential
from tachylite.engines.potentials.zbl import INNER, OUTER, ZblPotential, with_zbl

ELEMENTS = st.integers(1, 96)


def pair(first: int, second: int, distance: float) -> Atoms:
    return Atoms([first, second], positions=[[0, 0, 0], [distance, 0, 0]], cell=[20.0] * 3, pbc=True)


def bond(first: int, second: int) -> float:
    """Sum of covalent radii, A."""
    return float(covalent_radii[first] + covalent_radii[second])


def answer(first: int, second: int, distance: float) -> tuple[float, float]:
    """Energy (eV) and the force on the second atom (eV/A, positive if it is pushed away)."""
    result = ZblPotential()(state_of([pair(first, second, distance)]))
    return float(result["energy"]), float(result["forces"][1, 0])


@given(ELEMENTS, ELEMENTS, st.floats(0.1, 1.0))
@settings(deadline=None, max_examples=50)
def test_inside_it_is_the_universal_repulsion(first: int, second: int, fraction: float) -> None:
    """Written out as in the book by Ziegler, Biersack and Littmark, lengths in bohr, energies in Hartree."""
    distance = fraction * INNER * bond(first, second)
    bohr, hartree = 0.529177210903, 27.211386245988
    x = distance / bohr * (first**0.23 + second**0.23) / 0.8854
    phi = (
        0.18175 * np.exp(-3.1998 * x)
        + 0.50986 * np.exp(-0.94229 * x)
        + 0.28022 * np.exp(-0.4029 * x)
        + 0.02817 * np.exp(-0.20162 * x)
    )
    expected = hartree * first * second / (distance / bohr) * phi
    assert answer(first, second, distance)[0] == pytest.approx(expected, rel=1e-8)


def test_nuclei_that_touch_are_not_screened() -> None:
    silicon = atomic_numbers["Si"]
    distance = 1e-4
    assert answer(silicon, silicon, distance)[0] == pytest.approx(14.399645 * 14**2 / distance, rel=5e-3)


@given(ELEMENTS, ELEMENTS)
@settings(deadline=None, max_examples=30)
def test_it_ends_smoothly_and_repels_everywhere(first: int, second: int) -> None:
    """Energy and force are continuous at both ends of the switch, and never draw atoms together."""
    length = bond(first, second)
    step = 1e-7
    for end in (INNER * length, OUTER * length):
        (energy, force), (beyond, force_beyond) = answer(first, second, end - step), answer(first, second, end + step)
        assert energy == pytest.approx(beyond, abs=1e-4 * max(1, force))
        assert force == pytest.approx(force_beyond, rel=1e-4, abs=1e-4)
    assert answer(first, second, OUTER * length + step) == (0.0, 0.0)
    assert min(answer(first, second, x * length)[1] for x in np.linspace(0.2, OUTER, 20)[:-1]) > 0


@pytest.mark.parametrize(
    "atoms",
    [
        bulk("Cu"),
        bulk("NaCl", "rocksalt", a=5.64),
        *(molecule(name, vacuum=6.0) for name in ("H2", "N2", "CO", "HF", "SO2", "P2", "CO2", "H2O", "O3")),
        Atoms("OUO", positions=[[0, 0, -1.76], [0, 0, 0], [0, 0, 1.76]], cell=[12.0] * 3),  # uranyl
        Atoms("Cr2", positions=[[0, 0, 0], [0, 0, 1.68]], cell=[12.0] * 3),  # the shortest bond between metals
    ],
    ids=lambda atoms: atoms.get_chemical_formula(),
)
def test_bonds_are_not_touched(atoms: Atoms) -> None:
    atoms.pbc = True
    result = ZblPotential()(state_of([atoms]))
    assert float(result["energy"]) == 0
    assert not result["forces"].any()
    assert not result["stress"].any()


def test_the_sum_is_the_sum() -> None:
    argon, nuclei = LennardJonesPotential(), ZblPotential()
    both = with_zbl(argon)
    state = state_of([melt("Ar", 8, 6.0, seed=0, closest=0.8), melt("Ar", 5, 30.0, seed=1, closest=3.0)])
    parts, total = [argon(state), nuclei(state)], both(state)
    assert parts[1]["energy"][0] > 1
    for name, value in total.items():
        torch.testing.assert_close(value, parts[0][name] + parts[1][name], rtol=0, atol=0)
    assert (both.device, both.dtype) == (argon.device, argon.dtype)


def test_switches_and_reset_reach_both_parts() -> None:
    argon = LennardJonesPotential()
    both = with_zbl(argon)
    state = state_of([melt("Ar", 5, 30.0, seed=1, closest=3.0)])
    both(state)
    both.compute_stress = False
    assert set(both(state)) == {"energy", "forces"}
    both.compute_forces = False
    assert set(both(state)) == {"energy"}
    both.reset()
    both(state)
    assert argon.neighbors.builds == 2


def test_why_a_part_has_no_answer_is_passed_on() -> None:
    class Mute(LennardJonesPotential):
        @property
        def reasons(self) -> dict[int, str]:
            return {3: "no charge"}

    assert with_zbl(Mute()).reasons == {3: "no charge"}


def test_atoms_that_would_fuse_fly_apart() -> None:
    """CHGNet alone draws these pairs together at distances that no force field has seen; with nuclei none does."""
    from tachylite.engines.potentials.chgnet.potential import ChgnetPotential

    chgnet = ChgnetPotential()
    names = [("Li", "O"), ("P", "O"), ("O", "O"), ("P", "P"), ("Na", "Cl"), ("Si", "O"), ("Al", "O"), ("S", "S")]
    numbers = [(atomic_numbers[a], atomic_numbers[b]) for a, b in names]
    structures = [pair(*z, fraction * bond(*z)) for z in numbers for fraction in np.arange(0.2, 0.51, 0.02)]

    def pushes(potential: Any) -> torch.Tensor:
        forces: torch.Tensor = potential(state_of(structures))["forces"][1::2, 0]
        return forces

    assert pushes(chgnet).min() < 0
    assert pushes(with_zbl(chgnet)).min() > 0
