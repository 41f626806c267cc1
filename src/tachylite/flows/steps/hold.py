"""Step `hold`: molecular dynamics at a constant temperature, and what it says of the state."""

from dataclasses import dataclass

from tachylite.analysis.structure import measure_structure
from tachylite.analysis.transport import measure_diffusivity
from tachylite.flows.steps.base import DynamicsMaker, Member, crystallised, outcome, segment
from tachylite.measured import Measured
from tachylite.physics.thermodynamics.energies import density
from tachylite.schemas import Request, Run, Trajectory
from tachylite.schemas.steps.hold import Hold, HoldResult
from tachylite.schemas.steps.volume import VolumeResult


@dataclass
class HoldMaker(DynamicsMaker):
    """Hold every member at its temperature; measure density, diffusivities and structure."""

    def request(self, member: Member, seed: int) -> Request | None:
        """One stretch at the temperature of the branch."""
        settings, temperature = self.step, member.branch.temperature_k
        if member.state is None or temperature is None or not isinstance(settings, Hold):
            return None
        segments = [segment(self.protocol, settings.time_ps, temperature)]
        return Request(label=f"{self.name} at {temperature:g} K", state=member.state, segments=segments, seed=seed)

    def result(self, member: Member, run: Run | None, trajectory: Trajectory | None) -> HoldResult:
        """Gather what the run says; the density's error is that of the volume."""
        if run is None:
            return HoldResult(**member.skipped_fields())
        searched = member.source.volume_a3 if isinstance(member.source, VolumeResult | HoldResult) else None
        volume = searched or Measured(value=run.volume_a3, error=0.0)
        common = member.result_fields | {"run": run, "volume_a3": volume} | outcome(run.status, run.reason)
        if run.status == "failed" or trajectory is None:
            return HoldResult(**common)
        mass_density = density(run.final.atoms.get_masses(), run.volume_a3)
        temperature = common["temperature_k"]
        diffusivities = [measure_diffusivity(trajectory, species, temperature) for species in run.final.elements]
        structure = measure_structure(trajectory, temperature).with_motion([d.diffusive for d in diffusivities])
        return HoldResult(
            density_g_cm3=Measured(value=mass_density, error=mass_density * (volume.error / volume.value)),
            diffusivities=diffusivities,
            structure=structure,
            **(common | crystallised(structure, from_crystal=member.is_crystal)),
        )
