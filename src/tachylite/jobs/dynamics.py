"""Production runs and quenches."""

from jobflow import Response, job

from tachylite.jobs.engine import EngineLike, simulate
from tachylite.schemas import Equilibrium, Melt, Protocol, Request, Segment, State, Trajectory
from tachylite.units import FS_PER_PS


@job(data=Trajectory)
def run_production(
    engine: EngineLike, equilibria: list[Equilibrium], production_ps: float, protocol: Protocol, seed: int
) -> dict[str, list[object]] | Response:
    """Run NVT at every volume found; None for members without one."""
    requests = [
        production_request(
            e.state if e.status == "converged" else None, e.temperature_k, production_ps, protocol, seed + index
        )
        for index, e in enumerate(equilibria)
    ]
    return simulate(engine, requests)


@job(data=Trajectory)
def run_quench(
    engine: EngineLike, melts: list[Melt], protocol: Protocol, seed: int
) -> dict[str, list[object]] | Response:
    """Cool every melt along a linear ramp, then hold it."""
    quench = protocol.quench
    if quench is None:
        raise ValueError(f"protocol {protocol.name} has no quench")
    requests = [
        _request(
            f"quench to {quench.final_temperature_k:g} K",
            m.run.final if m.run is not None and m.run.status == "completed" else None,
            [
                _segment(protocol, quench.ramp_ps, m.temperature_k, quench.final_temperature_k),
                _segment(protocol, quench.hold_ps, quench.final_temperature_k),
            ],
            seed + index,
        )
        for index, m in enumerate(melts)
    ]
    return simulate(engine, requests)


def production_request(
    state: State | None, temperature_k: float, production_ps: float, protocol: Protocol, seed: int
) -> Request | None:
    """One NVT run; None without a state to start from."""
    segment = _segment(protocol, production_ps, temperature_k)
    return _request(f"production at {temperature_k:g} K", state, [segment], seed)


def _request(label: str, state: State | None, segments: list[Segment], seed: int) -> Request | None:
    return None if state is None else Request(label=label, state=state, segments=segments, seed=seed)


def _segment(protocol: Protocol, length_ps: float, start_k: float, end_k: float | None = None) -> Segment:
    return Segment(
        steps=max(1, round(length_ps * FS_PER_PS / protocol.timestep_fs)),
        temperature_k=start_k,
        end_temperature_k=end_k,
        timestep_fs=protocol.timestep_fs,
        record_every=protocol.record_every,
    )
