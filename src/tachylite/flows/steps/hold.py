"""Step `hold`: molecular dynamics at a constant temperature, and what the run says of the state."""

from dataclasses import dataclass
from typing import Any

from tachylite.analysis.glass import measure_response
from tachylite.analysis.layers import measure_layers_of_run
from tachylite.analysis.structure import measure_structure
from tachylite.analysis.transport import measure_diffusivity
from tachylite.errors import InputError
from tachylite.flows.steps.base import (
    DynamicsMaker,
    Member,
    crystallised,
    dynamics_request,
    outcome,
    segment,
    volume_of,
)
from tachylite.schemas import Request, Run, StructureAnalysis, Trajectory
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
        # beside a glass a crystal is no surprise
        inhomogeneous = isinstance(self.step, Hold) and self.step.layers > 0
        return HoldResult(
            diffusivities=diffusivities,
            structure=structure,
            response=measure_response(trajectory, run),
            **self._layers(trajectory, structure),
            **volume_of(member, run),
            **(fields | crystallised(structure, from_crystal=inhomogeneous or member.is_crystal)),
        )

    def _layers(self, trajectory: Trajectory, structure: StructureAnalysis) -> dict[str, Any]:
        """What is measured in layers, where that is asked for, or why there is nothing."""
        settings = self.step
        if not isinstance(settings, Hold) or not settings.layers:
            return {}
        lengths = {f"{bond.center}-{bond.neighbor}": bond.cutoff_a for bond in structure.coordinations}
        try:
            return {"layers": measure_layers_of_run(trajectory, settings.layers, lengths)}
        except InputError as error:
            return {"layers_reason": str(error)}
