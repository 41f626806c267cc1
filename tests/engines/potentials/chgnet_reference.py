import contextlib
import io
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from ase import Atoms
from numpy.typing import NDArray

GPA = 160.21766208
"""eV/A^3 in GPa, the value that CHGNet uses."""


@dataclass(frozen=True)
class Reference:
    """What CHGNet's own network gives in double precision, where its rounding does not blur a comparison."""

    energy_ev_per_atom: float
    forces: NDArray[np.float64]
    stress_gpa: NDArray[np.float64]


@cache
def _double_network(version: str) -> tuple[Any, torch.Tensor]:
    from chgnet.model import CHGNet

    with contextlib.redirect_stdout(io.StringIO()):
        network = CHGNet.load(model_name=version, verbose=False, use_device="cpu").double()
    network.graph_converter.set_isolated_atom_response("ignore")
    # its composition model computes in single precision only
    reference = network.composition_model.get_parameter("fc.weight")[0].detach().double()
    network.composition_model = None  # type: ignore[assignment]  # so does CHGNet, where it has none
    return network, reference


def chgnet_in_double(atoms: Atoms, version: str) -> Reference:
    """Energy, forces and stress from the package chgnet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pymatgen.io.ase import AseAtomsAdaptor

        network, reference = _double_network(version)
        bare = Atoms(atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True)
        with (
            patch("chgnet.graph.converter.TORCH_DTYPE", torch.float64),
            patch("chgnet.model.model.TORCH_DTYPE", torch.float64),
        ):
            answer = network.predict_structure(AseAtomsAdaptor.get_structure(bare), task="efs")
    energy = float(answer["e"]) + float(reference[torch.as_tensor(atoms.numbers) - 1].mean())
    return Reference(energy, answer["f"], answer["s"])
