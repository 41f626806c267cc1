"""`tachylite export`: materials for OPTIMADE and MPContribs, a store as an archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import (
    NOTHING_YET,
    CampaignFilter,
    ElementsFilter,
    EngineFilter,
    FormulaFilter,
    LimitFilter,
    ProtocolFilter,
    StatusFilter,
    StoreOption,
    TemperatureFilter,
    WhereFilter,
    material_filter,
    open_existing,
)
from tachylite.errors import InputError

if TYPE_CHECKING:
    from jobflow import JobStore

    from tachylite.schemas import Material, Result, Trajectory
    from tachylite.stores.queries import MaterialFilter


def export(
    optimade: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write structures, which optimade-maker serves, and trajectories here."),
    ] = None,
    mpcontribs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write contributions to a project of MPContribs here.")
    ] = None,
    archive: Annotated[
        Path | None, typer.Option(metavar="FILE.zip", help="Write all documents and trajectories into one file.")
    ] = None,
    potential: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the potential that was learned last, of all or by --campaign."),
    ] = None,
    title: Annotated[str, typer.Option(help="Of the published data.")] = "Amorphous materials by simulation",
    author: Annotated[
        list[str] | None, typer.Option(metavar="'FAMILY, GIVEN'", help="Of the archive; may be repeated.")
    ] = None,
    formula: FormulaFilter = None,
    elements: ElementsFilter = None,
    engine: EngineFilter = None,
    protocol: ProtocolFilter = None,
    status: StatusFilter = None,
    temperature: TemperatureFilter = None,
    campaign: CampaignFilter = None,
    where: WhereFilter = None,
    limit: LimitFilter = None,
    store: StoreOption = None,
) -> None:
    """Write what a store holds for others: for OPTIMADE, for MPContribs, as an archive to deposit; or a potential.

    The filters choose materials for --optimade and --mpcontribs, as those of `query`; an archive is of the whole store
    or of a --campaign, with all that belongs to it.
    """
    if optimade is None and mpcontribs is None and archive is None and potential is None:
        raise InputError("say what to write: --optimade DIR, --mpcontribs DIR, --archive FILE.zip or --potential FILE")
    filters = material_filter(formula, elements, engine, protocol, status, temperature, campaign, where)
    of_materials = [name for name, value in {**filters, "limit": limit}.items() if value and name != "campaign"]
    if of_materials and (archive is not None or potential is not None):
        raise InputError(f"archives and potentials take no filter but --campaign, not {', '.join(of_materials)}")
    opened = open_existing(store)
    if opened is None:
        raise InputError(NOTHING_YET)
    try:
        if optimade is not None:
            _write_optimade(opened, optimade, title, limit, filters)
        if mpcontribs is not None:
            _write_contributions(opened, mpcontribs, limit, filters)
        if archive is not None:
            _write_archive(opened, archive, title, author or [], campaign)
        if potential is not None:
            _write_potential(opened, potential, campaign)
    finally:
        opened.close()


def _write_optimade(store: JobStore, folder: Path, title: str, limit: int | None, filters: MaterialFilter) -> None:
    from tachylite.cli.working import check_writable
    from tachylite.report.optimade import write_structures, write_trajectories
    from tachylite.stores import iter_materials

    check_writable(folder)
    structures = write_structures(iter_materials(store, limit=limit, **filters), folder, title)
    runs = write_trajectories(_runs(store, limit, filters), folder)
    if not structures:
        typer.echo("no material in the store matches and has a completed result", err=True)
    typer.echo(f"optimade: {folder} ({structures} structures, {runs} trajectories)")


def _write_contributions(store: JobStore, folder: Path, limit: int | None, filters: MaterialFilter) -> None:
    from tachylite.cli.working import check_writable
    from tachylite.report.mpcontribs import write_contributions
    from tachylite.stores import iter_materials

    check_writable(folder)
    count = write_contributions(iter_materials(store, limit=limit, **filters), folder)
    if not count:
        typer.echo("no material in the store matches and has a completed result", err=True)
    typer.echo(f"mpcontribs: {folder} ({count} contributions)")


def _runs(store: JobStore, limit: int | None, filters: MaterialFilter) -> Iterator[tuple[Material, Result, Trajectory]]:
    """Completed runs whose trajectories the store holds, each trajectory once."""
    from tachylite.stores import iter_materials
    from tachylite.stores.runs import find_trajectory

    given: set[str] = set()
    for material in iter_materials(store, limit=limit, **filters):
        for result in material.results:
            for trajectory_id in result.trajectory_ids if result.status == "completed" else ():
                trajectory = None if trajectory_id in given else find_trajectory(store, trajectory_id)
                if trajectory is not None:
                    given.add(trajectory_id)
                    yield material, result, trajectory


def _write_archive(store: JobStore, path: Path, title: str, authors: list[str], campaign: str | None) -> None:
    from tachylite.stores.archive import write_archive

    contents = write_archive(store, path, campaign=campaign, title=title, authors=authors)
    if contents.lost:
        typer.echo(f"{contents.lost} trajectories are not in the store, and so not in the archive", err=True)
    if not authors:
        typer.echo("CITATION.cff names no author; --author 'Family, Given' does", err=True)
    typer.echo(f"archive: {path} ({contents.documents} documents, {contents.files} data files)")


def _write_potential(store: JobStore, file: Path, campaign: str | None) -> None:
    from tachylite.cli.learning.learn_potential import show_rounds
    from tachylite.cli.working import check_writable
    from tachylite.schemas.potential import PotentialFiles
    from tachylite.stores.potentials import load_learned_potential

    check_writable(file.absolute().parent)
    learned = PotentialFiles(file).write_learned(*load_learned_potential(store, campaign))
    show_rounds(learned)
    typer.echo(f"potential: {file} (--engine {learned.card.family}:{file}), card: {PotentialFiles(file).card}")
