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

    `pressure` is the convention: total or virial. Thin lines are the samples (at most 1,200 of them, evenly spaced),
    thick ones a running mean over a fortieth of the run.
    """
    series = {name: floats(values) for name, values in trajectory.series.items()}
    time = series["time_fs"] / FS_PER_PS
    atoms = len(trajectory.numbers)
    target = series.get("target_temperature_k")
    temperature = list(_samples_and_mean(time, series["temperature_k"], "series-1"))
    if target is not None:
        temperature.append(Line(*_thinned(time, target), "ink/0.7", "target temperature", "dash", 1.0))
    energy = series["energy_ev"] / atoms
    # a series that an engine did not record has no panel
    pressures = series.get(f"pressure_{pressure}_gpa")
    panels = [
        Panel(Axis("time (ps)"), Axis("T (K)"), tuple(temperature)),
        Panel(Axis("time (ps)"), Axis("energy (eV/atom)"), _samples_and_mean(time, energy, "series-2")),
    ]
    if pressures is not None and np.isfinite(pressures).any():
        marks = (Level("y", 0.0, "muted"), *_samples_and_mean(time, pressures, "series-0"))
        panels.append(Panel(Axis("time (ps)"), Axis(f"{pressure} P (GPa)"), marks))
    caption = (
        f"{stage}: temperature with its target, potential energy per atom and {pressure} pressure against "
        "time. Thin: samples; thick: running mean."
    )
    name = f"time_series_{stage.lower().replace(' ', '_')}"
    return Chart(name, f"{stage} against time", caption, tuple(panels), stacked=True, legend=False)


def _samples_and_mean(time: Array, values: Array, colour: str) -> tuple[Mark, ...]:
    """Samples as a thin line under their running mean as a thick one; fewer than 80 samples as one line."""
    samples = Line(*_thinned(time, values), f"{colour}/0.35", width=0.7)
    window = len(values) // _WINDOWS
    if window < 2:
        return (Line(time, values, colour, width=1.2),)
    kernel = np.full(window, 1 / window)
    means = np.convolve(values, kernel, mode="valid")
    centres = np.convolve(time, kernel, mode="valid")
    return samples, Line(*_thinned(centres, means), colour, width=1.5)


def _thinned(time: Array, values: Array) -> tuple[Array, Array]:
    every = thinned(len(time), _MOST_SAMPLES)
    return time[every], values[every]
