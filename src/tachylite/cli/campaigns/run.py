"""`tachylite run`: from formulas or structures to materials."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import (
    AtomsOption,
    CrystalOption,
    EngineOption,
    EngineSettings,
    FaceOption,
    GapOption,
    InterfaceOption,
    MismatchOption,
    ModuliOption,
    MoleculeOption,
    PackedFormulas,
    PartnerThicknessOption,
    ProtocolOption,
    ReportOption,
    SeedOption,
    SlabOption,
    StoreOption,
    StructureOption,
    SubstituteOption,
    ThicknessOption,
    VacuumOption,
    WalltimeOption,
    WidthOption,
    WorkdirOption,
    parse_options,
    parse_walltime,
)
from tachylite.cli.output import TABLE_WIDTH, log_to_file
from tachylite.cli.working import check_writable, default_workdir, resumable

if TYPE_CHECKING:
    from jobflow import JobStore

    from tachylite.cli.campaigns.plan import Plan
    from tachylite.schemas import Material


def run(
    formulas: PackedFormulas = None,
    structure: StructureOption = None,
    substitute: SubstituteOption = None,
    slab: SlabOption = None,
    interface: InterfaceOption = None,
    face: FaceOption = None,
    thickness: ThicknessOption = 12.0,
    partner_thickness: PartnerThicknessOption = None,
    width: WidthOption = 10.0,
    gap: GapOption = 2.0,
    mismatch: MismatchOption = 0.05,
    moduli: ModuliOption = None,
    vacuum: VacuumOption = 15.0,
    molecule: MoleculeOption = None,
    protocol: ProtocolOption = "quickstart",
    engine: EngineOption = "chgnet",
    option: EngineSettings = None,
    store: StoreOption = None,
    report: ReportOption = None,
    crystal: CrystalOption = None,
    atoms: AtomsOption = None,
    seed: SeedOption = 0,
    workdir: WorkdirOption = None,
    walltime: WalltimeOption = None,
    force: Annotated[bool, typer.Option("--force", help="Compute again what the store already holds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the documents on stdout, and nothing else.")] = False,
    dry_run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Compute nothing: write the first input files (of VASP), say what follows."),
    ] = None,
) -> None:
    """Make amorphous materials: pack or take a structure, melt, anneal, quench, analyse, store.

    Everything is checked before anything is computed. Interrupted, terminated or at the end of its walltime it
    saves what it has, and the same command goes on from there. What the store already holds for the same
    formula, protocol, engine and seed is shown at once.

    Exit codes: 0 every material is completed, or partial with its failures named; 1 a material failed; 2 bad
    input; 124 out of walltime; 130 interrupted; 143 terminated.
    """
    deadline = time.time() + parse_walltime(walltime) if walltime is not None else None
    # what libraries print while they load has no place in --json
    with redirect_stdout(sys.stderr):
        from tachylite.cli.campaigns.plan import check_program, make_plan
        from tachylite.cli.campaigns.surfaces import SurfaceOptions
        from tachylite.stores import open_store

        plan = make_plan(
            formulas or [],
            protocol,
            engine,
            structures=structure or [],
            substitutions=substitute or [],
            surfaces=SurfaceOptions(
                slabs=slab or [],
                interface=interface,
                face=face,
                thickness_a=thickness,
                partner_thickness_a=partner_thickness,
                width_a=width,
                gap_a=gap,
                largest_mismatch=mismatch,
                moduli=moduli,
                vacuum_a=vacuum,
                molecules=molecule or [],
            ),
            crystals=crystal or [],
            n_atoms=atoms,
            seed=seed,
            options=parse_options(option or []),
            dry_run=dry_run is not None,
        )
        following = _write_dry_run(plan, dry_run) if dry_run else []
    if dry_run:
        typer.echo("\n".join(following))
        return
    with redirect_stdout(sys.stderr):
        check_program(plan.engine)
        if report:
            check_writable(report)
        job_store = open_store(store)
        folder = workdir or default_workdir(job_store)
        check_writable(folder)
    try:
        with resumable(folder, deadline):
            materials = _materials(plan, job_store, folder, force)
            pages = _write_reports(materials, job_store, report) if report else []
    finally:
        job_store.close()
    _show(materials, pages, as_json)
    if any(material.status == "failed" for material in materials):
        raise typer.Exit(1)


def _write_dry_run(plan: Plan, folder: Path) -> list[str]:
    """Write the first inputs; what would follow, line by line."""
    from tachylite.cli.campaigns.dry_run import write_dry_run

    check_writable(folder)
    return write_dry_run(plan, folder)


def _materials(plan: Plan, store: JobStore, folder: Path, force: bool) -> list[Material]:
    """Take from the store what it holds, compute the rest as one cohort; in the order that was asked for."""
    from tachylite.stores import find_materials

    ids = [member.material_id for member in plan.members]
    stored = [] if force else [material for one in ids for material in find_materials(store, material_id=one)]
    missing = plan.without(stored)
    by_id = {one.material_id: one for one in stored}
    for member in plan.members:
        if member not in missing:
            typer.echo(f"{member.start.title} is in the store already; --force computes it again", err=True)
    if missing:
        from rich.console import Console

        from tachylite.cli.progress import shown_progress
        from tachylite.flows import run_amorphous

        with shown_progress(Console(file=sys.stderr)), log_to_file(folder / "tachylite.log"):
            computed = run_amorphous(
                [member.start for member in missing],
                protocol=plan.protocol,
                engine=plan.engine,
                store=store,
                workdir=folder,
                seed=plan.seed,
                crystals=plan.crystals,
            )
        by_id |= {member.material_id: one for member, one in zip(missing, computed, strict=True)}
    return [by_id[one] for one in ids]


def _write_reports(materials: Sequence[Material], store: JobStore, folder: Path) -> list[Path]:
    """Write one report into the folder, or one for each material into folders of their own."""
    from tachylite.cli.report import load_trajectories
    from tachylite.report.pages.material import write_report

    formulas = [material.formula for material in materials]
    folders = [formula if formulas.count(formula) == 1 else f"{formula}-{i}" for i, formula in enumerate(formulas, 1)]
    return [
        write_report(material, load_trajectories(store, material), folder if len(materials) == 1 else folder / name)
        for material, name in zip(materials, folders, strict=True)
    ]


def _show(materials: Sequence[Material], pages: Sequence[Path], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([json.loads(material.model_dump_json()) for material in materials], indent=2))
    else:
        from rich.console import Console

        from tachylite.cli.campaigns.summary import show_enthalpies, show_summary

        console = Console(width=None if sys.stdout.isatty() else TABLE_WIDTH)
        for material in materials:
            show_summary(material, console)
        show_enthalpies(materials, console)
    for page in pages:
        typer.echo(f"report: {page}", err=as_json)
