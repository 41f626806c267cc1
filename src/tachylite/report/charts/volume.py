"""Pressure against volume."""

import math

import numpy as np

from tachylite.physics.eos import BirchMurnaghan
from tachylite.report.drawing.chart import Axis, Chart, Level, Line, Mark, Panel, Points, Symbol, floats, padded
from tachylite.report.text import plain_formula, quantity
from tachylite.schemas.steps.volume import VolumeResult, VolumeSample

_STYLES: dict[str, tuple[Symbol, str, float]] = {
    "scan": ("circle", "series-0", 7),
    "bracket": ("square", "series-2", 6.5),
    "verification": ("diamond", "series-1", 8),
}


def pressure_volume(equilibrium: VolumeResult) -> Chart:
    """Samples of P(V) with errors, the Birch-Murnaghan fit, and the equilibrium volume with its error.

    Volumes are in A^3 per atom, pressures in GPa in the convention of the search, which the axis names.
    """
    atoms = equilibrium.n_atoms
    convention = equilibrium.pressure_convention
    marks: list[Mark] = [Level("y", 0.0, "muted")]
    volumes = floats([sample.volume_a3 for sample in equilibrium.samples]) / atoms
    pressures = floats([sample.pressure_gpa.value for sample in equilibrium.samples])
    errors = np.nan_to_num(floats([sample.pressure_gpa.error for sample in equilibrium.samples]), posinf=0.0)
    virials = floats([sample.virial_gpa.value for sample in equilibrium.samples])
    x_limits = padded([volumes], 0.08)
    if (curve := _fit(equilibrium)) is not None:
        marks.append(curve)
    if (volume := equilibrium.volume_a3) is not None and math.isfinite(volume.value):
        margin = volume.error / atoms if math.isfinite(volume.error) else 0.0
        text = quantity(volume.value / atoms, volume.error / atoms, unit="Å³/atom")
        marks.append(
            Level(
                "x",
                volume.value / atoms,
                "accent",
                "dash",
                margin,
                text,
                text_before=_is_right(volume.value / atoms, x_limits),
            )
        )
        x_limits = padded([volumes, floats([volume.value / atoms])], 0.08)
    marks += [points for purpose in _STYLES if (points := _samples(equilibrium, purpose)) is not None]
    if convention == "total":
        marks.insert(1, Points(volumes, virials, "muted", "virial, without kinetic part", symbol="circle-open", size=5))
    where = f"{plain_formula(equilibrium.formula)} at {equilibrium.temperature_k:g} K"
    title = where if equilibrium.status == "completed" else f"{where}: {_failure(equilibrium)}"
    panel = Panel(
        Axis("volume (Å³/atom)", limits=x_limits),
        Axis(
            f"{convention} pressure (GPa)",
            limits=padded([pressures - errors, pressures + errors, virials, [0.0]], 0.08),
        ),
        tuple(marks),
        title,
    )
    caption = (
        f"Pressure against volume at {equilibrium.temperature_k:g} K, in the {convention} convention "
        f"({_CONVENTIONS[convention]}). Error bars and the shaded width of the volume found: one standard error."
    )
    heading = "Pressure against volume"
    if equilibrium.status == "failed":
        heading += f": {_failure(equilibrium)}"
    return Chart(f"pressure_volume_{equilibrium.temperature_k:g}K", heading, caption, (panel,))


_CONVENTIONS = {
    "total": "virial plus kinetic part",
    "virial": "without the kinetic part N k T / V, as VASP prints it",
}


def _is_right(value: float, limits: tuple[float, float] | None) -> bool:
    return limits is not None and value > sum(limits) / 2


def _failure(equilibrium: VolumeResult) -> str:
    return "a vapour" if equilibrium.vapour else "no volume found"


def _fit(equilibrium: VolumeResult) -> Line | None:
    """The fitted equation of state over the range of fitted volumes; None where there is none."""
    eos = equilibrium.equation_of_state
    if eos is None:
        return None
    parameters = (eos.volume_a3.value, eos.bulk_modulus_gpa.value, eos.bulk_modulus_derivative.value)
    if not all(map(math.isfinite, parameters)) or parameters[0] <= 0:
        return None
    fit = BirchMurnaghan(*parameters, math.nan, math.nan, math.nan)
    volumes = np.linspace(*eos.fitted_volumes_a3, 201)
    return Line(volumes / equilibrium.n_atoms, fit.pressure(volumes), "ink/0.65", "Birch-Murnaghan fit", width=1.4)


def _samples(equilibrium: VolumeResult, purpose: str) -> Points | None:
    samples = [sample for sample in equilibrium.samples if sample.purpose == purpose]
    if not samples:
        return None
    symbol, colour, size = _STYLES[purpose]
    errors = floats([sample.pressure_gpa.error for sample in samples])
    return Points(
        floats([sample.volume_a3 for sample in samples]) / equilibrium.n_atoms,
        floats([sample.pressure_gpa.value for sample in samples]),
        colour,
        purpose,
        np.stack([errors, errors]),
        symbol,
        size,
        tuple(_hover(sample, equilibrium.n_atoms) for sample in samples),
    )


def _hover(sample: VolumeSample, atoms: int) -> str:
    return (
        f"{sample.purpose}, attempt {sample.attempt}\n"
        f"V = {quantity(sample.volume_a3 / atoms, unit='Å³/atom')}\n"
        f"P = {quantity(sample.pressure_gpa, unit='GPa')}\n"
        f"T = {quantity(sample.temperature_k, unit='K')}"
    )
