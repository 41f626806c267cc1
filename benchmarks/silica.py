"""Silica glass: a model of 3,000 atoms against what is measured, as docs/figures/silica.png and numbers on stdout."""

from pathlib import Path

import numpy as np
from benchmarks.common import read_atoms

from tachylite.analysis.structure import measure_frames
from tachylite.configs.datasets import data_folder
from tachylite.physics.frames import take_frames
from tachylite.physics.structure.bonds import bonds_within, cutoff_table
from tachylite.physics.structure.scattering import analyse_scattering
from tachylite.report.charts.scattering import bond_angle_panel
from tachylite.report.drawing.chart import Axis, Band, Chart, Line, Panel, floats
from tachylite.report.drawing.draw_matplotlib import draw

ROOT = Path(__file__).parents[1]
DATA = data_folder() / "silica"


def main() -> None:
    atoms = read_atoms(DATA / "SiO2_glass_3000_atoms.xyz")
    measured = np.loadtxt(DATA / "SiO2_NIMROD.mint01")
    frames = take_frames(atoms.positions[None], atoms.cell.array, atoms.numbers)
    found = measure_frames(frames, 300.0, rings=True)
    curve = analyse_scattering(frames, 1, 25.0, most_atom_waves=1e12)
    assert curve.neutron_f_barn_sr is not None
    assert found.rings is not None
    neutron = curve.neutron_f_barn_sr
    q, f, error = floats(curve.q_per_a), floats(neutron.values), floats(neutron.errors)
    bonds = bonds_within(atoms.positions, atoms.cell.array, frames.kinds, cutoff_table({"O-Si": 2.0}, frames.symbols))
    lengths = bonds.distances_a
    print(f"Si-O {lengths.mean():.4f} +- {lengths.std():.4f} A (standard deviation)")
    for one in found.coordinations:
        print(one.center, one.neighbor, {n: round(x.value, 4) for n, x in one.fractions.items()})
    for angle in found.angles:
        print(angle.triplet, angle.mean_deg, f"deviation {angle.deviation_deg:.2f}")
    print("rings", {size: x.value for size, x in found.rings.rings_per_vertex.items()})
    for low, high in ((0.5, 25.0), (0.5, 2.0), (2.0, 10.0), (10.0, 25.0)):
        part = (q > low) & (q < high)
        reference = np.interp(q[part], measured[:, 0], measured[:, 1])
        misfit = ((f[part] - reference) ** 2).sum() / (reference**2).sum()
        noise = np.sqrt((error[part] ** 2).mean())
        print(f"F(Q), {low} < Q < {high}: R_chi = {100 * misfit**0.5:.1f} %, noise {noise:.4f}")
    for name, x, y in (("computed", q, f), ("measured", measured[:, 0], measured[:, 1])):
        first = (x > 1.0) & (x < 2.2)
        print(f"first peak of F(Q), {name}: {x[first][np.argmax(y[first])]:.2f} 1/A, {y[first].max():.3f} barn/sr")
    panels = [
        Panel(
            Axis("Q (1/Å)", limits=(0.0, 25.0)),
            Axis("F(Q) (barn/sr)"),
            (
                Band(q, f - error, f + error, "accent/0.25"),
                Line(q, f, "accent", "3,000 atoms", width=1.1),
                Line(measured[:, 0], measured[:, 1], "warning", "measured (NIMROD)", width=1.3),
            ),
            "Neutron interference function",
        ),
        Panel(
            Axis("r (Å)", limits=(1.0, 8.0)),
            Axis("g(r)", limits=(0.0, 12.0)),
            tuple(
                Line(floats(found.r_a), floats(one.g), f"series-{i}", one.pair, width=1.2)
                for i, one in enumerate(found.partials)
            ),
            "Partial g(r)",
        ),
        *(bond_angle_panel(floats(found.angles_deg), one) for one in found.angles),
    ]
    chart = Chart("silica", "Silica glass", "", tuple(panels))
    draw(chart).savefig(ROOT / "docs" / "figures" / "silica.png")


if __name__ == "__main__":
    main()
