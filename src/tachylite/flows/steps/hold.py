"""Step `hold`: molecular dynamics at a constant temperature, and what the run says of the state."""

from dataclasses import dataclass

from tachylite.analysis.glass import measure_response
from tachylite.analysis.structure import measure_structure
from tachylite.analysis.transport import measure_diffusivity
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
from tachylite.schemas.steps.hold import Hold, HoldResult


@dataclass
class HoldMaker(DynamicsMaker):
    """Hold every member at its temperature; measure density, diffusivities and structure."""

    def request(self, member: Member, seed: int) -> Request | None:
        """One stretch at the temperature of the branch."""
        settings, temperature = self.step, member.branch.temperature_k
        if temperature is None or not isinstance(settings, Hold):
            return None
        segments = [segment(self.protocol, settings.time_ps, temperature, step=settings)]
        return dynamics_request(member, settings, f"{self.name} at {temperature:g} K", segments, seed)

    def result(self, member: Member, run: Run | None, trajectory: Trajectory | None) -> HoldResult:
        """Gather what the run says."""
        if run is None:
            return HoldResult(**member.skipped_fields())
        fields = member.result_fields | {"run": run} | outcome(run.status, run.reason)
        if run.status == "failed" or trajectory is None:
            return HoldResult(**fields)
        temperature = fields["temperature_k"]
        diffusivities = [measure_diffusivity(trajectory, species, temperature) for species in run.final.elements]
        structure = measure_structure(trajectory, temperature).with_motion([d.diffusive for d in diffusivities])
        return HoldResult(
            diffusivities=diffusivities,
            structure=structure,
            response=measure_response(trajectory, run),
            **volume_of(member, run),
            **(fields | crystallised(structure, from_crystal=member.is_crystal)),
        )
