"""Pressure against volume."""

import math
from collections.abc import Sequence

import numpy as np

from tachylite.physics.eos import BirchMurnaghan
from tachylite.report.drawing.chart import Axis, Chart, Level, Line, Mark, Panel, Points, Symbol, floats, padded
from tachylite.report.text import plain_formula, quantity, spaced
from tachylite.schemas.steps.volume import VolumeResult, VolumeSample

_STYLES: dict[str, tuple[Symbol, str, float]] = {
    "scan": ("circle", "series-0", 7),
    "bracket": ("square", "series-2", 6.5),
    "verification": ("diamond", "series-1", 8),
}


def pressure_volume(searches: Sequence[VolumeResult]) -> Chart:
    """Samples of P(V) with errors, the Birch-Murnaghan fit, the volume found with its error; one panel per search.

    Volumes are in A^3 per atom, pressures in GPa in the convention of the searches, which the axis names.
    """
    convention = searches[0].pressure_convention
    title, at = "Pressure against volume", ""
    if len(searches) == 1:
        alone = searches[0]
        panels = [_panel(alone, f"{plain_formula(alone.formula)} at {alone.temperature_k:g} K", written=True)]
        title, at = f"{title}{_failure(alone)}", f" at {alone.temperature_k:g} K"
    else:
        panels = [_panel(search, spaced(search.variant), written=False) for search in searches]
    caption = (
        f"Pressure against volume{at}, in the {convention} convention ({_CONVENTIONS[convention]}). "
        "Error bars and the shaded width of the volume found: one standard error."
    )
    return Chart("pressure_volume", title, caption, tuple(panels))


def _panel(search: VolumeResult, name: str, *, written: bool) -> Panel:
    """One search; whether the volume is written at its line, for which small panels have no room."""
    atoms, convention = search.n_atoms, search.pressure_convention
    marks: list[Mark] = [Level("y", 0.0, "muted")]
    volumes = floats([sample.volume_a3 for sample in search.samples]) / atoms
    pressures = floats([sample.pressure_gpa.value for sample in search.samples])
    errors = np.nan_to_num(floats([sample.pressure_gpa.error for sample in search.samples]), posinf=0.0)
    virials = floats([sample.virial_gpa.value for sample in search.samples])
    x_limits = padded([volumes], 0.08)
    if convention == "total":
        marks.append(Points(volumes, virials, "muted", "virial, without kinetic part", symbol="circle-open", size=5))
    if (curve := _fit(search)) is not None:
        marks.append(curve)
    if search.volume_a3 is not None and math.isfinite(search.volume_a3.value):
        volume = search.volume_a3 / atoms
        margin = volume.error if math.isfinite(volume.error) else 0.0
        text = quantity(volume, unit="Å³/atom") if written else ""
        before = _is_right(volume.value, x_limits)
        marks.append(Level("x", volume.value, "accent", "dash", margin, text, text_before=before))
        x_limits = padded([volumes, floats([volume.value])], 0.08)
    marks += [points for purpose in _STYLES if (points := _samples(search, purpose)) is not None]
    y_limits = padded([pressures - errors, pressures + errors, virials, [0.0]], 0.08)
    return Panel(
        Axis("volume (Å³/atom)", limits=x_limits),
        Axis(f"{convention} pressure (GPa)", limits=y_limits),
        tuple(marks),
        f"{name}{_failure(search)}",
    )


_CONVENTIONS = {
    "total": "virial plus kinetic part",
    "virial": "without the kinetic part N k T / V, as VASP prints it",
}


def _is_right(value: float, limits: tuple[float, float] | None) -> bool:
    return limits is not None and value > sum(limits) / 2


def _failure(search: VolumeResult) -> str:
    if search.status == "completed":
        return ""
    return ": a vapour" if search.vapour else ": no volume found"


def _fit(search: VolumeResult) -> Line | None:
    """The fitted equation of state over the range of fitted volumes; None where there is none."""
    eos = search.equation_of_state
    if eos is None:
        return None
    parameters = (eos.volume_a3.value, eos.bulk_modulus_gpa.value, eos.bulk_modulus_derivative.value)
    if not all(map(math.isfinite, parameters)) or parameters[0] <= 0:
        return None
    fit = BirchMurnaghan(*parameters, math.nan, math.nan, math.nan)
    volumes = np.linspace(*eos.fitted_volumes_a3, 201)
    return Line(volumes / search.n_atoms, fit.pressure(volumes), "ink/0.65", "Birch-Murnaghan fit", width=1.4)


def _samples(search: VolumeResult, purpose: str) -> Points | None:
    samples = [sample for sample in search.samples if sample.purpose == purpose]
    if not samples:
        return None
    symbol, colour, size = _STYLES[purpose]
    errors = floats([sample.pressure_gpa.error for sample in samples])
    return Points(
        floats([sample.volume_a3 for sample in samples]) / search.n_atoms,
        floats([sample.pressure_gpa.value for sample in samples]),
        colour,
        purpose,
        np.stack([errors, errors]),
        symbol,
        size,
        tuple(_hover(sample, search.n_atoms) for sample in samples),
    )


def _hover(sample: VolumeSample, atoms: int) -> str:
    return (
        f"{sample.purpose}, attempt {sample.attempt}\n"
        f"V = {quantity(sample.volume_a3 / atoms, unit='Å³/atom')}\n"
        f"P = {quantity(sample.pressure_gpa, unit='GPa')}\n"
        f"T = {quantity(sample.temperature_k, unit='K')}"
    )
