"""`tachylite rerun`: run failed and lost jobs again."""

from __future__ import annotations

from typing import Annotated

import typer

from tachylite.cli.options import LostAfterOption, StoreOption, parse_lost_after


def rerun(
    campaign: Annotated[
        str | None, typer.Argument(metavar="[CAMPAIGN]", help="Its id, or how that begins. Default: the newest.")
    ] = None,
    store: StoreOption = None,
    lost_after: LostAfterOption = None,
) -> None:
    """Run failed and lost jobs of a campaign again, through the launcher it was submitted to.

    They go on from their checkpoints; completed work is not computed again.

    Exit codes: 0 nothing is left that failed; 1 the launcher refused a job.
    """
    from tachylite.launchers import find_campaign
    from tachylite.launchers import rerun as run_again
    from tachylite.stores import open_store

    opened = open_store(store, create=False)
    submitted = find_campaign(opened, campaign)
    opened.close()
    restarted, refusals = run_again(submitted, parse_lost_after(lost_after))
    for job in restarted:
        typer.echo(f"{job.name} ({job.key}) runs again; it was {job.state}: {job.reason}")
    for refusal in refusals:
        typer.echo(f"refused: {refusal}", err=True)
    if not restarted and not refusals:
        typer.echo(f"campaign {submitted.campaign_id}: nothing has failed")
    if refusals:
        raise typer.Exit(1)
