"""Nequix with its published weights, against the network's own way from positions to stress."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.io import iread
from ase.neighborlist import neighbor_list
from tests.engines.potentials.sample_structures import melt, state_of
from tests.reference_data import reference, require

from tachylite.engines.contract import check_contract
from tachylite.engines.potentials import nequix
from tachylite.engines.potentials.loading import load_potential
from tachylite.errors import InputError, MissingPackageError

CPU = torch.device("cpu")
OAM = reference("models/nequix/nequix-oam-1.pt")
needs_weights = pytest.mark.reference("models/nequix")


def by_the_package(atoms: Atoms) -> Any:
    """Energy, forces and stress by the forward pass of the package, in double precision."""
    network, config = nequix._torch_part().load_model(str(OAM), use_kernel=False)
    first, second, shifts = neighbor_list("ijS", atoms, config["cutoff"])
    species = {number: index for index, number in enumerate(sorted(config["atomic_numbers"]))}
    energies, forces, stress = network.double().eval()(
        torch.tensor([species[number] for number in atoms.numbers]),
        torch.tensor(atoms.positions),
        torch.tensor(shifts, dtype=torch.float64),
        torch.tensor(np.stack([second, first])),
        torch.tensor(atoms.cell.array)[None],
        None,
        None,
        torch.zeros(len(atoms), dtype=torch.int64),
    )
    return float(energies.detach().sum()), forces.detach().numpy(), stress[0].detach().numpy()


@needs_weights
def test_energy_forces_and_stress_are_those_of_the_package() -> None:
    rocksalt = bulk("MgO", "rocksalt", a=4.2).repeat((2, 1, 1))
    rocksalt.rattle(0.1, seed=1)
    structures = [rocksalt, melt("NaCl", 3, 24.0, seed=6)]
    answer = load_potential("nequix", str(OAM), "cpu").potential(state_of(structures))
    start = 0
    for index, atoms in enumerate(structures):
        energy, forces, stress = by_the_package(atoms)
        assert float(answer["energy"][index]) == pytest.approx(energy, abs=1e-4)
        np.testing.assert_allclose(answer["forces"][start : start + len(atoms)], forces, atol=1e-4)
        np.testing.assert_allclose(answer["stress"][index], stress, atol=1e-6)
        start += len(atoms)


@needs_weights
def test_forces_of_hot_structures_are_near_those_of_density_functional_theory() -> None:
    """Not close, but with the right signs, units and order of atoms: correlated, and wrong by a part of their size."""
    frames = list(iread(require("high_tp/random-TP.xyz"), index=":4"))
    computed = load_potential("nequix", str(OAM), "cpu").potential(state_of(frames))["forces"].numpy().ravel()
    expected = np.concatenate([atoms.get_forces() for atoms in frames]).ravel()
    assert np.corrcoef(computed, expected)[0, 1] > 0.9
    assert np.abs(computed - expected).mean() < np.abs(expected).mean() / 2


@needs_weights
@pytest.mark.slow
def test_keeps_the_contract() -> None:
    structures = [melt("Li3PO4", 1, 12.0, seed=4), melt("NaCl", 1, 24.0, seed=6)]
    check_contract(load_potential("nequix", str(OAM), "cpu").potential, structures, precision="float32")


@needs_weights
@pytest.mark.slow
def test_it_is_loaded_without_jax_and_its_package_stays_importable() -> None:
    script = (
        "import sys, torch; from tachylite.engines.potentials import nequix; loaded = nequix.load(sys.argv[1], "
        "torch.device('cpu')); print(loaded.name, len(loaded.elements), 'jax' in sys.modules, 'nequix' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(OAM)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["Nequix", "nequix-oam-1", "89", "False", "False"]


def test_files_that_are_no_weights_are_refused(tmp_path: Path) -> None:
    jax, damaged = tmp_path / "weights.nqx", tmp_path / "weights.pt"
    jax.write_bytes(b"{}")
    damaged.write_bytes(b"not json\n")
    refusals = {
        None: "needs a file",
        str(tmp_path / "none.pt"): "there is no file",
        str(jax): "convert it once",
        str(damaged): "cannot be read as weights of Nequix",
    }
    for model, message in refusals.items():
        with pytest.raises(InputError, match=message) as caught:
            nequix.load(model, CPU)
        assert "\n" not in str(caught.value)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"{}\n")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingPackageError, match="pip install --no-deps nequix"):
        nequix.load(str(weights), CPU)
