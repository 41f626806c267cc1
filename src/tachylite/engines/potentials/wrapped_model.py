"""TorchSim models from outside this package: their wrapper, and loading a model that the user brings."""

from typing import Any

import torch
from torch import Tensor
from torch_sim.models.interface import ModelInterface
from torch_sim.state import SimState
from torch_sim.transforms import pbc_wrap_batched

from tachylite.engines.potentials.importing import call_constructor, fingerprint, import_object
from tachylite.engines.potentials.loading import LoadedPotential
from tachylite.engines.potentials.model import PotentialModel
from tachylite.engines.potentials.neighbors import find_broken
from tachylite.errors import InputError

USAGE = "give torchsim:PACKAGE.MODULE:NAME or torchsim:FILE.py:NAME, where NAME(device=...) makes a TorchSim model"


class WrappedModel(PotentialModel):
    """A TorchSim model of another package, which takes and returns double precision whatever it computes in.

    Positions are wrapped into the cell before they are rounded to the model's precision, its results are converted to
    double precision and detached, and systems with invalid positions or cell are left out and get NaN.
    """

    def __init__(self, inner: Any) -> None:
        super().__init__(inner.device)
        self.inner = inner

    def forward(self, state: SimState, **_: Any) -> dict[str, Tensor]:
        """Compute `energy` (n_systems,) eV, `forces` (n_atoms, 3) eV/A, `stress` (n_systems, 3, 3) eV/A^3."""
        intact = ~find_broken(state.positions, state.row_vector_cell, state.pbc, state.system_idx)
        atoms = intact[state.system_idx]
        computed = self.inner(self._intact_part(state, intact)) if intact.any() else {}
        results = {"energy": self._fill_with_nan(computed.get("energy"), intact)}
        if self._compute_forces:
            results["forces"] = self._fill_with_nan(computed.get("forces"), atoms, 3)
            if self._compute_stress:
                results["stress"] = self._fill_with_nan(computed.get("stress"), intact, 3, 3)
        return results

    def _fill_with_nan(self, computed: Tensor | None, intact: Tensor, *shape: int) -> Tensor:
        """Put computed rows where `intact` is true, and NaN elsewhere: (len(intact), *shape)."""
        rows = torch.full((len(intact), *shape), torch.nan, dtype=self.dtype, device=self.device)
        if computed is not None:
            rows[intact] = computed.detach().to(self.dtype)
        return rows

    def _intact_part(self, state: SimState, intact: Tensor) -> SimState:
        """The intact systems of a state, wrapped into their cells, in the precision of the model."""
        atoms = intact[state.system_idx]
        system_idx = (intact.cumsum(0) - 1)[state.system_idx[atoms]]
        positions = pbc_wrap_batched(state.positions[atoms], state.cell[intact], system_idx, state.pbc)
        precision = self.inner.dtype
        return SimState(
            positions=positions.to(precision),
            masses=state.masses[atoms].to(precision),
            cell=state.cell[intact].to(precision),
            pbc=state.pbc,
            atomic_numbers=state.atomic_numbers[atoms],
            system_idx=system_idx,
        )


def load(model: str | None, device: torch.device) -> LoadedPotential:
    """Make the user's TorchSim model that `model` names, as `package.module:NAME` or `FILE.py:NAME`.

    NAME is a class or function that takes `device`; the atomic numbers that the model was made for are its
    `supported_elements`, or all where it has none. Raises InputError where there is no such model.
    """
    if not model or ":" not in model:
        raise InputError(f"engine 'torchsim' needs a model of yours; {USAGE}")
    user_model = call_constructor("torchsim", model, import_object("torchsim", model, USAGE), USAGE, device=device)
    if not isinstance(user_model, ModelInterface):
        raise InputError(f"torchsim:{model} gives a {type(user_model).__name__}, and no TorchSim model; {USAGE}")
    return LoadedPotential(
        potential=user_model if isinstance(user_model, PotentialModel) else WrappedModel(user_model),
        name=f"{type(user_model).__name__} ({model})",
        sha256=fingerprint(model, {}),
        elements=frozenset(getattr(user_model, "supported_elements", range(1, 119))),
        precision=str(user_model.dtype).removeprefix("torch."),
    )
