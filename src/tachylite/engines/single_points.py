"""Energy, forces and stress of structures as they are, by any engine."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tachylite.engines.base import Engine
from tachylite.schemas import State
from tachylite.schemas.evaluation import SinglePoint
from tachylite.schemas.relaxation import Relaxation
from tachylite.units import GPA_PER_EV_A3

_NO_FORCE_IS_TOO_LARGE_EV_A = 1e3
"""With this criterion a relaxation ends after its first calculation."""


def compute_single_points(engine: Engine, states: Sequence[State], workdir: Path) -> list[SinglePoint]:
    """Compute structures as they are; NaN, with the reason, where that fails. What is finished is kept in `workdir`."""
    from tachylite.engines.torchsim.engine import TorchSimEngine

    if isinstance(engine, TorchSimEngine):
        return engine.single_points(states)
    labels = [f"{state.formula} {number}" for number, state in enumerate(states)]
    done = engine.relax(states, workdir, relax_cell=False, labels=labels, max_force_ev_a=_NO_FORCE_IS_TOO_LARGE_EV_A)
    return [_single_point(relaxation) for relaxation in done]


def _single_point(relaxation: Relaxation) -> SinglePoint:
    if relaxation.status == "failed" or relaxation.forces_ev_a is None or relaxation.stress_gpa is None:
        unknown = np.full((relaxation.n_atoms, 3), np.nan)
        return SinglePoint(float("nan"), unknown, None, relaxation.reason or "no forces were kept")
    energy = relaxation.energy_ev_per_atom * relaxation.n_atoms
    return SinglePoint(energy, np.array(relaxation.forces_ev_a), np.array(relaxation.stress_gpa) / GPA_PER_EV_A3)
