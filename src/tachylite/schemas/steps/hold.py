"""Step `hold`: molecular dynamics at a constant temperature, at constant volume or pressure, and what it says."""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from tachylite.physics.thermodynamics.fluctuations import ResponseFunctions
from tachylite.schemas.layers import LayerAnalysis
from tachylite.schemas.steps.base import ANALYSES_BYTES, STATE_BYTES, Dynamics, RunResult, Step, Temperature, Time
from tachylite.schemas.steps.columns import NETWORK, Column
from tachylite.schemas.structure import StructureAnalysis
from tachylite.schemas.transport import Diffusivity
from tachylite.units import FS_PER_PS

LAYER_BYTES = 20_000
"""Bytes of BSON for what is measured in a layer: some elements, a few dozen kinds of groups and bonds."""


class Hold(Dynamics):
    """Hold a state at one or several temperatures; diffusivities and structure are measured."""

    kind: Literal["hold"] = "hold"
    time_ps: Time = 20.0
    # left out where it is 0, so that materials of before keep their ids
    layers: Annotated[int, Field(ge=0, le=200, exclude_if=lambda layers: layers == 0)] = 0
    """Layers along the third lattice vector in which it is also analysed, as a slab or an interface; 0 for none."""
    temperature_k: Annotated[
        list[Temperature], BeforeValidator(lambda value: value if isinstance(value, list) else [value])
    ] = []
    """If not given, that of the state which is continued."""

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
        yield f"at {temperature_k:g} K{self.ensemble}: {self.time_ps:g} ps, {steps:,} steps"

    def document_bytes(self, n_atoms: int) -> int:
        """Two states, and the analyses."""
        return 2 * STATE_BYTES * n_atoms + ANALYSES_BYTES + LAYER_BYTES * self.layers


class HoldResult(RunResult):
    """A liquid, a glass or a crystal at a temperature: its run, and what was measured."""

    kind: Literal["hold"] = "hold"
    temperature_k: float
    diffusivities: list[Diffusivity] = []
    structure: StructureAnalysis | None = None
    response: ResponseFunctions | None = None
    """At constant pressure, from its fluctuations."""
    layers: LayerAnalysis | None = None
    """Where the step asks for layers."""
    layers_reason: str | None = None
    """Why there are none though it does."""

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
        Column(
            "sigma_{}",
            "s_cm",
            "conductivity.nernst_einstein_s_cm",
            "σ({})",
            "S/cm",
            "interval",
            interval_path="conductivity.nernst_einstein_interval_s_cm",
            each="diffusivities",
            key=False,
        ),
        Column(
            "compressibility",
            "per_gpa",
            "response.compressibility_per_gpa",
            "compressibility",
            "1/GPa",
            "error",
            key=False,
        ),
        Column(
            "thermal_expansion",
            "per_k",
            "response.thermal_expansion_per_k",
            "thermal expansion",
            "1/K",
            "error",
            key=False,
        ),
        Column(
            "heat_capacity",
            "j_mol_k",
            "response.heat_capacity.j_mol_k",
            "heat capacity",
            "J/mol K",
            "error",
            key=False,
        ),
        Column("crystallinity", "", "structure.crystallinity", "crystallinity", "", key=False),
        *NETWORK,
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
        if self.layers_reason is not None:
            yield "layers", self.layers_reason
        for diffusivity in self.diffusivities:
            if not diffusivity.diffusive:
                bound = diffusivity.upper_bound_cm2_s
                yield f"diffusivity of {diffusivity.species}", diffusivity.reason or f"below {bound:.1e} cm^2/s"
