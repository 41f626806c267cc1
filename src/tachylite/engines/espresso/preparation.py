"""What two short calculations say before the long one: the k-mesh, by the gap, and the error of the pressure.

A stress is the derivative of the energy with a fixed number of plane waves, not with a fixed cutoff, so that it is too
compressive or too tensile as long as the energy depends on the cutoff (DOI 10.1088/0953-8984/2/19/007).
"""

import json
from dataclasses import asdict, dataclass, replace
from math import log
from pathlib import Path

from tachylite.engines.espresso.inputs import Task
from tachylite.engines.espresso.program import Program
from tachylite.engines.espresso.settings import CUTOFF_KSPACING, INSULATOR_KSPACING, k_mesh, kspacing_for_gap
from tachylite.engines.interruption import Interruption, must_end
from tachylite.engines.workdir import write_atomically
from tachylite.schemas import State
from tachylite.units import GPA_PER_EV_A3

RECORD = "preparation.json"

LOWER, HIGHER = 0.95, 1.05
"""Cutoffs of the two calculations, relative to the one asked for."""


@dataclass(frozen=True)
class Preparation:
    """The k-mesh of a calculation, as its largest distance of k-points in 1/A, and the error of its pressure."""

    kspacing_per_a: float
    gap_ev: float | None
    cutoff_slope_ev: float
    """Derivative of the energy of the cell by the logarithm of the cutoff; negative, and 0 when it is converged."""

    def pulay_pressure_gpa(self, volume_a3: float) -> float:
        r"""Error of the pressure, which is to be subtracted: P = (2 / 3V) dE / d ln(Ecut).

        ======  ====================================
        symbol  meaning
        ======  ====================================
        P       Pulay pressure, in GPa
        V       volume of the cell, in A^3
        E       energy of the cell, in eV
        Ecut    cutoff of the wave functions
        ======  ====================================

        Measured: 48 GPa less than converged for MgO at 60 Ry against an estimate of 51, 0.34 at 80 Ry against 0.48;
        51.3 against 52.2 for CuZr at 60 Ry.
        """
        return 2 / 3 * self.cutoff_slope_ev / volume_a3 * GPA_PER_EV_A3


def prepare(
    program: Program, state: State, folder: Path, interruption: Interruption, label: str, *, max_crashes: int
) -> Preparation | str:
    """Compute or read the preparation of a calculation in `folder`; why there is none, in one line, where it fails.

    A pw.x that crashes is called again, at most `max_crashes` times for each of the two calculations, without use of
    symmetry: at the edge of the sphere of plane waves rounding may break one that pw.x relies on.
    """
    record = folder / RECORD
    if record.exists():
        return Preparation(**json.loads(record.read_bytes()))
    level = program.level
    kspacing = level.kspacing_per_a
    coarse = INSULATOR_KSPACING if kspacing is None else max(kspacing, CUTOFF_KSPACING)
    task = Task("scf", k_mesh(state.cell, coarse), stress=False)
    energies: list[float] = []
    gap, earlier = None, None
    for name, factor in (("lower", LOWER), ("higher", HIGHER)):
        if must_end(interruption, 0.0):
            interruption.end(f"before {label}")
        place = folder / f"cutoff-{name}"
        varied = replace(program, level=replace(level, ecutwfc_ry=level.ecutwfc_ry * factor))
        for crashes in range(max_crashes + 1):
            own = replace(task, scratch=earlier is None, symmetric=crashes == 0)
            output, error = varied.compute(place, state, own, interruption, earlier=earlier)
            final = output.final if error is None else None
            if final is not None or must_end(interruption, 0.0) or "did not converge" in (error or ""):
                break
        if final is None or not final.converged:
            if must_end(interruption, 0.0):
                interruption.end(f"before {label}")
            return error or f"pw.x ended without a result; see {place}"
        energies.append(final.energy_ev)
        gap, earlier = output.gap_ev, place
    kspacing = kspacing or kspacing_for_gap(gap or 0.0)
    slope = (energies[1] - energies[0]) / log(HIGHER / LOWER)
    preparation = Preparation(kspacing, gap, slope)
    write_atomically(record, json.dumps(asdict(preparation)).encode())
    return preparation


def cutoff_refusal(pulay_gpa: float, level_ry: float, max_pulay_gpa: float) -> str | None:
    """Why pressures with this error are refused, or None: what is left after its correction is a tenth of it."""
    if abs(pulay_gpa) <= max_pulay_gpa:
        return None
    return (
        f"the pressure is not converged with the cutoff: {pulay_gpa:.1f} GPa of error at {level_ry:g} Ry; "
        f"give a higher ecutwfc, or allow a correction of that size by max_pulay_gpa"
    )
