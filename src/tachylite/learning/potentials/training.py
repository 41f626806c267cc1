"""Training a potential, with a committee and its errors, beside the user's file."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tachylite.analysis.evaluation import errors_of_frames, evaluate
from tachylite.errors import InputError
from tachylite.learning.potentials.errors import calibrate_disagreement, errors_by_trajectory
from tachylite.learning.potentials.families import PACKAGES, Trainer
from tachylite.learning.potentials.training_set import TrainingSet, describe
from tachylite.schemas import State
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
from tachylite.schemas.potential import (
    LearningCurvePoint,
    MemberFile,
    PotentialCard,
    PotentialFiles,
    TrainingPoint,
)

type Compute = Callable[[str, Sequence[State]], list[SinglePoint]]
"""Energies, forces and stresses of structures by the engine of a name."""

_CURVE_SHARES = (0.25, 0.5)
"""Of the frames to learn from, for the learning curve; those of a smaller share are in the larger one too."""


def train_potential(
    frames: TrainingSet,
    family: str,
    trainer: Trainer,
    file: Path,
    compute: Compute,
    *,
    committee: int = 1,
    seed: int = 0,
    start: Path | None = None,
    learning_curve: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> PotentialCard:
    """Train a potential, or several from different seeds, write them with their card, and give the card.

    `compute` gives structures by the engine of a name, `nep:FILE`; errors are those on the test frames. For a learning
    curve two more are trained, on a quarter and on half of the frames, and not kept. Stopped at any time, the same call
    goes on from its checkpoints. Raises InputError as the trainer of the family does, and where the files cannot be
    written.
    """
    files = PotentialFiles(file)
    training, test = describe(frames.training), describe(frames.test)
    start_sha256 = None if start is None else _sha256(start)
    report(f"learning from {training.n_frames} frames, testing on {test.n_frames}")
    settings = json.dumps([training.fingerprint, family, trainer.model_dump(), start_sha256], sort_keys=True)
    key = hashlib.sha256(settings.encode()).hexdigest()[:16]

    def train(chosen: Sequence[LabelledFrame], folder: str, name: str, member_seed: int) -> _Trained:
        record = _ProgressRecord(files.unfinished / folder / "progress.jsonl", name, report)
        path = trainer.train(
            chosen, frames.elements, files.unfinished / folder, seed=member_seed, start=start, report=record.report
        )
        return _Trained(path, record.read(), compute(f"{family}:{path}", [frame.state for frame in frames.test]))

    began = time.monotonic()
    members = [
        train(
            frames.training,
            f"{key}-{seed + number}",
            f"potential {number + 1} of {committee}: " if committee > 1 else "",
            seed + number,
        )
        for number in range(committee)
    ]
    seconds = time.monotonic() - began
    curve = []
    if learning_curve:
        for part in _parts(frames.training, seed):
            smaller = train(part, f"{key}-{seed}-{len(part)}", f"learning curve, {len(part)} frames: ", seed)
            curve.append(_curve_point(len(part), frames.test, smaller.points))
        curve.append(_curve_point(training.n_frames, frames.test, members[0].points))
    for number, member in enumerate(members):
        _copy(member.path, files.member(number))
    card = PotentialCard(
        family=family,
        members=[
            MemberFile(
                file=files.member(number).name,
                sha256=_sha256(files.member(number)),
                seed=seed + number,
                progress=member.progress,
            )
            for number, member in enumerate(members)
        ],
        settings=trainer.model_dump() | ({} if start_sha256 is None else {"start_sha256": start_sha256}),
        training=training,
        test=test,
        left_out=frames.left_out,
        evaluation=evaluate(frames.test, members[0].points, str(file)),
        by_trajectory=errors_by_trajectory(frames.test, members[0].points),
        disagreement=calibrate_disagreement(frames.test, [m.points for m in members]) if committee > 1 else None,
        learning_curve=curve,
        training_s=seconds,
        versions={package: version(package) for package in ("tachylite", "torch", *PACKAGES[family])},
    )
    _write(card, frames, files)
    return card


def _parts(frames: Sequence[LabelledFrame], seed: int) -> list[Sequence[LabelledFrame]]:
    """Smaller sets for the learning curve, drawn at random, each part of the next."""
    order = np.random.default_rng(seed).permutation(len(frames))
    return [[frames[i] for i in sorted(order[: max(1, round(share * len(frames)))])] for share in _CURVE_SHARES]


def _curve_point(n_frames: int, test: Sequence[LabelledFrame], points: Sequence[SinglePoint]) -> LearningCurvePoint:
    energy, force = errors_of_frames(test, points)
    return LearningCurvePoint(n_frames=n_frames, energy_mae_ev_per_atom=energy, force_rmse_ev_a=force)


def _write(card: PotentialCard, frames: TrainingSet, files: PotentialFiles) -> None:
    """Write card and frames beside the potential, and remove the checkpoints."""
    try:
        files.frames.mkdir(exist_ok=True)
        frames.write(files.frames)
        files.card.write_text(card.model_dump_json(indent=2), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot write beside {files.file}: {error.strerror}; what was trained is kept in {files.unfinished}, and "
            "the same command ends the work when there is room"
        ) from None
    shutil.rmtree(files.unfinished)


@dataclass(frozen=True)
class _Trained:
    """A potential in its folder of checkpoints, how its training went, and what it computes for the test frames."""

    path: Path
    progress: list[TrainingPoint]
    points: list[SinglePoint]


@dataclass(frozen=True)
class _ProgressRecord:
    """Keeps in a file, and tells, how far a training is, over all its interruptions."""

    path: Path
    name: str
    tell: Callable[[str], None]

    def report(self, done: int, total: int, error: float) -> None:
        self.tell(f"{self.name}{done:,} of {total:,}, error of forces {error:.3f} eV/A")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as lines:
            lines.write(TrainingPoint(done=done, force_rmse_ev_a=error).model_dump_json() + "\n")

    def read(self) -> list[TrainingPoint]:
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        points = {point.done: point for point in map(TrainingPoint.model_validate_json, lines)}
        return [points[done] for done in sorted(points)]


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}; choose another file with --output") from None


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
