"""Figures of publication quality: one function per figure, each returns a matplotlib figure.

The functions take the documents; save with `figure.savefig("name.png")`.
"""

from collections.abc import Sequence

from matplotlib.figure import Figure

from tachylite.report import charts
from tachylite.report.drawing.draw_matplotlib import draw
from tachylite.report.drawing.raster import draw_structure
from tachylite.schemas import (
    Activation,
    Diffusivity,
    State,
    StructureAnalysis,
    Trajectory,
)
from tachylite.schemas.glass import GlassTransition
from tachylite.schemas.steps.snapshots import SnapshotsResult
from tachylite.schemas.steps.volume import Pressure, VolumeResult


def pressure_volume(equilibrium: VolumeResult) -> Figure:
    """Pressure (GPa) against volume (A^3/atom) with errors, fit, verification points and the volume found."""
    return draw(charts.pressure_volume(equilibrium))


def time_series(trajectory: Trajectory, pressure: Pressure, *, stage: str) -> Figure:
    """Temperature with its target (K), potential energy (eV/atom) and pressure (GPa) against time (ps)."""
    return draw(charts.time_series(trajectory, pressure, stage=stage))


def partial_rdfs(analyses: Sequence[tuple[str, str, StructureAnalysis]]) -> Figure:
    """Partial g(r) of named states, each with a colour token, with first minima marked; r in A."""
    return draw(charts.partial_rdfs(analyses))


def mean_squared_displacement(diffusivities: Sequence[Diffusivity], species: Sequence[str]) -> Figure:
    """MSD (A^2) against lag time (ps) with error bands and fits, one panel per temperature."""
    return draw(charts.mean_squared_displacement(diffusivities, species))


def arrhenius(
    diffusivities: Sequence[Diffusivity], activations: Sequence[Activation], species: Sequence[str]
) -> Figure:
    """Diffusivity (cm^2/s) against 1000/T with 95 % intervals, bands and upper bounds."""
    return draw(charts.arrhenius(diffusivities, activations, species))


def cooling_run(found: GlassTransition) -> Figure:
    """Energy (eV/atom) and volume (A^3/atom) against temperature (K) with the branches of glass and liquid, and Tg."""
    return draw(charts.cooling_run(found))


def snapshot_energies(limit: SnapshotsResult) -> Figure:
    """Formation energies of relaxed snapshots (eV/atom), the amorphous limit marked."""
    return draw(charts.snapshot_energies(limit))


def structure(state: State) -> Figure:
    """Atoms of a state as shaded spheres with bonds, the cell and a legend of elements."""
    return draw_structure(state)


__all__ = [
    "arrhenius",
    "cooling_run",
    "mean_squared_displacement",
    "partial_rdfs",
    "pressure_volume",
    "snapshot_energies",
    "structure",
    "time_series",
]
