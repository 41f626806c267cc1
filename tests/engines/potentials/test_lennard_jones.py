import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from tests.engines.potentials.sample_structures import melt, state_of

from tachylite.engines.potentials.lennard_jones import ARGON_EPSILON, ARGON_SIGMA, LennardJonesPotential
from tachylite.units import KB_EV


@pytest.fixture
def potential() -> LennardJonesPotential:
    return LennardJonesPotential()


def pair(distance: float) -> Atoms:
    return Atoms("Ar2", positions=[[0, 0, 0], [distance, 0, 0]], cell=[40.0] * 3, pbc=True)


def test_argon_is_rahmans() -> None:
    assert pytest.approx(119.8, abs=0.01) == ARGON_EPSILON / KB_EV


@pytest.mark.parametrize("distance", [3.2, 3.8, 5.0, 8.0])
def test_pair_is_the_formula(distance: float, potential: LennardJonesPotential) -> None:
    cutoff = 2.5 * ARGON_SIGMA

    def plain(r: float) -> float:
        return 4 * ARGON_EPSILON * ((ARGON_SIGMA / r) ** 12 - (ARGON_SIGMA / r) ** 6)

    def force(r: float) -> float:
        return 24 * ARGON_EPSILON * (2 * (ARGON_SIGMA / r) ** 12 - (ARGON_SIGMA / r) ** 6) / r

    result = potential(state_of([pair(distance)]))
    expected = plain(distance) - plain(cutoff) + (distance - cutoff) * force(cutoff)
    assert float(result["energy"]) == pytest.approx(expected, abs=1e-14)
    assert result["forces"][1].tolist() == pytest.approx([force(distance) - force(cutoff), 0, 0], abs=1e-14)


def test_energy_and_force_vanish_at_the_cutoff(potential: LennardJonesPotential) -> None:
    result = potential(state_of([pair(potential.cutoff - 1e-6), pair(potential.cutoff + 1e-6)]))
    assert result["energy"].abs().max() < 1e-14
    assert result["forces"].abs().max() < 1e-8


def test_forces_and_stress_are_derivatives(potential: LennardJonesPotential) -> None:
    atoms = melt("Ar", 12, 30.0, seed=0, closest=3.0)
    result = potential(state_of([atoms]))
    step = 1e-5
    for atom, axis in [(0, 0), (5, 1), (11, 2)]:
        shifted = [atoms.copy(), atoms.copy()]
        shifted[0].positions[atom, axis] += step
        shifted[1].positions[atom, axis] -= step
        energy = potential(state_of(shifted))["energy"]
        assert float(energy[1] - energy[0]) / (2 * step) == pytest.approx(float(result["forces"][atom, axis]), abs=1e-7)
    for row, column in [(0, 0), (1, 2), (2, 1)]:
        strained = [atoms.copy(), atoms.copy()]
        for sign, copy in zip((1, -1), strained, strict=True):
            strain = np.zeros((3, 3))
            strain[row, column] = sign * step
            copy.set_cell(atoms.cell @ (np.eye(3) + strain), scale_atoms=True)
        energy = potential(state_of(strained))["energy"]
        derivative = float(energy[0] - energy[1]) / (2 * step) / atoms.get_volume()
        assert derivative == pytest.approx(float(result["stress"][0, row, column]), abs=1e-9)


def test_batch_equals_single_and_one_atom_sees_its_images(potential: LennardJonesPotential) -> None:
    structures = [bulk("Ar", cubic=True, a=5.3), bulk("Ar", a=5.3), melt("Ar", 30, 40.0, seed=1, closest=3.0)]
    together = potential(state_of(structures))
    alone = torch.cat([potential(state_of([atoms]))["energy"] for atoms in structures])
    np.testing.assert_allclose(together["energy"], alone, atol=1e-13)
    assert float(together["energy"][0]) / 4 == pytest.approx(float(together["energy"][1]), abs=1e-13)


def test_newtons_equations_conserve_energy(potential: LennardJonesPotential) -> None:
    """Velocity Verlet at 1 fs: the shifted force leaves no drift where pairs cross the cutoff."""
    atoms = bulk("Ar", cubic=True, a=5.6).repeat(3)
    state = state_of([atoms])
    mass = 39.948 * 103.64269656
    generator = torch.Generator().manual_seed(0)
    velocities = (KB_EV * 300 / mass) ** 0.5 * torch.randn(
        state.positions.shape, generator=generator, dtype=torch.float64
    )
    result = potential(state)
    totals = []
    for _ in range(400):
        velocities += 0.5 / mass * result["forces"]
        state.positions = state.positions + velocities
        result = potential(state)
        velocities += 0.5 / mass * result["forces"]
        totals.append(float(result["energy"]) + 0.5 * mass * float(velocities.square().sum()))
    drift = (np.mean(totals[-50:]) - np.mean(totals[:50])) / len(atoms)
    assert abs(drift) < 2e-6
    assert np.std(totals) / len(atoms) < 1e-5
    assert potential.neighbors.builds < 100


def test_keeps_the_contract_of_torchsim(potential: LennardJonesPotential) -> None:
    from torch_sim.models.interface import validate_model_outputs

    validate_model_outputs(potential, torch.device("cpu"), torch.float64)
