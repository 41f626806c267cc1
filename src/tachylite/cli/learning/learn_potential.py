"""`tachylite train FORMULA... --teacher NAME`: learn a potential while exploring with it, here or on a cluster."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tachylite.cli.output import log_to_file, print_page_tables
from tachylite.cli.working import check_writable, default_workdir, resumable
from tachylite.errors import InputError

if TYPE_CHECKING:
    from tachylite.flows.learn_potential import LearnPotentialMaker
    from tachylite.schemas.potential import LearnedPotential


def checked_maker(
    formulas: Sequence[str], teacher: str | None, protocol: str, settings: dict[str, Any], options: dict[str, Any]
) -> LearnPotentialMaker:
    """The maker that was asked for; raises InputError for what it could not carry out."""
    with redirect_stdout(sys.stderr):
        from tachylite.configs import load_protocol
        from tachylite.engines import get_engine
        from tachylite.flows.learn_potential import LearnPotentialMaker
        from tachylite.learning.potentials.families import get_trainer
        from tachylite.physics.composition import parse_formula

        if teacher is None or not formulas:
            raise InputError("learning while exploring needs both: formulas to explore, and --teacher, an engine")
        elements = {symbol for formula in formulas for symbol in parse_formula(formula).unit}
        get_engine(teacher).check_elements(sorted(elements))
        get_trainer("nep", settings)
        return LearnPotentialMaker(teacher=teacher, protocol=load_protocol(protocol), settings=settings, **options)


def learn_while_exploring(
    formulas: Sequence[str], maker: LearnPotentialMaker, output: Path, store: Path | None
) -> LearnedPotential:
    """Learn until the potential holds along runs of the protocol, or the rounds have ended."""
    with redirect_stdout(sys.stderr):
        from rich.console import Console

        from tachylite.cli.campaigns.plan import check_program
        from tachylite.cli.progress import shown_progress
        from tachylite.flows.learn_potential import run_learn_potential
        from tachylite.jobs.engine import resolve_engine
        from tachylite.stores import open_store

        check_program(resolve_engine(maker.teacher))
        check_writable(output.absolute().parent)
        opened = open_store(store)
        folder = default_workdir(opened)
        check_writable(folder)
        try:
            with resumable(folder), shown_progress(Console(file=sys.stderr)), log_to_file(folder / "tachylite.log"):
                return run_learn_potential(formulas, maker, store=opened, workdir=folder, file=output)
        finally:
            opened.close()


def submit_learning(formulas: Sequence[str], maker: LearnPotentialMaker, store: Path | None, to: str) -> None:
    """Hand the same to a launcher."""
    with redirect_stdout(sys.stderr):
        from tachylite.launchers.submission import submit_potential

        campaign = submit_potential(formulas, maker, to=to, store=store)
    typer.echo(f"campaign {campaign.campaign_id}: {campaign.purpose}, to {campaign.place}")
    typer.echo(f"when it is done: tachylite export --campaign {campaign.campaign_id} --potential FILE", err=True)


def show_rounds(learned: LearnedPotential) -> None:
    """The rounds as a table, and whether the target was reached."""
    from tachylite.report.pages.potential import rounds_table

    print_page_tables(rounds_table(learned))
    target = f"{1000 * learned.target_ev_a:.0f} meV/Å along fresh runs of {learned.protocol}"
    typer.echo(f"reached: {target}" if learned.reached else f"not reached ({target}): {learned.reason}")
