"""Step `snapshots`: inherent structures of a run, and the amorphous limit."""

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tachylite.measured import FrozenModel, Measured
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.run import State
from tachylite.schemas.steps.base import RELAXATION_STEPS, STATE_BYTES, Result, Step, Time
from tachylite.schemas.steps.columns import Column
from tachylite.schemas.structure import Crystallinity


class Snapshots(Step):
    """Take snapshots of a run, evenly spaced up to its end, and relax them.

    The lowest formation energy among them is the amorphous limit (Aykol et al. 2018, DOI 10.1126/sciadv.aaq0148).
    """

    kind: Literal["snapshots"] = "snapshots"
    count: Annotated[int, Field(gt=0)] = 10
    interval_ps: Time = 2.0
    relax_cell: bool = True

    needs_trajectories: ClassVar[bool] = True

    def check(self, sources: Sequence[Step], start_temperature_k: float | None, temperature_k: float | None) -> None:
        """Snapshots need runs that are long enough."""
        for source in sources:
            length, recorded = self.count * self.interval_ps, source.recorded_ps
            if not recorded:
                raise ValueError(f"takes snapshots of a trajectory, and {source.name}, of kind {source.kind}, has none")
            if length > recorded * (1 + 1e-9):
                raise ValueError(
                    f"count x interval_ps = {length:g} ps must fit into the {recorded:g} ps of {source.name}"
                )
        if not sources:
            raise ValueError("takes snapshots of a trajectory, and there is no step before it")

    def force_calls(self, timestep_fs: float) -> int:
        """A relaxation of each."""
        return self.count * RELAXATION_STEPS

    def outline(self, timestep_fs: float, temperature_k: float | None) -> Iterator[str]:
        """So many relaxations."""
        yield f"{self.count} snapshots, each relaxed{' with its cell' if self.relax_cell else ''}"

    def document_bytes(self, n_atoms: int) -> int:
        """A state for each."""
        return self.count * STATE_BYTES * n_atoms


class Snapshot(FrozenModel):
    """One inherent structure of a run."""

    time_fs: float
    relaxation: Relaxation
    formation_energy_ev_per_atom: float | None
    order: Crystallinity | None = None
    """None where it did not relax."""

    @property
    def crystallised(self) -> bool:
        """Whether it is a crystal, and so counts for no amorphous limit."""
        return self.order is not None and self.order.crystalline is True


class SnapshotsResult(Result):
    """Inherent structures of a run; the lowest formation energy is the amorphous limit."""

    kind: Literal["snapshots"] = "snapshots"
    formation_energy_ev_per_atom: float | None = None
    """The amorphous limit: the lowest of the snapshots that have not crystallised, which alone count below too."""
    mean_formation_energy_ev_per_atom: Measured | None = None
    above_crystal_ev_per_atom: float | None = None
    reference_energies_ev_per_atom: dict[str, float] = {}
    snapshots: list[Snapshot] = []
    n_crystallised: int = 0
    """Snapshots that were left out because they are crystals."""

    columns: ClassVar = (
        Column("formation_energy", "ev_per_atom", "formation_energy_ev_per_atom", "lowest", "eV/atom"),
        Column("mean", "ev_per_atom", "mean_formation_energy_ev_per_atom", "mean", "eV/atom", "error"),
        Column("above_crystal", "ev_per_atom", "above_crystal_ev_per_atom", "above the crystal", "eV/atom"),
        Column("n_crystallised", "", "n_crystallised", "crystallised", ""),
    )

    @property
    def final(self) -> State | None:
        """The lowest of the structures."""
        return next(
            (
                snapshot.relaxation.state
                for snapshot in self.snapshots
                if snapshot.formation_energy_ev_per_atom == self.formation_energy_ev_per_atom is not None
                and not snapshot.crystallised
            ),
            None,
        )

    def partial_failures(self) -> Iterator[tuple[str, str]]:
        """Snapshots that did not relax or have crystallised."""
        for snapshot in self.snapshots:
            time = f"snapshot at {snapshot.time_fs / 1000:g} ps"
            if snapshot.relaxation.status == "failed":
                yield time, snapshot.relaxation.reason or "no reason recorded"
            elif snapshot.order is not None and snapshot.crystallised:
                yield time, snapshot.order.as_failure

    def refusals(self) -> Iterator[tuple[str, str]]:
        """Snapshots of which it cannot be told whether they are crystals."""
        for snapshot in self.snapshots:
            if snapshot.order is not None and snapshot.order.crystalline_reason is not None:
                yield f"crystal or glass at {snapshot.time_fs / 1000:g} ps", snapshot.order.crystalline_reason
