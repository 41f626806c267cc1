"""`tachylite train`: a potential of one's own from labelled frames."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tachylite.cli.learning.learn_potential import (
    checked_maker,
    learn_while_exploring,
    show_rounds,
    submit_learning,
)
from tachylite.cli.options import (
    CampaignFilter,
    EngineFilter,
    JsonOption,
    ReportOption,
    StoreOption,
    WhereFilter,
    open_existing,
    parse_options,
)
from tachylite.cli.output import print_page_tables
from tachylite.cli.working import check_writable, resumable
from tachylite.errors import InputError

if TYPE_CHECKING:
    from tachylite.schemas import State
    from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
    from tachylite.schemas.potential import LearnedPotential, PotentialCard, PotentialFiles
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
    learning_curve: Annotated[
        bool,
        typer.Option("--learning-curve", help="Train on a quarter and on half of the frames too: do more frames help?"),
    ] = False,
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
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="NAME|FILE",
            help="Submit, with --teacher: fireworks, jobflow-remote, or a YAML file. Else here.",
        ),
    ] = None,
    report: ReportOption = None,
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
        if learning_curve:
            raise InputError("learning while exploring has its rounds for a learning curve; leave out --learning-curve")
        options = {"committee": max(committee, 2), "labels": labels, "target_ev_a": target, "rounds": rounds}
        explored, settings = formulas or [], parse_options(setting or [])
        maker = checked_maker(explored, teacher, protocol or "quickstart", settings, options | {"seed": seed})
        if to is not None:
            submit_learning(explored, maker, store, to)
            return
        learned = learn_while_exploring(explored, maker, output, store)
        if as_json:
            typer.echo(learned.model_dump_json(indent=2))
        else:
            show_rounds(learned)
        _end(learned.card, output, report, learned, as_json=as_json)
        return
    if to is not None:
        raise InputError("--to submits learning while exploring: formulas and --teacher; a training alone runs here")
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
                chosen,
                family,
                trainer,
                output,
                _compute,
                committee=committee,
                seed=seed,
                start=start,
                learning_curve=learning_curve,
                report=echo,
            )
    if as_json:
        typer.echo(card.model_dump_json(indent=2))
    _end(card, output, report, as_json=as_json)


def _end(
    card: PotentialCard, output: Path, report: Path | None, learned: LearnedPotential | None = None, *, as_json: bool
) -> None:
    """Say how well a potential does and where it is, and write its page."""
    from tachylite.schemas.potential import PotentialFiles

    if not as_json:
        _show(card)
    files = PotentialFiles(output)
    typer.echo(f"potential: {output} (--engine {card.family}:{output}), card: {files.card}", err=as_json)
    if report is not None:
        typer.echo(f"report: {_write_page(card, files, report, learned)}", err=as_json)


def _write_page(card: PotentialCard, files: PotentialFiles, folder: Path, learned: LearnedPotential | None) -> Path:
    from tachylite.readers.labels import read_labelled_frames
    from tachylite.report.pages.potential import write_potential_page
    from tachylite.schemas.potential import TEST_FRAMES

    check_writable(folder)
    frames = read_labelled_frames(files.frames / TEST_FRAMES)
    states = [frame.state for frame in frames]
    with redirect_stdout(sys.stderr):
        members = [_compute(f"{card.family}:{files.member(number)}", states) for number in range(len(card.members))]
    return write_potential_page(card, frames, members, folder, learned)


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
    from tachylite.report.pages.potential import errors_table

    lines = [
        f"trained on {card.training.n_frames} frames of {len(card.training.trajectories)} trajectories by "
        f"{card.training.level} in {card.training_s:.0f} s",
        f"left out: {card.left_out.correlated} correlated, {card.left_out.duplicates} duplicate, "
        f"{card.left_out.unphysical} unphysical, {card.left_out.beyond_limit} beyond the number asked for",
    ]
    for line in lines:
        typer.echo(line)
    print_page_tables(errors_table(card))
    disagreement = card.disagreement
    if disagreement is not None:
        typer.echo(
            f"The error of forces is {disagreement.factor:.1f} times what {disagreement.members} members disagree by "
            f"(95 %: {disagreement.factor_95:.1f} times; this holds for {100 * disagreement.coverage.value:.0f} % of "
            "frames of other trajectories)."
        )
