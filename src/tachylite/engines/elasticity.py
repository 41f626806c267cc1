"""Elastic constants of relaxed structures, by an engine."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tachylite.engines.base import Engine
from tachylite.physics.thermodynamics.elasticity import deformation, elastic_constants
from tachylite.schemas import State
from tachylite.schemas.glass import Elasticity
from tachylite.schemas.relaxation import Relaxation
from tachylite.units import GPA_PER_EV_A3

STRAIN = 0.005

_ANY_FORCE_EV_A = 1e3
"""No force is larger, so that atoms stay where they are and the engine gives the stress only."""
_FORCE_OF_STRAIN = 0.02


def measure_elasticity(engine: Engine, state: State, workdir: Path, strain: float = STRAIN) -> Elasticity:
    """Strain a relaxed structure in six directions forth and back, relax its atoms, and read the stresses.

    The atoms are relaxed until no force exceeds 2 % of what the strain itself does to an atom: a force of
    `strain * C * (V / N)^(2/3)`, where C is the largest constant without any relaxation. A structure or a strain that
    does not relax so far is refused, with the reason in the document.
    """
    common = {
        "formula": state.formula,
        "n_atoms": len(state.numbers),
        "strain": strain,
        "provenance": engine.provenance(),
    }
    unrelaxed = _relax(engine, [state, *(_strained(state, i, strain) for i in range(6))], workdir, _ANY_FORCE_EV_A)
    if (reason := _complaint(unrelaxed)) is not None:
        return Elasticity(reason=reason, **common)
    stresses = np.array([r.stress_gpa for r in unrelaxed])
    stiffness = float(np.abs(stresses[1:] - stresses[0]).max()) / strain / GPA_PER_EV_A3
    limit = _FORCE_OF_STRAIN * strain * stiffness * (state.volume_a3 / len(state.numbers)) ** (2 / 3)
    common["max_force_ev_a"] = limit
    (start,) = _relax(engine, [state], workdir, limit)
    if (reason := _complaint([start])) is not None:
        return Elasticity(reason=reason, **common)
    signs = [strain] * 6 + [-strain] * 6
    strained = [_strained(start.state, i % 6, amount) for i, amount in enumerate(signs)]
    relaxed = _relax(engine, strained, workdir, limit)
    if (reason := _complaint(relaxed)) is not None:
        return Elasticity(reason=reason, **common)
    stresses = np.array([r.stress_gpa for r in relaxed])
    constants = elastic_constants(stresses[:6], stresses[6:], np.array(start.stress_gpa), strain)
    return Elasticity(start_stress_gpa=start.stress_gpa, **common, **dict(constants))


def _relax(engine: Engine, states: Sequence[State], workdir: Path, max_force_ev_a: float) -> list[Relaxation]:
    labels = [f"strain {i}" if i else "no strain" for i in range(len(states))]
    return engine.relax(states, workdir, relax_cell=False, labels=labels, max_force_ev_a=max_force_ev_a)


def _strained(state: State, component: int, amount: float) -> State:
    matrix = deformation(component, amount)
    return State(
        numbers=state.numbers,
        positions=(np.array(state.positions) @ matrix).tolist(),
        cell=(np.array(state.cell) @ matrix).tolist(),
    )


def _complaint(relaxed: Sequence[Relaxation]) -> str | None:
    for relaxation in relaxed:
        if relaxation.status == "failed":
            return f"under {relaxation.label}: {relaxation.reason}"
        if relaxation.stress_gpa is None:
            return "the engine gives no stress"
    return None
