"""Mean squared displacement and its temperature dependence."""

import math
from collections.abc import Sequence

import numpy as np

from tachylite.arrays import Array
from tachylite.physics.statistics import GAUSSIAN_95
from tachylite.report.drawing.chart import Axis, Band, Chart, Line, Mark, Panel, Points, floats
from tachylite.report.drawing.style import species_tokens
from tachylite.report.text import quantity
from tachylite.schemas import Diffusivity
from tachylite.schemas.material import Activation
from tachylite.units import CM2_S_PER_A2_FS, FS_PER_PS, KB_EV


def mean_squared_displacement(diffusivities: Sequence[Diffusivity], species: Sequence[str]) -> Chart:
    """MSD with error band and fit of every species, one panel per temperature, hottest first.

    Lags are in ps, MSD in A^2; `species` fixes the order of colours.
    """
    colours = species_tokens([*species, *(entry.species for entry in diffusivities)])
    temperatures = sorted({entry.temperature_k for entry in diffusivities}, reverse=True)
    panels = []
    for temperature in temperatures:
        isothermal = [entry for entry in diffusivities if entry.temperature_k == temperature]
        marks = [mark for entry in isothermal for mark in _curve(entry, colours[entry.species])]
        marks += [line for entry in isothermal if (line := _fit(entry)) is not None]
        immobile = [entry.species for entry in isothermal if not entry.diffusive]
        title = f"{temperature:g} K" + (f" ({', '.join(immobile)} not diffusive)" if immobile else "")
        # a title as long as the panel is wide would be cut
        title = title if len(title) < 38 else f"{temperature:g} K ({len(immobile)} species not diffusive)"
        panels.append(Panel(Axis("lag time (ps)"), Axis("MSD (Å²)"), tuple(marks), title))
    caption = (
        "Mean squared displacement per species; bands: one standard error; dashed: the fit that gives D, "
        "over the lags it used."
    )
    return Chart("msd", "Mean squared displacement", caption, tuple(panels))


def _curve(diffusivity: Diffusivity, colour: str) -> tuple[Mark, ...]:
    lags, msd = floats(diffusivity.lags_fs) / FS_PER_PS, floats(diffusivity.msd_a2)
    error = floats(diffusivity.msd_error_a2)
    name = diffusivity.species
    line = Line(lags, msd, colour, name, width=2)
    if len(error) != len(msd):
        return (line,)
    return Band(lags, msd - error, msd + error, f"{colour}/0.2"), line


def _fit(diffusivity: Diffusivity) -> Line | None:
    """MSD = intercept + 6 D t, from the start of the fit to the longest lag."""
    if diffusivity.diffusivity_cm2_s is None or diffusivity.intercept_a2 is None or not diffusivity.lags_fs:
        return None
    lags = floats([diffusivity.fit_start_fs or 0.0, max(diffusivity.lags_fs)])
    msd = diffusivity.intercept_a2 + 6 * diffusivity.diffusivity_cm2_s / CM2_S_PER_A2_FS * lags
    return Line(lags / FS_PER_PS, msd, "ink", "fit", "dash", 1.0)


def arrhenius(diffusivities: Sequence[Diffusivity], activations: Sequence[Activation], species: Sequence[str]) -> Chart:
    """Diffusivity (cm^2/s, log scale) against 1000/T with 95 % intervals, fits with 95 % bands, upper bounds.

    The band is the normal one of ln D = ln D0 - Ea / kT with the covariance of both parameters.
    """
    colours = species_tokens([*species, *(entry.species for entry in diffusivities)])
    temperatures = sorted({entry.temperature_k for entry in diffusivities})
    marks: list[Mark] = []
    for activation in activations:
        marks += _arrhenius_fit(activation, colours.get(activation.species, "muted"), temperatures)
    for name, colour in colours.items():
        of_species = [entry for entry in diffusivities if entry.species == name]
        marks += _measured(of_species, name, colour)
    values = [
        np.asarray(part)[np.asarray(part) > 0]
        for mark in marks
        if isinstance(mark, Points)
        for part in (mark.y, mark.y + (0 if mark.errors is None else mark.errors[1]))
    ]
    panel = Panel(
        Axis("1000/T (1/K)", limits=_reciprocal_limits(temperatures)),
        Axis("D (cm²/s)", log=True, limits=_log_limits(np.concatenate(values) if values else np.empty(0))),
        tuple(marks),
        top=tuple((1000 / temperature, f"{temperature:g} K") for temperature in _spread(temperatures)),
    )
    caption = (
        "Tracer diffusivities against reciprocal temperature. Error bars and bands: 95 %. "
        "Triangles: upper bounds where the motion is not diffusive."
    )
    return Chart("arrhenius", "Arrhenius plot", caption, (panel,))


def _measured(diffusivities: Sequence[Diffusivity], name: str, colour: str) -> list[Mark]:
    marks: list[Mark] = []
    diffusive = [entry for entry in diffusivities if entry.diffusive and (entry.diffusivity_cm2_s or 0) > 0]
    if diffusive:
        values = floats([entry.diffusivity_cm2_s for entry in diffusive])
        intervals = [entry.diffusivity_interval_cm2_s for entry in diffusive]
        low = floats([interval.low if interval else math.nan for interval in intervals])
        high = floats([interval.high if interval else math.nan for interval in intervals])
        # a log scale has no room for a bar that reaches zero
        errors = np.stack([np.minimum(values - low, 0.999 * values), high - values])
        hover = tuple(_hover(entry) for entry in diffusive)
        x = floats([1000 / entry.temperature_k for entry in diffusive])
        marks.append(Points(x, values, colour, name, np.clip(errors, 0, None), hover=hover))
    bounded = [entry for entry in diffusivities if not entry.diffusive and (entry.upper_bound_cm2_s or 0) > 0]
    if bounded:
        x = floats([1000 / entry.temperature_k for entry in bounded])
        y = floats([entry.upper_bound_cm2_s for entry in bounded])
        hover = tuple(_hover(entry) for entry in bounded)
        marks.append(Points(x, y, colour, f"{name}, upper bound", symbol="triangle-down", size=9, hover=hover))
    return marks


def _hover(diffusivity: Diffusivity) -> str:
    head = f"{diffusivity.species} at {diffusivity.temperature_k:g} K"
    if diffusivity.diffusive:
        interval = diffusivity.diffusivity_interval_cm2_s
        return f"{head}\n{quantity(diffusivity.diffusivity_cm2_s, unit='cm²/s', interval=interval)}"
    return f"{head}, not diffusive\nbelow {quantity(diffusivity.upper_bound_cm2_s, unit='cm²/s', digits=2)}"


def _arrhenius_fit(activation: Activation, colour: str, temperatures: Sequence[float]) -> list[Mark]:
    energy, ln_d0 = activation.activation_energy_ev, activation.ln_d0
    if energy is None or ln_d0 is None or not temperatures:
        return []
    fitted = activation.temperatures_k or temperatures
    reciprocal = np.linspace(1 / max(fitted), 1 / min(fitted), 60)
    beta = reciprocal / KB_EV
    ln_d = ln_d0.value - energy.value * beta
    marks: list[Mark] = [Line(1000 * reciprocal, np.exp(ln_d), colour)]
    if activation.covariance is not None:
        variance = ln_d0.error**2 + (energy.error * beta) ** 2 - 2 * activation.covariance * beta
        half = GAUSSIAN_95 * np.sqrt(np.clip(variance, 0, None))
        band = Band(1000 * reciprocal, np.exp(ln_d - half), np.exp(ln_d + half), f"{colour}/0.18")
        marks.insert(0, band)
    return marks


def _reciprocal_limits(temperatures: Sequence[float]) -> tuple[float, float] | None:
    if not temperatures:
        return None
    low, high = 1000 / max(temperatures), 1000 / min(temperatures)
    margin = 0.07 * (high - low) or 0.1 * high
    return low - margin, high + margin


def _log_limits(values: Array) -> tuple[float, float] | None:
    """Limits of a log axis a little beyond the data."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()) / 2.2, float(finite.max()) * 2.2) if finite.size else None


def _spread(temperatures: Sequence[float], least: float = 0.085) -> list[float]:
    """Temperatures whose labels along 1000/T do not overlap, chosen from the coldest upwards."""
    labelled: list[float] = []
    span = 1 / min(temperatures) - 1 / max(temperatures) if temperatures else 0.0
    for temperature in sorted(temperatures):
        if not labelled or 1 / labelled[-1] - 1 / temperature > least * span:
            labelled.append(temperature)
    return labelled
