"""What the page shows of a compression: the equation of state and its points."""

from collections.abc import Iterator, Sequence

import numpy as np

from tachylite.physics.eos import BirchMurnaghan
from tachylite.report.drawing.chart import Axis, Chart, Level, Line, Mark, Panel, Points, floats, padded
from tachylite.report.parts import ENERGY, PER_ATOM, Row, Table, chart_of
from tachylite.report.text import quantity
from tachylite.schemas.steps.compress import CompressResult


def rows(result: CompressResult) -> Iterator[Row]:
    """Volume of zero pressure, bulk modulus and its derivative, or why there are none."""
    if result.volume_a3 is None or result.bulk_modulus_gpa is None:
        yield Row("bulk modulus", "refused", result.reason or "", weak=True, key=True)
        return
    volume = result.volume_a3 / result.n_atoms
    yield Row("bulk modulus", quantity(result.bulk_modulus_gpa), "Birch-Murnaghan at 0 K", key=True, unit="GPa")
    yield Row("volume", quantity(volume), "of zero pressure at 0 K", key=True, unit=PER_ATOM)
    yield Row("derivative of the bulk modulus", quantity(result.bulk_modulus_derivative))


def charts(results: Sequence[CompressResult]) -> Iterator[Chart]:
    """Pressure against volume with the equation of state."""
    for result in results:
        if result.points:
            yield chart_of(result, _pressure_volume(result))


def tables(result: CompressResult) -> Iterator[Table]:
    """Every volume."""
    cells = tuple(
        (
            quantity(point.volume_a3 / result.n_atoms),
            quantity(point.pressure_gpa),
            quantity(point.energy_ev_per_atom, digits=5),
        )
        for point in result.points
    )
    yield Table("Relaxed volumes", (f"V ({PER_ATOM})", "P (GPa)", f"energy ({ENERGY})"), cells)


def _pressure_volume(result: CompressResult) -> Chart:
    volumes = floats([point.volume_a3 for point in result.points]) / result.n_atoms
    pressures = floats([point.pressure_gpa for point in result.points])
    marks: list[Mark] = [Level("y", 0.0, "muted"), Points(volumes, pressures, "series-0", "relaxed atoms")]
    volume, modulus, derivative = result.volume_a3, result.bulk_modulus_gpa, result.bulk_modulus_derivative
    if volume is not None and modulus is not None and derivative is not None:
        values = volume.value, modulus.value, derivative.value
        fit = BirchMurnaghan(*values, volume.error, modulus.error, derivative.error)
        x = np.linspace(volumes.min(), volumes.max(), 60)
        marks.append(Line(x, fit.pressure(x * result.n_atoms), "ink/0.65", "Birch-Murnaghan fit", width=1.4))
    panel = Panel(
        Axis("volume (Å³/atom)", limits=padded([volumes], 0.08)),
        Axis("pressure (GPa)", limits=padded([pressures, [0.0]], 0.08)),
        tuple(marks),
    )
    caption = "Pressure of the structure with its atoms relaxed at every volume, and the fitted equation of state."
    return Chart("compression", "Compression at 0 K", caption, (panel,))
