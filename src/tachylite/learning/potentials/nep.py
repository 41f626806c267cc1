"""Training of neuroevolution potentials (DOI 10.1063/5.0106617) by neppo's gradient descent, which can be stopped."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import Field

from tachylite.errors import InputError, MissingPackageError
from tachylite.learning.potentials.families import Report
from tachylite.measured import FrozenModel
from tachylite.physics.neighbors import find_neighbors
from tachylite.schemas.evaluation import LabelledFrame

if TYPE_CHECKING:
    from neppo.models import NEP

_PART = 1000
"""Steps between checkpoints; each begins with new moments of the optimiser."""

_REPULSION = 0.9
"""Outer cutoff of the repulsion at short range, over the smallest distance of two atoms in the training set."""


class NepTraining(FrozenModel):
    """Shape of a neuroevolution potential, and how it is trained."""

    radial_cutoff_a: float = Field(default=6.0, gt=0, le=10)
    angular_cutoff_a: float = Field(default=4.5, gt=0, le=8)
    neurons: int = Field(default=30, ge=1, le=120)
    steps: int = Field(default=15_000, ge=1)
    """Of the optimiser, each on one batch."""
    batch: int = Field(default=4, ge=1)
    """Frames in a batch."""
    learning_rate: float = Field(default=5e-3, gt=0)
    """At the start; it falls to a hundredth along a cosine."""

    def train(
        self,
        frames: Sequence[LabelledFrame],
        elements: Sequence[str],
        folder: Path,
        *,
        seed: int,
        start: Path | None = None,
        report: Report = lambda done, total, error: None,
    ) -> Path:
        """Train on labelled frames and give the file of the potential, `nep.txt` in the folder.

        Weights begin at random by the seed, or as in the `nep.txt` of `start`, whose shape and elements are kept.
        Stopped at any time, the same call goes on from the last thousand steps, to the same potential. Raises
        InputError for elements that `start` does not know, and MissingPackageError where neppo is not installed.
        """
        try:
            from neppo import StructureContainer, Trainer, write_model
            from neppo.losses import EnergyLoss, ForceLoss, VirialLoss
        except ImportError:
            raise MissingPackageError(
                "training a NEP needs the package neppo; pip install 'tachylite[train]'"
            ) from None

        torch.manual_seed(seed)
        model = _new_model(frames, elements, self) if start is None else _read_model(start, elements)
        checkpoint, result = folder / "checkpoint.pt", folder / "nep.txt"
        done = _load(model, checkpoint) if checkpoint.exists() else 0
        container = StructureContainer(model, [frame.atoms for frame in frames])
        model.max_neighbors_radial = container.max_neighbors_radial  # which a file of a NEP has to say
        model.max_neighbors_angular = container.max_neighbors_angular
        loss = 1.0 * EnergyLoss() + 1.0 * ForceLoss() + 0.1 * VirialLoss()
        bounds = [*range(done, self.steps, _PART), self.steps]
        for first, last in pairwise(bounds):
            trainer = Trainer(
                model,
                loss,
                container,
                batch_size=min(self.batch, len(frames)),
                learning_rate=(self._rate(first), self._rate(last)),
                device="cpu",
                seed=seed + first,
            )
            trainer.train(steps=last - first, report_interval=last - first)
            _save(model, last, checkpoint)
            report(last, self.steps, float(trainer.history["rmse_forces_train"].iloc[-1]))
        write_model(model, result)
        return result

    def _rate(self, step: int) -> float:
        """Learning rate at a step: a cosine from the first to a hundredth of it."""
        last = self.learning_rate / 100
        return float(last + (self.learning_rate - last) * (1 + np.cos(np.pi * step / self.steps)) / 2)


def _new_model(frames: Sequence[LabelledFrame], elements: Sequence[str], training: NepTraining) -> "NEP":
    from neppo.models import NEP, ZBL, Descriptor

    descriptor = Descriptor(
        list(elements), radial_cutoff=training.radial_cutoff_a, angular_cutoff=training.angular_cutoff_a
    )
    closest = min(closest_pair_a(frame) for frame in frames)
    return NEP(descriptor, neurons=(training.neurons,), zbl=ZBL(outer_cutoff=round(_REPULSION * closest, 2)))


def _read_model(file: Path, elements: Sequence[str]) -> "NEP":
    from neppo import read_model

    try:
        model = read_model(file)
    except Exception as error:  # a file may be wrong in any way
        raise InputError(f"{file} cannot be read as a NEP to start from: {' '.join(str(error).split())}") from None
    if unknown := sorted(set(elements) - set(model.types)):
        raise InputError(f"the NEP of {file} does not know {', '.join(unknown)}; leave --start out, or those frames")
    return model


def closest_pair_a(frame: LabelledFrame) -> float:
    """Smallest distance of two atoms in A; 3 where all are further apart."""
    positions, cell = np.array(frame.state.positions), np.array(frame.state.cell)
    distances = np.linalg.norm(find_neighbors(positions, cell, 3.0).vectors_a, axis=1)
    return float(distances.min(initial=3.0))


def _save(model: "NEP", done: int, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    torch.save({"model": model.state_dict(), "done": done}, unfinished)
    unfinished.replace(path)


def _load(model: "NEP", path: Path) -> int:
    """Put the weights of a checkpoint into a model; the steps done."""
    content = torch.load(path, weights_only=True)
    model.load_state_dict(content["model"])
    model.descriptor.q_scaler_is_fitted = True
    return int(content["done"])
