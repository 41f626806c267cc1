"""Reading CHGNet's weights from the wheel of the package chgnet or from a checkpoint file."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tachylite.errors import InputError, MissingPackageError

_WHEEL_FILES = {
    "0.3.0": "0.3.0/chgnet_0.3.0_e29f68s314m37.pth.tar",
    "r2scan": "r2scan/chgnet_r2scan_transfer_learning_e15f36s161m23.pth.tar",
    "0.2.0": "0.2.0/chgnet_0.2.0_e30f77s348m32.pth.tar",
}
"""Checkpoints inside the wheel of the package chgnet."""

_UNTRAINED = {84, 85, 86, 87, 88}
"""Atomic numbers within 1-94 that are in no structure of MPtrj (Po, At, Rn, Fr, Ra): their embeddings have the
norm of random initialisation in the published weights, and do not change in transfer learning."""

_UNTRAINED_R2SCAN = _UNTRAINED | {70}
"""The r2scan data lack ytterbium too: it has no reference energy, and its embedding is that before the transfer."""

_N_ELEMENTS = 94
"""Number of elements with an embedding, from hydrogen on."""

_REQUIRED = {
    "is_intensive": True,
    "mlp_first": True,
    "update_bond": True,
    "update_angle": True,
    "non_linearity": "silu",
    "angle_layer_hidden_dim": 0,
}


@dataclass(frozen=True)
class Weights:
    """A checkpoint: its tensors by name, and the parameters of the network."""

    name: str
    path: Path
    sha256: str
    tensors: dict[str, Tensor]
    atom_cutoff: float
    """A: pairs within it exchange messages."""
    bond_cutoff: float
    """A: pairs within it form angles."""
    envelope_power: int
    n_layers: int

    @property
    def reference_energies(self) -> Tensor:
        """Reference energies of the elements in eV, to which the network's output is added: (94,), hydrogen first."""
        return self.tensors["composition_model.fc.weight"][0]

    @property
    def elements(self) -> tuple[int, ...]:
        """Atomic numbers that the weights were trained on.

        For a checkpoint file: those of the published weights from which it may be fine-tuned.
        """
        missing = _UNTRAINED_R2SCAN if self.name == "r2scan" else _UNTRAINED
        return tuple(number for number in range(1, _N_ELEMENTS + 1) if number not in missing)


@cache
def load_weights(name: str) -> Weights:
    """Read a checkpoint of the chgnet wheel by version, or a checkpoint file by path.

    Raises InputError for a name that is neither, or a file that is not a CHGNet checkpoint of the published
    architecture, and MissingPackageError where the package chgnet is not installed.
    """
    path = _find(name)
    try:
        model = torch.load(path, map_location="cpu", weights_only=True)["model"]
        arguments: dict[str, Any] = model["model_args"]
        tensors: dict[str, Tensor] = model["state_dict"]
    except Exception as error:
        raise InputError(f"{path} is not a CHGNet checkpoint: {type(error).__name__}") from error
    for key, expected in _REQUIRED.items():
        if arguments.get(key, expected) != expected:
            raise InputError(f"{path} has {key}={arguments[key]!r}; only CHGNet with {key}={expected!r} is known")
    return Weights(
        name=name,
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        tensors=tensors,
        atom_cutoff=float(arguments["atom_graph_cutoff"]),
        bond_cutoff=float(arguments["bond_graph_cutoff"]),
        envelope_power=int(arguments["cutoff_coeff"]),
        n_layers=int(arguments["n_conv"]),
    )


def _find(name: str) -> Path:
    if name not in _WHEEL_FILES:
        if Path(name).is_file():
            return Path(name)
        raise InputError(f"no CHGNet weights {name!r}: give one of {', '.join(_WHEEL_FILES)}, or a checkpoint file")
    package = find_spec("chgnet")
    if package is None or package.origin is None:
        raise MissingPackageError("the weights of CHGNet are missing: pip install chgnet")
    return Path(package.origin).parent / "pretrained" / _WHEEL_FILES[name]
