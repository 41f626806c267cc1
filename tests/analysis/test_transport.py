"""What a file of moving ions says: tracer, collective, conductivity, laws; and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from tachylite.analysis.laws import combine_transport
from tachylite.analysis.transport import measure_diffusivity, measure_transport
from tachylite.errors import InputError
from tachylite.readers import open_trajectory
from tachylite.schemas import Diffusivity, Trajectory
from tachylite.schemas.transport import TransportSeries

EDGE_A = 12.0


def ions(path: Path, step_a: float = 0.3, n_frames: int = 400, seed: int = 0, edge_a: float = EDGE_A) -> Path:
    """Lithium walks between oxygen that stands; D = step^2 / 2 per frame."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, step_a, (n_frames, 16, 3))
    positions = np.concatenate([np.cumsum(steps, axis=0), np.ones((n_frames, 8, 3))], axis=1)
    write(path, [Atoms("Li16O8", positions=x, cell=[edge_a] * 3, pbc=True) for x in positions])
    return path


def measured(path: Path, temperature_k: float = 1000.0, **options: float) -> Diffusivity:
    return measure_transport(open_trajectory(path, 10.0), "Li", temperature_k, **options)  # type: ignore[arg-type]  # a keyword each


def test_a_walk_has_all_of_its_numbers(tmp_path: Path) -> None:
    lithium = measured(ions(tmp_path / "a.traj"), viscosity_pa_s=1e-3)
    assert lithium.diffusivity_cm2_s == pytest.approx(0.3**2 / 2 / 10 * 0.1, rel=0.4)
    assert (lithium.n_atoms, lithium.n_frames, lithium.frame_spacing_fs) == (16, 400, 10.0)
    assert lithium.collective is not None
    assert lithium.collective.n_independent <= 3
    ionic, size = lithium.conductivity, lithium.finite_size
    assert ionic is not None
    assert (ionic.charge, ionic.charge_source) == (1.0, "formal oxidation state in Li2O")
    by_hand = 1.602176634e5 * 16 / EDGE_A**3 * (lithium.diffusivity_cm2_s or 0) / (8.617333e-5 * 1000)
    assert ionic.nernst_einstein_s_cm == pytest.approx(by_hand, rel=1e-6)
    assert size is not None
    assert size.length_a == pytest.approx(EDGE_A)
    assert size.corrected_cm2_s == pytest.approx((lithium.diffusivity_cm2_s or 0) + (size.correction_cm2_s or 0))
    assert Diffusivity.model_validate_json(lithium.model_dump_json()) == lithium


def test_a_given_charge_wins(tmp_path: Path) -> None:
    frames = open_trajectory(ions(tmp_path / "a.traj"), 10.0)
    ionic = measure_transport(frames, "Li", 1000.0, {"Li": 0.8}).conductivity
    assert ionic is not None
    assert (ionic.charge, ionic.charge_source) == (0.8, "given")


def test_one_element_has_no_collective_motion_and_no_charge(tmp_path: Path) -> None:
    positions = np.cumsum(np.random.default_rng(1).normal(0, 0.2, (100, 8, 3)), axis=0)
    write(tmp_path / "na.traj", [Atoms("Na8", positions=x, cell=[9, 9, 9], pbc=True) for x in positions])
    sodium = measure_transport(open_trajectory(tmp_path / "na.traj", 2.0), "Na", 700.0)
    assert sodium.collective is not None
    assert "all atoms are Na" in (sodium.collective.reason or "")
    assert sodium.conductivity is not None
    assert "no formal oxidation state of Na in Na" in (sodium.conductivity.reason or "")


def test_a_cell_that_grows_is_refused(tmp_path: Path) -> None:
    frames = [Atoms("LiO", [[0, 0, 0], [2, 2, 2]], cell=[5 * s] * 3, pbc=True) for s in np.linspace(1, 1.2, 30)]
    write(tmp_path / "a.traj", frames)
    with pytest.raises(InputError, match=r"the volume of .* changes by 73 %"):
        measured(tmp_path / "a.traj")


def series(folder: Path, temperatures: list[float], edges: list[float]) -> TransportSeries:
    diffusivities = []
    for seed, (kelvin, edge_a) in enumerate(zip(temperatures, edges, strict=True)):
        path = ions(folder / f"{seed}.traj", step_a=0.5 * np.exp(-1500.0 / kelvin), seed=seed, edge_a=edge_a)
        diffusivities.append(measured(path, kelvin))
    return combine_transport(diffusivities)


def test_temperatures_give_the_laws(tmp_path: Path) -> None:
    law = series(tmp_path, [1200.0, 1600.0, 2400.0], [EDGE_A] * 3)
    assert law.arrhenius is not None
    energy = law.arrhenius.activation_energy_ev
    # D goes with the square of the step: Ea = 3000 K k
    assert abs(energy.value - 3000 * 8.617333e-5) < 2.5 * energy.error
    assert len(law.arrhenius.band_cm2_s) == len(law.arrhenius.band_interval_cm2_s) == 25
    assert law.arrhenius.band_cm2_s[0] == law.arrhenius.extrapolated_300k_cm2_s
    assert law.vft is not None
    assert "need four" in (law.vft.reason or "")


def test_sizes_at_one_temperature_are_extrapolated(tmp_path: Path) -> None:
    transport = series(tmp_path, [2000.0] * 2, [12.0, 18.0])
    assert transport.size is not None
    assert transport.size.lengths_a == pytest.approx([12.0, 18.0])
    assert transport.arrhenius is None


def test_one_temperature_and_size_say_why_there_is_no_law(tmp_path: Path) -> None:
    transport = series(tmp_path, [2000.0] * 2, [12.0] * 2)
    assert transport.arrhenius is None
    assert "a law needs two temperatures" in (transport.reason or "")


def test_the_breathing_of_a_cell_is_no_diffusion() -> None:
    """A walk of which many atoms are many cells away: in a cell that breathes by 3 % its D is that in a rigid one."""
    rng = np.random.default_rng(3)
    edge, n_frames, n_atoms = 10.0, 1000, 40
    walk = rng.normal(scale=0.3, size=(n_frames, n_atoms, 3)).cumsum(axis=0)
    walk += edge * rng.integers(-30, 30, size=(n_atoms, 3))
    breathing = 1 + 0.01 * rng.normal(size=n_frames)
    measured = []
    for factor in (np.ones(n_frames), breathing):
        cells = edge * np.eye(3) * factor[:, None, None]
        trajectory = Trajectory.from_arrays(
            numbers=np.full(n_atoms, 3),
            positions=walk * factor[:, None, None],
            cells=cells,
            times_fs=10.0 * np.arange(n_frames),
            series={},
        )
        measured.append(measure_diffusivity(trajectory, "Li", 1000.0))
    rigid, breathes = measured
    assert rigid.diffusivity_cm2_s == pytest.approx(0.3**2 / 2 / 10.0 * 0.1, rel=0.1)
    assert breathes.diffusivity_cm2_s == pytest.approx(rigid.diffusivity_cm2_s, rel=0.01)


def test_ions_of_a_run_conduct() -> None:
    """By Nernst and Einstein: n q^2 D / kT; two chlorines that stay do not."""
    rng = np.random.default_rng(5)
    n_frames, n_ions, edge = 800, 40, 12.0
    walk = np.concatenate(
        [rng.normal(scale=0.3, size=(n_frames, n_ions, 3)).cumsum(axis=0), np.zeros((n_frames, 40, 3))], 1
    )
    trajectory = Trajectory.from_arrays(
        numbers=np.repeat([3, 17], [n_ions, 40]),
        positions=walk,
        cells=edge * np.eye(3),
        times_fs=10.0 * np.arange(n_frames),
        series={},
    )
    lithium = measure_diffusivity(trajectory, "Li", 900.0)
    assert lithium.diffusivity_cm2_s is not None
    assert lithium.conductivity is not None
    charge_c, kt_j = 1.602176634e-19, 1.380649e-23 * 900
    expected = n_ions / (edge * 1e-8) ** 3 * charge_c**2 * lithium.diffusivity_cm2_s / kt_j
    assert lithium.conductivity.nernst_einstein_s_cm == pytest.approx(expected, rel=1e-6)
    assert lithium.conductivity.charge == 1
    assert lithium.collective is not None
    haven = lithium.collective.haven_ratio_interval
    assert haven is not None
    # they move independently, but the centre of mass goes with them and is taken off their sum
    of_mass = 6.94 / (6.94 + 35.45)
    assert haven.low < (1 - of_mass) ** -2 < haven.high
    assert lithium.conductivity.collective_s_cm == pytest.approx(expected / (lithium.collective.haven_ratio or 0))
    chlorine = measure_diffusivity(trajectory, "Cl", 900.0)
    assert chlorine.conductivity is not None
    assert chlorine.conductivity.charge == -1
    assert chlorine.conductivity.nernst_einstein_s_cm is None


def test_a_formula_unit_of_many_atoms_has_no_formal_charges() -> None:
    trajectory = Trajectory.from_arrays(
        numbers=np.repeat([3, 14], [33, 67]),
        positions=np.random.default_rng(0).normal(scale=0.1, size=(50, 100, 3)).cumsum(axis=0),
        cells=12 * np.eye(3),
        times_fs=np.arange(50.0),
        series={},
    )
    conductivity = measure_diffusivity(trajectory, "Li", 900.0).conductivity
    assert conductivity is not None
    assert conductivity.reason == "no formal oxidation state of Li in Li33Si67; give its charge"
