"""Step `ramp`: cooling or heating along a straight line, then a hold at its end."""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tachylite.physics.thermodynamics.fluctuations import ResponseFunctions
from tachylite.schemas.glass import GlassTransition, HeatCapacity
from tachylite.schemas.steps.base import ANALYSES_BYTES, STATE_BYTES, Dynamics, RunResult, Step, Temperature, Time
from tachylite.schemas.steps.columns import NETWORK, Column
from tachylite.schemas.structure import StructureAnalysis
from tachylite.units import FS_PER_PS


class Ramp(Dynamics):
    """Bring a state to another temperature at a constant rate, and at constant volume or pressure."""

    kind: Literal["ramp"] = "ramp"
    temperature_k: Temperature = 300.0
    """At its end; it begins at that of the state which is continued."""
    time_ps: Time = 5.0
    hold_ps: Annotated[float, Field(ge=0)] = 3.0
    """At the end, in the same run: structure and heat capacity are measured there."""

    @property
    def recorded_ps(self) -> float:
        """The ramp and the hold at its end."""
        return self.time_ps + self.hold_ps

    @property
    def temperatures_k(self) -> Sequence[float | None]:
        """That of its end."""
        return [self.temperature_k]

    def check(self, sources: Sequence[Step], start_temperature_k: float | None, temperature_k: float | None) -> None:
        """It must begin at a temperature."""
        if start_temperature_k is None:
            raise ValueError("needs a temperature to begin at, and nothing before it has one; put a hold before it")

    def outline(self, timestep_fs: float, temperature_k: float | None) -> Iterator[str]:
        """Temperature, length, number of steps."""
        steps = max(1, round(self.time_ps * FS_PER_PS / timestep_fs))
        ramp = f"to {self.temperature_k:g} K{self.ensemble}: {self.time_ps:g} ps, {steps:,} steps"
        yield f"{ramp}, then {self.hold_ps:g} ps there"

    def document_bytes(self, n_atoms: int) -> int:
        """Two states, and the analyses."""
        return 2 * STATE_BYTES * n_atoms + ANALYSES_BYTES


class RampResult(RunResult):
    """A state that was cooled or heated, with what the ramp and the hold at its end say."""

    kind: Literal["ramp"] = "ramp"
    temperature_k: float
    """At the end."""
    start_temperature_k: float
    cooling_rate_k_s: float | None = None
    """Negative for heating."""
    transition: GlassTransition | None = None
    """Of the ramp: the kink in energy or enthalpy and, at constant pressure, in the volume."""
    heat_capacity: HeatCapacity | None = None
    """From the fluctuations of the energy in the hold, at constant volume."""
    response: ResponseFunctions | None = None
    """From the fluctuations of the hold, at constant pressure."""
    structure: StructureAnalysis | None = None
    """Of the hold."""

    columns: ClassVar = (
        Column("density", "g_cm3", "density_g_cm3", "density", "g/cm³", "error"),
        Column("cooling_rate", "k_s", "cooling_rate_k_s", "cooling rate", "K/s"),
        Column("Tg", "k", "transition.energy.temperature_k", "Tg", "K", "error", key=False),
        Column("Tg_volume", "k", "transition.volume.temperature_k", "Tg (volume)", "K", "error", key=False),
        Column("crystallinity", "", "structure.crystallinity", "crystallinity", ""),
        *NETWORK,
    )

    @property
    def measured_structure(self) -> StructureAnalysis | None:
        """That of the hold at the end."""
        return self.structure
