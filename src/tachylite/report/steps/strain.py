"""What the page shows of small strains: the moduli."""

from collections.abc import Sequence

from tachylite.report.glass import elasticity_rows
from tachylite.report.parts import Row
from tachylite.schemas.steps.strain import StrainResult


def rows(result: StrainResult) -> Sequence[Row]:
    """Moduli with errors, or why there are none."""
    return [] if result.elasticity is None else elasticity_rows(result.elasticity)
