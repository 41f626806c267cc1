"""Step `strain`: elastic constants from small strains of a relaxed structure."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tachylite.schemas.glass import Elasticity
from tachylite.schemas.run import State
from tachylite.schemas.steps.base import RELAXATION_STEPS, Result, Step
from tachylite.schemas.steps.columns import Column


class Strain(Step):
    """Strain a relaxed structure in six directions forth and back; its atoms relax under every strain."""

    kind: Literal["strain"] = "strain"
    amount: Annotated[float, Field(gt=0, le=0.05)] = 0.005

    def force_calls(self, timestep_fs: float) -> int:
        """Twelve strains, after each of which the atoms relax a little."""
        return 12 * RELAXATION_STEPS // 4

    def outline(self, timestep_fs: float, temperature_k: float | None) -> Iterator[str]:
        """Twenty relaxations of atoms in fixed cells."""
        yield "7 energies and 13 relaxations in fixed cells"


class StrainResult(Result):
    """Elastic constants and the moduli of their average over directions."""

    kind: Literal["strain"] = "strain"
    elasticity: Elasticity | None = None
    state: State | None = None
    """The structure that was strained."""

    columns: ClassVar = (
        Column("young_modulus", "gpa", "elasticity.young_modulus_gpa", "E", "GPa", "error"),
        Column("poisson_ratio", "", "elasticity.poisson_ratio", "ν", "", "error"),
        Column("bulk_modulus", "gpa", "elasticity.bulk_modulus_gpa.hill", "K", "GPa", "error", key=False),
        Column("shear_modulus", "gpa", "elasticity.shear_modulus_gpa.hill", "G", "GPa", "error", key=False),
    )

    @property
    def final(self) -> State | None:
        """The structure without strain."""
        return self.state

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Where there are no moduli."""
        if self.elasticity is not None and self.elasticity.reason is not None:
            yield "elastic moduli", self.elasticity.reason
