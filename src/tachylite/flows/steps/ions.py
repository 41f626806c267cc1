"""What the steps `insert` and `remove` share: choices and relaxations take turns, a round for every stage."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jobflow import Flow, Job, Response, job

from tachylite.analysis.ions import lowest, measure_stage, without_ions
from tachylite.analysis.structure import checked_to_be_solid, crystallinity_of
from tachylite.analysis.voltage import voltages_of
from tachylite.errors import InputError
from tachylite.flows.steps.base import Inputs, Member, Start, StepMaker, crystallised, segment
from tachylite.jobs.engine import EngineLike, Relaxed, in_place, relax, simulate
from tachylite.physics.ions import common_charge, host_units
from tachylite.schemas import Request, Run, State, Trajectory
from tachylite.schemas.relaxation import References, Relaxation
from tachylite.schemas.run import reduced_formula
from tachylite.schemas.steps import RESULTS
from tachylite.schemas.steps.ions import IonResult, IonSeries, IonStep


@job
def begin_series(
    maker: "IonMaker", sources: Sequence[Sequence[Start]], references: References | None
) -> Response[None] | list[IonResult]:
    """Begin with every member as it is: its first stage is the host with the ions that it has."""
    members = maker.members(sources)
    return _next_round(maker, [_begun(maker, member, i) for i, member in enumerate(members)], references, 0)


@job
def relax_choices(
    engine: EngineLike, choices: Sequence[Sequence[State | Run]], relax_cell: bool, label: str
) -> list[list[Relaxed]] | Response[None]:
    """Relax all choices of every member, or what molecular dynamics left of them, as one batch."""
    states = [[choice.final if isinstance(choice, Run) else choice for choice in own] for own in choices]
    still = [state.model_copy(update={"velocities": None}) for own in states for state in own]
    labels = [f"{label}, choice {n + 1}" if len(own) > 1 else label for own in states for n in range(len(own))]
    relaxed, jobs = relax(engine, still, relax_cell=relax_cell, labels=labels)
    outcomes = iter(relaxed)
    answer: list[list[Relaxed]] | Response[None] = in_place(jobs, [[next(outcomes) for _ in own] for own in states])
    return answer


@job(data=Trajectory)
def hold_best(
    maker: "IonMaker", relaxations: Sequence[Sequence[Relaxation]], number: int
) -> dict[str, list[Any]] | Response[None]:
    """Hold the best choice of every member at the step's temperature and pressure."""
    settings = maker.settings
    stretch = segment(maker.protocol, settings.hold_ps, settings.temperature_k, step=settings)
    stretch = stretch.model_copy(update={"record_every": 0})
    requests = [
        None
        if (best := lowest(choices)) is None
        else Request(
            label=f"{maker.name}: hold of stage {number}",
            state=best.state,
            segments=[stretch],
            seed=maker.step_seed + 1000 * number + i,
        )
        for i, choices in enumerate(relaxations)
    ]
    return simulate(maker.engine, requests)


@job
def gather_held(runs: Sequence[Run | None]) -> list[list[Run]]:
    """Runs that are completed, as `relax_choices` takes them."""
    return [[run] if run is not None and run.status == "completed" else [] for run in runs]


@job
def end_stage(
    maker: "IonMaker",
    series: list[IonSeries],
    references: References | None,
    number: int,
    relaxations: Sequence[Sequence[Relaxation]],
    runs: Sequence[Run | None],
    held: Sequence[Sequence[Relaxation]],
) -> Response[None] | list[IonResult]:
    """Take in what was relaxed, and held; begin the next stage, or conclude."""
    for i, own in enumerate(series):
        if own.under_way:
            run = runs[i] if runs else None
            series[i] = _with_stage(maker, own, relaxations[i], run, held[i] if held else None)
    return _next_round(maker, series, references, number + 1)


@dataclass
class IonMaker(StepMaker):
    """Take every member through stages of one content after the other."""

    jobs: ClassVar = {
        "dynamics": (hold_best,),
        "relaxation": (relax_choices,),
        "analysis": (begin_series, gather_held, end_stage),
    }

    @property
    def settings(self) -> IonStep:
        """Those of the step."""
        step = self.step
        assert isinstance(step, IonStep)  # noqa: S101 - for the type checker: Makers are chosen by kind
        return step

    def make(self, inputs: Inputs) -> Flow:
        """Stage after stage; each is a job of relaxations, those of a hold, and a job that decides."""
        begin = begin_series(self, inputs.sources, inputs.references)
        begin.name = self.name
        return Flow([begin], output={"results": begin.output}, name=self.name)


def _begun(maker: IonMaker, member: Member, place: int) -> IonSeries:
    settings, state = maker.settings, member.state
    fields, seed = member.result_fields, maker.step_seed + place
    if state is None:
        return IonSeries(start=None, seed=seed, failure=member.skipped_fields()["reason"], result_fields=fields)
    before = member.source if isinstance(member.source, IonResult) else None
    series = IonSeries(
        start=state.model_copy(update={"velocities": None}),
        first_host=without_ions(state, settings.element)
        if before is None or before.element != settings.element
        else before.first_host,
        seed=seed,
        from_crystal=member.is_crystal,
        result_fields=fields,
    )
    try:
        return series.extended(**_target(settings, state))
    except InputError as error:
        return series.extended(failure=str(error))


def _target(settings: IonStep, state: State) -> dict[str, Any]:
    """Host, its formula units, and the number of ions at the end; InputError for an end that cannot be reached."""
    counts, element = Counter(state.atoms.get_chemical_symbols()), settings.element
    units = host_units(counts, element, settings.host)
    there, final = counts[element], settings.final_ions
    if settings.final_content is not None:
        final = round(settings.final_content * units)
    if settings.sign < 0:
        final = final or 0
        if there < settings.ions_per_stage:
            raise InputError(f"{settings.ions_per_stage} {element} are to leave at a time, and there are {there}")
    if final is not None and settings.sign * (final - there) < 0:
        more = "more" if settings.sign < 0 else "fewer"
        raise InputError(f"it is to end with {final} {element}, {more} than the {there} that there are")
    host = {symbol: count for symbol, count in counts.items() if symbol != element}
    return {"host": settings.host or reduced_formula(host), "host_units": units, "final_ions": final}


def _next_round(
    maker: IonMaker, series: list[IonSeries], references: References | None, number: int
) -> Response[None] | list[IonResult]:
    """Jobs for the next stage of all series that are under way, or their results where none is."""
    choices: list[list[State]] = []
    for i, own in enumerate(series):
        series[i], chosen = _choose(maker.settings, own, number)
        choices.append(chosen)
    if not any(choices):
        return [_conclude(maker, own, references) for own in series]
    settings, label = maker.settings, f"{maker.name}: stage {number}"
    relaxing = relax_choices(maker.engine, choices, settings.relax_cell, label)
    jobs: list[Job] = [relaxing]
    runs: Any = []
    held: Any = []
    if settings.hold_ps:
        holding = hold_best(maker, relaxing.output, number)
        gathering = gather_held(holding.output["runs"])
        again = relax_choices(maker.engine, gathering.output, settings.relax_cell, f"{label}, held")
        jobs += [holding, gathering, again]
        runs, held = holding.output["runs"], again.output
    ending = end_stage(maker, series, references, number, relaxing.output, runs, held)
    return Response(replace=Flow([*jobs, ending], output=ending.output, name=label))


def _choose(settings: IonStep, series: IonSeries, number: int) -> tuple[IonSeries, list[State]]:
    """The states to relax for the next stage; none where the series has ended, which it then says."""
    if not series.under_way or series.start is None:
        return series, []
    if number == 0:
        return series, [series.start]
    there = series.stages[-1].n_ions
    if there == series.final_ions:
        return series.extended(ended=f"{there} {settings.element} are reached"), []
    left = settings.ions_per_stage if series.final_ions is None else abs(series.final_ions - there)
    try:
        if number > settings.max_stages:
            raise InputError(f"max_stages = {settings.max_stages} are done")
        return series, _states(settings, series, min(left, settings.ions_per_stage), number)
    except InputError as error:
        # without an end that was asked for, this is one
        reason = str(error)
        if series.final_ions is None:
            return series.extended(ended=reason), []
        return series.extended(failure=f"ended with {there} {settings.element} of {series.final_ions}: {reason}"), []


def _states(settings: IonStep, series: IonSeries, count: int, number: int) -> list[State]:
    """Every choice of ions of a stage, each once."""
    states: list[State] = []
    for choice in range(settings.choices):
        rng = np.random.default_rng([series.seed, number, choice])
        rule = "largest-void" if settings.rule == "lowest-energy" and choice == 0 else settings.rule
        assert series.start is not None  # noqa: S101 - for the type checker: it is under way
        state = settings.changed(series.start, count, rule, rng)
        states += [state] if state not in states else []
    return states


def _with_stage(
    maker: IonMaker,
    series: IonSeries,
    choices: Sequence[Relaxation],
    run: Run | None,
    held: Sequence[Relaxation] | None,
) -> IonSeries:
    """The series with the stage that was computed, or with the reason why it is none; `held` where a hold was asked."""
    if held is not None and not held and run is not None:
        return series.extended(failure=run.reason)
    relaxed = held or choices
    best = lowest(relaxed)
    if best is None:
        return series.extended(failure=checked_to_be_solid(relaxed[0]).reason)
    assert series.first_host is not None  # noqa: S101 - for the type checker: it has begun
    stage = measure_stage(best, maker.settings.element, series.host_units, series.first_host, choices)
    return series.extended(start=best.state, stages=[*series.stages, stage])


def _conclude(maker: IonMaker, series: IonSeries, references: References | None) -> IonResult:
    settings, stages = maker.settings, series.stages
    result: type[IonResult] = RESULTS[settings.kind]  # type: ignore[assignment]  # this kind's is one
    fields: dict[str, Any] = series.result_fields | {
        "status": "completed" if series.failure is None else "failed" if series.start is not None else "skipped",
        "reason": series.failure,
        "element": settings.element,
        "seed": series.seed,
    }
    if not stages:
        return result(**fields)
    first, last = stages[0], stages[-1]
    order = crystallinity_of(last.relaxation.state)
    fields |= {
        "formula": last.relaxation.formula,
        "n_atoms": last.relaxation.n_atoms,
        "host": series.host,
        "host_units": series.host_units,
        "first_host": series.first_host,
        "first_order": crystallinity_of(first.relaxation.state),
        "stages": stages,
        "ended": series.ended or series.failure,
        "content": last.content,
        "volume_change": last.volume_a3 / first.volume_a3 - 1,
        "coordination": last.coordination,
        "order": order,
    }
    fields |= crystallised(order, from_crystal=series.from_crystal) if series.failure is None else {}
    try:
        charge = settings.charge or common_charge(settings.element)
        metal = references.elements.get(settings.element) if references is not None else None
        fields |= {"charge": charge} | voltages_of(stages, series.host_units, metal, charge)
    except InputError as error:
        fields["voltage_reason"] = str(error)
    return result(**fields)
