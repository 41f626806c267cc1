"""Step `volume`: the search as jobs; decisions and work take turns, in a bounded number of rounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from jobflow import Flow, Response, job

from tachylite.analysis.structure import crystallinity_of
from tachylite.flows.steps.base import EngineMaker, Inputs, Member, Start, Starts, StepMaker, crystallised, segment
from tachylite.jobs.engine import EngineLike, simulate
from tachylite.measured import Measured
from tachylite.physics.thermodynamics.equilibrium import Continue, Converged, Criteria, Failed, Sample, decide, repels
from tachylite.schemas import Request, Run, Segment, State, Trajectory
from tachylite.schemas.steps.volume import EquationOfState, Pressure, Search, VolumeResult, VolumeSample, VolumeSearch


@job
def begin_search(maker: "VolumeMaker", sources: Sequence[Sequence[Start]]) -> Response[None] | list[VolumeResult]:
    """Search the volume of every member at every temperature; those of one start follow each other."""
    searches = [_search(member) for member in maker.members(sources)]
    return _next_round(maker, searches, _scans(searches, maker.settings), attempt=0)


@job(data=Trajectory)
def sample_volumes(engine: EngineLike, requests: list[Request]) -> dict[str, list[object]] | Response[None]:
    """Run one round of samples."""
    return simulate(engine, requests)


@job
def decide_volumes(
    maker: "VolumeMaker",
    searches: list[Search],
    sampled: list[tuple[int, str, bool]],
    runs: list[Run],
    attempt: int,
) -> Response[None] | list[VolumeResult]:
    """Take in a round of samples; ask for another, or conclude.

    Beside each run `sampled` holds the position of its search, its purpose, and whether it is an expansion.
    """
    for (index, purpose, expanded), run in zip(sampled, runs, strict=True):
        searches[index] = _with_run(searches[index], run, purpose, attempt, maker.protocol.pressure, expanded=expanded)
    proposals = {
        i: decision
        for i, search in enumerate(searches)
        if isinstance(decision := _decide(search, maker.settings, attempt), Continue)
    }
    return _next_round(maker, searches, proposals, attempt + 1)


@dataclass
class VolumeMaker(StepMaker):
    """Find the volume of zero pressure of every member, as `tachylite.physics.thermodynamics.equilibrium` decides."""

    jobs: ClassVar = {"dynamics": (sample_volumes,), "analysis": (begin_search, decide_volumes)}

    @property
    def settings(self) -> VolumeSearch:
        """Those of the search."""
        step = self.step
        assert isinstance(step, VolumeSearch)  # noqa: S101 - for the type checker: Makers are chosen by kind
        return step

    def make(self, inputs: Inputs) -> Flow:
        """Search; every round is a job of samples and a job that decides."""
        search = begin_search(self, inputs.sources)
        search.name = self.name
        return Flow([search], output={"results": search.output}, name=self.name)

    def first_request(self, start: State) -> Request | None:
        """The first sample of the scan."""
        searches = [_search(member) for member in self.members([[start]])]
        return _requests(self, searches, _scans(searches, self.settings), 0)[0][0]


@dataclass
class EquilibriumVolumeMaker(EngineMaker):
    """Find the volume of zero pressure of every structure, by the first volume search of the protocol.

    The flow's output holds `results`: a `VolumeResult` for each structure and temperature.
    """

    name: str = "equilibrium volume"

    def make(self, structures: Starts, temperatures_k: Sequence[float] | None = None) -> Flow:
        """Search at the protocol's temperatures, or at others; raises ValueError where it has no volume search."""
        settings = next((step for step in self.protocol.steps if isinstance(step, VolumeSearch)), None)
        if settings is None:
            raise ValueError(f"protocol {self.protocol.name} has no step of kind volume")
        changes: dict[str, Any] = {"temperature_k": list(temperatures_k)} if temperatures_k is not None else {}
        alone = settings.model_copy(update=changes | {"sources": []})
        protocol = self.protocol.model_copy(update={"steps": [alone]})
        flow = VolumeMaker(alone.name, self.engine, protocol, self.seed).make(Inputs([structures]))
        flow.name = self.name
        return flow


def _search(member: Member) -> Search:
    fields = member.result_fields
    temperature = fields.pop("temperature_k")
    skipped = member.skipped_fields()["reason"] if member.state is None else None
    return Search(
        label=f"volume at {temperature:g} K",
        temperature_k=temperature,
        start=member.state,
        from_crystal=member.is_crystal,
        failure=skipped,
        result_fields=fields,
    )


def _scans(searches: Sequence[Search], settings: VolumeSearch) -> dict[int, Continue]:
    return {
        i: Continue(tuple(f * s.start.volume_a3 for f in settings.fractions), "scan")
        for i, s in enumerate(searches)
        if s.start is not None
    }


def _next_round(
    maker: VolumeMaker, searches: list[Search], proposals: Mapping[int, Continue], attempt: int
) -> Response[None] | list[VolumeResult]:
    """Samples for the searches that go on, as one batch, and the decision after them."""
    if not proposals:
        return [_conclude(maker, search, attempt - 1) for search in searches]
    requests, sampled = _requests(maker, searches, proposals, attempt)
    work = sample_volumes(maker.engine, requests)
    decision = decide_volumes(maker, searches, sampled, work.output["runs"], attempt)
    return Response(replace=Flow([work, decision], output=decision.output, name="volume search"))


def _requests(
    maker: VolumeMaker, searches: Sequence[Search], proposals: Mapping[int, Continue], attempt: int
) -> tuple[list[Request], list[tuple[int, str, bool]]]:
    """Requests at the volumes proposed; beside each, the search it is of, its purpose, whether it is an expansion."""
    sampled: list[tuple[int, str, bool]] = []
    requests: list[Request] = []
    for i, proposal in proposals.items():
        for volume in proposal.volumes:
            state, expanded = searches[i].start_for(volume)
            requests.append(
                Request(
                    label=f"{searches[i].label}: {proposal.purpose}" + (f" {attempt}" if attempt else ""),
                    state=state,
                    segments=_segments(maker, searches[i].temperature_k),
                    seed=maker.step_seed + 1000 * attempt + len(requests),
                )
            )
            sampled.append((i, proposal.purpose, expanded))
    return requests, sampled


def _segments(maker: VolumeMaker, temperature_k: float) -> list[Segment]:
    lengths = {"langevin": maker.settings.equilibrate_ps, "nose-hoover": maker.settings.sample_ps}
    return [
        segment(maker.protocol, length, temperature_k).model_copy(update={"thermostat": thermostat, "record_every": 0})
        for thermostat, length in lengths.items()
    ]


def _with_run(search: Search, run: Run, purpose: str, attempt: int, convention: Pressure, *, expanded: bool) -> Search:
    if run.status == "failed":
        return search.extended(
            failed_volumes_a3=[*search.failed_volumes_a3, run.volume_a3],
            failure=search.failure or (run.reason if len(search.failed_volumes_a3) >= 4 else None),
        )
    average = run.last
    pressure = average.pressure_total_gpa if convention == "total" else average.pressure_virial_gpa
    sample = VolumeSample(
        volume_a3=run.volume_a3,
        pressure_gpa=pressure,
        virial_gpa=average.pressure_virial_gpa,
        temperature_k=average.temperature_k,
        energy_ev_per_atom=average.energy_ev_per_atom,
        energy_drift=average.energy_drift,
        steps=run.steps,
        attempt=attempt,
        purpose=purpose,
        expanded=expanded or repels(pressure.value, average.pressure_virial_gpa.value, pressure.error),
    )
    return search.extended(samples=[*search.samples, sample], states=[*search.states, run.final])


def _decide(search: Search, settings: VolumeSearch, attempt: int) -> Continue | Converged | Failed:
    if search.failure is not None:
        return Failed(search.failure)
    criteria = Criteria(
        pressure_tolerance=settings.pressure_tolerance_gpa,
        volume_tolerance=settings.volume_tolerance,
        energy_drift_tolerance=settings.energy_drift_tolerance,
        max_attempts=settings.max_attempts,
    )
    samples = [_sample(sample) for sample in search.samples]
    failed = [Sample(volume=volume, pressure=None) for volume in search.failed_volumes_a3]
    return decide([*failed, *samples], criteria, attempt)


def _sample(sample: VolumeSample) -> Sample:
    energy = sample.energy_ev_per_atom
    return Sample(
        volume=sample.volume_a3,
        pressure=sample.pressure_gpa.value,
        pressure_error=sample.pressure_gpa.error,
        virial=sample.virial_gpa.value,
        energy_drift=sample.energy_drift,
        # each half has half the samples of the whole, and two of them are compared
        energy_drift_error=2 * energy.error / max(abs(energy.value), 1e-12),
        expanded=sample.expanded,
    )


def _conclude(maker: VolumeMaker, search: Search, attempt: int) -> VolumeResult:
    decision = _decide(search, maker.settings, attempt)
    common = search.result_fields | {
        "temperature_k": search.temperature_k,
        "pressure_convention": maker.protocol.pressure,
        "samples": search.samples,
    }
    if isinstance(decision, Converged):
        state = search.start_for(decision.volume)[0]
        order = crystallinity_of(state)
        return VolumeResult(
            volume_a3=Measured(value=decision.volume, error=decision.volume_error),
            pressure_gpa=Measured(value=decision.pressure, error=decision.pressure_error),
            equation_of_state=_equation_of_state(decision),
            state=state,
            order=order,
            **({"status": "completed"} | crystallised(order, from_crystal=search.from_crystal) | common),
        )
    reason = decision.reason if isinstance(decision, Failed) else "the search ended early"
    vapour = isinstance(decision, Failed) and decision.vapour
    status = "failed" if search.start is not None else "skipped"
    return VolumeResult(status=status, reason=reason, vapour=vapour, **common)


def _equation_of_state(decision: Converged) -> EquationOfState | None:
    equation = decision.equation
    if equation is None:
        return None
    return EquationOfState(
        volume_a3=Measured(value=equation.volume, error=equation.volume_error),
        bulk_modulus_gpa=Measured(value=equation.bulk_modulus, error=equation.bulk_modulus_error),
        bulk_modulus_derivative=Measured(
            value=equation.bulk_modulus_derivative, error=equation.bulk_modulus_derivative_error
        ),
        fitted_volumes_a3=equation.fitted,
    )
