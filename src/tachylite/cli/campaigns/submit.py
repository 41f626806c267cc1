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
    FaceOption,
    GapOption,
    InterfaceOption,
    JsonOption,
    MismatchOption,
    ModuliOption,
    MoleculeOption,
    PackedFormulas,
    PartnerThicknessOption,
    ProtocolOption,
    SeedOption,
    SlabOption,
    StoreOption,
    StructureOption,
    SubstituteOption,
    ThicknessOption,
    VacuumOption,
    WidthOption,
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
        from tachylite.cli.campaigns.plan import make_plan
        from tachylite.cli.campaigns.surfaces import SurfaceOptions
        from tachylite.launchers import submit as hand_over

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
