"""The volume search as jobs: decisions and work take turns, in a bounded number of rounds."""

from collections.abc import Sequence

from jobflow import Flow, Response, job
from pymatgen.core import Structure

from tachylite.jobs.engine import EngineLike, simulate
from tachylite.physics.thermodynamics.equilibrium import Continue, Converged, Criteria, Failed, Sample, decide, repels
from tachylite.schemas import Equilibrium, Measured, Melt, Protocol, Request, Run, Segment, State, Trajectory
from tachylite.schemas.material import EquationOfState, VolumeSample
from tachylite.schemas.protocol import VolumeSearch
from tachylite.schemas.search import Search
from tachylite.units import FS_PER_PS

type Start = Structure | State | Melt | None


@job(data=Trajectory)
def sample_volumes(engine: EngineLike, requests: list[Request]) -> dict[str, list[object]] | Response:
    """Run one round of samples."""
    return simulate(engine, requests)


@job
def begin_search(
    engine: EngineLike, starts: Sequence[Start], temperatures_k: Sequence[float], protocol: Protocol, seed: int
) -> Response | list[Equilibrium]:
    """Search the volume of every start at every temperature; the temperatures of one start follow each other."""
    searches = _searches(starts, temperatures_k)
    if protocol.volume_search is None:
        return [_held(search, protocol) for search in searches]
    return _next_round(engine, searches, _scans(searches, protocol.volume_search), protocol, seed, attempt=0)


def first_samples(start: Start, protocol: Protocol, seed: int) -> list[Request]:
    """What the search at the melt's temperature asks for first; nothing where the protocol keeps the volume."""
    searches = _searches([start], [protocol.melt.temperature_k])
    settings = protocol.volume_search
    return [] if settings is None else _requests(searches, _scans(searches, settings), protocol, seed, 0)[0]


def _searches(starts: Sequence[Start], temperatures_k: Sequence[float]) -> list[Search]:
    return [
        Search(label=f"volume at {t:g} K", temperature_k=t, start=_state(start))
        for start in starts
        for t in temperatures_k
    ]


def _scans(searches: Sequence[Search], settings: VolumeSearch) -> dict[int, Continue]:
    return {
        i: Continue(tuple(f * s.start.volume_a3 for f in settings.fractions), "scan")
        for i, s in enumerate(searches)
        if s.start is not None
    }


@job
def decide_volumes(
    engine: EngineLike,
    searches: list[Search],
    asked: list[tuple[int, str, bool]],
    runs: list[Run],
    protocol: Protocol,
    seed: int,
    attempt: int,
) -> Response | list[Equilibrium]:
    """Take in a round of samples; ask for another, or conclude."""
    for (index, purpose, expanded), run in zip(asked, runs, strict=True):
        searches[index] = _with_run(searches[index], run, purpose, attempt, protocol, expanded=expanded)
    proposals = {
        i: decision
        for i, search in enumerate(searches)
        if isinstance(decision := _decide(search, protocol, attempt), Continue)
    }
    return _next_round(engine, searches, proposals, protocol, seed, attempt + 1)


def _next_round(
    engine: EngineLike,
    searches: list[Search],
    proposals: dict[int, Continue],
    protocol: Protocol,
    seed: int,
    attempt: int,
) -> Response | list[Equilibrium]:
    """Samples for the searches that go on, as one batch, and the decision after them."""
    if not proposals:
        return [_conclude(search, protocol, attempt - 1) for search in searches]
    requests, asked = _requests(searches, proposals, protocol, seed, attempt)
    work = sample_volumes(engine, requests)
    decision = decide_volumes(engine, searches, asked, work.output["runs"], protocol, seed, attempt)
    return Response(replace=Flow([work, decision], output=decision.output, name="volume search"))


def _requests(
    searches: Sequence[Search], proposals: dict[int, Continue], protocol: Protocol, seed: int, attempt: int
) -> tuple[list[Request], list[tuple[int, str, bool]]]:
    """Requests at the volumes proposed; beside each, the search it is of, its purpose, whether it is an expansion."""
    asked: list[tuple[int, str, bool]] = []
    requests: list[Request] = []
    for i, proposal in proposals.items():
        for volume in proposal.volumes:
            state, expanded = searches[i].start_for(volume)
            requests.append(
                Request(
                    label=f"{searches[i].label}: {proposal.purpose}" + (f" {attempt}" if attempt else ""),
                    state=state,
                    segments=_segments(protocol, searches[i].temperature_k),
                    seed=seed + 1000 * attempt + len(requests),
                )
            )
            asked.append((i, proposal.purpose, expanded))
    return requests, asked


def _segments(protocol: Protocol, temperature_k: float) -> list[Segment]:
    settings = protocol.volume_search or VolumeSearch()
    lengths = {"langevin": settings.equilibrate_ps, "nose-hoover": settings.sample_ps}
    return [
        Segment(
            steps=max(1, round(length * FS_PER_PS / protocol.timestep_fs)),
            temperature_k=temperature_k,
            thermostat=thermostat,
            timestep_fs=protocol.timestep_fs,
        )
        for thermostat, length in lengths.items()
    ]


def _with_run(search: Search, run: Run, purpose: str, attempt: int, protocol: Protocol, *, expanded: bool) -> Search:
    if run.status == "failed":
        return search.extended(
            failed_volumes_a3=[*search.failed_volumes_a3, run.volume_a3],
            failure=search.failure or (run.reason if len(search.failed_volumes_a3) >= 4 else None),
        )
    result = run.last
    pressure = result.pressure_total_gpa if protocol.pressure == "total" else result.pressure_virial_gpa
    sample = VolumeSample(
        volume_a3=run.volume_a3,
        pressure_gpa=pressure,
        virial_gpa=result.pressure_virial_gpa,
        temperature_k=result.temperature_k,
        energy_ev_per_atom=result.energy_ev_per_atom,
        energy_drift=result.energy_drift,
        steps=run.steps,
        attempt=attempt,
        purpose=purpose,
        expanded=expanded or repels(pressure.value, result.pressure_virial_gpa.value, pressure.error),
    )
    return search.extended(samples=[*search.samples, sample], states=[*search.states, run.final])


def _decide(search: Search, protocol: Protocol, attempt: int) -> Continue | Converged | Failed:
    if search.start is None:
        return Failed("no equilibrated state to start from")
    if search.failure is not None:
        return Failed(search.failure)
    settings = protocol.volume_search or VolumeSearch()
    criteria = Criteria(
        pressure_tolerance=settings.pressure_tolerance_gpa,
        volume_tolerance=settings.volume_tolerance,
        energy_drift_tolerance=settings.energy_drift_tolerance,
        max_attempts=settings.max_attempts,
    )
    samples = [_sample(s) for s in search.samples]
    failed = [Sample(volume=v, pressure=None) for v in search.failed_volumes_a3]
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


def _conclude(search: Search, protocol: Protocol, attempt: int) -> Equilibrium:
    decision = _decide(search, protocol, attempt)
    common = {
        "formula": search.start.formula if search.start else "",
        "n_atoms": len(search.start.numbers) if search.start else 0,
        "temperature_k": search.temperature_k,
        "pressure_convention": protocol.pressure,
        "samples": search.samples,
    }
    if isinstance(decision, Converged):
        equation = decision.equation
        return Equilibrium(
            status="converged",
            volume_a3=Measured(value=decision.volume, error=decision.volume_error),
            pressure_gpa=Measured(value=decision.pressure, error=decision.pressure_error),
            equation_of_state=None
            if equation is None
            else EquationOfState(
                volume_a3=Measured(value=equation.volume, error=equation.volume_error),
                bulk_modulus_gpa=Measured(value=equation.bulk_modulus, error=equation.bulk_modulus_error),
                bulk_modulus_derivative=Measured(
                    value=equation.bulk_modulus_derivative, error=equation.bulk_modulus_derivative_error
                ),
                fitted_volumes_a3=equation.fitted,
            ),
            state=search.start_for(decision.volume)[0],
            **common,
        )
    reason = decision.reason if isinstance(decision, Failed) else "the search ended early"
    vapour = isinstance(decision, Failed) and decision.vapour
    return Equilibrium(status="failed", reason=reason, vapour=vapour, **common)


def _held(search: Search, protocol: Protocol) -> Equilibrium:
    """A protocol without a volume search keeps the volume it starts from."""
    if search.start is None:
        return _conclude(search, protocol, 0)
    return Equilibrium(
        status="converged",
        formula=search.start.formula,
        n_atoms=len(search.start.numbers),
        temperature_k=search.temperature_k,
        pressure_convention=protocol.pressure,
        volume_a3=Measured(value=search.start.volume_a3, error=0.0),
        samples=[],
        state=search.start,
    )


def _state(start: Start) -> State | None:
    if isinstance(start, Structure):
        return State.from_structure(start)
    if isinstance(start, Melt):
        return start.run.final if start.run is not None and start.run.status == "completed" else None
    return start
