"""Dispersion against the program of its authors, which sums over the reciprocal lattice."""

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.io import iread
from ase.spacegroup import crystal
from dftd3.interface import DispersionModel, RationalDampingParam
from tests.engines.potentials.sample_structures import melt, state_of
from tests.reference_data import require

from tachylite.arrays import Array
from tachylite.engines.potentials.dispersion import COUNTED_A, OUTER_A, DispersionPotential, with_dispersion
from tachylite.engines.potentials.dispersion_parameters import DAMPINGS, Damping
from tachylite.engines.potentials.lennard_jones import LennardJonesPotential
from tachylite.units import BOHR_A, HARTREE_EV

WITHIN_EV_PER_ATOM = 1e-5
WITHIN_EV_A = 2e-5
WITHIN_EV_A3 = 2e-5
"""3 MPa: s-dftd3 leaves out of the stress that more neighbours are counted where the cell shrinks."""

UREA = crystal(
    ["C", "O", "N", "H", "H"],
    [(0, 0.5, 0.326), (0, 0.5, 0.5953), (0.1459, 0.6459, 0.1766), (0.2575, 0.7575, 0.2827), (0.1441, 0.6441, -0.038)],
    spacegroup=113,
    cellpar=[5.565, 5.565, 4.684, 90, 90, 90],
)
"""At 12 K (DOI 10.1107/S0108768184002135)."""
GRAPHITE = crystal(
    ["C", "C"], [(0, 0, 0.25), (1 / 3, 2 / 3, 0.25)], spacegroup=194, cellpar=[2.46, 2.46, 6.71, 90, 90, 120]
)
STRUCTURES = {
    "molecular crystal": UREA,
    "layers": GRAPHITE,
    "metal": bulk("Cu", cubic=True),
    "heavy metal": bulk("Au"),
    "oxide melt": melt("B2O3", 24, 13.0, seed=1, closest=1.3),
    "oxide": bulk("MgO", "rocksalt", a=4.21, cubic=True),
}


def published(atoms: Atoms, damping: Damping) -> tuple[float, Array, Array]:
    """Energy (eV/atom), forces and stress by s-dftd3, coordination numbers over the same distances as here."""
    model = DispersionModel(
        atoms.numbers, atoms.positions / BOHR_A, atoms.cell.array / BOHR_A, np.array([bool(p) for p in atoms.pbc])
    )
    model.set_realspace_cutoff(60.0, 40.0, (COUNTED_A + OUTER_A) / 2 / BOHR_A)
    if atoms.pbc.all():
        model.set_ewald_summation(tolerance=1e-9, mesh=-1)
    parameters = RationalDampingParam(s6=damping.s6, s8=damping.s8, s9=0.0, a1=damping.a1, a2=damping.a2_bohr)
    answer: Any = model.get_dispersion(parameters, grad=True)
    volume = atoms.get_volume() if atoms.pbc.all() else np.inf
    return (
        float(answer["energy"]) * HARTREE_EV / len(atoms),
        -answer["gradient"] * HARTREE_EV / BOHR_A,
        answer["virial"] * HARTREE_EV / volume,
    )


def check(atoms: Atoms, damping: Damping) -> None:
    energy, forces, stress = published(atoms, damping)
    answer = DispersionPotential(damping)(state_of([atoms]))
    assert float(answer["energy"]) / len(atoms) == pytest.approx(energy, abs=WITHIN_EV_PER_ATOM)
    np.testing.assert_allclose(answer["forces"], forces, atol=WITHIN_EV_A)
    if atoms.pbc.all():
        np.testing.assert_allclose(answer["stress"][0], stress, atol=WITHIN_EV_A3)


@pytest.mark.parametrize("name", STRUCTURES)
def test_energy_forces_and_stress_are_those_of_s_dftd3(name: str) -> None:
    atoms = STRUCTURES[name].copy()
    atoms.rattle(0.05, seed=3)
    check(atoms, DAMPINGS["PBE"])


def test_so_they_are_in_a_melt_from_density_functional_theory() -> None:
    check(next(iread(require("b2o3/validation.extxyz"))), DAMPINGS["PBE"])


@pytest.mark.parametrize("functional", DAMPINGS)
def test_so_they_are_with_the_parameters_of_every_functional(functional: str) -> None:
    check(UREA, DAMPINGS[functional])


def test_a_molecule_in_vacuum_has_no_remainder() -> None:
    benzene = molecule("C6H6", cell=[30.0] * 3, pbc=False)
    check(benzene, DAMPINGS["r2SCAN"])


@pytest.mark.parametrize("functional", DAMPINGS)
def test_parameters_are_the_published_ones(functional: str) -> None:
    from dftd3.parameters import get_damping_param

    expected = get_damping_param(functional.lower(), ["bj"])
    damping = DAMPINGS[functional]
    assert astuple(damping) == tuple(expected.get(key, 1.0) for key in ("a1", "a2", "s8", "s6"))


def test_it_is_added_to_a_potential() -> None:
    state = state_of([melt("Ar", 12, 30.0, seed=0, closest=3.0)])
    argon, dispersion = LennardJonesPotential(), DispersionPotential(DAMPINGS["PBE"])
    total = with_dispersion(argon, DAMPINGS["PBE"])(state)
    for name, expected in argon(state).items():
        np.testing.assert_allclose(total[name], expected + dispersion(state)[name], atol=1e-14)
