"""The sections of a material's page, in the order they are read, its key numbers and its notices."""

from collections.abc import Iterator, Sequence

from tachylite.analysis.structure import lost_crystals
from tachylite.report import charts
from tachylite.report.drawing.style import heat_token
from tachylite.report.parts import DIFFUSIVITY, Card, NamedState, Notice, Row, Section, Table, diffusivity, named_laws
from tachylite.report.steps import Trajectories, step_cards, step_sections
from tachylite.report.text import ABSENT, LOST_CRYSTAL, heading, pair_label, quantity, shares, spaced
from tachylite.schemas import Interval, Material, Result, StructureAnalysis
from tachylite.schemas.material import Activation, by_step


def sections(material: Material, trajectories: Trajectories) -> list[Section]:
    """Arrange charts and tables of everything a material has; what it lacks is left out."""
    return [
        *step_sections(material, trajectories),
        *_transport(material),
        *_structure(material),
    ]


def cards(material: Material) -> list[Card]:
    """Key numbers of a material, each with unit and error."""
    energies = tuple(_activation_row(law, name) for law, name in named_laws(material.activations))
    return [*step_cards(material), *([Card("Activation energy", energies)] if energies else [])]


def notices(material: Material) -> list[Notice]:
    """Every failure, what was skipped because of them, lost crystals, and every refused answer, each once."""
    failures = [Notice("failure", spaced(failure.stage), failure.reason) for failure in material.failures]
    failures += [
        Notice("failure", f"{part} ({spaced(result.title)})", reason)
        for result in material.results
        for part, reason in result.partial_failures()
    ]
    named = {notice.reason for notice in failures}
    refusals = [notice for notice in _refusals(material) if notice.reason not in named]
    return list(dict.fromkeys([*failures, *_skipped(material), *_amorphous(material), *refusals]))


def final_states(material: Material) -> list[NamedState]:
    """The structures that the steps left, the last one, to be shown first, at the head.

    Left out are those from which the next step simply goes on, and those that are the structure of the step before.
    """
    states = {result.name: result.shown_state for result in material.results}
    continued = {result.source for result in material.results if result.shown_state is not None}
    return [
        NamedState(result.name, _state_title(result), state)
        for result in reversed(material.results)
        if (state := states[result.name]) is not None
        and state != states.get(result.source or "")
        and not (result.prepares and result.name in continued)
    ]


def _state_title(result: Result) -> str:
    good = "" if result.status == "completed" else ", last good frame"
    return f"{heading(result.title)}{good}"


def _skipped(material: Material) -> Iterator[Notice]:
    """Steps that were skipped, or those of their results that were."""
    names: list[str] = []
    for step, results in by_step(material.results):
        titles = [spaced(result.title) for result in results if result.status == "skipped"]
        names += [step] if len(titles) == len(results) else titles
    if names:
        yield Notice("skipped", ", ".join(names), "there is nothing to continue")


def _amorphous(material: Material) -> Iterator[Notice]:
    if titles := lost_crystals(material):
        yield Notice("amorphous", ", ".join(map(spaced, titles)), LOST_CRYSTAL)


def _refusals(material: Material) -> Iterator[Notice]:
    for result in material.results:
        for question, reason in result.refusals():
            yield Notice("refusal", f"{question} ({spaced(result.title)})", reason)
    for law, name in named_laws(material.activations):
        if law.activation_energy_ev is None:
            yield Notice("refusal", f"activation energy of {name}", law.reason or "no reason recorded")


def _transport(material: Material) -> Iterator[Section]:
    measured = [entry for result in material.results for entry in result.measured_diffusivities]
    if not measured:
        return
    shown = [charts.mean_squared_displacement(measured, material.elements)]
    tables = [_diffusivity_table(material.results)]
    if len({entry.temperature_k for entry in measured}) > 1:
        shown.append(charts.arrhenius(measured, material.activations, material.elements))
    if material.activations:
        tables.append(_activation_table(material.activations))
        conductivities = _conductivity_table(material.activations)
        tables += [conductivities] if conductivities.rows else []
    yield Section("Transport", charts=tuple(shown), tables=tuple(tables))


def _structure(material: Material) -> Iterator[Section]:
    """Analysed states from hot to cold."""
    states = [
        (heading(result.title), result.temperature_k, structure)
        for result in material.results
        if (structure := result.measured_structure) is not None and result.temperature_k is not None
    ]
    if not states:
        return
    states.sort(key=lambda state: -state[1])
    temperatures = [temperature for _, temperature, _ in states]
    coloured = [(name, heat_token(temperature, temperatures), structure) for name, temperature, structure in states]
    named = [(name, structure) for name, _, structure in states]
    tables = tuple(table for table in (_coordination_table(named), *_network_tables(named)) if table.rows)
    yield Section("Structure", charts=(charts.partial_rdfs(coloured),), tables=tables)


def _activation_row(law: Activation, name: str) -> Row:
    if law.activation_energy_ev is None:
        return Row(name, "no fit", weak=True)
    return Row(name, quantity(law.activation_energy_ev), f"{len(law.temperatures_k)} temperatures", unit="eV")


def _diffusivity_table(results: Sequence[Result]) -> Table:
    """Diffusivity of every species in every state, from hot to cold."""
    measured = [(entry, result.title) for result in results for entry in result.measured_diffusivities]
    measured.sort(key=lambda state: (state[0].species, -state[0].temperature_k))
    rows = tuple(
        (entry.species, spaced(title), f"{entry.temperature_k:g}", diffusivity(entry), f"{entry.n_independent:.3g}")
        for entry, title in measured
    )
    columns = ("species", "state", "T (K)", f"D ({DIFFUSIVITY}), 95 % interval", "independent displacements")
    return Table("Tracer diffusivities", columns, rows)


def _activation_table(activations: Sequence[Activation]) -> Table:
    """Arrhenius parameters, the extrapolation to 300 K, and T0 of the Vogel-Fulcher-Tammann law if determined."""
    rows = tuple(
        (
            name,
            quantity(law.activation_energy_ev),
            quantity(law.ln_d0),
            _at_room(law.extrapolated_300k_cm2_s, law.extrapolated_300k_interval_cm2_s, law.extrapolation_remark),
            quantity(law.vft.t0_k) if law.vft is not None and law.vft.determined else ABSENT,
            ", ".join(f"{temperature:g}" for temperature in law.temperatures_k),
        )
        for law, name in named_laws(activations)
    )
    columns = (
        "species",
        "Ea (eV)",
        "ln D0 (D0 in cm²/s)",
        f"D at 300 K, extrapolated ({DIFFUSIVITY})",
        "T0 of VFT (K)",
        "T (K)",
    )
    return Table("Arrhenius fits", columns, rows)


def _conductivity_table(activations: Sequence[Activation]) -> Table:
    """Activation energies of conductivities, and their extrapolation to 300 K."""
    rows = tuple(
        (
            name,
            how,
            quantity(law.activation_energy_ev),
            _at_room(law.extrapolated_300k_s_cm, law.extrapolated_300k_interval_s_cm, law.extrapolation_remark),
            ", ".join(f"{temperature:g}" for temperature in law.temperatures_k),
        )
        for activation, name in named_laws(activations)
        for how, law in (
            ("independent ions", activation.conductivity),
            ("collective", activation.collective_conductivity),
        )
        if law is not None
    )
    return Table("Conductivity", ("species", "by", "Ea of σT (eV)", "σ at 300 K, extrapolated (S/cm)", "T (K)"), rows)


def _at_room(value: float | None, interval: Interval | None, remark: str | None) -> str:
    """A value extrapolated to 300 K with what is to be said of it, or why there is none."""
    if value is None:
        return ABSENT if remark is None else f"none: {remark}"
    known = interval is not None and abs(interval.low + interval.high) < float("inf")
    text = quantity(value, interval=interval if known else None)
    return text if remark is None else f"{text}; {remark}"


def _coordination_table(states: Sequence[tuple[str, StructureAnalysis]]) -> Table:
    """Coordination numbers up to the first minimum of g(r), one column per state."""
    numbers: dict[str, dict[str, str]] = {}
    for name, structure in states:
        for partial in structure.partials:
            for pair, number in partial.coordination.items():
                numbers.setdefault(pair, {})[name] = quantity(number)
    names = [name for name, _ in states]
    rows = tuple((pair_label(pair), *(by.get(name, ABSENT) for name in names)) for pair, by in numbers.items())
    return Table("Coordination: neighbours of the first by the second element", ("pair", *names), rows)


def _network_tables(states: Sequence[tuple[str, StructureAnalysis]]) -> Iterator[Table]:
    """Bridges and Qn of the states that have a network."""
    networks = [(name, structure.network) for name, structure in states if structure.network is not None]
    anions = tuple(
        (name, anion.species, quantity(anion.bridging), shares(anion.formers), shares(anion.bridges))
        for name, network in networks
        for anion in network.anions
    )
    yield Table("Anions of the network", ("state", "anion", "in bridges", "by number of formers", "bridges"), anions)
    formers = tuple(
        (name, former.species, quantity(former.mean), shares({f"Q{n}": share for n, share in former.q.items()}))
        for name, network in networks
        for former in network.formers
    )
    yield Table("Network formers", ("state", "former", "bridging anions", "Qn"), formers)
