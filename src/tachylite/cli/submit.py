"""`tachylite submit`: formulas and structures to a cluster."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer

from tachylite.cli.options import (
    AtomsOption,
    CrystalOption,
    EngineOption,
    EngineSettings,
    JsonOption,
    PackedFormulas,
    ProtocolOption,
    SeedOption,
    StoreOption,
    StructureOption,
    SubstituteOption,
    parse_options,
)


def submit(
    to: Annotated[
        str,
        typer.Option("--to", metavar="NAME|FILE", help="fireworks, jobflow-remote, or a YAML file for one."),
    ],
    formulas: PackedFormulas = None,
    structure: StructureOption = None,
    substitute: SubstituteOption = None,
    protocol: ProtocolOption = "quickstart",
    engine: EngineOption = "chgnet",
    option: EngineSettings = None,
    store: StoreOption = None,
    crystal: CrystalOption = None,
    atoms: AtomsOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Hand formulas or structures to FireWorks or jobflow-remote as one campaign.

    Everything is checked first; then all of it is submitted, or nothing. What the store holds already, or another
    campaign is still to make, is left out.
    `tachylite status` follows the campaign, `tachylite rerun` runs again what failed.
    """
    # what libraries print while they load has no place in --json
    with redirect_stdout(sys.stderr):
        from tachylite.cli.plan import make_plan
        from tachylite.launchers import submit as hand_over

        plan = make_plan(
            formulas or [],
            protocol,
            engine,
            structures=structure or [],
            substitutions=substitute or [],
            crystals=crystal or [],
            n_atoms=atoms,
            seed=seed,
            options=parse_options(option or []),
        )
        campaign = hand_over(
            [member.start for member in plan.members],
            to=to,
            store=store,
            protocol=plan.protocol,
            engine=plan.engine,
            seed=seed,
            crystals=plan.crystals,
        )
    if as_json:
        typer.echo(campaign.model_dump_json(indent=2))
        return
    submitted = campaign.n_members
    if (left_out := len(plan.members) - submitted) > 0:
        typer.echo(f"{left_out} of {len(plan.members)} are in the store already, or under way", err=True)
    flows = "1 flow" if len(campaign.cohorts) == 1 else f"{len(campaign.cohorts)} flows"
    typer.echo(f"campaign {campaign.campaign_id}: {submitted} members in {flows}, to {campaign.place}")
