"""Errors by trajectory, and what the disagreement of a committee says of them: for errors whose law is known."""

from dataclasses import replace

import numpy as np
import pytest
from tests.learning.potentials.potential_samples import copper

from tachylite.learning.potentials.errors import calibrate_disagreement, errors_by_trajectory
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint


def noisy(frames: list[LabelledFrame], seed: int, scale: float = 1.0) -> list[SinglePoint]:
    """Labels with errors of forces that are larger for later trajectories."""
    generator = np.random.default_rng(seed)
    points = []
    for f in frames:
        size = scale * 0.02 * (1 + int(f.trajectory.split()[1]))
        forces = f.label.forces_ev_a + generator.normal(scale=size, size=f.label.forces_ev_a.shape)
        points.append(replace(f.label, forces_ev_a=forces, energy_ev=f.label.energy_ev + 8 * 0.003))
    return points


def test_errors_by_trajectory() -> None:
    frames = list(copper())
    lines = errors_by_trajectory(frames, noisy(frames, 0))
    assert [line.trajectory for line in lines] == [f"run {t}" for t in range(6)]
    for number, line in enumerate(lines):
        force = line.force_rmse_ev_a
        assert force.value == pytest.approx(0.02 * (1 + number), abs=4 * force.error)
        assert line.energy_mae_ev_per_atom.value == pytest.approx(0.003)
        assert line.temperature_k == pytest.approx(300)


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_a_committee_of_independent_errors_knows_its_own(scale: float) -> None:
    """Members whose errors are independent disagree by as much as they are off; overconfident ones by less."""
    frames = [f for f in copper(6, 6) for _ in range(5)]
    first = noisy(frames, 0)
    members = [first]
    for seed in range(1, 9):
        spread = noisy(frames, seed, scale)
        members.append(
            [
                replace(p, forces_ev_a=one.forces_ev_a + p.forces_ev_a - f.label.forces_ev_a)
                for p, one, f in zip(spread, first, frames, strict=True)
            ]
            if scale < 1
            else spread
        )
    disagreement = calibrate_disagreement(frames, members)
    assert disagreement.factor == pytest.approx(1 / scale, rel=0.15)
    assert disagreement.coverage.value == pytest.approx(0.95, abs=0.05)
    assert disagreement.rank_correlation > 0.8
    assert disagreement.factor_95 > disagreement.factor
