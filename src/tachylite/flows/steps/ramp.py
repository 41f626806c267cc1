"""Step `ramp`: cooling or heating along a straight line, and what the run says of the state at its end."""

from dataclasses import dataclass
from typing import Any

from tachylite.analysis.glass import measure_hold, measure_quench, measure_response
from tachylite.analysis.structure import measure_structure
from tachylite.flows.steps.base import (
    DynamicsMaker,
    Member,
    crystallised,
    dynamics_request,
    outcome,
    segment,
    volume_of,
)
from tachylite.schemas import Request, Run, Trajectory
from tachylite.schemas.steps.ramp import Ramp, RampResult

_SECONDS_PER_FS = 1e-15


@dataclass
class RampMaker(DynamicsMaker):
    """Cool or heat every member, hold it at the end; measure the transition, structure and heat capacity."""

    def request(self, member: Member, seed: int) -> Request | None:
        """The ramp and the hold at its end, as one run."""
        settings, start_k = self.step, member.branch.start_temperature_k
        if start_k is None or not isinstance(settings, Ramp):
            return None
        segments = [segment(self.protocol, settings.time_ps, start_k, settings.temperature_k, step=settings)]
        if settings.hold_ps:
            segments.append(segment(self.protocol, settings.hold_ps, settings.temperature_k, step=settings))
        return dynamics_request(member, settings, f"{self.name} to {settings.temperature_k:g} K", segments, seed)

    def result(self, member: Member, run: Run | None, trajectory: Trajectory | None) -> RampResult:
        """Gather what the ramp says, and structure and heat capacity of the hold."""
        start_k, end_k = member.branch.start_temperature_k, member.branch.temperature_k
        fields: dict[str, Any] = {"start_temperature_k": start_k}
        if run is None or start_k is None or end_k is None:
            return RampResult(**fields, **member.skipped_fields())
        fields |= member.result_fields | {"run": run} | outcome(run.status, run.reason)
        if not run.segments:
            return RampResult(**fields)
        ramp = run.segments[0].segment
        duration_fs = ramp.steps * ramp.timestep_fs
        fields["cooling_rate_k_s"] = (start_k - end_k) / (duration_fs * _SECONDS_PER_FS)
        if run.status == "completed" and trajectory is not None:
            fields |= volume_of(member, run)
            fields["transition"] = measure_quench(trajectory, ramp.pressure_gpa)
            if len(run.segments) > 1:
                fields["structure"] = measure_structure(trajectory, end_k, since_fs=duration_fs)
                fields |= crystallised(fields["structure"], from_crystal=member.is_crystal)
                fields["heat_capacity"] = measure_hold(trajectory, end_k)
                fields["response"] = measure_response(trajectory, run)
        return RampResult(**fields)
