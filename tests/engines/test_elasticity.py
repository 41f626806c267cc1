"""Elastic constants through an engine against lattice sums, an equation of state and energies."""

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from scipy.optimize import brentq

from tachylite.arrays import Array
from tachylite.engines import get_engine
from tachylite.engines.elasticity import measure_elasticity
from tachylite.engines.potentials.lennard_jones import ARGON_EPSILON, ARGON_SIGMA
from tachylite.physics.eos import fit_birch_murnaghan
from tachylite.physics.thermodynamics.elasticity import deformation
from tachylite.schemas import State
from tachylite.units import GPA_PER_EV_A3

CUTOFF = 2.5 * ARGON_SIGMA


def slope(r: Array) -> Array:
    """dv/dr of the bare pair potential."""
    sixth = (ARGON_SIGMA / r) ** 6
    return 24 * ARGON_EPSILON * (sixth - 2 * sixth**2) / r


def lattice_sums(edge: float) -> tuple[float, float, float, float]:
    """Pressure, C11, C12 and C44 in GPa of fcc argon at 0 K, summed over the neighbours of one atom."""
    steps = np.array([(i, j, k) for i in range(-4, 5) for j in range(-4, 5) for k in range(-4, 5)])
    vectors = edge / 2 * steps[(steps.sum(axis=1) % 2 == 0) & (np.abs(steps).sum(axis=1) > 0)]
    r = np.linalg.norm(vectors, axis=1)
    vectors, r = vectors[r < CUTOFF], r[r < CUTOFF]
    sixth = (ARGON_SIGMA / r) ** 6
    first = slope(r) - slope(np.array(CUTOFF))  # the force is shifted to vanish at the cutoff
    second = 24 * ARGON_EPSILON * (26 * sixth**2 - 7 * sixth) / r**2
    per_volume = GPA_PER_EV_A3 / (2 * edge**3 / 4)
    stiffness = (second - first / r) / r**2
    x, y = vectors[:, 0], vectors[:, 1]
    pressure = -float(first @ r) / 3 * per_volume
    c11, c12 = float(stiffness @ x**4) * per_volume, float(stiffness @ (x * y) ** 2) * per_volume
    return pressure, c11, c12, c12


def test_argon_has_the_constants_of_its_lattice_sums(tmp_path: Path) -> None:
    edge = brentq(lambda a: lattice_sums(a)[0], 5.0, 5.6)
    _, c11, c12, c44 = lattice_sums(edge)
    crystal = State.from_atoms(bulk("Ar", "fcc", edge, cubic=True).repeat(2))
    elastic = measure_elasticity(get_engine("lennard-jones"), crystal, tmp_path, strain=0.001)
    assert elastic.reason is None
    assert elastic.constants_gpa is not None
    expected = np.diag([c11 - c12] * 3 + [c44] * 3)
    expected[:3, :3] += c12
    np.testing.assert_allclose(elastic.constants_gpa, expected, atol=2e-3 * c11)
    assert elastic.bulk_modulus_gpa is not None
    assert elastic.bulk_modulus_gpa.hill.value == pytest.approx((c11 + 2 * c12) / 3, rel=2e-3)


def test_atoms_that_relax_soften_a_disordered_solid(tmp_path: Path) -> None:
    """Argon with vacancies; moduli below those of atoms that only follow the strain."""
    atoms = bulk("Ar", "fcc", 5.25, cubic=True).repeat(2)
    del atoms[[0, 5, 19]]
    engine = get_engine("lennard-jones")
    (relaxed,) = engine.relax(
        [State.from_atoms(atoms)], tmp_path, relax_cell=True, labels=["vacancies"], max_force_ev_a=1e-4
    )
    elastic = measure_elasticity(engine, relaxed.state, tmp_path)
    assert elastic.reason is None
    assert (elastic.max_force_ev_a or 1.0) < 1e-4, "forces in argon are a thousandth of those in oxides"
    assert elastic.constants_gpa is not None
    constants = np.array(elastic.constants_gpa)
    energies = []
    for amount in (-0.005, 0.0, 0.005):
        matrix = deformation(5, amount)
        state = State(
            numbers=relaxed.state.numbers,
            positions=(np.array(relaxed.state.positions) @ matrix).tolist(),
            cell=(np.array(relaxed.state.cell) @ matrix).tolist(),
        )
        (strained,) = engine.relax(
            [state], tmp_path, relax_cell=False, labels=["xy"], max_force_ev_a=elastic.max_force_ev_a or 0.0
        )
        energies.append(strained.energy_ev_per_atom * strained.n_atoms)
    curvature = (energies[0] - 2 * energies[1] + energies[2]) / 0.005**2 / relaxed.state.volume_a3 * GPA_PER_EV_A3
    assert constants[5, 5] == pytest.approx(curvature, rel=0.03)
    assert elastic.constants_error_gpa is not None
    assert elastic.constants_error_gpa < 0.03 * constants[0, 0]


@pytest.mark.slow
def test_copper_has_the_bulk_modulus_of_its_equation_of_state(tmp_path: Path) -> None:
    engine = get_engine("ase:emt")
    start = State.from_atoms(bulk("Cu", "fcc", 3.6, cubic=True).repeat(2))
    (relaxed,) = engine.relax([start], tmp_path, relax_cell=True, labels=["Cu"])
    elastic = measure_elasticity(engine, relaxed.state, tmp_path)
    volumes = relaxed.state.volume_a3 * np.linspace(0.97, 1.03, 7)
    held = engine.relax(
        [relaxed.state.scaled_to(v) for v in volumes], tmp_path, relax_cell=False, labels=["Cu"] * len(volumes)
    )
    curve = fit_birch_murnaghan(volumes, [relaxation.pressure_gpa for relaxation in held])
    assert elastic.bulk_modulus_gpa is not None
    assert elastic.bulk_modulus_gpa.hill.value == pytest.approx(curve.bulk_modulus, rel=0.01)


@pytest.mark.slow
def test_the_constants_of_chgnet_are_the_curvatures_of_its_energy(tmp_path: Path) -> None:
    """Rock salt, where atoms stay at their sites: its energy under a strain, by central differences."""
    engine = get_engine("chgnet", device="cpu")
    start = State.from_atoms(bulk("MgO", "rocksalt", 4.2, cubic=True))
    (relaxed,) = engine.relax([start], tmp_path, relax_cell=True, labels=["MgO"])
    elastic = measure_elasticity(engine, relaxed.state, tmp_path, strain=0.01)
    assert elastic.reason is None
    assert elastic.constants_gpa is not None
    for component in (0, 3):
        energies = []
        for amount in (-0.02, 0.0, 0.02):
            matrix = deformation(component, amount)
            state = State(
                numbers=start.numbers,
                positions=(np.array(relaxed.state.positions) @ matrix).tolist(),
                cell=(np.array(relaxed.state.cell) @ matrix).tolist(),
            )
            (strained,) = engine.relax([state], tmp_path, relax_cell=False, labels=["MgO"])
            energies.append(strained.energy_ev_per_atom * strained.n_atoms)
        curvature = (energies[0] - 2 * energies[1] + energies[2]) / 0.02**2 / relaxed.state.volume_a3 * GPA_PER_EV_A3
        assert elastic.constants_gpa[component][component] == pytest.approx(curvature, rel=0.05)
