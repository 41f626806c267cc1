"""What the page shows of a volume search: P(V), its samples, the volume found."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tachylite.report import charts as figures
from tachylite.report.drawing.chart import Chart
from tachylite.report.parts import ENERGY, PER_ATOM, Row, Table
from tachylite.report.text import quantity
from tachylite.schemas.steps.volume import VolumeResult


def rows(result: VolumeResult) -> Iterator[Row]:
    """Temperature, volume, pressure and stiffness."""
    yield Row("temperature", f"{result.temperature_k:g}", key=True, unit="K")
    convention = result.pressure_convention
    if result.volume_a3 is None:
        yield Row("volume", "vapour" if result.vapour else "none found", result.reason or "", weak=True, key=True)
    else:
        volume = result.volume_a3 / result.n_atoms
        yield Row("volume", quantity(volume), f"of zero {convention} pressure", key=True, unit=PER_ATOM)
    if result.pressure_gpa is not None:
        yield Row(f"{convention} pressure", quantity(result.pressure_gpa), "verified", unit="GPa")
    equation = result.equation_of_state
    if equation is not None:
        yield Row("bulk modulus", quantity(equation.bulk_modulus_gpa), "Birch-Murnaghan", key=True, unit="GPa")


def charts(results: Sequence[VolumeResult]) -> Iterator[Chart]:
    """Pressure against volume, a panel for each result."""
    if sampled := [result for result in results if result.samples]:
        chart = figures.pressure_volume(sampled)
        yield replace(chart, name=f"{sampled[0].step}_{chart.name}")


def tables(result: VolumeResult) -> Iterator[Table]:
    """The points of P(V): volume, pressure, temperature, energy, drift, purpose."""
    if not result.samples:
        return
    convention = result.pressure_convention
    # under the virial convention both pressures are one
    both = convention == "total"
    columns = (
        "purpose",
        "attempt",
        f"V ({PER_ATOM})",
        f"{convention} P (GPa)",
        *(("virial P (GPa)",) if both else ()),
        "T (K)",
        f"energy ({ENERGY})",
        "energy drift (10⁻³)",
        "steps",
    )
    cells = tuple(
        (
            sample.purpose,
            str(sample.attempt),
            quantity(sample.volume_a3 / result.n_atoms),
            quantity(sample.pressure_gpa),
            *((quantity(sample.virial_gpa),) if both else ()),
            quantity(sample.temperature_k),
            quantity(sample.energy_ev_per_atom),
            quantity(1e3 * sample.energy_drift, digits=2),
            f"{sample.steps:,}",
        )
        for sample in result.samples
    )
    yield Table("Samples of the volume search", columns, cells)
