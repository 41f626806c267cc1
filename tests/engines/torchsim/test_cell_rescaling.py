"""Constant pressure: exact laws of the ideal gas, a crystal under stress, stops, and cells that go astray."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk
from scipy import stats
from tests.engines.potentials.sample_structures import state_of

from tachylite.engines import get_engine
from tachylite.engines.base import Answer, Progress, progress_listener
from tachylite.engines.potentials.lennard_jones import LennardJonesPotential
from tachylite.engines.torchsim.dynamics import run_batch
from tachylite.engines.torchsim.engine import Guards
from tachylite.schemas import Provenance, Request, Segment, State
from tachylite.units import GPA_PER_EV_A3, KB_EV

CRYSTAL = State.from_atoms(bulk("Ar", "fcc", 5.4, cubic=True).repeat(2))
PROVENANCE = Provenance(engine="argon", model="argon", device="cpu", dtype="float64")
NO_LIMITS = Guards(closest_approach=0.0, volume_factor=float("inf"))


class IdealGas(LennardJonesPotential):
    """Atoms that do not see each other."""

    def forward(self, state: Any, **_: Any) -> dict[str, Any]:
        n_systems = state.n_systems
        return {
            "energy": state.positions.new_zeros(n_systems),
            "forces": state.positions.new_zeros(state.positions.shape),
            "stress": state.positions.new_zeros((n_systems, 3, 3)),
        }


def held(steps: int, kelvin: float, gpa: float, **changes: Any) -> Segment:
    fields = {"steps": steps, "temperature_k": kelvin, "pressure_gpa": gpa, "timestep_fs": 4.0, "record_every": 10}
    return Segment.model_validate(fields | changes)


def request(*segments: Segment, state: State = CRYSTAL, seed: int = 0) -> Request:
    return Request(label="argon", state=state, segments=list(segments), seed=seed, record_forces=True)


def run(folder: Path, *requests: Request) -> list[Answer]:
    return get_engine("lennard-jones", checkpoint_every=50).run(requests, folder)


@pytest.mark.parametrize("cell", ["isotropic", "free"])
def test_the_volume_of_an_ideal_gas_has_its_exact_distribution(tmp_path: Path, cell: str) -> None:
    """With the centre of mass at rest V is gamma distributed, of shape N and scale k T / P; the temperature is exact.

    Thirty-two members that differ in temperature and pressure, eight atoms each.
    """
    atoms = bulk("Ar", "fcc", 20.0, cubic=True).repeat((2, 1, 1))
    kelvins = np.linspace(100, 400, 32)
    pressures = 8 * KB_EV * kelvins[::-1] / atoms.get_volume() * GPA_PER_EV_A3
    requests = [
        request(held(3000, float(k), float(p), cell=cell), state=State.from_atoms(atoms), seed=i)
        for i, (k, p) in enumerate(zip(kelvins, pressures, strict=True))
    ]
    answers = run_batch(requests, IdealGas(), tmp_path, provenance=PROVENANCE, checkpoint_every=10**6, guards=NO_LIMITS)
    reduced, temperatures = [], []
    for answer, kelvin, pressure in zip(answers, kelvins, pressures, strict=True):
        assert answer.trajectory is not None
        series = answer.trajectory.series
        reduced.append(series["volume_a3"][600:] * pressure / GPA_PER_EV_A3 / (KB_EV * kelvin))
        temperatures.append(series["temperature_k"][600:] / kelvin)
    volumes = np.array(reduced)
    scatter = volumes.mean(axis=1).std(ddof=1) / 32**0.5
    assert volumes.mean() == pytest.approx(8, abs=3.5 * scatter)
    assert volumes.var() == pytest.approx(8, rel=0.15)
    assert np.mean(temperatures) == pytest.approx(1, abs=0.01)
    independent = volumes[:, ::500].ravel()
    assert stats.kstest(independent, stats.gamma(8).cdf).pvalue > 1e-3
    if cell == "free":
        cells = np.stack([answer.trajectory.cells[-1] for answer in answers if answer.trajectory is not None])
        assert np.abs(cells[:, 0, 1]).max() > 0.1, "it shears"


def test_a_free_cell_of_a_crystal_finds_its_shape(tmp_path: Path) -> None:
    """An fcc crystal that is 4 % too long along x; at constant shape it stays so, and under stress."""
    stretched = bulk("Ar", "fcc", 5.4, cubic=True).repeat(2)
    stretched.set_cell(stretched.cell.array * np.diag([1.04, 1, 1]), scale_atoms=True)
    state = State.from_atoms(stretched)
    free, isotropic = run(
        tmp_path,
        request(held(1600, 5, 0.0, cell="free"), state=state),
        request(held(1600, 5, 0.0), state=state),
    )
    for answer, ratio, stress in ((free, 1.0, 0.0), (isotropic, 1.04, 0.065)):
        assert answer.trajectory is not None
        assert answer.trajectory.stresses is not None
        lengths = np.linalg.norm(answer.trajectory.cells[80:], axis=2).mean(axis=0)
        assert lengths[0] / lengths[1:].mean() == pytest.approx(ratio, abs=0.012)
        along = (answer.trajectory.stresses[80:].mean(axis=0) * GPA_PER_EV_A3).diagonal()
        assert along[0] - along[1:].mean() == pytest.approx(stress, abs=0.02)
        total = answer.run.last.pressure_total_gpa
        assert abs(total.value) < max(4 * total.error, 0.01)


def test_a_stopped_run_resumes_to_the_same_bits(tmp_path: Path) -> None:
    requests = [
        request(held(60, t, 0.02), held(140, t, 0.01 * i, cell="free"), Segment(steps=20, temperature_k=t), seed=i)
        for i, t in enumerate((60.0, 90.0))
    ]
    whole = run(tmp_path / "whole", *requests)

    def stop(progress: Progress) -> None:
        if progress.done >= 120:
            raise KeyboardInterrupt

    token = progress_listener.set(stop)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", *requests)
    progress_listener.reset(token)
    for a, b in zip(whole, run(tmp_path / "parts", *requests), strict=True):
        assert a.trajectory == b.trajectory
        assert a.run.final == b.run.final
        assert a.run.segments == b.run.segments


def test_a_member_goes_its_way_whoever_is_with_it(tmp_path: Path) -> None:
    mine, other = request(held(60, 60, 0.1), seed=5), request(held(60, 90, 0.0), seed=6)
    (alone,) = run(tmp_path / "alone", mine)
    _, together = run(tmp_path / "together", other, mine)
    assert together.run.final == alone.run.final
    assert together.trajectory == alone.trajectory


def test_cells_that_go_astray_end_their_members(tmp_path: Path) -> None:
    """Hot argon without pressure evaporates; the other member stays a crystal, and is as it would be alone."""
    vapour, crystal = run(tmp_path, request(held(2000, 600, 0.0)), request(held(2000, 20, 0.0), seed=1))
    assert vapour.run.status == "failed"
    assert vapour.run.reason is not None
    assert vapour.run.reason.startswith("the cell expands without end: ")
    assert vapour.run.final.volume_a3 < 3 * CRYSTAL.volume_a3
    assert crystal.run.status == "completed"
    assert crystal.run.last.volume_a3 is not None
    assert crystal.run.last.volume_a3.value / CRYSTAL.volume_a3 == pytest.approx(1, abs=0.03)
    assert crystal.run.last.enthalpy_ev_per_atom is not None


def test_recorded_forces_are_those_of_the_frames(tmp_path: Path) -> None:
    """To the stored precision, with energy and stress, where the cell breathes."""
    (answer,) = run(tmp_path, request(held(40, 60, 0.0)))
    assert answer.trajectory is not None
    frames = answer.trajectory.atoms()
    assert len(frames) == 4
    assert len({atoms.get_volume() for atoms in frames}) == 4
    recomputed = LennardJonesPotential()(state_of(frames))
    forces = np.concatenate([atoms.get_forces() for atoms in frames])
    # positions are kept to 5e-6 A and forces to 5e-5 eV/A; argon has less than 1 eV/A^2
    assert forces == pytest.approx(recomputed["forces"].numpy(), abs=7e-5)
    assert [atoms.get_potential_energy() for atoms in frames] == pytest.approx(recomputed["energy"].tolist(), abs=1e-4)
    stresses = np.array([atoms.get_stress(voigt=False) for atoms in frames])
    assert stresses == pytest.approx(recomputed["stress"].numpy(), abs=1e-6)
