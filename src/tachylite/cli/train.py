"""`tachylite train`: a potential of one's own from labelled frames."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tachylite.cli.learn_potential import learn_while_exploring, show_rounds
from tachylite.cli.options import (
    CampaignFilter,
    EngineFilter,
    JsonOption,
    StoreOption,
    WhereFilter,
    open_existing,
    parse_options,
)
from tachylite.cli.output import print_tables
from tachylite.cli.working import check_writable, resumable
from tachylite.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from tachylite.schemas import State
    from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
    from tachylite.schemas.potential import PotentialCard
    from tachylite.stores.queries import MaterialFilter


def train(
    formulas: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FORMULA...]",
            help="Learn while exploring: with --teacher, the potential is tried in runs of these by --protocol.",
            show_default=False,
        ),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option("--teacher", metavar="NAME", help="The engine that computes frames of these runs, like chgnet."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Of training, exploring and asking the teacher, at most.")] = 5,
    labels: Annotated[int, typer.Option(min=4, help="Frames that the teacher computes in a round.")] = 40,
    target: Annotated[
        float, typer.Option(min=0.0, metavar="EV/A", help="RMS error of forces along fresh runs at which it ends.")
    ] = 0.15,
    frames: Annotated[
        list[Path] | None,
        typer.Option(
            "--frames",
            metavar="FILE",
            help="Labelled frames as extended XYZ; may be repeated. Default: those of a store whose forces were kept.",
        ),
    ] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Frames to test on. Default: a fifth of the trajectories, or of each."),
    ] = None,
    family: Annotated[Literal["nep", "chgnet", "sevennet"], typer.Option("--family", help="Of the potential.")] = "nep",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the potential goes; its card lies beside it.")
    ] = Path("nep.txt"),
    start: Annotated[
        Path | None, typer.Option("--start", metavar="FILE", help="A potential of this family to go on from.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--setting", metavar="KEY=VALUE", help="Of the training, like steps=30000 (nep) or epochs=50 (the others)."
        ),
    ] = None,
    committee: Annotated[
        int, typer.Option("--committee", min=1, metavar="K", help="Train K, whose disagreement tells their error.")
    ] = 1,
    at_most: Annotated[
        int | None, typer.Option("--at-most", min=1, metavar="N", help="Learn from N frames, spread over them all.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    engine: EngineFilter = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            metavar="NAME|FILE",
            help="Of the materials in the store; with --teacher, whose runs the potential is for.",
        ),
    ] = None,
    campaign: CampaignFilter = None,
    where: WhereFilter = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a potential on energies, forces and stresses, say how well it does on frames it has not seen, and keep it.

    It is then an engine: `--engine nep:FILE`. A NEP and a SevenNet begin anew, CHGNet from what it knows. Frames are
    thinned to independent ones of one level of theory, and split by trajectory. Interrupted, the same command goes on
    from its checkpoints.

    With formulas and --teacher it learns while exploring: first frames by the teacher, then rounds in which a committee
    is trained, runs the protocol, and the teacher computes frames that tell its error and those it is least sure of.
    """
    if formulas or teacher:
        if family != "nep":
            raise InputError(f"learning while exploring trains NEPs; leave out --family {family}")
        options = {"committee": max(committee, 2), "labels": labels, "target_ev_a": target, "rounds": rounds}
        learned = learn_while_exploring(
            formulas or (),
            teacher,
            protocol or "quickstart",
            parse_options(setting or []),
            options | {"seed": seed},
            output,
            store,
        )
        if as_json:
            typer.echo(learned.model_dump_json(indent=2))
        else:
            show_rounds(learned)
            _show(learned.card)
        typer.echo(f"potential: {output} (--engine nep:{output})", err=as_json)
        return
    with redirect_stdout(sys.stderr):
        from tachylite.learning.potentials.families import get_trainer
        from tachylite.learning.potentials.training import train_potential
        from tachylite.learning.potentials.training_set import TrainingSet
        from tachylite.schemas.potential import PotentialFiles

        trainer = get_trainer(family, parse_options(setting or []))
        check_writable(output.absolute().parent)
        filters: MaterialFilter = {"engine": engine, "protocol": protocol, "campaign": campaign, "where": where or ()}
        labelled = _read(frames) if frames else _frames_of_store(store, filters)
        chosen = TrainingSet.of(labelled, _read(test) if test else None, seed=seed, at_most=at_most)
        echo = functools.partial(typer.echo, err=True)
        with resumable(PotentialFiles(output).unfinished):
            card = train_potential(
                chosen, family, trainer, output, _compute, committee=committee, seed=seed, start=start, report=echo
            )
    if as_json:
        typer.echo(card.model_dump_json(indent=2))
    else:
        _show(card)
    typer.echo(f"potential: {output} (--engine {family}:{output}), card: {PotentialFiles(output).card}", err=as_json)


def _compute(name: str, states: Sequence[State]) -> list[SinglePoint]:
    from tachylite.engines import get_engine
    from tachylite.engines.single_points import compute_single_points

    return compute_single_points(get_engine(name), states, Path())


def _read(files: list[Path]) -> list[LabelledFrame]:
    from tachylite.readers.labels import read_labelled_frames

    return [frame for file in files for frame in read_labelled_frames(file)]


def _frames_of_store(store: Path | None, filters: MaterialFilter) -> list[LabelledFrame]:
    from tachylite.stores.labels import find_labelled_frames

    opened = open_existing(store)
    if opened is None:
        raise InputError("there is no store to learn from; give --frames FILE, or a store with --store")
    try:
        frames = find_labelled_frames(opened, **filters)
    finally:
        opened.close()
    if not frames:
        raise InputError(
            "the store holds no frames with forces of such materials; protocols keep them with `record: forces`"
        )
    return frames


def _show(card: PotentialCard) -> None:
    lines = [
        f"trained on {card.training.n_frames} frames of {len(card.training.trajectories)} trajectories by "
        f"{card.training.level} in {card.training_s:.0f} s",
        f"left out: {card.left_out.correlated} correlated, {card.left_out.duplicates} duplicate, "
        f"{card.left_out.unphysical} unphysical, {card.left_out.beyond_limit} beyond the number asked for",
    ]
    for line in lines:
        typer.echo(line)
    print_tables(_table(card))
    disagreement = card.disagreement
    if disagreement is not None:
        typer.echo(
            f"The error of forces is {disagreement.factor:.1f} times what {disagreement.members} members disagree by "
            f"(95 %: {disagreement.factor_95:.1f} times; this holds for {100 * disagreement.coverage.value:.0f} % of "
            "frames of other trajectories)."
        )


def _table(card: PotentialCard) -> Table:
    from rich.table import Table

    from tachylite.report.text import quantity

    table = Table("test trajectory", "frames", "T (K)", "energy, MAE (meV/atom)", "forces, RMSE (meV/Å)")
    for line in card.by_trajectory:
        energy, force = line.energy_mae_ev_per_atom, line.force_rmse_ev_a
        table.add_row(
            line.trajectory,
            str(line.n_frames),
            "" if line.temperature_k is None else f"{line.temperature_k:.0f}",
            quantity(1e3 * energy.value, 1e3 * energy.error),
            quantity(1e3 * force.value, 1e3 * force.error),
        )
    evaluation, errors = card.evaluation, card.evaluation.errors
    energy_error, force_error = errors.get("energy_mae_ev_per_atom"), errors.get("force_rmse_ev_a")
    table.add_row(
        "all",
        str(evaluation.n_frames),
        "",
        quantity(1e3 * evaluation.energy_mae_ev_per_atom, None if energy_error is None else 1e3 * energy_error),
        quantity(1e3 * evaluation.force_rmse_ev_a, None if force_error is None else 1e3 * force_error),
    )
    return table
