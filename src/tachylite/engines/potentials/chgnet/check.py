"""Check the energy that weights give for a crystal against a known value."""

import contextlib
import io
from typing import Any

import torch
from torch_sim.models.interface import ModelInterface
from torch_sim.state import SimState

from tachylite.engines.potentials.chgnet.weights import Weights
from tachylite.errors import InputError

KNOWN_ENERGIES = {
    "d14ab7c0f093efe64b60a7bcd540bca10e74fb7f46c86108a079af60524659d1": -4.926671,  # 0.3.0
    "8eba3db0f35a2788bb3ae22885ad340591e27996f213c6643af522a633b50dad": -5.564831,  # r2scan
    "ef624f78b6db9d315b4ef256f1bb3207449924191b91720dc17d3f60c5df980e": -4.929285,  # 0.2.0
}
"""eV/atom of the crystal below by SHA-256 of the weights, from CHGNetCalculator of chgnet 0.4.2."""

TOLERANCE = 1e-4
"""eV/atom."""

_NUMBERS = [8, 3, 3]
_CELL = [[0.0, 2.315, 2.315], [2.315, 0.0, 2.315], [2.315, 2.315, 0.0]]
_FRACTIONAL = [[0.0, 0.0, 0.0], [0.25, 0.25, 0.25], [0.75, 0.75, 0.75]]


def check_known_energy(model: ModelInterface, weights: Weights) -> None:
    """Compare the energy of Li2O (antifluorite, a = 4.63 A) with that of the package chgnet.

    For weights that are not in the wheel, CHGNet's own network computes the expected energy. Raises InputError
    where they differ by more than 1e-4 eV/atom.
    """
    expected = KNOWN_ENERGIES.get(weights.sha256)
    if expected is None:
        expected = _energy_by_chgnet(weights)
    energy = float(model(_crystal(model.device))["energy"]) / len(_NUMBERS)
    if not abs(energy - expected) < TOLERANCE:
        raise InputError(
            f"weights {weights.path} are misread: Li2O has {energy:.4f} instead of {expected:.4f} eV/atom; "
            "install the versions of chgnet and torch that tachylite was tested with"
        )


def _crystal(device: torch.device) -> SimState:
    cell = torch.tensor(_CELL, dtype=torch.float64, device=device)
    return SimState(
        positions=torch.tensor(_FRACTIONAL, dtype=torch.float64, device=device) @ cell,
        masses=torch.ones(len(_NUMBERS), dtype=torch.float64, device=device),
        cell=cell.mT[None],
        pbc=True,
        atomic_numbers=torch.tensor(_NUMBERS, device=device),
    )


def _energy_by_chgnet(weights: Weights) -> float:
    """Energy in eV/atom from the package chgnet, whose messages are suppressed."""
    from chgnet.model import CHGNet
    from pymatgen.core import Lattice, Structure

    content: dict[str, Any] = torch.load(weights.path, map_location="cpu", weights_only=True)["model"]
    has_biases = "bond_conv_layers.0.mlp_out.layers.1.bias" in weights.tensors
    with contextlib.redirect_stdout(io.StringIO()):
        chgnet = CHGNet.from_dict(content, mlp_out_bias=has_biases)
    prediction = chgnet.predict_structure(Structure(Lattice(_CELL), _NUMBERS, _FRACTIONAL), task="e")  # type: ignore[arg-type]  # pymatgen takes atomic numbers too
    assert isinstance(prediction, dict)  # noqa: S101 - for the type checker: one structure, one prediction
    return float(prediction["e"])
