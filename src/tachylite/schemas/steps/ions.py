"""What the steps `insert` and `remove` share: ions in or out, so many at a time, every stage a result."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from tachylite.measured import FrozenModel, Measured
from tachylite.physics.composition import parse_formula
from tachylite.physics.elements import reference_crystal
from tachylite.physics.ions import Rule
from tachylite.physics.thermodynamics.voltage import VoltageStep
from tachylite.schemas.base import Provenance
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.run import State
from tachylite.schemas.steps.base import RELAXATION_STEPS, STATE_BYTES, Ensemble, Result, Temperature
from tachylite.schemas.steps.columns import Column
from tachylite.schemas.structure import Crystallinity
from tachylite.units import FS_PER_PS


def _with_reference(element: str) -> str:
    reference_crystal(element)
    return element


def _readable(formula: str | None) -> str | None:
    return formula if formula is None or parse_formula(formula) else None


class IonStep(Ensemble):
    """Ions put into a host, or taken out of it, so many at a time; every stage is relaxed."""

    element: Annotated[str, AfterValidator(_with_reference)]
    """Of the ions. Everything else is the host."""
    host: Annotated[str | None, AfterValidator(_readable)] = None
    """Formula unit of the host to which a content counts ions, like `C6`; if not given, its reduced formula."""
    rule: Rule = "largest-void"
    """Which void is filled, or which ion leaves; `lowest-energy` relaxes several choices and keeps the best."""
    candidates: Annotated[int, Field(ge=1, le=100)] | None = None
    """Choices of a stage for `lowest-energy`: the first by the largest void, the others at random; 4 if not given."""
    ions_per_stage: Annotated[int, Field(gt=0)] = 1
    final_ions: Annotated[int, Field(ge=0)] | None = None
    """Ions in the cell at the end."""
    final_content: Annotated[float, Field(ge=0)] | None = None
    """Ions to a formula unit of the host at the end, instead of `final_ions`."""
    max_stages: Annotated[int, Field(gt=0, le=1000)] = 50
    relax_cell: bool = True
    """Whether the cell of a stage relaxes too, to zero stress."""
    hold_ps: Annotated[float, Field(ge=0)] = 0.0
    """Molecular dynamics of every stage before it is relaxed once more; 0 for none."""
    temperature_k: Temperature = 300.0
    """Of this dynamics."""
    pressure_gpa: float | None = 0.0
    charge: Annotated[float, Field(gt=0)] | None = None
    """Of an ion, in elementary charges; if not given, its only common oxidation state."""

    sign: ClassVar[int]
    """1 where ions go in, -1 where they leave."""

    @abstractmethod
    def changed(self, state: State, count: int, rule: Rule, rng: np.random.Generator) -> State:
        """A state, without velocities, with so many ions more or less by a rule; raises InputError where that fails."""

    @model_validator(mode="after")
    def _check_choices(self) -> Self:
        if self.final_ions is not None and self.final_content is not None:
            raise ValueError("final_ions and final_content both say where it ends; give one of them")
        if self.candidates is not None and self.rule != "lowest-energy":
            raise ValueError(f"candidates = {self.candidates} is for the rule lowest-energy, and rule = {self.rule}")
        return self

    @property
    def added_elements(self) -> Sequence[str]:
        """The ion's, whose metal voltages are against."""
        return [self.element]

    @property
    def choices(self) -> int:
        """How many choices of ions each stage relaxes."""
        return (self.candidates or 4) if self.rule == "lowest-energy" else 1

    @property
    def stages(self) -> int:
        """At most so many, the one that it begins with included."""
        if self.sign > 0 and self.final_ions is not None:
            return 1 + min(self.max_stages, ceil(self.final_ions / self.ions_per_stage))
        return 1 + self.max_stages

    def force_calls(self, timestep_fs: float) -> int:
        """Of as many stages as there may be."""
        hold = round(self.hold_ps * FS_PER_PS / timestep_fs)
        return self.stages * (self.choices * RELAXATION_STEPS + hold + (RELAXATION_STEPS // 2 if hold else 0))

    def outline(self, timestep_fs: float, temperature_k: float | None) -> Iterator[str]:
        """How many at a time, to what end, and what follows."""
        end = "" if self.final_ions is None else f", to {self.final_ions} in the cell"
        end = end if self.final_content is None else f", to {self.final_content:g} to a {self.host or 'formula unit'}"
        yield f"{self.kind} {self.ions_per_stage} {self.element} at a time by the rule {self.rule}{end}"
        cell = " with the cell" if self.relax_cell else ""
        hold = f", held {self.hold_ps:g} ps at {self.temperature_k:g} K{self.ensemble}, relaxed" if self.hold_ps else ""
        yield f"at most {self.stages} stages: {self.choices} relaxed{cell}{hold}"

    def document_bytes(self, n_atoms: int) -> int:
        """A state for each stage, and one for each choice of the stage under way."""
        return (self.stages + 2 * self.choices) * STATE_BYTES * n_atoms


class IonStage(FrozenModel):
    """A host with so many ions, relaxed."""

    n_ions: int
    content: float
    """Ions to a formula unit of the host."""
    relaxation: Relaxation
    candidates_ev: list[float] = []
    """Energies of the cell for all choices that relaxed, the first by the largest void, where there were several."""
    coordination: Measured | None = None
    """Neighbours of an ion among the host's atoms, with the standard error over the ions; None without ions."""
    displacement_a: float
    """Of the host's atoms from those of the first host, root mean square."""
    bonds_kept: float
    """Fraction of the bonds of the first host."""
    bonds_new: float
    """Bonds that the first host had not, over those that it had."""
    voltage_v: float | None = None
    """Mean voltage from the stage before to this one."""
    is_stable: bool | None = None
    """Whether it lies on the convex hull of energy over content of this series."""

    @property
    def energy_ev(self) -> float:
        """Of the cell."""
        return self.relaxation.energy_ev_per_atom * self.relaxation.n_atoms

    @property
    def volume_a3(self) -> float:
        """Of the cell."""
        return self.relaxation.state.volume_a3


class IonResult(Result):
    """A host at one content of ions after the other, with voltages."""

    element: str
    host: str = ""
    """The formula unit that contents count ions to."""
    host_units: float | None = None
    """So many of them in the cell."""
    first_host: State | None = None
    """Atoms of the host before any ion of this step, or of an earlier one that it continues, went in or out."""
    first_order: Crystallinity | None = None
    """Of the first stage."""
    charge: float | None = None
    seed: int
    stages: list[IonStage] = []
    ended: str | None = None
    """Why there are no further stages."""
    content: float | None = None
    """At the end."""
    volume_change: float | None = None
    """From the first stage to the last, over the volume of the first."""
    coordination: Measured | None = None
    """Of the last stage."""
    average_voltage_v: float | None = None
    """Between the first stage and the last."""
    plateaus: list[VoltageStep] = []
    """Voltages along the convex hull, from the smallest content on."""
    metal_ev_per_atom: float | None = None
    """Energy of the metal that voltages are against."""
    voltage_reason: str | None = None
    """Why there are no voltages."""
    order: Crystallinity | None = None
    """Of the last stage."""

    columns: ClassVar = (
        Column("content", "", "content", "x", ""),
        Column("volume_change", "", "volume_change", "ΔV/V", ""),
        Column("average_voltage", "v", "average_voltage_v", "mean voltage", "V"),
        Column("coordination", "", "coordination", "neighbours of an ion", "", "error", key=False),
    )

    @property
    def measured_order(self) -> Crystallinity | None:
        """That of the last stage."""
        return self.order

    @property
    def shown_state(self) -> State | None:
        """The last stage, also of a series that ended early."""
        return self.stages[-1].relaxation.state if self.stages else None

    @property
    def final(self) -> State | None:
        """The last stage."""
        return self.shown_state if self.status == "completed" else None

    @property
    def provenance(self) -> Provenance | None:
        """Level of theory of its energies."""
        return self.stages[0].relaxation.provenance if self.stages else None

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Where there are no voltages."""
        yield from super().refusals()
        if self.voltage_reason is not None:
            yield "voltage", self.voltage_reason


class IonSeries(FrozenModel):
    """A series of stages under way: what one member has reached."""

    start: State | None
    """Of the next stage; None where the step before left nothing to start from."""
    first_host: State | None = None
    host: str = ""
    host_units: float = 1.0
    final_ions: int | None = None
    """Where it ends; None where it ends for want of voids or ions."""
    seed: int
    stages: list[IonStage] = []
    ended: str | None = None
    failure: str | None = None
    """Why it cannot go on, where it has not reached its end."""
    from_crystal: bool = False
    result_fields: dict[str, Any] = {}
    """What its result will say of where it comes from."""

    @property
    def under_way(self) -> bool:
        """Whether another stage follows."""
        return self.ended is None and self.failure is None

    def extended(self, **changes: object) -> Self:
        """A copy with some fields replaced."""
        return self.model_copy(update=changes)
