"""How far the energies of a screen are from those of a second engine."""

from collections.abc import Sequence

import numpy as np

from tachylite.analysis.phases import Hulls
from tachylite.arrays import Array
from tachylite.errors import InputError
from tachylite.measured import Measured
from tachylite.schemas.check import CheckSummary, Difference, EnergyCheck
from tachylite.schemas.phases import RelaxedPhase
from tachylite.schemas.screen import CompositionRow

_FEWEST_SYSTEMS = 3
"""For a correction that is tested on systems which it has not seen."""


def stratified(rows: Sequence[CompositionRow], at_most: int) -> list[CompositionRow]:
    """A sample of the amorphous rows in which all kinds of compounds, and in each all systems, have their turn."""
    waiting: dict[str, dict[str, list[CompositionRow]]] = {}
    # an order that has nothing to do with the composition, and is the same every time
    for row in sorted((row for row in rows if row.is_amorphous), key=lambda row: row.material_id):
        waiting.setdefault(row.chemistry, {}).setdefault(row.system, []).append(row)
    chosen: list[CompositionRow] = []
    while waiting and len(chosen) < at_most:
        for chemistry in sorted(waiting):
            systems = waiting[chemistry]
            system = next(iter(systems))
            own = systems.pop(system)
            chosen.append(own.pop(0))
            if own:
                systems[system] = own
            elif not systems:
                del waiting[chemistry]
    return chosen[:at_most]


def with_checks(
    rows: Sequence[CompositionRow], checks: Sequence[EnergyCheck], phases: Sequence[RelaxedPhase]
) -> list[CompositionRow]:
    """Rows with formation energies by the second engine, above its own elements (`phases`)."""
    by_material, hulls = {check.material_id: check for check in checks}, Hulls(phases)
    return [_with_check(row, by_material.get(row.material_id), hulls) for row in rows]


def _with_check(row: CompositionRow, check: EnergyCheck | None, hulls: Hulls) -> CompositionRow:
    if check is None or check.energy_ev_per_atom is None:
        return row
    try:
        hull = hulls.of(row.fractions)
    except InputError:  # an element that the second engine could not relax
        return row
    energies = {
        "check_formation_energy_ev_per_atom": check.energy_ev_per_atom,
        "check_relaxed_formation_energy_ev_per_atom": check.relaxed_energy_ev_per_atom,
    }
    above = {name: None if e is None else hull.formation_energy(row.fractions, e) for name, e in energies.items()}
    return row.model_copy(update={"check_engine": check.provenance.engine} | above)


def summarise(rows: Sequence[CompositionRow]) -> CheckSummary | None:
    """Differences of the rows that a second engine has computed; None where there are none."""
    checked = [row for row in rows if row.check_formation_energy_ev_per_atom is not None and row.is_amorphous]
    if not checked:
        return None
    first = np.array([row.formation_energy_ev_per_atom for row in checked], dtype=float)
    second = np.array([row.check_formation_energy_ev_per_atom for row in checked], dtype=float)
    systems = np.array([row.system for row in checked])
    kinds = np.array([row.chemistry for row in checked])
    corrected = _corrected(first, second, systems)
    slope, offset = (None, None) if corrected is None else np.polyfit(first, second, 1)
    differences = [
        _difference(kind, np.ones(len(kinds), bool) if kind == "all" else kinds == kind, first, second, corrected)
        for kind in ["all", *sorted(set(kinds))]
    ]
    return CheckSummary(
        differences=differences,
        slope=None if slope is None else float(slope),
        offset_ev_per_atom=None if offset is None else float(offset),
    )


def _corrected(first: Array, second: Array, systems: Array) -> Array | None:
    """Energies of the first engine, each corrected by a line that was fitted to the other systems."""
    if len(set(systems)) < _FEWEST_SYSTEMS:
        return None
    corrected = np.empty_like(first)
    for system in set(systems):
        held_out = systems == system
        slope, offset = np.polyfit(first[~held_out], second[~held_out], 1)
        corrected[held_out] = offset + slope * first[held_out]
    return corrected


def _difference(kind: str, chosen: Array, first: Array, second: Array, corrected: Array | None) -> Difference:
    difference = (first - second)[chosen]
    return Difference(
        chemistry=kind,
        count=int(chosen.sum()),
        mae_ev_per_atom=_mean(np.abs(difference)),
        mean_ev_per_atom=_mean(difference),
        mae_corrected_ev_per_atom=None if corrected is None else _mean(np.abs((corrected - second)[chosen])),
    )


def _mean(values: Array) -> Measured:
    """Mean with its standard error; of a single value that is not known."""
    error = float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else float("nan")
    return Measured(value=float(values.mean()), error=error)
