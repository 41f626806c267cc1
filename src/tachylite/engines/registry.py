"""Engines by name."""

from typing import Any

from tachylite.engines.base import Engine
from tachylite.errors import InputError

TORCHSIM_POTENTIALS = ("chgnet", "lennard-jones")


def get_engine(name: str = "chgnet", **options: Any) -> Engine:
    """Return the engine of that name; options go to its model.

    `chgnet` takes `model` (a version inside the CHGNet wheel, or a checkpoint file) and `device`;
    `lennard-jones` (argon) takes `device`. Raises InputError for an unknown name or option.
    """
    if name in TORCHSIM_POTENTIALS:
        from tachylite.engines.torchsim import TorchSimEngine

        return TorchSimEngine.from_options(name, options)
    raise InputError(f"unknown engine {name!r}; engines are {', '.join(TORCHSIM_POTENTIALS)}")
