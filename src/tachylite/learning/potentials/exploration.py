"""Which frames of a student's runs its teacher is asked about, and what the answers say of the student."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tachylite.analysis.evaluation import errors_of_frames
from tachylite.errors import InputError
from tachylite.learning.potentials.selection import is_physical, runs_of, thin
from tachylite.physics.statistics import committee_disagreement
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
from tachylite.schemas.potential import LearningRound, PotentialCard

_CHECKED = 0.3
"""Share of the frames that are drawn at random, so that errors on them are those along the runs."""


@dataclass(frozen=True)
class Chosen:
    """Frames for the teacher."""

    frames: list[LabelledFrame]
    """As the student has labelled them."""
    disagreement: list[float]
    """Of the committee about the forces of each, in eV/A."""
    n_checked: int
    """The first ones, which were drawn at random."""
    n_explored: int
    """Independent frames that there were."""


def explored_frames(frames: Sequence[LabelledFrame]) -> list[LabelledFrame]:
    """Independent frames of runs; what no sound simulation gives ends a run."""
    sound: list[LabelledFrame] = []
    for run in runs_of(frames):
        physical = [is_physical(frame) for frame in run]
        sound += thin(run[: physical.index(False)] if False in physical else run) if physical[0] else []
    return sound


def choose_frames(
    frames: Sequence[LabelledFrame], members: Sequence[Sequence[SinglePoint]], number: int, seed: int
) -> Chosen:
    """Choose a number of independent frames, each computed by every member of a committee.

    Three tenths are drawn at random; the others are those of the largest disagreement. Raises InputError where the runs
    left no sound frame.
    """
    if not frames:
        raise InputError(
            "the runs of the potential left no sound frame: train it longer (--setting steps=N), or keep the forces of "
            "a step with molecular dynamics (record: forces)"
        )
    spread = [
        committee_disagreement(np.array([points[i].forces_ev_a for points in members])) for i in range(len(frames))
    ]
    order = np.random.default_rng(seed).permutation(len(frames)).tolist()
    checked = order[: max(2, round(_CHECKED * number))]
    others = sorted(order[len(checked) :], key=lambda i: -spread[i])[: max(0, number - len(checked))]
    chosen = [*checked, *others]
    return Chosen([frames[i] for i in chosen], [spread[i] for i in chosen], len(checked), len(frames))


def judge(
    number: int, chosen: Chosen, labels: Sequence[SinglePoint], card: PotentialCard, failures: Sequence[str]
) -> LearningRound:
    """What the labels of the teacher say of the student; InputError, with its reason, where it gave none."""
    known = [i for i in range(chosen.n_checked) if np.isfinite(labels[i].energy_ev)]
    if not known:
        raise InputError(f"the teacher computed none of {chosen.n_checked} frames: {labels[0].reason}")
    by_teacher = [replace(chosen.frames[i], label=labels[i]) for i in known]
    energy, force = errors_of_frames(by_teacher, [chosen.frames[i].label for i in known])
    factor = card.disagreement.factor if card.disagreement is not None else float("nan")
    spread = np.array([chosen.disagreement[i] for i in known])
    return LearningRound(
        number=number,
        training_frames=card.training.n_frames,
        explored_frames=chosen.n_explored,
        checked_frames=len(known),
        force_rmse_ev_a=force,
        energy_mae_ev_per_atom=energy,
        stated_force_rmse_ev_a=float(factor * np.sqrt((spread**2).mean())),
        failures=list(failures),
        labelled_frames=sum(bool(np.isfinite(point.energy_ev)) for point in labels),
    )


def holds(rounds: Sequence[LearningRound], target_ev_a: float) -> bool:
    """Whether the last round's error, with twice its own, is below the target, and no run ended early."""
    force = rounds[-1].force_rmse_ev_a
    return bool(force.value + 2 * np.nan_to_num(force.error) <= target_ev_a) and not rounds[-1].failures
