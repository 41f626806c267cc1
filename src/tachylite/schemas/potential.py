"""A potential that was trained here: what it has learned from, how well, and where it holds."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from tachylite.errors import InputError
from tachylite.measured import FrozenModel, Interval, Measured
from tachylite.schemas.base import Document
from tachylite.schemas.evaluation import Evaluation

TEST_FRAMES = "test.xyz"
"""In the folder of the frames, those that no training has seen."""


class LeftOut(FrozenModel):
    """Frames of a source that a set does not hold, each counted once."""

    unphysical: int = 0
    """With atoms nearly on top of each other, or a force that no sound simulation has."""
    correlated: int = 0
    """Within the time in which the forces of a trajectory forget what they were."""
    duplicates: int = 0
    """Of another frame of the set."""
    beyond_limit: int = 0
    """More than were asked for."""


class FrameSet(FrozenModel):
    """What a set of labelled frames holds."""

    fingerprint: str
    """SHA-256 of structures and labels."""
    level: str
    """Level of theory of the labels, in words."""
    n_frames: int
    n_atoms: int
    trajectories: list[str]
    formulas: list[str]
    elements: list[str]
    volume_a3_per_atom: Interval
    temperature_k: Interval | None
    """Of the trajectories, where it is known."""
    force_rms_ev_a: float
    """Root mean square of the force components."""


class TrajectoryErrors(FrozenModel):
    """Errors on the test frames of one trajectory, RMS over components for forces."""

    trajectory: str
    n_frames: int
    temperature_k: float | None
    energy_mae_ev_per_atom: Measured
    force_rmse_ev_a: Measured


class Disagreement(FrozenModel):
    """How the members of a committee disagree about forces, beside their true errors on test frames."""

    members: int
    frames: int
    factor: float
    """Root mean square error of forces over the standard deviation between members, of all test frames."""
    factor_95: float
    """What the ratio of both does not exceed in 95 % of the test frames."""
    coverage: Measured
    """Share of test frames within the bound, each with the factor of the other trajectories."""
    rank_correlation: float
    """Spearman's, between disagreement and error of frames."""


class TrainingPoint(FrozenModel):
    """How far a training was, and how well it then did."""

    done: int
    """Steps or epochs."""
    force_rmse_ev_a: float
    """As the trainer of the family measures it: on the frames it learns from (NEP, SevenNet) or sets aside (CHGNet)."""


class LearningCurvePoint(FrozenModel):
    """Errors on the test frames of a potential that has learned from some of the frames, or from all."""

    n_frames: int
    energy_mae_ev_per_atom: Measured
    force_rmse_ev_a: Measured


class MemberFile(FrozenModel):
    """One potential of a committee; of one alone there is one."""

    file: str
    sha256: str
    seed: int
    progress: list[TrainingPoint] = []


class PotentialCard(Document):
    """Card of a trained potential, in a file beside it."""

    kind: Literal["potential"] = "potential"
    family: str
    """As in the names of engines."""
    members: list[MemberFile]
    settings: dict[str, float | int | str]
    training: FrameSet
    test: FrameSet
    left_out: LeftOut
    evaluation: Evaluation
    """Of the first member on the test frames."""
    by_trajectory: list[TrajectoryErrors]
    disagreement: Disagreement | None
    """None for a potential alone."""
    learning_curve: list[LearningCurvePoint] = []
    """Where it was asked for: from a quarter of the frames, half of them, and all."""
    training_s: float
    """Wall time of training."""
    versions: dict[str, str]
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))


@dataclass(frozen=True)
class PotentialFiles:
    """Where a potential and what belongs to it lie."""

    file: Path
    """The potential, or the first of a committee: `li3po4.txt`."""

    @property
    def card(self) -> Path:
        """Its card: `li3po4.card.json`."""
        return self.file.with_name(f"{self.file.stem}.card.json")

    @property
    def frames(self) -> Path:
        """Folder of the frames that it was trained and tested on: `li3po4.frames`."""
        return self.file.with_name(f"{self.file.stem}.frames")

    @property
    def unfinished(self) -> Path:
        """Folder of checkpoints, which goes when all is done: `li3po4.unfinished`."""
        return self.file.with_name(f"{self.file.stem}.unfinished")

    @property
    def rounds(self) -> Path:
        """What the rounds of learning while exploring gave: `li3po4.rounds.json`."""
        return self.file.with_name(f"{self.file.stem}.rounds.json")

    def read_card(self) -> PotentialCard | None:
        """The card; None where there is none."""
        return PotentialCard.model_validate_json(self.card.read_bytes()) if self.card.is_file() else None

    def write(self, card: PotentialCard, contents: Mapping[str, bytes]) -> PotentialCard:
        """Write potentials by the names on their card, and test frames, under the names here; the card with these."""
        members = []
        try:
            for number, member in enumerate(card.members):
                self.member(number).write_bytes(contents[member.file])
                members.append(member.model_copy(update={"file": self.member(number).name}))
            renamed = card.model_copy(update={"members": members})
            if TEST_FRAMES in contents:
                self.frames.mkdir(exist_ok=True)
                (self.frames / TEST_FRAMES).write_bytes(contents[TEST_FRAMES])
            self.card.write_text(renamed.model_dump_json(indent=2), encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot write {error.filename}: {error.strerror}; choose another file") from None
        return renamed

    def write_learned(self, learned: "LearnedPotential", archive: Mapping[str, str]) -> "LearnedPotential":
        """Write what learning while exploring gave: `archive` are the files by name, in base64."""
        card = self.write(learned.card, {name: base64.b64decode(text) for name, text in archive.items()})
        renamed = learned.model_copy(update={"card": card})
        self.rounds.write_text(renamed.model_dump_json(indent=2), encoding="utf-8")
        return renamed

    def member(self, number: int) -> Path:
        """A potential of the committee: `li3po4.txt`, `li3po4-2.txt`, ..."""
        return self.file if number == 0 else self.file.with_name(f"{self.file.stem}-{number + 1}{self.file.suffix}")


class LearningRound(FrozenModel):
    """One round of learning while exploring: a committee, and what the teacher says of frames it had not seen."""

    number: int
    """From 1 on."""
    training_frames: int
    explored_frames: int
    """Independent frames of the runs by the student."""
    checked_frames: int
    """Of these, drawn at random and computed by the teacher."""
    force_rmse_ev_a: Measured
    """Root mean square error of the force components on them."""
    energy_mae_ev_per_atom: Measured
    stated_force_rmse_ev_a: float
    """What the disagreement of the committee said that error would be."""
    failures: list[str]
    """Why runs by the student ended early."""
    labelled_frames: int
    """Computed by the teacher for the next round, those drawn at random and those of the largest disagreement."""


class LearnedPotential(Document):
    """A potential that was trained on until it held along fresh runs, or the rounds had ended."""

    kind: Literal["learned potential"] = "learned potential"
    teacher: str
    """Level of theory of the labels."""
    protocol: str
    """Whose runs it was tested along."""
    target_ev_a: float
    """Error of forces that was asked for."""
    reached: bool
    reason: str | None
    """Why it ended before that."""
    rounds: list[LearningRound]
    card: PotentialCard
