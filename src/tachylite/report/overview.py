"""What the page says in words and numbers: key numbers, notices and tables, as plain text."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tachylite.report.text import ABSENT, pair_label, quantity
from tachylite.schemas import (
    Activation,
    Diffusivity,
    Equilibrium,
    Interval,
    Material,
    Measured,
    Melt,
    StructureAnalysis,
)

PER_ATOM = "Å³/atom"
DIFFUSIVITY = "cm²/s"
ENERGY = "eV/atom"
DENSITY = "g/cm³"


@dataclass(frozen=True)
class Row:
    """A labelled value; `note` says what it rests on, `weak` that the value is a refusal or a bound."""

    label: str
    value: str
    note: str = ""
    weak: bool = False


@dataclass(frozen=True)
class Card:
    """Key numbers that belong together."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Notice:
    """Something that did not succeed (`failure`) or that was not answered (`refusal`), and why."""

    kind: str
    stage: str
    reason: str


@dataclass(frozen=True)
class Table:
    """Column heads and rows of text; the first column holds words."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def cards(material: Material) -> list[Card]:
    """Key numbers of a material, each with unit and error; what was not asked for has no card."""
    return [card for card in _cards(material) if card.rows]


def _cards(material: Material) -> Iterator[Card]:
    if material.melt is not None:
        # a reason stands in the notices already
        rows = tuple(replace(row, note="") if row.weak else row for row in state_rows(material.melt))
        yield Card(f"Melt at {material.melt.temperature_k:g} K", rows)
    state = next((one for one in _states(material) if one.diffusivities), None)
    if state is not None:
        yield Card(f"Diffusivity at {state.temperature_k:g} K", tuple(map(_diffusivity_row, state.diffusivities)))
    yield Card("Activation energy", tuple(_activation_row(item) for item in material.activations))
    glass = material.glass
    if glass is not None:
        title = f"Glass, quenched to {glass.final_temperature_k:g} K"
        cooling = Row("cooling rate", quantity(glass.cooling_rate_k_s, unit="K/s", digits=3))
        values = [
            ("density, relaxed", glass.density_g_cm3, DENSITY),
            ("formation energy", glass.formation_energy_ev_per_atom, ENERGY),
            ("above the crystal", glass.above_crystal_ev_per_atom, ENERGY),
        ]
        yield Card(title, (*_known(values), cooling))
    limit = material.amorphous_limit
    if limit is not None:
        values = [
            (f"lowest of {len(limit.snapshots)}", limit.formation_energy_ev_per_atom, ENERGY),
            ("above the crystal", limit.above_crystal_ev_per_atom, ENERGY),
        ]
        mean = limit.mean_formation_energy_ev_per_atom
        rows = (*_known(values), *(() if mean is None else (Row("mean", quantity(mean, unit=ENERGY)),)))
        yield Card("Amorphous limit, formation energy", rows or (Row("lowest", ABSENT, limit.reason or "", True),))


def _known(values: Sequence[tuple[str, float | None, str]]) -> list[Row]:
    return [
        Row(label, quantity(value, unit=unit, digits=3 if abs(value) < 1 else 4))
        for label, value, unit in values
        if value is not None
    ]


def _states(material: Material) -> list[Melt]:
    return [state for state in (material.melt, *material.anneals) if state is not None]


def state_rows(state: Melt) -> list[Row]:
    """Volume, density and pressure of a melt or an annealed state."""
    equilibrium = state.equilibrium
    convention = equilibrium.pressure_convention
    if equilibrium.volume_a3 is None:
        rows = [Row("volume", "vapour" if equilibrium.vapour else "none found", equilibrium.reason or "", True)]
    else:
        volume = per_atom(equilibrium.volume_a3, equilibrium.n_atoms)
        what = f"of zero {convention} pressure" if equilibrium.samples else "held: no search"
        rows = [Row("volume", quantity(volume, unit=PER_ATOM), what)]
    if state.density_g_cm3 is not None:
        rows.append(Row("density", quantity(state.density_g_cm3, unit=DENSITY)))
    if equilibrium.pressure_gpa is not None:
        rows.append(Row(f"{convention} pressure", quantity(equilibrium.pressure_gpa, unit="GPa"), "verified"))
    eos = equilibrium.equation_of_state
    if eos is not None:
        rows.append(Row("bulk modulus", quantity(eos.bulk_modulus_gpa, unit="GPa"), "Birch-Murnaghan"))
    return rows


def per_atom(total: Measured, atoms: int) -> Measured:
    """Divide a value and its error by the number of atoms."""
    return Measured(value=total.value / atoms, error=total.error / atoms)


def diffusivity(item: Diffusivity, *, unit: str = DIFFUSIVITY) -> str:
    """Write a diffusivity with its interval or, where the motion is not diffusive, the upper bound."""
    if item.diffusive:
        return quantity(item.diffusivity_cm2_s, unit=unit, interval=item.diffusivity_interval_cm2_s)
    bound = item.upper_bound_cm2_s
    if bound is None or not math.isfinite(bound):
        return "not diffusive"
    return f"not diffusive: upper bound {quantity(bound, unit=unit, digits=2)}"


def _diffusivity_row(item: Diffusivity) -> Row:
    return Row(item.species, diffusivity(item), "" if item.diffusive else item.reason or "", not item.diffusive)


def _activation_row(item: Activation) -> Row:
    if item.activation_energy_ev is None:
        return Row(item.species, "no fit", item.reason or "", True)
    over = f"{len(item.temperatures_k)} temperatures"
    return Row(item.species, quantity(item.activation_energy_ev, unit="eV"), over)


def notices(material: Material) -> list[Notice]:
    """Every failure and every refused answer, failures first, each once."""
    found: dict[Notice, None] = {}
    for failure in material.failures:
        found[Notice("failure", failure.stage, failure.reason)] = None
    told = {notice.reason for notice in found}
    for notice in (*_hidden_failures(material), *_refusals(material)):
        if notice.reason not in told:
            found[notice] = None
    return sorted(found, key=lambda notice: notice.kind)


def _hidden_failures(material: Material) -> Iterator[Notice]:
    """Failures that stand in the parts of the document only."""
    for state in _states(material):
        where = f"{state.temperature_k:g} K"
        if state.equilibrium.status == "failed":
            yield Notice("failure", f"volume search at {where}", state.equilibrium.reason or "no volume found")
        if state.run is not None and state.run.status == "failed":
            yield Notice("failure", f"production at {where}", state.run.reason or "no reason recorded")
    glass, limit = material.glass, material.amorphous_limit
    if glass is not None and glass.run.status == "failed":
        yield Notice("failure", "quench", glass.run.reason or "no reason recorded")
    if glass is not None and glass.relaxation is not None and glass.relaxation.status == "failed":
        yield Notice("failure", "relaxation of the glass", glass.relaxation.reason or "no reason recorded")
    for snapshot in limit.snapshots if limit is not None else ():
        if snapshot.relaxation.status == "failed":
            stage = f"snapshot at {snapshot.time_fs / 1000:g} ps"
            yield Notice("failure", stage, snapshot.relaxation.reason or "no reason recorded")


def _refusals(material: Material) -> Iterator[Notice]:
    for state in _states(material):
        for item in state.diffusivities:
            if not item.diffusive:
                stage = f"diffusivity of {item.species} at {state.temperature_k:g} K"
                yield Notice("refusal", stage, item.reason or diffusivity(item))
    for fit in material.activations:
        if fit.activation_energy_ev is None:
            yield Notice("refusal", f"activation energy of {fit.species}", fit.reason or "no reason recorded")
    if material.amorphous_limit is not None and material.amorphous_limit.reason:
        yield Notice("refusal", "amorphous limit", material.amorphous_limit.reason)


def samples_table(equilibrium: Equilibrium) -> Table:
    """The points of P(V): volume, pressure, temperature, energy, drift, purpose."""
    convention = equilibrium.pressure_convention
    # under the virial convention both pressures are one
    both = convention == "total"
    columns = (
        "purpose",
        "attempt",
        f"V ({PER_ATOM})",
        f"{convention} P (GPa)",
        *(("virial P (GPa)",) if both else ()),
        "T (K)",
        f"energy ({ENERGY})",
        "energy drift (10⁻³)",
        "steps",
    )
    rows = tuple(
        (
            sample.purpose,
            str(sample.attempt),
            quantity(sample.volume_a3 / equilibrium.n_atoms),
            quantity(sample.pressure_gpa),
            *((quantity(sample.virial_gpa),) if both else ()),
            quantity(sample.temperature_k),
            quantity(sample.energy_ev_per_atom),
            quantity(1e3 * sample.energy_drift, digits=2),
            f"{sample.steps:,}",
        )
        for sample in equilibrium.samples
    )
    return Table("Samples of the volume search", columns, rows)


def diffusivity_table(states: Sequence[Melt]) -> Table:
    """Diffusivity of every species at every temperature."""
    rows = tuple(
        (item.species, f"{state.temperature_k:g}", diffusivity(item, unit=""), f"{item.n_independent:.3g}")
        for state in states
        for item in state.diffusivities
    )
    columns = ("species", "T (K)", f"D ({DIFFUSIVITY}), 95 % interval", "independent displacements")
    return Table("Tracer diffusivities", columns, tuple(sorted(rows, key=lambda row: row[0])))


def activation_table(activations: Sequence[Activation]) -> Table:
    """Arrhenius parameters and the extrapolation to 300 K."""
    rows = tuple(
        (
            item.species,
            quantity(item.activation_energy_ev),
            quantity(item.ln_d0),
            quantity(item.extrapolated_300k_cm2_s, interval=_finite(item.extrapolated_300k_interval_cm2_s)),
            ", ".join(f"{temperature:g}" for temperature in item.temperatures_k),
        )
        for item in activations
    )
    columns = ("species", "Ea (eV)", "ln D0 (D0 in cm²/s)", f"D at 300 K, extrapolated ({DIFFUSIVITY})", "T (K)")
    return Table("Arrhenius fits", columns, rows)


def _finite(interval: Interval | None) -> Interval | None:
    return interval if interval is not None and math.isfinite(interval.low + interval.high) else None


def coordination_table(analyses: Sequence[tuple[str, StructureAnalysis]]) -> Table:
    """Coordination numbers up to the first minimum of g(r), one column per state."""
    found: dict[str, dict[str, str]] = {}
    for name, analysis in analyses:
        for partial in analysis.partials:
            for pair, number in partial.coordination.items():
                found.setdefault(pair, {})[name] = quantity(number)
    names = [name for name, _ in analyses]
    rows = tuple((pair_label(pair), *(by.get(name, ABSENT) for name in names)) for pair, by in found.items())
    return Table("Coordination: neighbours of the first by the second element", ("pair", *names), rows)
