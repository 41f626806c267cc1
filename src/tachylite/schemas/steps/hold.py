"""Step `hold`: molecular dynamics at a constant temperature and volume, and what it says of the state."""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator

from tachylite.measured import Measured
from tachylite.schemas.steps.base import ANALYSES_BYTES, STATE_BYTES, RunResult, Step, Temperature, Time
from tachylite.schemas.steps.columns import Column
from tachylite.schemas.structure import StructureAnalysis
from tachylite.schemas.transport import Diffusivity
from tachylite.units import FS_PER_PS


class Hold(Step):
    """Hold a state at one or several temperatures; diffusivities and structure are measured."""

    kind: Literal["hold"] = "hold"
    time_ps: Time = 20.0
    temperature_k: Annotated[
        list[Temperature], BeforeValidator(lambda value: value if isinstance(value, list) else [value])
    ] = []
    """If not given, that of the state which is continued."""

    draws_random_numbers: ClassVar[bool] = True

    @property
    def recorded_ps(self) -> float:
        """The whole hold."""
        return self.time_ps

    @property
    def temperatures_k(self) -> Sequence[float | None]:
        """Those given, or that of the state."""
        return self.temperature_k or [None]

    def check(self, sources: Sequence[Step], start_temperature_k: float | None, temperature_k: float | None) -> None:
        """A temperature must be known."""
        if temperature_k is None:
            raise ValueError("needs a temperature_k: nothing before it has one")

    def outline(self, timestep_fs: float, temperature_k: float | None) -> Iterator[str]:
        """Temperature, length, number of steps."""
        steps = max(1, round(self.time_ps * FS_PER_PS / timestep_fs))
        yield f"at {temperature_k:g} K: {self.time_ps:g} ps, {steps:,} steps"

    def document_bytes(self, n_atoms: int) -> int:
        """Two states, and the analyses."""
        return 2 * STATE_BYTES * n_atoms + ANALYSES_BYTES


class HoldResult(RunResult):
    """A liquid, a glass or a crystal at a temperature: its run, and what was measured."""

    kind: Literal["hold"] = "hold"
    temperature_k: float
    volume_a3: Measured | None = None
    """Its error is that of the search which found it; 0 for a volume that was given."""
    density_g_cm3: Measured | None = None
    diffusivities: list[Diffusivity] = []
    structure: StructureAnalysis | None = None

    columns: ClassVar = (
        Column("density", "g_cm3", "density_g_cm3", "density", "g/cm³", "error"),
        Column(
            "D_{}",
            "cm2_s",
            "diffusivity_cm2_s",
            "D({})",
            "cm²/s",
            "interval",
            interval_path="diffusivity_interval_cm2_s",
            each="diffusivities",
        ),
        Column("crystallinity", "", "structure.crystallinity", "crystallinity", "", key=False),
    )

    @property
    def measured_diffusivities(self) -> Sequence[Diffusivity]:
        """Those of all elements; none of a state that has crystallised, which is not the one that was asked for."""
        return self.diffusivities if self.status == "completed" else ()

    @property
    def measured_structure(self) -> StructureAnalysis | None:
        """That of the whole run."""
        return self.structure

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Elements that do not diffuse measurably, and what is asked of every result."""
        yield from super().refusals()
        for diffusivity in self.diffusivities:
            if not diffusivity.diffusive:
                bound = diffusivity.upper_bound_cm2_s
                yield f"diffusivity of {diffusivity.species}", diffusivity.reason or f"below {bound:.1e} cm^2/s"
