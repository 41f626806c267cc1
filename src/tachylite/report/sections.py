"""The sections of the page: which charts and tables a material gets, in the order they are read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tachylite.report import charts
from tachylite.report.drawing.chart import Chart
from tachylite.report.drawing.style import heat_token
from tachylite.report.glass_rows import expansion_row, glass_rows
from tachylite.report.overview import (
    Row,
    Table,
    activation_table,
    coordination_table,
    diffusivity_table,
    samples_table,
    state_rows,
)
from tachylite.report.text import duration, quantity
from tachylite.schemas import Glass, Material, Melt, Run, Segment, State, StructureAnalysis, Trajectory

type Trajectories = Mapping[str, Trajectory]


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it."""

    title: str
    rows: tuple[Row, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class NamedState:
    """A structure to show and to save."""

    name: str
    title: str
    state: State


def sections(material: Material, trajectories: Trajectories) -> list[Section]:
    """Arrange charts and tables of everything a material has; what it lacks is left out."""
    return [
        *_stages(material, trajectories),
        *_expansion(material),
        *_transport(material),
        *_structure(material),
        *_glass(material, trajectories),
        *_limit(material),
    ]


def final_states(material: Material) -> list[NamedState]:
    """The final structures, the one to show first at the head."""
    found: list[NamedState] = []
    glass, limit = material.glass, material.amorphous_limit
    if glass is not None and glass.run.status == "completed":
        relaxed = glass.relaxation is not None and glass.relaxation.status == "converged"
        state = glass.relaxation.state if relaxed and glass.relaxation is not None else glass.run.final
        found.append(NamedState("glass", f"glass, {'relaxed' if relaxed else 'as quenched'}", state))
    if limit is not None and limit.formation_energy_ev_per_atom is not None:
        for snapshot in limit.snapshots:
            if snapshot.formation_energy_ev_per_atom == limit.formation_energy_ev_per_atom:
                found.append(NamedState("amorphous_limit", "amorphous limit, relaxed", snapshot.relaxation.state))
                break
    for name, title, melt in _named(material):
        if melt.run is not None:
            found.append(NamedState(name, f"{_lowered(title)}, last frame", melt.run.final))
        elif melt.equilibrium.state is not None:
            found.append(NamedState(name, f"{_lowered(title)}, volume search", melt.equilibrium.state))
    if glass is not None and glass.run.status == "failed":
        found.append(NamedState("quench", "quench, last good frame", glass.run.final))
    return found


def _lowered(title: str) -> str:
    return title[:1].lower() + title[1:]


def _named(material: Material) -> Iterator[tuple[str, str, Melt]]:
    """Melt and anneals with a name for files (unique) and a title."""
    if material.melt is not None:
        yield "melt", f"Melt at {material.melt.temperature_k:g} K", material.melt
    for number, state in enumerate(material.anneals, 1):
        yield f"anneal_{number}_{state.temperature_k:g}K", f"Anneal at {state.temperature_k:g} K", state


def _stages(material: Material, trajectories: Trajectories) -> Iterator[Section]:
    for name, title, state in _named(material):
        equilibrium = state.equilibrium
        shown: list[Chart] = []
        tables: tuple[Table, ...] = ()
        if equilibrium.samples:
            shown.append(replace(charts.pressure_volume(equilibrium), name=f"{name}_pressure_volume"))
            tables = (samples_table(equilibrium),)
        shown += _time_series(state.run, trajectories, material, name, title)
        rows = (*state_rows(state), *_run_rows(state.run))
        yield Section(title, rows, tuple(shown), tables, _trajectory_note(state.run, trajectories))


def _time_series(run: Run | None, trajectories: Trajectories, material: Material, name: str, title: str) -> list[Chart]:
    trajectory = trajectories.get(run.trajectory_id or "") if run is not None else None
    if trajectory is None:
        return []
    chart = charts.time_series(trajectory, material.protocol.pressure, stage=title)
    return [replace(chart, name=f"{name}_time_series")]


def _run_rows(run: Run | None) -> list[Row]:
    if run is None:
        return []
    failed = [Row("run", "failed", run.reason or "no reason recorded", weak=True)] if run.status == "failed" else []
    rows = [*failed, Row("molecular dynamics", f"{run.steps:,} steps", f"{duration(run.wall_time_s)} wall time")]
    if run.segments:
        last = run.last
        rows.append(Row("mean temperature", quantity(last.temperature_k, unit="K"), f"target {_target(last.segment)}"))
    return rows


def _target(segment: Segment) -> str:
    start, end = segment.temperature_k, segment.end_temperature_k
    return f"{start:g} K" if end is None else f"{start:g} to {end:g} K"


def _trajectory_note(run: Run | None, trajectories: Trajectories) -> str:
    if run is None:
        return "There was no production run."
    if run.trajectory_id not in trajectories:
        return "The trajectory of this run is not at hand, so there are no curves against time."
    return ""


def _expansion(material: Material) -> Iterator[Section]:
    if material.expansion is not None:
        convention = material.protocol.pressure
        note = f"The volumes are those at which the {convention} pressure vanishes."
        yield Section("Thermal expansion", (expansion_row("volumetric", material.expansion),), note=note)


def _transport(material: Material) -> Iterator[Section]:
    states = [state for _, _, state in _named(material) if state.diffusivities]
    items = [item for state in states for item in state.diffusivities]
    if not items:
        return
    shown = [charts.mean_squared_displacement(items, material.elements)]
    tables = [diffusivity_table(states)]
    if len({item.temperature_k for item in items}) > 1:
        shown.append(charts.arrhenius(items, material.activations, material.elements))
    if material.activations:
        tables.append(activation_table(material.activations))
    yield Section("Transport", charts=tuple(shown), tables=tuple(tables))


def _structure(material: Material) -> Iterator[Section]:
    analyses = _analyses(material)
    if not analyses:
        return
    temperatures = [temperature for _, temperature, _ in analyses]
    coloured = [(name, heat_token(temperature, temperatures), analysis) for name, temperature, analysis in analyses]
    table = coordination_table([(name, analysis) for name, _, analysis in analyses])
    yield Section("Structure", charts=(charts.partial_rdfs(coloured),), tables=(table,) if table.rows else ())


def _analyses(material: Material) -> list[tuple[str, float, StructureAnalysis]]:
    """Analysed states from hot to cold, each with a name of its own."""
    named = [(title, state.temperature_k, state.structure) for _, title, state in _named(material)]
    if material.glass is not None:
        temperature = material.glass.final_temperature_k
        named.append((f"Glass at {temperature:g} K", temperature, material.glass.structure))
    found = [(title, temperature, analysis) for title, temperature, analysis in named if analysis is not None]
    return sorted(found, key=lambda item: -item[1])


def _glass(material: Material, trajectories: Trajectories) -> Iterator[Section]:
    glass = material.glass
    if glass is None:
        return
    shown = _time_series(glass.run, trajectories, material, "quench", "Quench")
    if glass.transition is not None:
        shown.append(charts.cooling_run(glass.transition))
    rows = (*_glass_rows(glass), *glass_rows(glass))
    yield Section("Quench and glass", rows, tuple(shown), (), _trajectory_note(glass.run, trajectories))


def _glass_rows(glass: Glass) -> Iterator[Row]:
    yield Row("cooling rate", quantity(glass.cooling_rate_k_s, unit="K/s", digits=3))
    yield from _run_rows(glass.run)
    relaxation = glass.relaxation
    if relaxation is not None:
        yield Row(
            "relaxation",
            f"{relaxation.status} in {relaxation.steps} steps",
            f"largest force {quantity(relaxation.max_force_ev_a, unit='eV/Å', digits=2)}",
            weak=relaxation.status == "failed",
        )
        yield Row("energy, relaxed", quantity(relaxation.energy_ev_per_atom, unit="eV/atom", digits=5))
    if glass.density_g_cm3 is not None:
        yield Row("density, relaxed", quantity(glass.density_g_cm3, unit="g/cm³"))


def _limit(material: Material) -> Iterator[Section]:
    limit = material.amorphous_limit
    if limit is None:
        return
    known = any(item.formation_energy_ev_per_atom is not None for item in limit.snapshots)
    shown = (charts.snapshot_energies(limit),) if known else ()
    rows = tuple(
        (
            f"{item.time_fs / 1000:g}",
            quantity(item.formation_energy_ev_per_atom),
            quantity(item.relaxation.energy_ev_per_atom, digits=5),
            quantity(item.relaxation.max_force_ev_a, digits=2),
            item.relaxation.status,
        )
        for item in limit.snapshots
    )
    tables = []
    references = limit.reference_energies_ev_per_atom
    if references:
        values = tuple((symbol, quantity(energy, digits=5)) for symbol, energy in sorted(references.items()))
        tables.append(Table("References of the formation energy", ("element", "energy (eV/atom)"), values))
    if rows:
        columns = ("time (ps)", "formation energy (eV/atom)", "energy (eV/atom)", "largest force (eV/Å)", "relaxation")
        tables.append(Table("Relaxed snapshots of the melt", columns, rows))
    yield Section("Amorphous limit", (), shown, tuple(tables), limit.reason or "")
