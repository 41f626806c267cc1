"""The table of a screen: amorphous energies beside elements and stable phases."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tachylite.analysis.phases import Hulls
from tachylite.errors import InputError
from tachylite.physics.chemical_systems import chemistry_of
from tachylite.physics.composition import parse_formula
from tachylite.physics.thermodynamics.hull import Hull, Phase
from tachylite.schemas.phases import RelaxedPhase
from tachylite.schemas.screen import CompositionRow, StablePhase

FIELDS = (
    *("material_id", "formula", "n_atoms", "start.sample", "status", "failures", "provenance.options"),
    *("results.kind", "results.status", "results.reason", "results.density_g_cm3", "results.order.crystalline"),
    *("results.relaxation.energy_ev_per_atom", "results.relaxation.status"),
)
"""What a row needs of the document of a material."""


def composition_rows(
    materials: Iterable[Mapping[str, Any]], phases: Sequence[RelaxedPhase], repulsion: str | None = None
) -> list[CompositionRow]:
    """One row for each sample of each composition, from fields of materials, oldest first, and relaxed phases.

    A sample that was run again with a repulsion, which the engine did not have (`repulsion`), has the row of that: at
    the distances of a relaxed structure the repulsion is zero, so that the energy is that of the engine.
    """
    newest: dict[tuple[str, int], Mapping[str, Any]] = {}
    for material in materials:
        # another screen may have written the same composition otherwise
        key = (material["formula"], material["start"].get("sample", 0))
        # one that failed again says no more than the first
        if key not in newest or _energy(material) is not None or _energy(newest[key]) is None:
            newest[key] = material
    hulls = Hulls(phases)
    return [_row(formula, sample, material, hulls, repulsion) for (formula, sample), material in newest.items()]


def stable_phases(phases: Sequence[RelaxedPhase], systems: Iterable[str]) -> dict[str, list[StablePhase]]:
    """What is on the convex hull of every system, like `Li-Si`; nothing where an element is missing."""
    hulls = Hulls(phases)
    stable: dict[str, list[StablePhase]] = {}
    for system in systems:
        try:
            hull = hulls.of(system.split("-"))
        except InputError:  # the rows say why
            stable[system] = []
            continue
        stable[system] = [_stable(phase, hull) for phase in hull.vertices]
    return stable


def _stable(phase: Phase, hull: Hull) -> StablePhase:
    total = sum(phase.counts.values())
    return StablePhase(
        formula=phase.formula,
        source=phase.name,
        fractions={symbol: count / total for symbol, count in phase.counts.items()},
        formation_energy_ev_per_atom=hull.formation_energy(phase.counts, phase.energy_ev_per_atom),
    )


def _row(formula: str, sample: int, material: Mapping[str, Any], hulls: Hulls, repulsion: str | None) -> CompositionRow:
    fractions = parse_formula(formula).fractions
    result = _relaxed(material)
    energy = _energy(material)
    common = {
        "formula": formula,
        "sample": sample,
        "system": "-".join(sorted(fractions)),
        "chemistry": chemistry_of(fractions),
        "fractions": fractions,
        "material_id": material["material_id"],
        "repulsion": (material["provenance"].get("options") or {}).get("repulsion") != repulsion,
        "n_atoms": material["n_atoms"],
    }
    if energy is None:
        crystal = any(failure["reason"].startswith("crystallised") for failure in material["failures"])
        why = "; ".join(f"{failure['stage']}: {failure['reason']}" for failure in material["failures"])
        status = "crystallised" if crystal else "failed"
        return CompositionRow(status=status, crystalline=crystal or None, reason=why or "nothing was relaxed", **common)
    try:
        hull = hulls.of(fractions)
    except InputError as error:
        return CompositionRow(status="failed", reason=str(error), **common)
    formation = hull.formation_energy(fractions, energy)
    bottom = hull.formation_energy(fractions, hull.energy(fractions))
    crystalline = (result.get("order") or {}).get("crystalline")
    return CompositionRow(
        status="crystallised" if crystalline else "completed",
        crystalline=crystalline,
        density_g_cm3=result.get("density_g_cm3"),
        energy_ev_per_atom=energy,
        formation_energy_ev_per_atom=formation,
        hull_ev_per_atom=bottom,
        above_hull_ev_per_atom=formation - bottom if hulls.hold_crystals else None,
        stable_phases=" + ".join(phase.formula for phase, _ in hull.stable_phases(fractions)),
        **common,
    )


def _relaxed(material: Mapping[str, Any]) -> Mapping[str, Any]:
    """The last relaxed structure of a material; empty where there is none."""
    return next(_relaxations(material), {})


def _relaxations(material: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for result in reversed(material["results"]):
        relaxation = result.get("relaxation")
        if relaxation and relaxation["status"] == "converged":
            yield result


def _energy(material: Mapping[str, Any]) -> float | None:
    relaxation = _relaxed(material).get("relaxation")
    return None if relaxation is None else float(relaxation["energy_ev_per_atom"])
