"""Single points, frames labelled with them, and how well an engine reproduces the labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field

from tachylite.arrays import Array
from tachylite.schemas.base import Document, Provenance
from tachylite.schemas.run import State

if TYPE_CHECKING:
    from ase import Atoms


@dataclass(frozen=True, eq=False)
class SinglePoint:
    """Energy, forces and stress of one structure; NaN, with a `reason`, where they could not be computed."""

    energy_ev: float
    forces_ev_a: Array
    """(n_atoms, 3)"""
    stress_ev_a3: Array | None
    """(3, 3), positive under tension; None where it is not known."""
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON, from which `from_dict` makes the same."""
        stress = None if self.stress_ev_a3 is None else self.stress_ev_a3.tolist()
        return {
            "energy_ev": self.energy_ev,
            "forces_ev_a": self.forces_ev_a.tolist(),
            "stress_ev_a3": stress,
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Self:
        """From what `as_dict` gave."""
        stress = entry["stress_ev_a3"]
        forces = np.array(entry["forces_ev_a"])
        return cls(entry["energy_ev"], forces, None if stress is None else np.array(stress), entry["reason"])


@dataclass(frozen=True, eq=False)
class LabelledFrame:
    """A structure with its energy and forces, and where known its stress, by another method."""

    state: State
    label: SinglePoint
    trajectory: str = ""
    """Name of the run that it is a frame of, in the order of whose frames it stands."""
    level: str | None = None
    """Level of theory of the label, in words; None where it is not known."""
    temperature_k: float | None = None
    """Of the atoms' motion in this frame, where it is known."""

    @property
    def atoms(self) -> "Atoms":
        """ASE atoms with energy, forces and, where there is one, stress, and what else is known of the frame."""
        from ase.calculators.singlepoint import SinglePointCalculator

        atoms = self.state.atoms
        labels = {"energy": self.label.energy_ev, "forces": self.label.forces_ev_a, "stress": self.label.stress_ev_a3}
        atoms.calc = SinglePointCalculator(
            atoms, **{name: value for name, value in labels.items() if value is not None}
        )
        known = {"trajectory": self.trajectory, "level": self.level, "temperature_k": self.temperature_k}
        atoms.info |= {name: value for name, value in known.items() if value is not None}
        return atoms


class Evaluation(Document):
    """Errors of an engine against labelled frames; means over frames for energies, over components for the others."""

    kind: Literal["evaluation"] = "evaluation"
    source: str
    """File of the labelled frames."""
    n_frames: int = Field(gt=0)
    """Frames compared."""
    n_atoms: int
    """Atoms of all these frames together."""
    n_failed: int = 0
    """Frames that the engine could not compute, which are left out of everything else."""
    reasons: list[str] = []
    """Why, each reason once."""
    energy_mae_ev_per_atom: float
    """As computed: methods take different zeros of energy."""
    energy_mae_shifted_ev_per_atom: float | None = None
    """After one energy per element was fitted to the differences; None for fewer than three frames for each."""
    n_shifts: int = 0
    """Independent energies that can be fitted: 1 where all frames have one composition."""
    force_mae_ev_a: float
    force_rmse_ev_a: float
    force_mean_ev_a: float
    """Mean absolute component of the labels, to compare with."""
    force_mae_by_element_ev_a: dict[str, float]
    stress_mae_gpa: float | None = None
    """Of all nine components, over the frames that have a stress."""
    n_stresses: int = 0
    errors: dict[str, float | None] = {}
    """Standard errors of the fields of these names, by bootstrap over frames; None for a single frame."""
    provenance: Provenance | None = None
