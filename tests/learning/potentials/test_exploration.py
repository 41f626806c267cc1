"""Which frames a teacher is asked about, and when a potential holds: with committees whose errors are known."""

from dataclasses import replace

import numpy as np
import pytest
from tests.learning.potentials.potential_samples import copper, frame
from tests.learning.potentials.test_errors import noisy

from tachylite.errors import InputError
from tachylite.learning.potentials.exploration import choose_frames, explored_frames, holds, judge
from tachylite.learning.potentials.training_set import describe
from tachylite.measured import Measured
from tachylite.schemas.evaluation import Evaluation
from tachylite.schemas.potential import Disagreement, LearningRound, LeftOut, PotentialCard

FRAMES = list(copper())
MEMBERS = [noisy(FRAMES, seed) for seed in (1, 2, 3)]


def card() -> PotentialCard:
    described = describe(FRAMES)
    disagreement = Disagreement(
        members=3,
        frames=36,
        factor=1.0,
        factor_95=2.0,
        coverage=Measured(value=0.95, error=0.03),
        rank_correlation=0.9,
    )
    evaluation = Evaluation(
        source="x",
        n_frames=36,
        n_atoms=288,
        energy_mae_ev_per_atom=0.0,
        force_mae_ev_a=0.0,
        force_rmse_ev_a=0.0,
        force_mean_ev_a=1.0,
        force_mae_by_element_ev_a={"Cu": 0.0},
    )
    return PotentialCard(
        family="nep",
        members=[],
        settings={},
        training=described,
        test=described,
        left_out=LeftOut(),
        evaluation=evaluation,
        by_trajectory=[],
        disagreement=disagreement,
        training_s=1.0,
        versions={},
    )


def test_the_least_certain_are_asked_about_and_some_at_random() -> None:
    chosen = choose_frames(FRAMES, MEMBERS, 20, seed=0)
    assert (len(chosen.frames), chosen.n_checked, chosen.n_explored) == (20, 6, 36)
    uncertain = {f.trajectory for f in chosen.frames[6:]}
    assert uncertain <= {"run 3", "run 4", "run 5"}, "errors grow with the number of the run"
    at_random = [choose_frames(FRAMES, MEMBERS, 20, seed=seed).frames[:6] for seed in range(40)]
    assert {f.trajectory for part in at_random for f in part} == {f"run {t}" for t in range(6)}
    assert len({id(f) for f in chosen.frames}) == 20


def test_of_few_frames_all_are_asked_about() -> None:
    assert len(choose_frames(FRAMES[:5], [points[:5] for points in MEMBERS], 20, seed=0).frames) == 5


def test_a_run_counts_up_to_where_it_broke() -> None:
    broken = [replace(f, trajectory="one") for f in FRAMES[:6]]
    broken[4] = replace(frame(a=1.2), trajectory="one")
    assert explored_frames(broken) == broken[:4]
    assert explored_frames(broken[4:]) == []


def test_the_error_along_the_runs_is_that_of_the_random_ones() -> None:
    student = MEMBERS[0]
    by_student = [replace(f, label=p) for f, p in zip(FRAMES, student, strict=True)]
    chosen = choose_frames(by_student, MEMBERS, 36, seed=1)
    labels = [next(f.label for f in FRAMES if f.state is c.state) for c in chosen.frames]
    outcome = judge(2, chosen, labels, card(), ["melt: it exploded"])
    expected = 0.02 * np.sqrt(np.mean([(1 + int(c.trajectory.split()[1])) ** 2 for c in chosen.frames[:11]]))
    assert (outcome.number, outcome.checked_frames, outcome.labelled_frames) == (2, 11, 36)
    assert outcome.force_rmse_ev_a.value == pytest.approx(expected, rel=0.15)
    assert outcome.stated_force_rmse_ev_a == pytest.approx(expected, rel=0.2)
    assert outcome.energy_mae_ev_per_atom.value == pytest.approx(0.003)
    failed = [replace(p, energy_ev=float("nan"), reason="it did not converge") for p in labels[:4]]
    assert judge(2, chosen, [*failed, *labels[4:]], card(), []).checked_frames == 7


def test_nothing_to_ask_about_and_a_teacher_that_answers_nothing_are_said() -> None:
    with pytest.raises(InputError, match="left no sound frame: train it longer"):
        choose_frames([], [[], []], 20, seed=0)
    chosen = choose_frames(FRAMES, MEMBERS, 10, seed=1)
    silent = [replace(f.label, energy_ev=float("nan"), reason="pw.x was killed") for f in chosen.frames]
    with pytest.raises(InputError, match=r"the teacher computed none of 3 frames: pw\.x was killed"):
        judge(1, chosen, silent, card(), [])


def outcome(value: float, error: float, failures: list[str]) -> LearningRound:
    return LearningRound(
        number=1,
        training_frames=10,
        explored_frames=10,
        checked_frames=10,
        force_rmse_ev_a=Measured(value=value, error=error),
        energy_mae_ev_per_atom=Measured(value=0, error=0),
        stated_force_rmse_ev_a=value,
        failures=failures,
        labelled_frames=10,
    )


def test_it_holds_where_the_error_is_surely_small_and_no_run_ended_early() -> None:
    assert holds([outcome(0.1, 0.02, [])], 0.15)
    assert not holds([outcome(0.1, 0.03, [])], 0.15)
    assert not holds([outcome(0.1, 0.02, ["it exploded"])], 0.15)
