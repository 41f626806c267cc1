"""Training of SevenNet (DOI 10.1021/acs.jctc.4c00190), an equivariant network, by its own command, in parts."""

import csv
import shutil
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from pydantic import Field

from tachylite.errors import InputError, MissingPackageError
from tachylite.learning.potentials.element_energies import fit_element_energies
from tachylite.learning.potentials.families import Report
from tachylite.measured import FrozenModel
from tachylite.schemas.evaluation import LabelledFrame

_PART = 10
"""Epochs of one call of the command; a stopped training goes on from the last whole part."""

_SHIFT = "rescale_atomic_energy.shift"
"""The weights that are the energies of the elements, eV."""

_LAST_RATE = 0.01
"""Learning rate at the end over that at the start."""


class SevennetTraining(FrozenModel):
    """Size of a new SevenNet, and how it is trained."""

    channels: int = Field(default=32, ge=1)
    layers: int = Field(default=3, ge=1, le=6)
    """Of convolution."""
    highest_l: int = Field(default=2, ge=0, le=3)
    """Rotation order of the features up to which they are kept."""
    cutoff_a: float = Field(default=5.0, gt=0, le=8)
    epochs: int = Field(default=100, ge=1)
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
        """Train on labelled frames and give the file of the potential, `sevennet.pth` in the folder.

        Weights begin at random by the seed, or as in `start`, a checkpoint or the name of one that comes with the
        package (`7net-0`), whose shape is kept; energies of the elements are then fitted to the differences first.
        Stopped at any time, the same call goes on from the last ten epochs, to the same potential. Raises InputError
        for a `start` that cannot be read or does not know the elements, and where the command fails, and
        MissingPackageError where it is not installed.
        """
        try:
            import sevenn  # noqa: F401  # the command is in the same environment
        except ImportError:
            raise MissingPackageError(
                "training SevenNet needs the package sevenn; pip install 'tachylite[sevennet]'"
            ) from None
        from ase.io import write

        folder.mkdir(parents=True, exist_ok=True)
        data = folder / "training.xyz"
        write(data, [frame.atoms for frame in frames], format="extxyz")
        settings = self._settings(frames, elements)
        if start is not None:
            settings["model"] = _shape_of(start, frames, elements, folder / "checkpoint-0.pth")
        done = max((int(path.stem.removeprefix("checkpoint-")) for path in folder.glob("checkpoint-*.pth")), default=0)
        while done < self.epochs:
            last = min(done + _PART, self.epochs)
            error = _train_part(settings, folder, done, last, seed)
            done = last
            report(done, self.epochs, error)
        return Path(shutil.copyfile(folder / f"checkpoint-{self.epochs}.pth", folder / "sevennet.pth"))

    def _settings(self, frames: Sequence[LabelledFrame], elements: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Input of the command, without what differs from part to part."""
        with_stress = all(frame.label.stress_ev_a3 is not None for frame in frames)
        return {
            "model": {
                "chemical_species": list(elements),
                "cutoff": self.cutoff_a,
                "channel": self.channels,
                "lmax": self.highest_l,
                "num_convolution_layer": self.layers,
                "is_parity": False,
                "self_connection_type": "nequip",
            },
            "train": {
                "is_train_stress": with_stress,
                "loss": "huber",
                "loss_param": {"delta": 0.01},
                "optimizer": "adam",
                "optim_param": {"lr": self.learning_rate},
                "scheduler": "cosineannealinglr",
                "scheduler_param": {"T_max": self.epochs, "eta_min": _LAST_RATE * self.learning_rate},
                "force_loss_weight": 1.0,
                "error_record": [["Energy", "RMSE"], ["Force", "RMSE"]],
                **({"stress_loss_weight": 0.01} if with_stress else {}),
            },
            "data": {
                "batch_size": min(self.batch, len(frames)),
                "load_trainset_path": ["training.xyz"],
                "data_format_args": {"index": ":"},
                "shift": "elemwise_reference_energies",
                "scale": "force_rms",
            },
        }


def _train_part(settings: dict[str, dict[str, Any]], folder: Path, first: int, last: int, seed: int) -> float:
    """Train from one epoch to another and keep the checkpoint; RMS error of forces on the training frames, eV/A."""
    checkpoint, part = folder / f"checkpoint-{first}.pth", folder / "part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    train = settings["train"] | {"random_seed": seed + first, "epoch": last, "per_epoch": last}
    if checkpoint.exists():
        anew = first == 0  # of another training only the weights count
        reset = {"reset_optimizer": anew, "reset_scheduler": anew, "reset_epoch": anew}
        train["continue"] = {"checkpoint": str(checkpoint.absolute()), **reset}
    (part / "input.yaml").write_text(yaml.safe_dump(settings | {"train": train}), encoding="utf-8")
    output = part / "output.txt"
    with output.open("wb") as stream:
        code = subprocess.run(
            [sys.executable, "-m", "sevenn.main.sevenn", "train", "part/input.yaml", "--working_dir", "part"],
            cwd=folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    trained = part / f"checkpoint_{last}.pth"
    if code or not trained.exists():
        lines = [line for line in output.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        raise InputError(f"the command sevenn failed ({lines[-1] if lines else f'exit code {code}'}); see {output}")
    with (part / "lc.csv").open(encoding="utf-8", newline="") as table:
        row = list(csv.DictReader(table))[-1]
    trained.rename(folder / f"checkpoint-{last}.pth")
    return float(row["trainset_Force_RMSE"])


def _shape_of(start: Path, frames: Sequence[LabelledFrame], elements: Sequence[str], file: Path) -> dict[str, Any]:
    """Shape of a network to go on from; its weights, with energies of the elements fitted, go into a file."""
    from sevenn.checkpoint import SevenNetCheckpoint
    from sevenn.util import pretrained_name_to_path

    try:
        path = start if start.is_file() else Path(pretrained_name_to_path(str(start)))
        checkpoint = SevenNetCheckpoint(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the age of a published checkpoint
            shape: dict[str, Any] = checkpoint.yaml_dict("continue")["model"]
        known = [str(symbol) for symbol in checkpoint.config["chemical_species"]]
    except Exception as error:  # a file may be wrong in any way
        raise InputError(f"{start} cannot be read as a SevenNet to start from: {type(error).__name__}") from None
    if unknown := sorted(set(elements) - set(known)):
        raise InputError(
            f"the SevenNet of {start} does not know {', '.join(unknown)}; leave --start out, or those frames"
        )
    if not file.exists():
        content = torch.load(path, map_location="cpu", weights_only=False)
        _shift_elements(content, path, frames)
        unfinished = file.with_suffix(".unfinished")
        torch.save(content, unfinished)
        unfinished.rename(file)
    return shape


def _shift_elements(content: dict[str, Any], path: Path, frames: Sequence[LabelledFrame]) -> None:
    """Add to the energies of the elements in a checkpoint what fits the labels best, and changes them least."""
    from sevenn.calculator import SevenNetCalculator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # accelerators for GPUs
        calculator = SevenNetCalculator(str(path), device="cpu")
    computed = [calculator.get_potential_energy(frame.state.atoms) for frame in frames]
    shifts = fit_element_energies(frames, computed)
    for number, row in content["config"]["_type_map"].items():
        content["model_state_dict"][_SHIFT][row] += float(shifts[number - 1])
