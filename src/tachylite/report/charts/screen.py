"""Energies of a screen: a diagram of each binary system, and the distribution above the hull."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from tachylite.report.drawing.chart import Axis, Chart, Level, Line, Mark, Panel, Points, Symbol, floats, padded
from tachylite.report.drawing.style import series_token
from tachylite.report.text import quantity
from tachylite.schemas.screen import CompositionRow, StablePhase

_BIN_EV = 0.02


def system_diagram(system: str, rows: Sequence[CompositionRow], stable: Sequence[StablePhase]) -> Chart:
    """Formation energies (eV/atom) of a binary system against composition.

    The hull of the crystals; every amorphous sample, and a line through the means of each composition; what has
    crystallised; and the same structures by a second engine, where there are some.
    """
    first, second = system.split("-")
    vertices = sorted(stable, key=lambda phase: phase.fractions.get(second, 0.0))
    marks: list[Mark] = [
        _points(
            [
                (p.fractions.get(second, 0.0), p.formation_energy_ev_per_atom, f"{p.formula}, {p.source}")
                for p in vertices
            ],
            "series-0",
            "stable crystals",
        ),
    ]
    hull = floats([[p.fractions.get(second, 0.0), p.formation_energy_ev_per_atom] for p in vertices]).reshape(-1, 2)
    marks.insert(0, Line(hull[:, 0], hull[:, 1], "series-0", "stable crystals"))
    glasses = [row for row in rows if row.is_amorphous]
    if glasses:
        means = _means(glasses, second)
        x, mean = floats(list(means)), floats(list(means.values()))
        marks.append(Line(x, mean, "series-1", "amorphous"))
        marks.append(
            _points([_place(row, second, row.formation_energy_ev_per_atom) for row in glasses], "series-1", "amorphous")
        )
    crystallised = [row for row in rows if row.formation_energy_ev_per_atom is not None and not row.is_amorphous]
    if crystallised:
        places = [_place(row, second, row.formation_energy_ev_per_atom) for row in crystallised]
        marks.append(_points(places, "warning", "crystallised", "circle-open"))
    for name, label, colour in (
        ("check_formation_energy_ev_per_atom", "as it is", "series-2"),
        ("check_relaxed_formation_energy_ev_per_atom", "relaxed", "series-3"),
    ):
        checked = [row for row in rows if getattr(row, name) is not None]
        if checked:
            places = [_place(row, second, getattr(row, name)) for row in checked]
            marks.append(_points(places, colour, f"{checked[0].check_engine}, {label}", "diamond"))
    levels = [mark.y for mark in marks if isinstance(mark, Line | Points)]
    panel = Panel(
        Axis(f"fraction of {second} in {first}-{second}", limits=(-0.03, 1.03)),
        Axis("formation energy (eV/atom)", limits=padded([*levels, [0.0]], 0.08)),
        (Level("y", 0.0, "muted", "dot"), *marks),
    )
    caption = (
        "Energies above the elements, all by one engine; the line of the glasses goes through the means of samples."
    )
    return Chart(f"system_{system}", system, caption, (panel,))


def _place(row: CompositionRow, second: str, energy: float | None) -> tuple[float, float, str]:
    value = float("nan") if energy is None else energy
    above = "" if row.above_hull_ev_per_atom is None else f"\n{row.above_hull_ev_per_atom:.3f} above the hull"
    return row.fractions[second], value, f"{row.formula} {quantity(value, unit='eV/atom')}{above}"


def _points(places: Sequence[tuple[float, float, str]], colour: str, name: str, symbol: Symbol = "circle") -> Points:
    x, y, texts = zip(*places, strict=True) if places else ((), (), ())
    return Points(floats(x), floats(y), colour, name, None, symbol, 7, tuple(texts))


def _means(rows: Sequence[CompositionRow], second: str) -> Mapping[float, float]:
    """Mean formation energy of every composition, by the fraction of the second element."""
    energies: dict[float, list[float]] = defaultdict(list)
    for row in rows:
        energies[row.fractions[second]].append(float(row.formation_energy_ev_per_atom or 0.0))
    return {fraction: float(np.mean(energies[fraction])) for fraction in sorted(energies)}


def above_hull(rows: Sequence[CompositionRow]) -> Chart:
    """How many amorphous samples lie how far above the hull, by kind of compound (the five most frequent)."""
    energies: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.is_amorphous and row.above_hull_ev_per_atom is not None:
            energies[row.chemistry].append(row.above_hull_ev_per_atom)
    every = [energy for values in energies.values() for energy in values] or [0.0]
    first, last = int(np.floor(min(every) / _BIN_EV)), int(np.floor(max(every) / _BIN_EV)) + 1
    edges = _BIN_EV * np.arange(min(first, 0), last + 1)
    marks: list[Mark] = []
    frequent = sorted(energies, key=lambda kind: -len(energies[kind]))[:5]
    for number, kind in enumerate(frequent):
        counts, _ = np.histogram(energies[kind], edges)
        x, y = np.repeat(edges, 2)[1:-1], np.repeat(counts, 2).astype(float)
        marks.append(Line(x, y, f"series-{number}", kind))
    panel = Panel(Axis("above the hull (eV/atom)"), Axis("samples"), tuple(marks))
    caption = "Amorphous energies above the stable crystals, in bins of 0.02 eV/atom."
    return Chart("above_hull", "Above the crystals", caption, (panel,))


def check_parity(rows: Sequence[CompositionRow]) -> Chart:
    """Formation energies of the second engine against those of the first (eV/atom)."""
    checked = [row for row in rows if row.check_formation_energy_ev_per_atom is not None and row.is_amorphous]
    marks: list[Mark] = []
    for number, kind in enumerate(dict.fromkeys(row.chemistry for row in checked)):
        places = [
            (
                float(row.formation_energy_ev_per_atom or 0.0),
                float(row.check_formation_energy_ev_per_atom or 0.0),
                f"{row.formula}, {row.system}",
            )
            for row in checked
            if row.chemistry == kind
        ]
        marks.append(_points(places, series_token(number), kind))
    both = [mark.x for mark in marks if isinstance(mark, Points)] + [
        mark.y for mark in marks if isinstance(mark, Points)
    ]
    limits = padded(both, 0.08) or (-1.0, 1.0)
    marks.insert(0, Line(floats(limits), floats(limits), "muted", None, "dot"))
    name = checked[0].check_engine or "second engine"
    panel = Panel(
        Axis("formation energy (eV/atom)", limits=limits), Axis(f"by {name} (eV/atom)", limits=limits), tuple(marks)
    )
    caption = "The same structures by both engines, each above its own elements."
    return Chart("check_parity", "Beside the second engine", caption, (panel,))


def check_differences(rows: Sequence[CompositionRow]) -> Chart:
    """How many structures differ by how much between the engines (meV/atom)."""
    differences = floats(
        [
            1000 * (row.formation_energy_ev_per_atom - row.check_formation_energy_ev_per_atom)
            for row in rows
            if row.is_amorphous
            and row.formation_energy_ev_per_atom is not None
            and row.check_formation_energy_ev_per_atom is not None
        ]
    )
    edges = np.histogram_bin_edges(differences, "auto")
    counts, _ = np.histogram(differences, edges)
    line = Line(np.repeat(edges, 2)[1:-1], np.repeat(counts, 2).astype(float), "series-0", None)
    panel = Panel(
        Axis("first minus second engine (meV/atom)"), Axis("structures"), (Level("x", 0.0, "muted", "dot"), line)
    )
    return Chart("check_differences", "Differences", "Of formation energies, in meV/atom.", (panel,))
