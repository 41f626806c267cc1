"""`tachylite report`: the page of a material in a store."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import NOTHING_YET, StoreOption, open_existing
from tachylite.errors import InputError

_STRUCTURES_AT_MOST = 2000
"""Members whose structures a page of a screen has beside it."""

if TYPE_CHECKING:
    from jobflow import JobStore

    from tachylite.schemas import Material, Trajectory


def report(
    material: Annotated[
        str | None,
        typer.Argument(metavar="[ID|FORMULA]", help="A material id or a formula; the newest material without one."),
    ] = None,
    store: StoreOption = None,
    campaign: Annotated[
        str | None, typer.Option("--campaign", metavar="ID", help="The page of a screen instead; `newest` is one too.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Write the page, figures and structures here.")
    ] = Path("report"),
) -> None:
    """Write the report of a material: one HTML page, figures as PNG, structures as CIF; or that of a screen."""
    opened = open_existing(store)
    if opened is None:
        raise InputError(NOTHING_YET)
    if campaign is not None:
        typer.echo(f"report: {write_screen_report(opened, campaign, out)}")
        opened.close()
        return
    try:
        materials = _find(opened, material)
        trajectories = load_trajectories(opened, materials[0])
    finally:
        opened.close()
    from tachylite.report.pages.material import write_report

    try:
        page = write_report(materials[0], trajectories, out)
    except OSError as error:
        raise InputError(f"cannot write into {out}: {error.strerror}; choose another folder with --out") from None
    if len(materials) > 1 and material is not None:
        others = ", ".join(one.material_id for one in materials[1:])
        typer.echo(f"the newest of {len(materials)} that match; the others: {others}", err=True)
    typer.echo(f"report: {page}")


def write_screen_report(store: JobStore, campaign: str, folder: Path) -> Path:
    """Write page and tables of a screen as far as it is; raises InputError for a campaign that is none."""
    from tachylite.report.pages.campaign import write_campaign, write_table
    from tachylite.stores.campaigns import find_campaign
    from tachylite.stores.screens import load_screen

    chosen = find_campaign(store, None if campaign == "newest" else campaign)
    results = load_screen(store, chosen)
    shown = results.with_structure if len(results.rows) <= _STRUCTURES_AT_MOST else ()
    materials = results.materials(store, shown)
    try:
        page = write_campaign(chosen, results.rows, results.stable, folder, materials, results.summary)
        with suppress(ImportError):  # pyarrow comes with the extra `learn`; the table is there as CSV
            write_table(results.rows, folder / "table.parquet")
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror}; choose another folder") from None
    return page


def load_trajectories(store: JobStore, material: Material) -> Mapping[str, Trajectory]:
    """Load the trajectories of a material's runs by their ids; those that are not in the store are left out."""
    from tachylite.stores import load_trajectory

    trajectories = {}
    for result in material.results:
        for identity in result.trajectory_ids:
            try:
                trajectories[identity] = load_trajectory(store, identity)
            except InputError:
                typer.echo(f"the trajectory of {result.title} is not in the store; its curves are left out", err=True)
    return trajectories


def _find(store: JobStore, wanted: str | None) -> list[Material]:
    """Find the materials meant, newest first; InputError where there is none."""
    from tachylite.stores import find_materials

    materials = find_materials(store, material_id=wanted, limit=1)
    if materials or wanted is None:
        if not materials:
            raise InputError(NOTHING_YET)
        return materials
    try:
        materials = find_materials(store, formula=wanted)
    except InputError:
        raise InputError(
            f"'{wanted}' is neither a material id of this store nor a formula; `tachylite query` lists both"
        ) from None
    if not materials:
        raise InputError(f"no material {wanted} in the store; `tachylite query` lists those that are there")
    return materials
