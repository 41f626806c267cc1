"""Nequix (Koker et al. 2025, DOI 10.48550/arXiv.2508.16067), by the PyTorch part of its package."""

import hashlib
import importlib
import importlib.util
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch_sim.state import SimState

from tachylite.engines.potentials.crystals import check_crystals
from tachylite.engines.potentials.loading import LoadedPotential
from tachylite.engines.potentials.model import NeighborModel, keep_freed_memory
from tachylite.engines.potentials.neighbors import collect
from tachylite.errors import InputError, MissingPackageError

_INSTALL = "pip install 'tachylite[nequix]' && pip install --no-deps nequix"
"""The package asks for JAX with CUDA, which its PyTorch part does not use."""


class NequixPotential(NeighborModel):
    """Energy, forces and stress of Nequix for a batch of periodic systems.

    The network is that of the package nequix, called once for the whole batch in single precision, on a neighbour list
    that is kept while atoms move little; geometry, energies of the isolated atoms, sums over atoms and results are in
    double precision. `config` is the header of the weights, with `cutoff` (A), `atomic_numbers` and `atom_energies`.
    """

    def __init__(
        self,
        network: Any,
        config: dict[str, Any],
        *,
        device: str | torch.device = "cpu",
        precision: torch.dtype = torch.float32,
        compute_stress: bool = True,
        skin: float = 1.0,
    ) -> None:
        super().__init__(float(config["cutoff"]), skin, device, compute_stress=compute_stress)
        self._precision = precision
        self._network = network.to(device=self._device, dtype=precision).eval().requires_grad_(False)
        self._network.atom_energies.zero_()
        numbers = config["atomic_numbers"]
        # the package numbers the species in ascending order
        self._species = torch.full((119,), -1, device=self._device)
        self._species[sorted(numbers)] = torch.arange(len(numbers), device=self._device)
        self._isolated = torch.zeros(119, dtype=torch.float64, device=self._device)
        energies = [float(config["atom_energies"][str(number)]) for number in numbers]
        self._isolated[numbers] = torch.tensor(energies, dtype=torch.float64, device=self._device)
        if self._device.type == "cpu":
            keep_freed_memory()

    def forward(self, state: SimState, **_: Any) -> dict[str, Tensor]:
        """Compute `energy` (n_systems,) eV, `forces` (n_atoms, 3) eV/A, `stress` (n_systems, 3, 3) eV/A^3.

        A system with positions or a cell that are not finite, or a collapsed cell, gets NaN.
        """
        pairs = self.neighbors.pairs(state)
        vectors = pairs.vectors.detach().requires_grad_(self._compute_forces)
        with torch.set_grad_enabled(self._compute_forces):
            # towards the sender of a message, for either atom of a pair
            displacements = torch.cat([vectors, -vectors]).to(self._precision)
            energies = self._network.node_energies(
                displacements,
                self._species[state.atomic_numbers],
                torch.cat([pairs.second, pairs.first]),
                torch.cat([pairs.first, pairs.second]),
            )[:, 0].to(torch.float64)
        gradient = None
        if self._compute_forces:
            (gradient,) = torch.autograd.grad(energies.sum(), vectors, allow_unused=True, materialize_grads=True)
        total = energies.detach() + self._isolated[state.atomic_numbers]
        return collect(state, pairs, total, gradient, compute_stress=self._compute_stress)


def load(model: str | None, device: torch.device) -> LoadedPotential:
    """Load weights in PyTorch's form, a `.pt` file as the package writes it.

    Raises InputError for a file that does not exist, is in JAX's form or is misread, and MissingPackageError, with the
    command, without the package or what its PyTorch part needs.
    """
    if not model:
        raise InputError("engine 'nequix' needs a file: nequix:FILE with weights in PyTorch's form (.pt)")
    path = Path(model).expanduser()
    if not path.is_file():
        raise InputError(f"there is no file {model!r} with weights of Nequix; give the path of a .pt file")
    if path.suffix == ".nqx":
        raise InputError(
            f"{model} holds weights in JAX's form; convert it once, where nequix is installed with JAX: "
            "nequix.calculator.from_pretrained(model_name=NAME, backend='torch', use_kernel=False), with "
            "~/.cache/nequix/models/NAME.nqx, writes NAME.pt there"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network, config = _torch_part().load_model(str(path), use_kernel=False)
    except ImportError as error:
        raise MissingPackageError(f"engine 'nequix' needs nequix and e3nn: {_INSTALL}") from error
    except Exception as error:  # a file may be damaged in any way
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise InputError(f"{model} cannot be read as weights of Nequix ({reason}); give another file") from error
    potential = NequixPotential(network, config, device=device)
    elements = frozenset(config["atomic_numbers"])
    check_crystals(potential, elements, device, model)
    potential.reset()
    return LoadedPotential(
        potential=potential,
        name=f"Nequix {path.stem}",
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        elements=elements,
        precision="float32",
        packages=("nequix", "e3nn"),
    )


def _torch_part() -> Any:
    """Import the networks of nequix; the package itself would import JAX, which they do not need."""
    if "nequix" in sys.modules:
        return importlib.import_module("nequix.torch_impl.model")
    package = importlib.util.find_spec("nequix")
    if package is None or package.submodule_search_locations is None:
        raise ImportError("nequix")
    stand_in = ModuleType("nequix")
    stand_in.__path__ = list(package.submodule_search_locations)
    sys.modules["nequix"] = stand_in
    try:
        return importlib.import_module("nequix.torch_impl.model")
    finally:
        del sys.modules["nequix"]
