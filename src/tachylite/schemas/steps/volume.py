"""Step `volume`: the volume at which the pressure vanishes."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field

from tachylite.measured import FrozenModel, Measured
from tachylite.schemas.run import State
from tachylite.schemas.steps.base import STATE_BYTES, Result, Step, Temperature, Time
from tachylite.schemas.steps.columns import Column
from tachylite.schemas.structure import Crystallinity
from tachylite.units import FS_PER_PS

Pressure = Literal["total", "virial"]
"""Which pressure vanishes: the total (virial plus kinetic), or the virial alone as VASP prints it."""

_SAMPLE_BYTES = 900


class VolumeSearch(Step):
    """Find the volume of zero pressure at one or several temperatures, each from the same state."""

    kind: Literal["volume"] = "volume"
    temperature_k: Annotated[
        list[Temperature],
        Field(min_length=1),
        BeforeValidator(lambda value: value if isinstance(value, list) else [value]),
    ]
    fractions: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=2)] = [0.8, 1.0, 1.2]
    """First volumes, over the starting volume."""
    equilibrate_ps: Time = 1.0
    """Stochastic thermostat, before every sample."""
    sample_ps: Time = 4.0
    """Nose-Hoover, averaged."""
    pressure_tolerance_gpa: Annotated[float, Field(gt=0)] = 0.5
    volume_tolerance: Annotated[float, Field(gt=0)] = 0.03
    """Relative error of the volume: what the pressure's error means depends on how stiff the liquid is."""
    energy_drift_tolerance: Annotated[float, Field(gt=0)] = 1e-3
    max_attempts: Annotated[int, Field(gt=0)] = 15
    """Rounds of simulation after the first scan."""

    draws_random_numbers: ClassVar[bool] = True
    prepares: ClassVar[bool] = True

    @property
    def temperatures_k(self) -> Sequence[float | None]:
        """Those of the search."""
        return self.temperature_k

    def force_calls(self, timestep_fs: float) -> int:
        """The first scan, and two more runs."""
        runs = len(self.fractions) + 2
        return round(runs * (self.equilibrate_ps + self.sample_ps) * FS_PER_PS / timestep_fs)

    def outline(self, timestep_fs: float, temperature_k: float | None) -> Iterator[str]:
        """The first volumes, and how many rounds may follow."""
        fractions = ", ".join(f"{fraction:g}" for fraction in self.fractions)
        yield (
            f"at {temperature_k:g} K: {fractions} of the volume before, each {self.equilibrate_ps:g} ps Langevin and "
            f"{self.sample_ps:g} ps Nose-Hoover; then at most {self.max_attempts} rounds more"
        )

    def document_bytes(self, n_atoms: int) -> int:
        """The job that decides in the last round holds a state and a sample for every run so far."""
        return (len(self.fractions) + self.max_attempts) * (STATE_BYTES * n_atoms + _SAMPLE_BYTES)


class VolumeSample(FrozenModel):
    """One simulated point of P(V)."""

    volume_a3: float
    pressure_gpa: Measured
    """In the convention of the search."""
    virial_gpa: Measured
    """Without the kinetic part, whatever the convention."""
    temperature_k: Measured
    energy_ev_per_atom: Measured
    energy_drift: float
    steps: int
    attempt: int
    """0 for the first scan, then counting up."""
    purpose: Literal["scan", "bracket", "verification"]
    expanded: bool
    """Whether it was reached from a denser state that repels, or repels itself: without cavities."""


class EquationOfState(FrozenModel):
    """Birch-Murnaghan on pressure, weighted, with errors."""

    volume_a3: Measured
    bulk_modulus_gpa: Measured
    bulk_modulus_derivative: Measured
    fitted_volumes_a3: tuple[float, float]
    """Smallest and largest volume that was fitted; beyond them the curve is a guess."""


class VolumeResult(Result):
    """The volume of zero pressure at a temperature, or the reason why there is none."""

    kind: Literal["volume"] = "volume"
    temperature_k: float
    vapour: bool = False
    """Whether the search ended on the vapour branch: no liquid at zero pressure in reach."""
    pressure_convention: Pressure
    volume_a3: Measured | None = None
    pressure_gpa: Measured | None = None
    """At the verified volume."""
    samples: list[VolumeSample] = []
    equation_of_state: EquationOfState | None = None
    state: State | None = None
    """Last equilibrated state at the volume found (or nearest to it)."""
    order: Crystallinity | None = None
    """Of that state."""

    columns: ClassVar = (
        Column("volume", "a3", "volume_a3", "V", "Å³/atom", "error", per_atom=True),
        Column("pressure", "gpa", "pressure_gpa", "P", "GPa", "error"),
        Column("crystallinity", "", "order.crystallinity", "crystallinity", "", key=False),
    )
    prepares: ClassVar[bool] = True

    @property
    def measured_volume_a3(self) -> Measured | None:
        """The volume that was found."""
        return self.volume_a3

    @property
    def measured_order(self) -> Crystallinity | None:
        """That of the state at the volume that was found."""
        return self.order

    @property
    def final(self) -> State | None:
        """The state at the volume that was found."""
        return self.state if self.status == "completed" else None

    @property
    def relative_error(self) -> float:
        """Standard error of the volume, and so of the density, over its value."""
        return 0.0 if self.volume_a3 is None else self.volume_a3.error / self.volume_a3.value


class Search(FrozenModel):
    """A search under way: what the runs of one member have given so far."""

    label: str
    temperature_k: float
    start: State | None
    """None where the step before left nothing to start from."""
    from_crystal: bool = False
    """Whether the start is a crystal."""
    samples: list[VolumeSample] = []
    states: list[State] = []
    """Last state of each sample."""
    failed_volumes_a3: list[float] = []
    """Volumes at which the run failed."""
    failure: str | None = None
    """Why the search cannot go on, whatever it would decide."""
    result_fields: dict[str, Any] = {}
    """What its result will say of where it comes from."""

    def start_for(self, volume_a3: float) -> tuple[State, bool]:
        """A state scaled to a volume in A^3, velocities kept, and whether it is reached by expansion.

        The nearest denser state without cavities where there is one, else the nearest of all.
        """
        clean = [
            state
            for state, sample in zip(self.states, self.samples, strict=True)
            if sample.expanded and state.volume_a3 <= volume_a3 * (1 + 1e-6)
        ]
        candidates = clean or self.states or ([self.start] if self.start else [])
        nearest = min(reversed(candidates), key=lambda state: abs(state.volume_a3 / volume_a3 - 1))
        return nearest.scaled_to(volume_a3), bool(clean)

    def extended(self, **changes: object) -> Self:
        """A copy with some fields replaced."""
        return self.model_copy(update=changes)
