"""Errors of potentials on test frames: by trajectory, and beside the disagreement of a committee."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from tachylite.analysis.evaluation import errors_of_frames, mean_over_frames
from tachylite.arrays import Array
from tachylite.physics.statistics import committee_disagreement
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
from tachylite.schemas.potential import Disagreement, TrajectoryErrors

_LEVEL = 0.95


def errors_by_trajectory(frames: Sequence[LabelledFrame], points: Sequence[SinglePoint]) -> list[TrajectoryErrors]:
    """Errors of computed frames, a line for each trajectory; standard errors over its frames."""
    lines = []
    for name in dict.fromkeys(frame.trajectory for frame in frames):
        own = [(frame, point) for frame, point in zip(frames, points, strict=True) if frame.trajectory == name]
        energy, force = errors_of_frames([frame for frame, _ in own], [point for _, point in own])
        lines.append(
            TrajectoryErrors(
                trajectory=name,
                n_frames=len(own),
                temperature_k=_mean_temperature([frame for frame, _ in own]),
                energy_mae_ev_per_atom=energy,
                force_rmse_ev_a=force,
            )
        )
    return lines


def _mean_temperature(frames: Sequence[LabelledFrame]) -> float | None:
    known = [frame.temperature_k for frame in frames if frame.temperature_k is not None]
    return float(np.mean(known)) if known else None


def calibrate_disagreement(frames: Sequence[LabelledFrame], members: Sequence[Sequence[SinglePoint]]) -> Disagreement:
    """What the disagreement of members (each with its points of the test frames) says of the error of the first.

    The coverage of the 95 % factor is that of the factor of the other trajectories.
    """
    forces = [np.array([points[i].forces_ev_a for points in members]) for i in range(len(frames))]
    spread = np.array([committee_disagreement(own) for own in forces])
    labels = [frame.label.forces_ev_a for frame in frames]
    error = np.array([np.sqrt(((f[0] - label) ** 2).mean()) for f, label in zip(forces, labels, strict=True)])
    names = np.array([frame.trajectory for frame in frames])
    inside = np.empty(len(frames))
    for held_out in _groups(names):
        inside[held_out] = error[held_out] <= _quantile(error[~held_out] / spread[~held_out]) * spread[held_out]
    return Disagreement(
        members=len(members),
        frames=len(frames),
        factor=float(np.sqrt((error**2).mean() / (spread**2).mean())),
        factor_95=_quantile(error / spread),
        coverage=mean_over_frames(inside),
        rank_correlation=float(spearmanr(spread, error).statistic),
    )


def _groups(names: NDArray[np.str_]) -> list[NDArray[np.bool_]]:
    """Rows of each trajectory; of one alone, its two halves."""
    if len(np.unique(names)) > 1:
        return [names == name for name in np.unique(names)]
    first = np.arange(len(names)) < len(names) / 2
    return [first, ~first]


def _quantile(ratios: Array) -> float:
    """The 95 % quantile of n ratios for one more of them; the largest where they are too few."""
    return float(np.quantile(ratios, min(1.0, _LEVEL * (1 + 1 / len(ratios))), method="higher"))
