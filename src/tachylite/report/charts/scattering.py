"""Structure factors, bond angles and coordination numbers."""

from collections.abc import Mapping, Sequence

import numpy as np

from tachylite.arrays import Array
from tachylite.report.drawing.chart import Axis, Band, Chart, Level, Line, Mark, Panel, Points, floats
from tachylite.report.drawing.style import series_token
from tachylite.report.text import pair_label, plain_formula, quantity
from tachylite.schemas import StructureAnalysis
from tachylite.schemas.structure import BondAngles, ScatteringAnalysis, StructureFactor


def structure_factors(
    scattering: ScatteringAnalysis, measured: tuple[Sequence[float], Sequence[float]] | None = None
) -> Chart:
    """Neutron F(Q) (barn/sr per atom), X-ray F(Q) and the partial S(Q), with bands of one standard error.

    `measured` is a neutron curve to compare with: Q in 1/A and F(Q) in barn/sr per atom.
    """
    panels = []
    if scattering.neutron_f_barn_sr is not None:
        marks = _curve(scattering.q_per_a, scattering.neutron_f_barn_sr, "accent", "computed")
        if measured is not None:
            marks.append(Line(floats(measured[0]), floats(measured[1]), "warning", "measured", "dash", 1.2))
        limits = (0.0, max(scattering.q_per_a))
        panels.append(Panel(Axis("Q (1/Å)", limits=limits), Axis("F(Q) (barn/sr)"), tuple(marks), "Neutrons"))
    xray = _curve(scattering.q_per_a, scattering.xray_f, "accent", "computed")
    panels.append(Panel(Axis("Q (1/Å)"), Axis("F(Q)"), tuple(xray), "X-rays"))
    partials: list[Mark] = [Level("y", 1.0, "muted", "dot")]
    for index, (pair, curve) in enumerate(scattering.partials.items()):
        partials += _curve(scattering.q_per_a, curve, series_token(index), pair_label(pair))
    panels.append(Panel(Axis("Q (1/Å)"), Axis("S(Q)"), tuple(partials), "Partials"))
    caption = "Faber-Ziman structure factors; bands: one standard error; X-ray F(Q) over the squared mean form factor."
    return Chart("structure_factors", "Structure factors", caption, tuple(panels))


def bond_angles(analysis: StructureAnalysis) -> Chart:
    """Distributions of the bond angles, one panel per triplet, with bands of one standard error."""
    panels = tuple(bond_angle_panel(floats(analysis.angles_deg), distribution) for distribution in analysis.angles)
    return Chart("bond_angles", "Bond angles", "Bond-angle distributions; bands: one standard error.", panels)


def bond_angle_panel(angles_deg: Array, distribution: BondAngles) -> Panel:
    """The distribution of one bond angle over angles (n,) in degrees, with its band of errors and its mean marked."""
    density, error = floats(distribution.density_per_deg), floats(distribution.density_error_per_deg)
    mean = distribution.mean_deg
    marks: tuple[Mark, ...] = (
        Band(angles_deg, density - error, density + error, "accent/0.2"),
        Line(angles_deg, density, "accent"),
        Level("x", mean.value, "muted", "dash", text=quantity(mean, unit="°"), text_before=mean.value > 90),
    )
    return Panel(Axis("angle (°)", limits=(0.0, 180.0)), Axis("density (1/°)"), marks, pair_label(distribution.triplet))


def _coordination_numbers(analysis: StructureAnalysis) -> Chart:
    """Fractions of the atoms with each number of neighbours, one panel per pair that is a bond."""
    panels = []
    for bond in analysis.coordinations:
        n = sorted(bond.fractions)
        values = floats([bond.fractions[k].value for k in n])
        errors = np.tile(floats([bond.fractions[k].error for k in n]), (2, 1))
        hover = tuple(f"{plain_formula(f'{bond.center}{bond.neighbor}{k}')} {quantity(bond.fractions[k])}" for k in n)
        points = Points(floats(n), values, "accent", errors=errors, hover=hover)
        title = f"{bond.neighbor} around {bond.center}, up to {quantity(bond.cutoff_a, digits=3)} Å"
        x = Axis("neighbours", limits=(min(n) - 0.6, max(n) + 0.6))
        panels.append(Panel(x, Axis("fraction", limits=(-0.03, 1.08)), (points,), title))
    return Chart("coordination", "Coordination numbers", "Error bars: one standard error.", tuple(panels), legend=False)


def structure_charts(analysis: StructureAnalysis) -> Mapping[str, Chart]:
    """All of these that an analysis has something for, by name."""
    charts = []
    if analysis.coordinations:
        charts.append(_coordination_numbers(analysis))
    if analysis.angles:
        charts.append(bond_angles(analysis))
    if analysis.scattering is not None:
        charts.append(structure_factors(analysis.scattering))
    return {chart.name: chart for chart in charts}


def _curve(q_per_a: Sequence[float], curve: StructureFactor, colour: str, name: str) -> list[Mark]:
    q, values, errors = floats(q_per_a), floats(curve.values), floats(curve.errors)
    return [Band(q, values - errors, values + errors, f"{colour}/0.2"), Line(q, values, colour, name, width=1.2)]
