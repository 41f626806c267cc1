"""Temperature, energy and pressure against time."""

import numpy as np

from tachylite.arrays import Array
from tachylite.report.drawing.chart import Axis, Chart, Level, Line, Mark, Panel, floats, thinned
from tachylite.schemas import Trajectory
from tachylite.schemas.steps.volume import Pressure
from tachylite.units import FS_PER_PS

_MOST_SAMPLES = 1200
_WINDOWS = 40


def time_series(trajectory: Trajectory, pressure: Pressure, *, stage: str) -> Chart:
    """Temperature with its target, potential energy per atom and pressure against time.

    `pressure` is the convention shown. Thin lines are the samples (at most 1,200 of them, evenly picked),
    thick ones a running mean over a fortieth of the run.
    """
    series = {name: floats(values) for name, values in trajectory.series.items()}
    time = series["time_fs"] / FS_PER_PS
    atoms = len(trajectory.numbers)
    target = series.get("target_temperature_k")
    aim = () if target is None else (Line(*_picked(time, target), "ink/0.7", "target temperature", "dash", 1.0),)
    energy = series["energy_ev"] / atoms
    # a series that an engine did not record has no panel
    pressures = series.get(f"pressure_{pressure}_gpa")
    panels = [
        Panel(Axis("time (ps)"), Axis("T (K)"), (*_traced(time, series["temperature_k"], "series-1"), *aim)),
        Panel(Axis("time (ps)"), Axis("energy (eV/atom)"), _traced(time, energy, "series-2")),
    ]
    if pressures is not None and np.isfinite(pressures).any():
        marks = (Level("y", 0.0, "muted"), *_traced(time, pressures, "series-0"))
        panels.append(Panel(Axis("time (ps)"), Axis(f"{pressure} P (GPa)"), marks))
    caption = (
        f"{stage}: temperature with its target, potential energy per atom and {pressure} pressure against "
        "time. Thin: samples; thick: running mean."
    )
    name = f"time_series_{stage.lower().replace(' ', '_')}"
    return Chart(name, f"{stage} against time", caption, tuple(panels), stacked=True, legend=False)


def _traced(time: Array, values: Array, colour: str) -> tuple[Mark, ...]:
    raw = Line(*_picked(time, values), f"{colour}/0.35", width=0.7)
    window = len(values) // _WINDOWS
    if window < 2:
        return (Line(time, values, colour, width=1.2),)
    kernel = np.full(window, 1 / window)
    smooth = np.convolve(values, kernel, mode="valid")
    centres = np.convolve(time, kernel, mode="valid")
    return raw, Line(*_picked(centres, smooth), colour, width=1.5)


def _picked(time: Array, values: Array) -> tuple[Array, Array]:
    every = thinned(len(time), _MOST_SAMPLES)
    return time[every], values[every]
