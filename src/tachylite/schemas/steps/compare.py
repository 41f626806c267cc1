"""Step `compare`: frames of a run computed by another engine."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tachylite.measured import Measured
from tachylite.schemas.run import State
from tachylite.schemas.steps.base import STATE_BYTES, Dynamics, Result, Step
from tachylite.schemas.steps.columns import Column


class Compare(Step):
    """Compute frames of a run, evenly spaced over it, with another engine.

    A run with a potential that has learned from that engine so ends with what error is left in it.
    """

    kind: Literal["compare"] = "compare"
    engine: str
    """Name of the other engine, like `espresso`."""
    options: dict[str, Any] = {}
    """Of that engine."""
    frames: Annotated[int, Field(ge=2)] = 10

    needs_trajectories: ClassVar[bool] = True

    @property
    def other_engines(self) -> Sequence[tuple[str, dict[str, Any]]]:
        """The engine that it compares with."""
        return [(self.engine, self.options)]

    def check(self, sources: Sequence[Step], start_temperature_k: float | None, temperature_k: float | None) -> None:
        """It compares runs whose frames have kept their forces."""
        for source in sources:
            if not (isinstance(source, Dynamics) and source.record == "forces" and source.recorded_ps):
                raise ValueError(f"compares frames that have kept their forces, and {source.name} keeps none")
        if not sources:
            raise ValueError("compares frames of a run, and there is no step before it")

    def force_calls(self, timestep_fs: float) -> int:
        """None by the engine of the protocol."""
        return 0

    def outline(self, timestep_fs: float, temperature_k: float | None) -> Iterator[str]:
        """So many frames."""
        yield f"{self.frames} frames compared with {self.engine}"

    def document_bytes(self, n_atoms: int) -> int:
        """The state that it continues."""
        return STATE_BYTES * n_atoms


class CompareResult(Result):
    """Energies, forces and pressures of frames of a run beside those of another engine; errors over the frames."""

    kind: Literal["compare"] = "compare"
    level: str = ""
    """Level of theory of the other engine, in words."""
    n_frames: int = 0
    """Frames compared."""
    energy_above_ev_per_atom: Measured | None = None
    """Mean energy of the run above that of the other engine, whose zero may be another."""
    energy_scatter_ev_per_atom: float | None = None
    """Standard deviation over the frames of what the mean is of."""
    force_rmse_ev_a: Measured | None = None
    """Root mean square difference of the force components."""
    pressure_above_gpa: Measured | None = None
    """Mean pressure of the run above that of the other engine; None where one of the two has no stress."""
    partial_reasons: list[str] = []
    """Why frames could not be computed."""
    state: State | None = None
    """The last one of the run, which a later step continues."""

    columns: ClassVar = (
        Column("force_rmse", "ev_a", "force_rmse_ev_a", "force RMSE", "eV/Å", "error"),
        Column("energy_above", "ev_per_atom", "energy_above_ev_per_atom", "energy above", "eV/atom", "error"),
        Column("pressure_above", "gpa", "pressure_above_gpa", "pressure above", "GPa", "error"),
    )

    @property
    def final(self) -> State | None:
        """The last state of the run."""
        return self.state

    def partial_failures(self) -> Iterator[tuple[str, str]]:
        """Frames that the other engine could not compute."""
        for reason in self.partial_reasons:
            yield "a frame", reason
