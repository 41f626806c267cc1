"""What the page shows of a relaxed structure: density and energies."""

from collections.abc import Iterator

from tachylite.report.parts import DENSITY, ENERGY, Row, crystallinity_rows, known_rows
from tachylite.report.text import quantity
from tachylite.schemas.steps.relax import RelaxResult


def rows(result: RelaxResult) -> Iterator[Row]:
    """Density, energies, and how far it was relaxed."""
    yield from known_rows(
        [
            ("density", result.density_g_cm3, DENSITY),
            ("formation energy", result.formation_energy_ev_per_atom, ENERGY),
            ("above the crystal", result.above_crystal_ev_per_atom, ENERGY),
        ]
    )
    yield from crystallinity_rows(result)
    relaxation = result.relaxation
    if relaxation is not None:
        yield Row(
            "relaxation",
            f"{relaxation.status} in {relaxation.steps} steps",
            f"largest force {quantity(relaxation.max_force_ev_a, unit='eV/Å', digits=2)}",
            weak=relaxation.status == "failed",
        )
        yield Row("energy", quantity(relaxation.energy_ev_per_atom, digits=5), unit=ENERGY)
