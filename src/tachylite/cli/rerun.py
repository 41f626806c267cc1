"""`tachylite rerun`: run again what failed or was lost."""

from __future__ import annotations

from typing import Annotated

import typer

from tachylite.cli.query import StoreOption
from tachylite.cli.values import parse_walltime

LostAfterOption = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="How long a job must be silent to count as lost, where no queue can be asked. Like 2h30m."
    ),
]


def parse_lost_after(text: str | None) -> float | None:
    """Seconds, as in a walltime."""
    return None if text is None else parse_walltime(text, "--lost-after")


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
    found = find_campaign(opened, campaign)
    opened.close()
    again, refused = run_again(found, parse_lost_after(lost_after))
    for job in again:
        typer.echo(f"{job.name} ({job.key}) runs again; it was {job.state}: {job.reason}")
    for line in refused:
        typer.echo(f"refused: {line}", err=True)
    if not again and not refused:
        typer.echo(f"campaign {found.campaign_id}: nothing has failed")
    if refused:
        raise typer.Exit(1)
