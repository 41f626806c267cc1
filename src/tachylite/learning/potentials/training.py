"""Training a potential, with a committee and its errors, beside the user's file."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tachylite.analysis.evaluation import evaluate
from tachylite.errors import InputError
from tachylite.learning.potentials.errors import calibrate_disagreement, errors_by_trajectory
from tachylite.learning.potentials.families import PACKAGES, Trainer
from tachylite.learning.potentials.training_set import TrainingSet, describe
from tachylite.schemas import State
from tachylite.schemas.evaluation import SinglePoint
from tachylite.schemas.potential import MemberFile, PotentialCard, PotentialFiles, TrainingPoint

type Compute = Callable[[str, Sequence[State]], list[SinglePoint]]
"""Energies, forces and stresses of structures by the engine of a name."""


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
    report: Callable[[str], None] = lambda line: None,
) -> PotentialCard:
    """Train a potential, or several from different seeds, write them with their card, and give the card.

    `compute` gives structures by the engine of a name, `nep:FILE`; errors are those on the test frames. Stopped at any
    time, the same call goes on from its checkpoints. Raises InputError as the trainer of the family does, and where
    the files cannot be written.
    """
    files = PotentialFiles(file)
    training, test = describe(frames.training), describe(frames.test)
    start_sha256 = None if start is None else _sha256(start)
    report(f"learning from {training.n_frames} frames, testing on {test.n_frames}")
    settings = json.dumps([training.fingerprint, family, trainer.model_dump(), start_sha256], sort_keys=True)
    key = hashlib.sha256(settings.encode()).hexdigest()[:16]
    began = time.monotonic()
    trained, progress = [], []
    for number in range(committee):
        name = f"potential {number + 1} of {committee}: " if committee > 1 else ""
        folder = files.unfinished / f"{key}-{seed + number}"
        record = _ProgressRecord(folder / "progress.jsonl", name, report)
        trained.append(
            trainer.train(
                frames.training, frames.elements, folder, seed=seed + number, start=start, report=record.report
            )
        )
        progress.append(record.read())
    seconds = time.monotonic() - began
    states = [frame.state for frame in frames.test]
    points = [compute(f"{family}:{path}", states) for path in trained]
    for number, path in enumerate(trained):
        _copy(path, files.member(number))
    card = PotentialCard(
        family=family,
        members=[
            MemberFile(file=path.name, sha256=_sha256(path), seed=seed + number, progress=progress[number])
            for number, path in enumerate(files.member(number) for number in range(committee))
        ],
        settings=trainer.model_dump() | ({} if start_sha256 is None else {"start_sha256": start_sha256}),
        training=training,
        test=test,
        left_out=frames.left_out,
        evaluation=evaluate(frames.test, points[0], str(file)),
        by_trajectory=errors_by_trajectory(frames.test, points[0]),
        disagreement=calibrate_disagreement(frames.test, points) if committee > 1 else None,
        training_s=seconds,
        versions={package: version(package) for package in ("tachylite", "torch", *PACKAGES[family])},
    )
    try:
        files.frames.mkdir(exist_ok=True)
        frames.write(files.frames)
        files.card.write_text(card.model_dump_json(indent=2), encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"cannot write beside {file}: {error.strerror}; what was trained is kept in {files.unfinished}, and the "
            "same command ends the work when there is room"
        ) from None
    shutil.rmtree(files.unfinished)
    return card


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
