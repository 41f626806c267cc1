"""The page of a trained potential, with its rounds: self-contained, with figures of what it says."""

import re
from dataclasses import replace

import numpy as np
import pytest
from tests.learning.potentials.potential_samples import copper
from tests.report.test_material_page import Page

from tachylite.analysis.evaluation import evaluate
from tachylite.learning.potentials.errors import calibrate_disagreement, errors_by_trajectory
from tachylite.learning.potentials.training_set import describe
from tachylite.report.charts.potential import label_parity, stated_errors
from tachylite.report.drawing.chart import Line, Points
from tachylite.report.drawing.draw_matplotlib import draw
from tachylite.report.pages.potential import write_potential_page
from tachylite.schemas import Measured
from tachylite.schemas.evaluation import SinglePoint
from tachylite.schemas.potential import (
    LearnedPotential,
    LearningCurvePoint,
    LearningRound,
    LeftOut,
    MemberFile,
    PotentialCard,
    TrainingPoint,
)

FRAMES = copper()


def member(seed: int) -> list[SinglePoint]:
    """What a member with errors of 0.1 eV/A and 1 eV a frame computes."""
    rng = np.random.default_rng(seed)
    return [
        replace(
            frame.label,
            energy_ev=frame.label.energy_ev + 1.0,
            forces_ev_a=frame.label.forces_ev_a + rng.normal(0, 0.1, frame.label.forces_ev_a.shape),
        )
        for frame in FRAMES
    ]


MEMBERS = [member(1), member(2)]
CARD = PotentialCard(
    family="nep",
    members=[
        MemberFile(
            file=f"cu{suffix}.txt", sha256="0" * 64, seed=0, progress=[TrainingPoint(done=1000, force_rmse_ev_a=0.1)]
        )
        for suffix in ("", "-2")
    ],
    settings={"steps": 1000},
    training=describe(FRAMES),
    test=describe(FRAMES),
    left_out=LeftOut(correlated=7),
    evaluation=evaluate(FRAMES, MEMBERS[0], "cu.txt"),
    by_trajectory=errors_by_trajectory(FRAMES, MEMBERS[0]),
    disagreement=calibrate_disagreement(FRAMES, MEMBERS),
    learning_curve=[
        LearningCurvePoint(
            n_frames=n,
            energy_mae_ev_per_atom=Measured(value=1 / n, error=0.1 / n),
            force_rmse_ev_a=Measured(value=2 / n, error=0.1),
        )
        for n in (9, 18, 36)
    ],
    training_s=60.0,
    versions={"neppo": "1.0"},
)
ROUND = LearningRound(
    number=1,
    training_frames=30,
    explored_frames=80,
    checked_frames=12,
    force_rmse_ev_a=Measured(value=0.2, error=0.02),
    energy_mae_ev_per_atom=Measured(value=0.01, error=0.002),
    stated_force_rmse_ev_a=0.18,
    failures=["hot: the cell collapses"],
    labelled_frames=40,
)
LEARNED = LearnedPotential(
    teacher="EMT",
    protocol="quickstart",
    target_ev_a=0.15,
    reached=False,
    reason="the rounds have ended, 1 in all",
    rounds=[ROUND],
    card=CARD,
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(write_potential_page(CARD, FRAMES, MEMBERS, tmp_path_factory.mktemp("potential"), LEARNED))


def test_the_page_needs_nothing_else(page: Page) -> None:
    assert [reference for reference in page.references if not reference.startswith(("#", "data:"))] == []
    plots = page.payload["plots"]
    assert isinstance(plots, list)
    assert page.source.count('class="plot"') == len(plots) == 7


@pytest.mark.parametrize(
    "words",
    [
        *("the rounds have ended, 1 in all", "hot: the cell collapses", "200 ± 20 (12 frames)"),
        *("Committee of 2", "7 correlated", "What it has seen", "EMT", "run 3"),
    ],
)
def test_the_page_says(page: Page, words: str) -> None:
    assert words in re.sub(r"\s+", " ", page.text)


def test_a_shift_of_the_zero_of_energy_is_no_error_of_the_figure() -> None:
    energy, forces, pressure = label_parity(FRAMES, MEMBERS[0]).panels
    line, points = energy.marks
    assert isinstance(line, Line)
    assert isinstance(points, Points)
    np.testing.assert_allclose(points.x, points.y, atol=1e-9)
    assert len(points.x) == len(FRAMES)
    assert forces.x.limits == forces.y.limits
    assert pressure.title == ""


def test_frames_that_could_not_be_computed_are_left_out() -> None:
    failed = [SinglePoint(float("nan"), FRAMES[0].label.forces_ev_a, None, "no"), *MEMBERS[0][1:]]
    chart = label_parity(FRAMES, failed)
    assert f"{len(FRAMES) - 1} frames" in chart.caption
    draw(chart)


def test_stated_errors_are_those_of_the_disagreement() -> None:
    assert CARD.disagreement is not None
    (panel,) = stated_errors(FRAMES, MEMBERS, CARD.disagreement).panels
    points = panel.marks[-1]
    assert isinstance(points, Points)
    assert np.sqrt((points.x**2).mean()) == pytest.approx(np.sqrt((points.y**2).mean())), "what the factor is for"
