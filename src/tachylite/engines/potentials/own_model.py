"""A TorchSim model that the user brings."""

import torch
from torch_sim.models.interface import ModelInterface

from tachylite.engines.potentials.importing import build, fingerprint, import_name
from tachylite.engines.potentials.loading import LoadedModel
from tachylite.engines.potentials.model import Model
from tachylite.engines.potentials.torchsim_models import ForeignModel
from tachylite.errors import InputError

WAYS = "give torchsim:PACKAGE.MODULE:NAME or torchsim:FILE.py:NAME, where NAME(device=...) makes a TorchSim model"


def load(model: str | None, device: torch.device) -> LoadedModel:
    """Make the TorchSim model that `model` names, as `package.module:NAME` or `FILE.py:NAME`.

    NAME is a class or function that takes `device`; the atomic numbers that the model was made for are its
    `supported_elements`, or all where it has none. Raises InputError where there is no such model.
    """
    if not model or ":" not in model:
        raise InputError(f"engine 'torchsim' needs a model of yours; {WAYS}")
    own = build("torchsim", model, import_name("torchsim", model, WAYS), WAYS, device=device)
    if not isinstance(own, ModelInterface):
        raise InputError(f"torchsim:{model} gives a {type(own).__name__}, and no TorchSim model; {WAYS}")
    return LoadedModel(
        potential=own if isinstance(own, Model) else ForeignModel(own),
        name=f"{type(own).__name__} ({model})",
        sha256=fingerprint(model, {}),
        elements=frozenset(getattr(own, "supported_elements", range(1, 119))),
        precision=str(own.dtype).removeprefix("torch."),
    )
