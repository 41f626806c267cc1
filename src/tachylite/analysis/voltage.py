"""Voltages of one host at several contents of ions, and of several cells of one host."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from tachylite.errors import InputError
from tachylite.measured import Measured
from tachylite.physics.thermodynamics.voltage import VoltageStep, stable_contents, voltage_steps
from tachylite.schemas import Provenance
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.steps.ions import IonResult, IonStage
from tachylite.schemas.voltage import MeanVoltage, VoltageEnsemble

_CORRECTIONS = "corrections"
"""Option of a calculation that names the corrections of its energy."""


def voltages_of(
    stages: Sequence[IonStage], host_units: float, metal: Relaxation | None, charge: float
) -> dict[str, Any]:
    """Fields of a result: its stages with their voltages, plateaus, the mean voltage, the energy of the metal.

    `metal` is the crystal of the ion's element, relaxed. Raises InputError where it is not there, has failed, or is of
    another level of theory than the stages, and where only some energies are corrected.
    """
    if metal is None:
        raise InputError("there is no relaxed crystal of the ion's element to compare energies with")
    if metal.status == "failed":
        raise InputError(f"the crystal of {metal.formula} did not relax: {metal.reason}")
    for stage in stages:
        _check_same_level(stage.relaxation.provenance, metal.provenance, metal.formula)

    def between(places: Sequence[int]) -> list[VoltageStep]:
        contents = [stages[place].content for place in places]
        energies = [stages[place].energy_ev / host_units for place in places]
        return voltage_steps(contents, energies, metal.energy_ev_per_atom, charge)

    stable = stable_contents([stage.content for stage in stages], [stage.energy_ev for stage in stages])
    ends = [0, len(stages) - 1][: len(stages)]
    voltages = [None, *(between(pair)[0].voltage_v for pair in pairwise(range(len(stages))))]
    return {
        "metal_ev_per_atom": metal.energy_ev_per_atom,
        "plateaus": between(stable),
        "average_voltage_v": between(ends)[0].voltage_v if len(stages) > 1 else None,
        "stages": [
            stage.model_copy(update={"voltage_v": voltage, "is_stable": place in stable})
            for place, (stage, voltage) in enumerate(zip(stages, voltages, strict=True))
        ],
    }


def _check_same_level(stage: Provenance, metal: Provenance, formula: str) -> None:
    """Raise InputError where energies are not of one level of theory, or only one of them is corrected."""
    if not stage.is_comparable_with(metal):
        raise InputError(f"{formula} is computed with {metal.level}, the host with {stage.level}")
    if stage.options.get(_CORRECTIONS) != metal.options.get(_CORRECTIONS):
        raise InputError(
            f"energies of the host are corrected by {stage.options.get(_CORRECTIONS)}, that of {formula} by "
            f"{metal.options.get(_CORRECTIONS)}; corrected and uncorrected energies are not compared"
        )


@dataclass(frozen=True)
class Cell:
    """One cell of a host: the material it is of, and what a step of ions gave it."""

    material_id: str
    result: IonResult

    @property
    def kind(self) -> tuple[str, ...]:
        """What cells of one ensemble share; the last is the order at the first content."""
        result = self.result
        order = None if result.first_order is None else result.first_order.crystalline
        level = "" if result.provenance is None else result.provenance.level
        return result.element, result.host, result.step, level, _ORDERS[order]

    def energy_ev(self, content: float) -> float:
        """Of a formula unit at one of its contents."""
        stage = min(self.result.stages, key=lambda stage: abs(stage.content - content))
        return stage.energy_ev / (self.result.host_units or 1.0)

    def voltage_v(self, low: float, high: float) -> float:
        """Between two of its contents."""
        energies = [self.energy_ev(low), self.energy_ev(high)]
        assert self.result.metal_ev_per_atom is not None  # noqa: S101 - for the type checker: it has voltages
        assert self.result.charge is not None  # noqa: S101
        return voltage_steps([low, high], energies, self.result.metal_ev_per_atom, self.result.charge)[0].voltage_v


_ORDERS: dict[bool | None, Literal["amorphous", "crystalline", "not decided"]] = {
    True: "crystalline",
    False: "amorphous",
    None: "not decided",
}


def gather_voltages(cells: Sequence[Cell]) -> list[VoltageEnsemble]:
    """Mean voltages of independent cells of one kind, with their scatter, beside those of the crystal.

    Cells whose step is not completed, or that have no voltages, are left out.
    """
    groups: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        if cell.result.status == "completed" and cell.result.average_voltage_v is not None:
            groups.setdefault(cell.kind, []).append(cell)
    return [_ensemble(group, groups.get((*kind[:-1], _ORDERS[True]))) for kind, group in sorted(groups.items())]


def _ensemble(cells: Sequence[Cell], crystals: Sequence[Cell] | None) -> VoltageEnsemble:
    element, host, step, level, order = cells[0].kind
    shared = _shared_contents(cells)
    steps = [_mean(cells, low, high) for low, high in pairwise(shared)]
    metal_ev, charge = cells[0].result.metal_ev_per_atom, cells[0].result.charge
    lowest = [min(cell.energy_ev(content) for cell in cells) for content in shared]
    stable = stable_contents(shared, lowest)
    assert metal_ev is not None  # noqa: S101 - for the type checker: these cells have voltages
    assert charge is not None  # noqa: S101
    return VoltageEnsemble(
        element=element,
        host=host,
        order=order,
        step=step,
        level=level,
        material_ids=[cell.material_id for cell in cells],
        steps=steps,
        average=_mean(cells, shared[0], shared[-1]) if steps else None,
        plateaus=voltage_steps([shared[i] for i in stable], [lowest[i] for i in stable], metal_ev, charge),
        over_crystal=_over(cells, crystals) if crystals and order == "amorphous" else None,
    )


def _shared_contents(cells: Sequence[Cell]) -> list[float]:
    """Contents that all cells have, from the smallest on."""
    first, *others = [{round(stage.content, 6) for stage in cell.result.stages} for cell in cells]
    return sorted(first.intersection(*others))


def _mean(cells: Sequence[Cell], low: float, high: float) -> MeanVoltage:
    voltages = np.array([cell.voltage_v(low, high) for cell in cells])
    scatter = float(voltages.std(ddof=1)) if len(voltages) > 1 else None
    error = math.inf if scatter is None else scatter / len(voltages) ** 0.5
    mean = Measured(value=float(voltages.mean()), error=error)
    return MeanVoltage(content_low=low, content_high=high, voltage_v=mean, scatter_v=scatter)


def _over(cells: Sequence[Cell], crystals: Sequence[Cell]) -> Measured | None:
    """Mean voltage of glasses over that of crystals between the contents that all have; the crystal's error is none."""
    shared = _shared_contents([*cells, *crystals])
    if len(shared) < 2:
        return None
    glass, crystal = (_mean(group, shared[0], shared[-1]).voltage_v for group in (cells, crystals))
    return glass / crystal.value
