"""Committees: potentials trained beside each other, whose disagreement tells the error of the first."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch_sim.state import SimState

from tachylite.arrays import Array
from tachylite.engines.potentials.model import PotentialModel
from tachylite.physics.statistics import committee_disagreement
from tachylite.schemas.potential import PotentialFiles

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Committee:
    """The other members of a potential's committee, and what its card says of their disagreement."""

    others: tuple[PotentialModel, ...]
    factor: float
    """Root mean square error of forces over the disagreement, on the test frames of the card."""
    tested_ev_a: float
    """Root mean square error of forces on these frames."""

    @property
    def title(self) -> str:
        """As provenance records it."""
        return f"{len(self.others) + 1} members, {self.tested_ev_a:.3g} eV/A on test frames"

    def corrected(self, correct: Callable[[PotentialModel], PotentialModel]) -> "Committee":
        """The same with a term added to every member."""
        return replace(self, others=tuple(correct(other) for other in self.others))

    def stated_errors_ev_a(self, state: SimState, forces: Tensor) -> Array:
        """Error of forces of the first member, (n_atoms, 3) in eV/A, that the others state for each system: RMS."""
        members = torch.stack([forces, *(other(state)["forces"] for other in self.others)]).detach().cpu().numpy()
        systems = state.system_idx.cpu().numpy()
        spread = [committee_disagreement(members[:, systems == index]) for index in range(state.n_systems)]
        return self.factor * np.array(spread)


def read_committee(file: Path, sha256: str | None, load: Callable[[Path], PotentialModel]) -> Committee | None:
    """The committee of a potential's file, from the card beside it; None for a potential alone, or another's card."""
    files = PotentialFiles(file)
    card = files.read_card()
    if card is None or card.disagreement is None or card.members[0].sha256 != sha256:
        return None
    paths = [file.with_name(member.file) for member in card.members[1:]]
    if missing := [path.name for path in paths if not path.is_file()]:
        log.warning("the error of %s is not watched: %s of its committee is not beside it", file, ", ".join(missing))
        return None
    tested = card.evaluation.force_rmse_ev_a
    return Committee(tuple(load(path) for path in paths), card.disagreement.factor, tested)
