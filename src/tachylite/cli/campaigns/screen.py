"""`tachylite screen`: amorphous energies of all compositions of chemical systems."""

from __future__ import annotations

import json
import sys
import time
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tachylite.cli.options import (
    AtomsOption,
    EngineOption,
    EngineSettings,
    JsonOption,
    ProtocolOption,
    SeedOption,
    StoreOption,
    WalltimeOption,
    WorkdirOption,
    parse_options,
    parse_walltime,
)
from tachylite.cli.output import log_to_file
from tachylite.cli.working import check_writable, default_workdir, resumable

if TYPE_CHECKING:
    from tachylite.flows.estimate import Estimate


def screen(
    systems: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM...]", help="Like Li-Si or Li-P-S.", show_default=False)
    ] = None,
    grid: Annotated[float, typer.Option(help="Distance of compositions in every system, in atomic fraction.")] = 0.1,
    metals: Annotated[
        str | None, typer.Option(metavar="all|LIST", help="Systems of these with each other and with the nonmetals.")
    ] = None,
    nonmetals: Annotated[
        str | None, typer.Option(metavar="all|LIST", help="Also with each other, where they form solids.")
    ] = None,
    compositions: Annotated[
        Path | None,
        typer.Option("--list", metavar="FILE", help="A CSV file of formulas, beside or instead of systems."),
    ] = None,
    crystals: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Crystals that may be stable: JSON lines, or a folder of structure files. For volumes and hulls.",
        ),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Independent samples of every composition.")] = 1,
    protocol: ProtocolOption = "aykol2023",
    engine: EngineOption = "chgnet",
    option: EngineSettings = None,
    store: StoreOption = None,
    report: Annotated[
        Path | None, typer.Option("--report", "-r", metavar="DIR", help="Write the table and a page here.")
    ] = None,
    atoms: AtomsOption = None,
    seed: SeedOption = 0,
    cohort: Annotated[int | None, typer.Option(min=1, help="Members in a batch. Default: 32, or what fits.")] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="Take cohorts in so many processes, one for every core or GPU.")
    ] = 1,
    workdir: WorkdirOption = None,
    walltime: WalltimeOption = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="NAME|FILE", help="Submit: fireworks, jobflow-remote, or a YAML file. Else here."),
    ] = None,
    check: Annotated[
        str | None,
        typer.Option(
            metavar="ENGINE", help="Compute a sample of the glasses again with a second engine, like espresso."
        ),
    ] = None,
    check_option: Annotated[
        list[str] | None, typer.Option("--check-option", metavar="KEY=VALUE", help="Of the second engine.")
    ] = None,
    check_at_most: Annotated[int, typer.Option(min=1, help="Structures that it computes.")] = 60,
    check_relax: Annotated[bool, typer.Option("--check-relax", help="It also relaxes them.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compute nothing: say how much it is and what it takes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Screen chemical systems: melt and quench every composition of a grid, compare energies with crystals.

    Stopped at any time, the same command goes on from there; what the store holds is not computed again. Members whose
    atoms come too close begin again, once, with a repulsion at short distances.
    """
    deadline = time.time() + parse_walltime(walltime) if walltime is not None else None
    # what libraries print while they load has no place in --json
    with redirect_stdout(sys.stderr):
        from tachylite.cli.campaigns.screening import check_engine, compositions_of, make_screen
        from tachylite.configs import load_protocol
        from tachylite.engines import get_engine
        from tachylite.stores import open_store

        chosen = load_protocol(protocol).with_atoms(atoms)
        wanted = compositions_of(systems or [], metals, nonmetals, grid, compositions)
        planned = make_screen(
            wanted,
            protocol=chosen,
            engine=get_engine(engine, **parse_options(option or [])),
            seed=seed,
            samples=samples,
            crystals=crystals,
            cohort=cohort,
        )
        second = None if check is None else get_engine(check, **parse_options(check_option or []))
        if second is not None:
            check_engine(second, wanted)
        if dry_run:
            from tachylite.flows.estimate import estimate, measured_rate

            # three compositions from the whole range
            some = wanted.formulas[:: max(1, len(wanted.formulas) // 3)][:3]
            rate = measured_rate(planned.engine, chosen, some) if planned.engine.batches else None
            cost = estimate(planned, rate)
    if dry_run:
        typer.echo(json.dumps(asdict(cost) | {"hours": cost.hours}, indent=2) if as_json else _in_words(cost))
        return
    if to is not None:
        with redirect_stdout(sys.stderr):
            from tachylite.launchers.submission import submit_screen

            submitted = submit_screen(planned, to=to, store=store)
        typer.echo(f"campaign {submitted.campaign_id}: {submitted.n_members} members, to {submitted.place}")
        return
    with redirect_stdout(sys.stderr):
        from rich.console import Console

        from tachylite.cli.campaigns.screening import check_campaign, screen_beside
        from tachylite.cli.progress import shown_progress
        from tachylite.cli.report import write_screen_report
        from tachylite.flows.processes import side_by_side
        from tachylite.flows.screen import run_screen

        job_store = open_store(store)
        folder = workdir or default_workdir(job_store)
        check_writable(folder)
        if report:
            check_writable(report)
    # taken before stderr goes to the log, as all that libraries print does
    console = Console(file=sys.stderr, soft_wrap=True)

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False)

    try:
        with resumable(folder, deadline), shown_progress(console), log_to_file(folder / "tachylite.log"):
            with side_by_side(processes, screen_beside, planned, store, folder):
                campaign = run_screen(planned, job_store, folder, report=say)
            if second is not None:
                check_campaign(campaign, second, job_store, folder, check_at_most, say, relax=check_relax)
        page = write_screen_report(job_store, campaign.campaign_id, report) if report else None
    finally:
        job_store.close()
    typer.echo(f"campaign {campaign.campaign_id}: {len(planned.members)} members")
    if page:
        typer.echo(f"report: {page}")


def _in_words(cost: Estimate) -> str:
    lines = [
        f"{cost.members:,} members in {cost.cohorts:,} cohorts, {cost.atoms:,} atoms",
        f"{cost.steps_per_member:,} force calls a member",
        f"{cost.candidates:,} crystals and molecules to compare with, {cost.candidate_atoms:,} atoms, relaxed once",
        f"{_size(cost.disk_bytes)} of documents and trajectories",
    ]
    if cost.hours is not None and cost.atom_steps_per_s is not None:
        lines.append(
            f"{cost.hours:,.0f} hours on this machine, at {cost.atom_steps_per_s:,.0f} atom-steps/s as just measured"
        )
    return "\n".join(lines)


def _size(number: int) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 1e9 else f"{number / 1e6:,.0f} MB"
