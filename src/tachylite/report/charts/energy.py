"""Formation energies of relaxed snapshots."""

import numpy as np
from numpy.typing import NDArray

from tachylite.report.drawing.chart import Axis, Chart, Level, Mark, Panel, Points, Symbol, floats, padded
from tachylite.report.text import quantity
from tachylite.schemas.steps.snapshots import SnapshotsResult
from tachylite.units import FS_PER_PS


def snapshot_energies(limit: SnapshotsResult) -> Chart:
    """Formation energies of the snapshots (eV/atom) against time, their mean, the amorphous limit marked."""
    snapshots = [snapshot for snapshot in limit.snapshots if snapshot.formation_energy_ev_per_atom is not None]
    times = floats([snapshot.time_fs for snapshot in snapshots]) / FS_PER_PS
    energies = floats([snapshot.formation_energy_ev_per_atom for snapshot in snapshots])
    converged = np.array([snapshot.relaxation.status == "converged" for snapshot in snapshots], dtype=bool)
    marks: list[Mark] = []
    mean = limit.mean_formation_energy_ev_per_atom
    if mean is not None:
        margin = float(np.nan_to_num(mean.error))
        marks.append(Level("y", mean.value, "series-0", "dash", margin, "mean", text_at_end=False))
    lowest = limit.formation_energy_ev_per_atom
    if lowest is not None:
        text = f"amorphous limit {quantity(lowest, unit='eV/atom')}"
        marks.append(Level("y", lowest, "series-1", text=text))
    hover = tuple(
        f"{time:g} ps\n{quantity(energy, unit='eV/atom')}" for time, energy in zip(times, energies, strict=True)
    )
    crystallised = np.array([snapshot.crystallised for snapshot in snapshots], dtype=bool)
    best = (energies == lowest) & ~crystallised
    groups: tuple[tuple[NDArray[np.bool_], str, str, Symbol, int], ...] = (
        (converged & ~best & ~crystallised, "series-0", "relaxed snapshot", "circle", 7),
        (~converged & ~best, "muted", "snapshot, not converged", "circle-open", 7),
        (crystallised, "warning", "crystallised, left out", "circle-open", 7),
        (best, "series-1", "lowest", "diamond", 9),
    )
    for selected, colour, name, symbol, size in groups:
        if selected.any():
            texts = tuple(text for text, in_group in zip(hover, selected, strict=True) if in_group)
            marks.append(Points(times[selected], energies[selected], colour, name, None, symbol, size, texts))
    levels = [energies, floats([lowest]), floats([mean.value if mean else None])]
    panel = Panel(
        Axis("time in the melt (ps)", limits=padded([times], 0.08)),
        Axis("formation energy (eV/atom)", limits=padded(levels, 0.18)),
        tuple(marks),
    )
    caption = (
        "Formation energies of relaxed snapshots of the melt; the lowest is the amorphous limit. "
        "Dashed: the mean, shaded by one standard error."
    )
    return Chart("snapshots", "Amorphous limit", caption, (panel,))
