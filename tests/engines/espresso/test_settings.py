"""The mesh by density and gap, the thermostats, and members side by side."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp.sets import MPScanRelaxSet
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from tachylite.arrays import Array
from tachylite.engines.espresso.inputs import symmetrized_cell
from tachylite.engines.espresso.members import side_by_side
from tachylite.engines.espresso.settings import LevelOfTheory, half_steps, k_mesh, kspacing_for_gap
from tachylite.engines.espresso.thermostat import Thermostat, apply_thermostat, kinetic_energy
from tachylite.engines.interruption import Interruption, use_deadline
from tachylite.errors import OutOfTimeError
from tachylite.units import KB_EV

HCP = [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]


@pytest.mark.parametrize("gap_ev", [0.0, 0.6, 2.0, 4.0, 9.0])
def test_density_by_gap_is_that_of_the_materials_project(gap_ev: float) -> None:
    crystal = Structure(Lattice.cubic(4.0), ["Na", "Cl"], np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))
    expected = MPScanRelaxSet(crystal, bandgap=gap_ev, user_incar_settings={}).incar["KSPACING"]
    assert kspacing_for_gap(gap_ev) == pytest.approx(expected, abs=1e-6)


def test_meshes_have_at_least_the_density() -> None:
    assert k_mesh(np.diag([7.0, 7.0, 14.0]), 0.44) == (3, 3, 2)
    assert k_mesh(np.diag([7.0, 7.0, 14.0]), 0.22) == (5, 5, 3)
    assert k_mesh([[0, 2.7, 2.7], [2.7, 0, 2.7], [2.7, 2.7, 0]], 0.5) == (5, 5, 5)
    assert k_mesh(np.diag([30.0, 30.0, 30.0]), 0.44) == (1, 1, 1)


def test_even_meshes_are_shifted_as_monkhorst_and_pack_have_it() -> None:
    assert half_steps((4, 3, 1)) == (1, 0, 0)


def test_spin_is_polarised_where_it_matters_or_is_asked_for() -> None:
    assert LevelOfTheory().is_spin_polarized(["Fe", "O"])
    assert LevelOfTheory().is_spin_polarized(["O"])
    assert not LevelOfTheory().is_spin_polarized(["Si", "O"])
    assert LevelOfTheory(spin=True).is_spin_polarized(["Si"])
    assert not LevelOfTheory(spin=False).is_spin_polarized(["Fe"])


@pytest.mark.parametrize("thermostat", ["nose-hoover", "langevin"])
def test_thermostats_give_the_canonical_kinetic_energy(thermostat: Thermostat) -> None:
    """Of six atoms with 15 degrees of freedom: mean n kT / 2, variance n (kT)^2 / 2, no drift."""
    rng, masses = np.random.default_rng(0), np.array([7.0, 16.0, 16.0, 31.0, 28.0, 91.0])
    velocities = rng.normal(0, 0.01, (6, 3))
    velocities -= (masses[:, None] * velocities).sum(axis=0) / masses.sum()
    energies = []
    for _ in range(20_000):
        velocities = apply_thermostat(velocities, masses, thermostat, 700.0, 80.0, rng)
        energies.append(kinetic_energy(velocities, masses))
    unit = KB_EV * 700.0 / 2
    samples = np.array(energies[100:]) / unit
    assert samples.mean() == pytest.approx(15, rel=0.02)
    assert samples.var() == pytest.approx(30, rel=0.06)
    assert np.abs((masses[:, None] * velocities).sum(axis=0)).max() < 1e-9


def test_members_run_side_by_side_and_in_order() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def member(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1
        return number

    answers = side_by_side([lambda _, i=i: member(i) for i in range(6)], 3)  # type: ignore[misc]  # i is bound
    assert answers == list(range(6))
    assert most == 3


def test_members_stop_together_before_the_walltime_ends() -> None:
    def member(interruption: Interruption) -> None:
        interruption.end("at step 7 of melt")

    with (
        use_deadline(time.time() + 60),
        pytest.raises(OutOfTimeError, match="the walltime is used up at step 7 of melt"),
    ):
        side_by_side([member, member], 2)


@given(noise=arrays(float, (3, 3), elements=st.floats(-1e-5, 1e-5)), turn=st.floats(0, 3))
def test_a_cell_of_five_digits_gets_its_symmetry_to_all_digits(noise: Array, turn: float) -> None:
    """Hexagonal, turned anyhow; the cell moves by no more than it was off."""
    c, s = np.cos(turn), np.sin(turn)
    ideal = np.array([[3.2, 0, 0], [-1.6, 1.6 * np.sqrt(3), 0], [0, 0, 5.1]]) @ [[c, s, 0], [-s, c, 0], [0, 0, 1]]
    rotations = SpacegroupAnalyzer(Structure(ideal, ["Mg"] * 2, HCP)).get_symmetry_dataset().rotations
    symmetrized = symmetrized_cell(ideal + noise, rotations)
    metric = symmetrized @ symmetrized.T
    assert np.allclose(rotations.transpose(0, 2, 1) @ metric @ rotations, metric, rtol=0, atol=1e-13)
    assert np.abs(symmetrized - ideal - noise).max() < 4e-5
