"""What `tachylite screen` was asked for: its compositions, crystals and cohorts, checked before anything runs."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tachylite.analysis.screen import FIELDS, composition_rows
from tachylite.cli.campaigns.plan import check_program
from tachylite.cli.output import log_to_file
from tachylite.engines import Engine
from tachylite.errors import InputError
from tachylite.flows.check import check_screen
from tachylite.flows.members import members_of, refuse_twice
from tachylite.flows.screen import Screen, run_screen
from tachylite.jobs.phases import candidate_element
from tachylite.launchers.cohorts import split
from tachylite.physics.chemical_systems import METALS, NONMETALS, binary_systems, grid_formulas, parse_system
from tachylite.physics.composition import parse_formula
from tachylite.readers.crystals import read_crystals
from tachylite.schemas import Protocol
from tachylite.schemas.campaign import Campaign
from tachylite.schemas.run import reduced_formula
from tachylite.schemas.start import PackedStart
from tachylite.schemas.steps import RESULTS
from tachylite.stores import open_store
from tachylite.stores.campaigns import find_phases, member_entries
from tachylite.stores.queries import read_materials

if TYPE_CHECKING:
    from jobflow import JobStore


@dataclass(frozen=True)
class Compositions:
    """Formulas, and the chemical systems that they lie in."""

    systems: list[tuple[str, ...]]
    formulas: list[str]


def compositions_of(
    systems: Sequence[str], metals: str | None, nonmetals: str | None, grid: float, file: Path | None
) -> Compositions:
    """All compositions that were asked for, each once.

    Raises InputError for what is no system or no element, a grid that does not divide 1, and a file without formulas.
    """
    chosen = [parse_system(text) for text in systems]
    if metals is not None or nonmetals is not None:
        chosen += binary_systems(_elements(metals, METALS, "--metals"), _elements(nonmetals, NONMETALS, "--nonmetals"))
    chosen = list(dict.fromkeys(chosen))
    # those of a grid are reduced, and each there once
    formulas = [formula for system in chosen for formula in grid_formulas(system, grid)]
    if file is not None:
        listed = _formulas_in(file)
        chosen += [tuple(sorted(parse_formula(formula).amounts)) for formula in listed]
        formulas = _each_once([*formulas, *listed])
    if not formulas:
        raise InputError(
            "there is nothing to screen; name systems, like Li-Si, or give --metals, --nonmetals or --list"
        )
    return Compositions(list(dict.fromkeys(chosen)), formulas)


def _each_once(formulas: Sequence[str]) -> list[str]:
    """Formulas of different compositions; of two that write the same, the first."""
    once = {reduced_formula(parse_formula(formula).unit): formula for formula in reversed(formulas)}
    return list(once.values())[::-1]


def _elements(text: str | None, known: Sequence[str], option: str) -> Sequence[str]:
    """The elements of `all`, of a list like `Li,Fe`, or none."""
    if text is None:
        return ()
    if text == "all":
        return known
    elements = [word.strip() for word in text.split(",")]
    unknown = [element for element in elements if element not in known]
    if unknown:
        raise InputError(f"{option} {text}: {unknown[0]} is none of {', '.join(known)}")
    return elements


def _formulas_in(file: Path) -> list[str]:
    """The column `formula` of a CSV file, or the first one."""
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = [row for row in csv.reader(lines) if row and row[0].strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"list of compositions {file} cannot be read: {error}") from None
    if not rows:
        raise InputError(f"list of compositions {file} is empty; write a formula on each line")
    column = rows[0].index("formula") if "formula" in rows[0] else None
    return [row[column or 0].strip() for row in (rows if column is None else rows[1:])]


def make_screen(
    compositions: Compositions,
    *,
    protocol: Protocol,
    engine: Engine,
    seed: int,
    samples: int,
    crystals: Path | None,
    cohort: int | None,
) -> Screen:
    """Put compositions together with the crystals of their systems, in cohorts.

    Raises InputError for an element that the engine does not know, a protocol that relaxes nothing, a collection of
    crystals that cannot be read, and a cohort that is too large.
    """
    elements = sorted({symbol for system in compositions.systems for symbol in system})
    engine.check_elements(elements)
    if not any("relaxation" in RESULTS[step.kind].model_fields for step in protocol.steps):
        raise InputError(f"protocol {protocol.name} has no step that relaxes the glass; a screen compares its energy")
    volume = "estimated" if crystals is None else "stable phases"
    starts = [
        PackedStart(formula=formula, volume=volume, sample=sample)
        for formula in compositions.formulas
        for sample in range(samples)
    ]
    members = members_of(starts, protocol=protocol, engine=engine, seed=seed)
    refuse_twice(members)
    candidates = [candidate_element(symbol) for symbol in elements]
    if crystals is not None:
        candidates += read_crystals(crystals, compositions.systems)
    return Screen(
        systems=compositions.systems,
        cohorts=split(members, [member.n_atoms for member in members], protocol, cohort),
        candidates=candidates,
        protocol=protocol,
        engine=engine,
        seed=seed,
    )


def check_engine(engine: Engine, compositions: Compositions) -> None:
    """Raise InputError where a second engine cannot run here, or does not know an element."""
    check_program(engine)
    engine.check_elements(sorted({symbol for system in compositions.systems for symbol in system}))


def screen_beside(planned: Screen, place: Path | None, folder: Path) -> None:
    """Carry out a screen in another process, with a store of its own and a log in the work folder."""
    store = open_store(place)
    with log_to_file(folder / f"tachylite-{os.getpid()}.log"):
        try:
            run_screen(planned, store, folder, report=print)
        finally:
            store.close()


def check_campaign(
    campaign: Campaign,
    engine: Engine,
    store: JobStore,
    workdir: Path,
    at_most: int,
    say: Callable[[str], None],
    *,
    relax: bool,
) -> None:
    """Compute a sample of a screen's glasses with a second engine; `say` gets a line for what was done."""
    if campaign.provenance is None:
        raise InputError(f"campaign {campaign.campaign_id} is no screen")
    entries = member_entries(store, campaign, FIELDS)
    phases, repulsion = find_phases(store, campaign.provenance), campaign.provenance.options.get("repulsion")
    rows = composition_rows([entry["output"] for entry in entries], phases, repulsion)
    newest = {entry["output"]["material_id"]: entry for entry in entries}
    check_screen(
        campaign,
        rows,
        lambda ids: list(read_materials(store, [newest[identity] for identity in ids])),
        engine,
        store,
        workdir,
        at_most=at_most,
        relax=relax,
        report=say,
    )
