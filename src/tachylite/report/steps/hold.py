"""What the page shows of a hold: density, diffusivities, the run."""

from collections.abc import Iterator

from tachylite.report.parts import DENSITY, DIFFUSIVITY, PER_ATOM, Row, crystallinity_rows, diffusivity, run_rows
from tachylite.report.text import quantity
from tachylite.schemas.steps.hold import HoldResult


def rows(result: HoldResult) -> Iterator[Row]:
    """Temperature, volume, density, diffusivities, and how it was run."""
    yield Row("temperature", f"{result.temperature_k:g}", key=True, unit="K")
    if result.volume_a3 is not None and result.volume_a3.error == 0:
        volume = result.volume_a3.value / result.n_atoms
        yield Row("volume", quantity(volume), "held: no search", unit=PER_ATOM)
    if result.density_g_cm3 is not None:
        density = result.density_g_cm3
        yield Row("density", quantity(density.value, density.error or None), key=True, unit=DENSITY)
    for measured in result.diffusivities:
        weak = not measured.diffusive
        reason = measured.reason or "" if weak else ""
        yield Row(f"D({measured.species})", diffusivity(measured), reason, weak, key=True, unit=DIFFUSIVITY)
    yield from crystallinity_rows(result, key=result.status == "failed")
    yield from run_rows(result.run)
