"""Figures of a potential: what it computes against its labels, how it was trained, and what a committee states."""

from collections.abc import Sequence

import numpy as np

from tachylite.arrays import Array
from tachylite.physics.statistics import committee_disagreement
from tachylite.report.charts.parity import density_points
from tachylite.report.drawing.chart import Axis, Chart, Level, Line, Mark, Panel, Points, floats, padded
from tachylite.report.drawing.style import series_token
from tachylite.report.text import quantity
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
from tachylite.schemas.potential import Disagreement, LearningRound, PotentialCard
from tachylite.units import GPA_PER_EV_A3


def label_parity(frames: Sequence[LabelledFrame], points: Sequence[SinglePoint]) -> Chart:
    """Energies, force components and pressures of frames as an engine computes them, against their labels.

    Energies are per atom, those of each composition above the mean of its frames: methods take different zeros.
    """
    computed = [(frame, point) for frame, point in zip(frames, points, strict=True) if np.isfinite(point.energy_ev)]
    panels = [_energies(computed), _forces(computed)]
    pressures = floats(_pressures_gpa(computed))
    if len(pressures):
        panels.append(_panel(pressures[:, 0], pressures[:, 1], "pressure (GPa)"))
    caption = (
        f"{len(computed)} frames; dashed: equality. Energies above the mean of the frames of a composition; static "
        "pressures."
    )
    return Chart("parity", "Against the labels", caption, tuple(panels))


def _energies(computed: Sequence[tuple[LabelledFrame, SinglePoint]]) -> Panel:
    formulas = np.array([frame.state.formula for frame, _ in computed])
    energies = np.array([(frame.label.energy_ev, point.energy_ev) for frame, point in computed]) / np.array(
        [[len(frame.state.numbers)] for frame, _ in computed]
    )
    for formula in np.unique(formulas):
        energies[formulas == formula] -= energies[formulas == formula].mean(axis=0)
    return _panel(1e3 * energies[:, 0], 1e3 * energies[:, 1], "energy (meV/atom)")


def _panel(x: Array, y: Array, name: str) -> Panel:
    limits = padded([x, y])
    marks: tuple[Mark, ...] = (Points(x, y, series_token(0), size=5),)
    if limits is not None:
        marks = (Line(floats(limits), floats(limits), "ink", dash="dash", width=1.0), *marks)
    return Panel(Axis(f"{name}, label", limits=limits), Axis(name, limits=limits), marks)


def _forces(computed: Sequence[tuple[LabelledFrame, SinglePoint]]) -> Panel:
    x = np.concatenate([frame.label.forces_ev_a.ravel() for frame, _ in computed])
    y = np.concatenate([point.forces_ev_a.ravel() for _, point in computed])
    top = 1.03 * float(max(np.abs(x).max(), np.abs(y).max()))
    line = Line(floats([-top, top]), floats([-top, top]), "ink", dash="dash", width=1.0)
    label, own = (Axis(f"force component (eV/Å){of}", limits=(-top, top)) for of in (", label", ""))
    return Panel(label, own, (*density_points(x, y, (-top, top)), line))


def _pressures_gpa(computed: Sequence[tuple[LabelledFrame, SinglePoint]]) -> list[tuple[float, float]]:
    return [
        (_pressure_gpa(frame.label.stress_ev_a3), _pressure_gpa(point.stress_ev_a3))
        for frame, point in computed
        if frame.label.stress_ev_a3 is not None and point.stress_ev_a3 is not None
    ]


def _pressure_gpa(stress_ev_a3: Array) -> float:
    return float(-np.trace(stress_ev_a3) / 3 * GPA_PER_EV_A3)


def training_progress(card: PotentialCard) -> Chart:
    """Error of forces while training, of every member, and that on the test frames."""
    marks: list[Mark] = [
        Line(
            floats([point.done for point in member.progress]),
            1e3 * floats([point.force_rmse_ev_a for point in member.progress]),
            series_token(number),
            f"member {number + 1}" if len(card.members) > 1 else "while training",
        )
        for number, member in enumerate(card.members)
    ]
    tested = 1e3 * card.evaluation.force_rmse_ev_a
    marks.append(Level("y", tested, text=f"test frames, RMSE {quantity(tested, digits=3)}"))
    panel = Panel(Axis("steps or epochs"), Axis("error of forces (meV/Å)", log=True), tuple(marks))
    caption = "As its trainer measures it, on frames that it learns from or sets aside."
    return Chart("training", "Training", caption, (panel,))


def learning_curve(card: PotentialCard) -> Chart:
    """Error of the forces on the test frames against how many frames were learned from, both on logarithmic axes."""
    numbers = floats([point.n_frames for point in card.learning_curve])
    value = 1e3 * floats([point.force_rmse_ev_a.value for point in card.learning_curve])
    error = np.nan_to_num(1e3 * floats([point.force_rmse_ev_a.error for point in card.learning_curve]))
    marks = (
        Line(numbers, value, series_token(0)),
        Points(numbers, value, series_token(0), errors=np.stack([error] * 2)),
    )
    x = Axis("frames learned from", log=True, ticks=tuple((float(n), f"{n:.0f}") for n in numbers))
    panel = Panel(x, Axis("error of forces, RMSE (meV/Å)", log=True), marks)
    caption = "On the test frames; bars: one standard error over frames. Where it still falls, more frames help."
    return Chart("learning_curve", "Learning curve", caption, (panel,))


def stated_errors(
    frames: Sequence[LabelledFrame], members: Sequence[Sequence[SinglePoint]], disagreement: Disagreement
) -> Chart:
    """True error of the forces of each test frame against what the disagreement of the committee states."""
    forces = [np.array([points[i].forces_ev_a for points in members]) for i in range(len(frames))]
    stated = 1e3 * disagreement.factor * floats([committee_disagreement(own) for own in forces])
    true = 1e3 * floats(
        [np.sqrt(((f[0] - frame.label.forces_ev_a) ** 2).mean()) for f, frame in zip(forces, frames, strict=True)]
    )
    ends = floats([min(stated.min(), true.min()), max(stated.max(), true.max())])
    bound = disagreement.factor_95 / disagreement.factor
    marks = (
        Line(ends, ends, "ink", "true = stated", "dash", 1.0),
        Line(ends, bound * ends, "muted", "95 % below", "dot", 1.0),
        Points(stated, true, series_token(0), "test frames", size=5),
    )
    x, y = (Axis(f"error of forces, {name} (meV/Å)", log=True) for name in ("stated", "true"))
    covered = quantity(100 * disagreement.coverage.value, digits=3)
    caption = f"{covered} % of the test frames lie below the dotted line as the other trajectories draw it."
    return Chart("stated_errors", "What the committee states", caption, (Panel(x, y, marks),))


def rounds_chart(rounds: Sequence[LearningRound], target_ev_a: float) -> Chart:
    """Error of forces along fresh runs of every round, what the committee had stated, and the target."""
    number = floats([entry.number for entry in rounds])
    true = 1e3 * floats([entry.force_rmse_ev_a.value for entry in rounds])
    error = np.nan_to_num(1e3 * floats([entry.force_rmse_ev_a.error for entry in rounds]))
    stated = 1e3 * floats([entry.stated_force_rmse_ev_a for entry in rounds])
    hover = tuple(
        f"round {entry.number}\nlearned from {entry.training_frames} frames\n{entry.checked_frames} frames checked"
        for entry in rounds
    )
    marks = (
        Level("y", 1e3 * target_ev_a, text="target"),
        Line(number, true, series_token(0)),
        Points(number, true, series_token(0), "by the teacher", np.stack([error, error]), hover=hover),
        Points(number, stated, series_token(1), "as the committee stated", symbol="diamond"),
    )
    ticks = tuple((float(n), f"{n:g}") for n in number)
    top = 1.1 * float(max((true + error).max(), stated.max(), 1e3 * target_ev_a))
    y = Axis("RMS error of forces along fresh runs (meV/Å)", limits=(0.0, top))
    panel = Panel(Axis("round", ticks=ticks), y, marks)
    caption = "On frames drawn at random from runs of the potential; bars: one standard error over frames."
    return Chart("rounds", "Learning while exploring", caption, (panel,))
