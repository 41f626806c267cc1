"""Amorphization enthalpies: energies of glasses above their crystal, over independent quenches."""

from collections.abc import Sequence

import numpy as np

from tachylite.measured import FrozenModel, Measured
from tachylite.schemas import Material
from tachylite.schemas.start import InterfaceStart, SlabStart
from tachylite.schemas.steps.relax import RelaxResult


class AmorphizationEnthalpy(FrozenModel):
    """Of one composition, by one step that relaxes glasses."""

    formula: str
    title: str
    """Of the result: `glass`."""
    mean: Measured | None
    """In eV/atom, with the standard error over quenches, infinite for one; None where all have crystallised."""
    quenches: int
    """Glasses in the mean."""
    crystallised: int
    """What has become a crystal is no glass, and not in the mean."""


def amorphization_enthalpies(materials: Sequence[Material]) -> list[AmorphizationEnthalpy]:
    """Mean energies above the crystal of materials of each composition, where crystals were given.

    The error is that of independent quenches alone: neither of the engine nor of the finite rate of cooling.
    """
    values: dict[tuple[str, str], list[float]] = {}
    crystallised: dict[tuple[str, str], int] = {}
    for material in materials:
        if isinstance(material.start, SlabStart | InterfaceStart):  # which are no glass of their composition
            continue
        for result in material.of_kind(RelaxResult):
            key = (material.formula, result.title)
            if result.above_crystal_ev_per_atom is not None:
                values.setdefault(key, []).append(result.above_crystal_ev_per_atom)
            elif result.order is not None and result.order.crystalline:
                crystallised[key] = crystallised.get(key, 0) + 1
    return [
        AmorphizationEnthalpy(
            formula=formula,
            title=title,
            mean=_mean(values.get((formula, title), [])),
            quenches=len(values.get((formula, title), [])),
            crystallised=crystallised.get((formula, title), 0),
        )
        for formula, title in dict.fromkeys([*values, *crystallised])
    ]


def _mean(values: Sequence[float]) -> Measured | None:
    if not values:
        return None
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else float("inf")
    return Measured(value=float(np.mean(values)), error=error)
