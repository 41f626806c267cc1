"""Fine-tuning of CHGNet (DOI 10.1038/s42256-023-00716-3) by its own trainer, which can be stopped."""

import io
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from pydantic import Field

from tachylite.errors import InputError
from tachylite.learning.potentials.element_energies import fit_element_energies
from tachylite.learning.potentials.families import Report
from tachylite.measured import FrozenModel
from tachylite.schemas.evaluation import LabelledFrame
from tachylite.units import GPA_PER_EV_A3

if TYPE_CHECKING:
    from chgnet.model import CHGNet
    from chgnet.trainer import Trainer
    from torch.utils.data import DataLoader

_ASIDE = 0.1
"""Share of the training frames that choose the epoch."""

_OUTPUT_BIAS = "bond_conv_layers.0.mlp_out.layers.1.bias"
"""A weight that CHGNet 0.2.0 has and later ones have not."""

_KBAR_PER_GPA = -10.0
"""CHGNet's data have stresses as VASP writes them: in kbar, pressure positive."""


class ChgnetTraining(FrozenModel):
    """How CHGNet is fine-tuned."""

    epochs: int = Field(default=20, ge=1)
    batch: int = Field(default=2, ge=1)
    """Frames in a batch."""
    learning_rate: float = Field(default=1e-3, gt=0)
    """At the start; it falls to a hundredth along a cosine."""
    freeze: str = (
        "atom_embedding bond_embedding angle_embedding atom_conv_layers.0 atom_conv_layers.1 bond_conv_layers.0"
    )
    """First words of the names of weights that stay as they are, as the package chgnet names them."""
    replay: str = ""
    """File of other labelled frames, which are learned as the start computes them, so that it forgets less."""

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
        """Fine-tune on labelled frames and give the file of the potential, `chgnet.pth.tar` in the folder.

        It begins from CHGNet 0.3.0 or a checkpoint `start`. Energies of the elements are fitted to the differences
        first, so that labels may have any zero. A tenth of the frames, evenly spread, choose the epoch. Stopped at any
        time, the same call goes on from the last epoch, to the same potential. Raises InputError for names in `freeze`
        that no weight has, and files that cannot be read.
        """
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package's own, of how it calls torch
            model = _load_model(start)
            _shift_elements(model, frames)
            replayed = self._replayed(model)
            _freeze(model, self.freeze.split())
            every = round(1 / _ASIDE)
            learned = [frame for i, frame in enumerate(frames) if i % every or len(frames) < every]
            aside = list(frames[::every])
            with_stress = all(frame.label.stress_ev_a3 is not None for frame in frames)
            trainer = self._trainer(model, "efs" if with_stress else "ef")
            checkpoint = folder / "checkpoint.pt"
            progress = _Progress.load(model, trainer, checkpoint) if checkpoint.exists() else _Progress(model, trainer)
            parts = ([*learned, *replayed], aside)
            loaders = [_loader(model, part, self.batch, with_stress=with_stress) for part in parts]
            for epoch in range(progress.done, self.epochs):
                torch.manual_seed(seed * 100_003 + epoch)  # which orders the batches
                trainer.starting_epoch, trainer.epochs = epoch, epoch + 1
                trainer.train(*loaders, save_dir="")
                error = trainer.training_history["f"]["val"][-1]
                progress.end_epoch(error)
                progress.save(checkpoint)
                report(epoch + 1, self.epochs, error)
            model.load_state_dict(progress.best)
        result = folder / "chgnet.pth.tar"
        content = model.as_dict()
        # as in published checkpoints: whether there are these biases, the weights themselves say
        arguments = {name: value for name, value in content["model_args"].items() if name != "mlp_out_bias"}
        torch.save({"model": content | {"model_args": arguments}}, result)
        return result

    def _trainer(self, model: "CHGNet", targets: Literal["ef", "efs"]) -> "Trainer":
        from chgnet.trainer import Trainer

        return Trainer(
            model,
            targets=targets,
            optimizer="Adam",
            scheduler="CosLR",
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            use_device="cpu",
            print_freq=1_000_000,
        )

    def _replayed(self, model: "CHGNet") -> list[LabelledFrame]:
        """Frames of the file with what the model computes for them now."""
        from tachylite.readers.labels import read_labelled_frames

        return [_computed(model, frame) for frame in read_labelled_frames(Path(self.replay))] if self.replay else []


class _Progress:
    """What the next epoch follows from."""

    def __init__(self, model: "CHGNet", trainer: "Trainer") -> None:
        self.model, self.trainer = model, trainer
        self.done = 0
        self.best = _copy(model)
        self.error_of_best = float("inf")

    def end_epoch(self, error: float) -> None:
        """Keep the weights of an epoch where none had a smaller error of the forces."""
        self.done += 1
        if error < self.error_of_best:
            self.best, self.error_of_best = _copy(self.model), error

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "model": self.model.state_dict(),
            "optimizer": self.trainer.optimizer.state_dict(),
            "scheduler": self.trainer.scheduler.state_dict(),
            "best": self.best,
            "progress": (self.done, self.error_of_best),
        }
        unfinished = path.with_name(path.name + ".unfinished")
        torch.save(content, unfinished)
        unfinished.replace(path)

    @classmethod
    def load(cls, model: "CHGNet", trainer: "Trainer", path: Path) -> "_Progress":
        content = torch.load(path, weights_only=True)
        model.load_state_dict(content["model"])
        trainer.optimizer.load_state_dict(content["optimizer"])
        trainer.scheduler.load_state_dict(content["scheduler"])
        progress = cls(model, trainer)
        progress.best = content["best"]
        progress.done, progress.error_of_best = content["progress"]
        return progress


def _copy(model: "CHGNet") -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def _load_model(start: Path | None) -> "CHGNet":
    from chgnet.model import CHGNet

    if start is None:
        published: CHGNet = CHGNet.load(model_name="0.3.0", use_device="cpu", verbose=False)
        return published
    try:
        content = torch.load(start, map_location="cpu", weights_only=True)["model"]
        return CHGNet.from_dict(content, mlp_out_bias=_OUTPUT_BIAS in content["state_dict"])
    except Exception as error:  # a file may be wrong in any way
        raise InputError(f"{start} cannot be read as a CHGNet to start from: {type(error).__name__}") from None


def _freeze(model: "CHGNet", prefixes: Sequence[str]) -> None:
    names = [name for name, _ in model.named_parameters()]
    for prefix in prefixes:
        if not any(name.startswith(prefix) for name in names):
            known = sorted({name.split(".")[0] for name in names})
            raise InputError(f"no weight of CHGNet begins with '{prefix}'; names begin with {', '.join(known)}")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(prefixes)))


def _shift_elements(model: "CHGNet", frames: Sequence[LabelledFrame]) -> None:
    """Add to the energies of the elements what fits the labels best, and changes them least."""
    computed = [_predict(model, frame)["e"] * len(frame.state.numbers) for frame in frames]
    energies = dict(model.composition_model.named_parameters())["fc.weight"]
    shifts = fit_element_energies(frames, computed)[: energies.shape[1]]
    with torch.no_grad():
        energies.add_(torch.tensor(shifts, dtype=torch.float32))


def _predict(model: "CHGNet", frame: LabelledFrame, task: Literal["e", "efs"] = "e") -> dict[str, Any]:
    prediction: Any = model.predict_structure(frame.state.structure, task=task)
    values: dict[str, Any] = prediction
    return values


def _computed(model: "CHGNet", frame: LabelledFrame) -> LabelledFrame:
    """The frame with the labels that a model gives it."""
    predicted = _predict(model, frame, "efs")
    label = replace(
        frame.label,
        energy_ev=float(predicted["e"]) * len(frame.state.numbers),
        forces_ev_a=predicted["f"],
        stress_ev_a3=predicted["s"] / GPA_PER_EV_A3,
    )
    return replace(frame, label=label)


def _loader(model: "CHGNet", frames: Sequence[LabelledFrame], batch: int, *, with_stress: bool) -> "DataLoader[Any]":
    from chgnet.data.dataset import StructureData, collate_graphs
    from torch.utils.data import DataLoader

    data = StructureData(
        [frame.state.structure for frame in frames],
        [frame.label.energy_ev / len(frame.state.numbers) for frame in frames],
        [frame.label.forces_ev_a.tolist() for frame in frames],
        stresses=[_vasp_stress(frame) for frame in frames] if with_stress else None,
        graph_converter=model.graph_converter,
        shuffle=False,
    )
    return DataLoader(data, batch_size=batch, shuffle=True, collate_fn=collate_graphs)


def _vasp_stress(frame: LabelledFrame) -> list[list[float]]:
    """In kbar, pressure positive."""
    values: list[list[float]] = (_KBAR_PER_GPA * GPA_PER_EV_A3 * np.asarray(frame.label.stress_ev_a3)).tolist()
    return values
