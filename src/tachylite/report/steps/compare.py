"""What the page shows of a comparison: how far the frames of a run are from another engine."""

from collections.abc import Iterator

from tachylite.report.parts import ENERGY, Row
from tachylite.report.text import quantity
from tachylite.schemas.steps.compare import CompareResult


def rows(result: CompareResult) -> Iterator[Row]:
    """Differences of forces, energy and pressure, and between which methods."""
    if result.force_rmse_ev_a is None:
        yield Row("comparison", "none", result.reason or "", weak=True, key=True)
        return
    yield Row("force components, RMS difference", quantity(result.force_rmse_ev_a), key=True, unit="eV/Å")
    width = quantity(result.energy_scatter_ev_per_atom, digits=2)
    scatter = f"scatters by {width} {ENERGY} over {result.n_frames} frames"
    yield Row("energy above", quantity(result.energy_above_ev_per_atom), scatter, key=True, unit=ENERGY)
    if result.pressure_above_gpa is not None:
        yield Row("pressure above", quantity(result.pressure_above_gpa), key=True, unit="GPa")
    yield Row("compared with", result.level)
