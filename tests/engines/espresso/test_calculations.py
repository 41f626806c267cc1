"""Single calculations and relaxations by the real pw.x: units, signs, the error of the pressure, what is kept."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.engines.espresso.espresso_samples import ANY_FORCE_EV_A, engine, silicon

from tachylite.engines.single_points import compute_single_points
from tachylite.schemas import State
from tachylite.schemas.relaxation import Relaxation
from tachylite.units import GPA_PER_EV_A3


def compute(folder: Path, *states: State, **options: Any) -> list[Relaxation]:
    """Single calculations: energy, forces and stress."""
    labels = [f"point {i}" for i in range(len(states))]
    return engine(**options).relax(states, folder, relax_cell=False, labels=labels, max_force_ev_a=ANY_FORCE_EV_A)


@pytest.mark.slow
def test_the_pressure_is_the_derivative_of_the_energy_at_this_cutoff(pw: Path) -> None:
    """Energies at constant cutoff feel new plane waves come in, which the stress of pw.x alone does not know."""
    lengths = np.array([5.35, 5.40, 5.45, 5.50, 5.55])
    points = compute(pw, *(silicon(a, (0, 0, 0)) for a in lengths), kspacing=0.9)
    assert [point.reason for point in points] == [None] * len(points)
    volumes = lengths**3 / 4
    energies = np.array([2 * point.energy_ev_per_atom for point in points])
    slope = np.polyder(np.poly1d(np.polyfit(volumes, energies, 2)))(volumes[2])
    pulay = points[2].provenance.options["pulay_pressure_gpa"]
    assert points[2].pressure_gpa == pytest.approx(-slope * GPA_PER_EV_A3, abs=0.4)
    assert pulay < -1.2, "so that the pressure of pw.x itself would fail here"


def test_forces_are_the_derivative_of_the_energy(pw: Path) -> None:
    # along the bond, where the force is by symmetry
    shifts = [(x, x, x) for x in (-0.045, -0.035, -0.025)]
    low, middle, high = compute(pw, *(silicon(5.43, shift) for shift in shifts))
    assert [point.reason for point in (low, middle, high)] == [None] * 3
    slope = 2 * (high.energy_ev_per_atom - low.energy_ev_per_atom) / (0.02 * np.sqrt(3))
    assert middle.steps == 1
    assert np.allclose(middle.state.positions, silicon(5.43, shifts[1]).positions, atol=1e-7), "atoms stay"
    # the force on the second atom, along which it was moved; that on the first is its opposite
    assert middle.max_force_ev_a == pytest.approx(abs(slope), rel=0.02)
    (point,) = compute_single_points(engine(), [silicon(5.43, shifts[1])], pw)
    assert point.energy_ev == pytest.approx(2 * middle.energy_ev_per_atom)
    assert point.forces_ev_a[1] @ np.ones(3) / np.sqrt(3) == pytest.approx(-slope, rel=0.02)
    assert point.stress_ev_a3 is not None
    assert -np.trace(point.stress_ev_a3) / 3 * GPA_PER_EV_A3 == pytest.approx(middle.pressure_gpa)


@pytest.mark.slow
def test_a_crystal_relaxes_to_its_published_volume(pw: Path) -> None:
    """PBE: 5.469 A for silicon (DOI 10.1103/PhysRevB.79.155107)."""
    (relaxed,) = engine(ecutwfc=30, kspacing=0.6).relax([silicon(5.4)], pw, relax_cell=True, labels=["Si"])
    assert relaxed.status == "converged", relaxed.reason
    assert (4 * relaxed.state.volume_a3) ** (1 / 3) == pytest.approx(5.469, rel=0.005)
    assert relaxed.max_force_ev_a < 0.05
    assert np.abs(np.array(relaxed.stress_gpa)).max() < 0.1
    vectors = np.subtract(relaxed.state.positions[1], relaxed.state.positions[0]) @ np.linalg.inv(relaxed.state.cell)
    assert np.allclose(np.abs(vectors - np.round(vectors)), 0.25, atol=0.01)


def test_a_pressure_far_from_converged_is_refused_in_one_line(pw: Path) -> None:
    (point,) = compute(pw, silicon(), max_pulay_gpa=0.5)
    assert point.status == "failed"
    assert "the pressure is not converged with the cutoff: -1." in (point.reason or "")
    assert "at 16 Ry; give a higher ecutwfc" in (point.reason or "")


@pytest.mark.slow
def test_without_kspacing_the_mesh_follows_the_gap(pw: Path) -> None:
    """Silicon as PBE has it, with 0.6 eV, needs nearly the mesh of a metal."""
    wide, narrow = compute(pw, silicon(), kspacing=0.44)[0], compute(pw, silicon(), kspacing=None)[0]
    assert wide.provenance.options["k_mesh"] == [5, 5, 5]
    assert narrow.provenance.options["k_mesh"][0] >= 8


def test_what_is_done_is_not_done_again(pw: Path) -> None:
    (first,) = compute(pw, silicon())
    before = sorted(pw.rglob("*"))
    (again,) = compute(pw, silicon(), command="no-such-program")
    assert again == first
    assert sorted(pw.rglob("*")) == before
    assert not [path for path in before if path.name == "out"], "charge density and wave functions are not kept"
