"""What a protocol begins with, for whoever wants to look before anything is computed."""

from tachylite.jobs.dynamics import production_request
from tachylite.jobs.equilibrium import first_samples
from tachylite.schemas import Protocol, Request, State


def first_request(start: State, protocol: Protocol, seed: int) -> Request:
    """The first molecular dynamics that `AmorphousMaker` asks an engine for."""
    samples: list[Request | None] = [*first_samples(start, protocol, seed)]
    melt = protocol.melt
    found = samples[0] if samples else production_request(start, melt.temperature_k, melt.production_ps, protocol, seed)
    assert found is not None, "a start gives a request"  # noqa: S101 - for the type checker
    return found
