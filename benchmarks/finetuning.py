"""Potentials taught with first-principles frames: python -m benchmarks.finetuning FOLDER.

B2O3 melts by revPBE-D3 (DOI and licence: tachylite datasets): CHGNet as it comes, CHGNet fine-tuned, and a NEP from
random weights, with 15, 30 and 60 frames of 265 atoms to learn from; their errors on other frames, and how well they
then know crystals of MPtrj, with and without replay of such crystals. Trainings go on from FOLDER, and what is finished
is kept beside the results, so that the same command goes on on any machine; some three hours of one core.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase.io import write
from benchmarks.common import RESULTS, publish, table
from pydantic import BaseModel, TypeAdapter

from tachylite.analysis.evaluation import errors_of_frames, evaluate
from tachylite.configs.datasets import data_folder
from tachylite.engines import get_engine
from tachylite.engines.single_points import compute_single_points
from tachylite.learning.potentials.chgnet import ChgnetTraining
from tachylite.learning.potentials.families import Trainer
from tachylite.learning.potentials.nep import NepTraining
from tachylite.learning.potentials.training import train_potential
from tachylite.learning.potentials.training_set import TrainingSet
from tachylite.measured import Measured
from tachylite.readers.labels import read_labelled_frames
from tachylite.report.text import quantity
from tachylite.schemas import State
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint

FRAMES = (15, 30, 60)
EPOCHS = {15: 16, 30: 12, 60: 8}
CRYSTALS = 100
"""Of MPtrj for what is forgotten, and as many others for replay."""
KEPT = RESULTS / "finetuning_potentials.json"
TITLE = "B2O3 melts by revPBE-D3: potentials by how many frames they have learned from"


class Score(BaseModel):
    """One potential: MAE of forces and energies on the melts held out, and of forces on the crystals, in eV and A."""

    name: str
    n_frames: int
    force_ev_a: Measured
    force_rmse_ev_a: Measured
    energy_ev_per_atom: Measured
    crystals_force_ev_a: Measured | None
    training_s: float


def main() -> None:
    """Train what is missing, and publish the table of all that is there."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    kept = TypeAdapter(list[Score])
    scores = kept.validate_json(KEPT.read_bytes()) if KEPT.exists() else []
    for name, number in planned():
        if not any((score.name, score.n_frames) == (name, number) for score in scores):
            scores.append(train(name, number, folder))
            print(scores[-1], flush=True)
            KEPT.write_bytes(kept.dump_json(scores, indent=1))
    publish_table(scores)


def planned() -> list[tuple[str, int]]:
    """Name of each way, and how many frames it learns from."""
    ways = [("CHGNet", 0)]
    for number in FRAMES:
        ways += [("CHGNet", number), ("NEP", number)]
    return [*ways, ("CHGNet with replay", FRAMES[-1])]


def train(name: str, number: int, folder: Path) -> Score:
    """Train one and evaluate it."""
    training, test = melts(number)
    seconds, engine = 0.0, "chgnet"
    if number:
        file = folder / f"{name.replace(' ', '-').lower()}-{number}.{'txt' if name == 'NEP' else 'pth.tar'}"
        family = "nep" if name == "NEP" else "chgnet"
        card = train_potential(
            TrainingSet.of(training, test), family, trainer(name, number, folder), file, compute, report=print
        )
        seconds, engine = card.training_s, f"{family}:{file}"
    melt = errors(test, engine)
    return Score(
        name=name,
        n_frames=number,
        force_ev_a=melt[0],
        force_rmse_ev_a=melt[1],
        energy_ev_per_atom=melt[2],
        crystals_force_ev_a=None if name == "NEP" else errors(crystals(folder)[1], engine)[0],
        training_s=seconds,
    )


def trainer(name: str, number: int, folder: Path) -> Trainer:
    """Its settings; a frame has 265 atoms, and a step of one is as good as one of several smaller."""
    if name == "NEP":
        return NepTraining(steps=6000, batch=1)
    replay = str(crystals(folder)[0]) if name.endswith("replay") else ""
    return ChgnetTraining(epochs=EPOCHS[number], batch=1, learning_rate=1e-3, replay=replay)


def compute(name: str, states: Sequence[State]) -> list[SinglePoint]:
    return compute_single_points(get_engine(name), states, Path())


def errors(frames: Sequence[LabelledFrame], engine: str) -> tuple[Measured, Measured, Measured]:
    """MAE and RMSE of forces in eV/A, MAE of energies in eV/atom after a shift for each element."""
    points = compute(engine, [frame.state for frame in frames])
    evaluation = evaluate(frames, points, engine)
    force, energy = (evaluation.errors[key] for key in ("force_mae_ev_a", "energy_mae_shifted_ev_per_atom"))
    assert force is not None
    assert energy is not None
    shifted = evaluation.energy_mae_shifted_ev_per_atom
    assert shifted is not None
    return (
        Measured(value=evaluation.force_mae_ev_a, error=force),
        errors_of_frames(frames, points)[1],
        Measured(value=shifted, error=energy),
    )


def melts(number: int) -> tuple[list[LabelledFrame], list[LabelledFrame]]:
    """So many frames to learn from, evenly spread over the published ones, and all of those held out."""
    folder = data_folder() / "b2o3"
    training, test = (read_labelled_frames(folder / f"{name}.extxyz") for name in ("train", "validation"))
    return [training[i] for i in np.linspace(0, len(training) - 1, number).round().astype(int)], test


def crystals(folder: Path) -> tuple[Path, list[LabelledFrame]]:
    """File of crystals for replay, and others to test what is forgotten, evenly spread over a sample of MPtrj."""
    frames = read_labelled_frames(data_folder() / "mptrj" / "mptrj-random-1k.xyz")
    chosen = np.linspace(0, len(frames) - 1, 2 * CRYSTALS).round().astype(int)
    file = folder / "replay.xyz"
    if not file.exists():
        write(file, [frames[i].atoms for i in chosen[::2]], format="extxyz")
    return file, [frames[i] for i in chosen[1::2]]


def publish_table(scores: Sequence[Score]) -> None:
    """A row a potential."""
    heads = ("", "frames", "forces, MAE, meV/A", "RMSE", "energies, shifted, meV/atom", "crystals, forces, MAE", "s")
    rows = [
        (
            score.name,
            str(score.n_frames),
            *(quantity(value * 1e3) for value in (score.force_ev_a, score.force_rmse_ev_a, score.energy_ev_per_atom)),
            "" if score.crystals_force_ev_a is None else quantity(score.crystals_force_ev_a * 1e3),
            f"{score.training_s:.0f}",
        )
        for score in scores
    ]
    publish("finetuning", {TITLE: table(heads, rows)}, {TITLE: rows})


if __name__ == "__main__":
    main()
