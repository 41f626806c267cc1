"""Step `strain`: elastic constants of relaxed structures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from jobflow import Flow, job

from tachylite.engines.elasticity import measure_elasticity
from tachylite.engines.workdir import current_workdir
from tachylite.flows.steps.base import Inputs, Start, StepMaker
from tachylite.jobs.engine import resolve_engine
from tachylite.schemas.steps.strain import Strain, StrainResult


@job
def strain_states(maker: "StrainMaker", sources: Sequence[Sequence[Start]]) -> list[StrainResult]:
    """Elastic constants of the state of every member."""
    engine, settings = resolve_engine(maker.engine), maker.step
    results = []
    for member in maker.members(sources):
        if member.state is None or not isinstance(settings, Strain):
            results.append(StrainResult(**member.skipped_fields()))
            continue
        elasticity = measure_elasticity(engine, member.state, current_workdir(), settings.amount)
        results.append(
            StrainResult(status="completed", elasticity=elasticity, state=member.state, **member.result_fields)
        )
    return results


@dataclass
class StrainMaker(StepMaker):
    """Strain every member in six directions."""

    jobs: ClassVar = {"relaxation": (strain_states,)}

    def make(self, inputs: Inputs) -> Flow:
        """One job, since every strain needs the stiffness of the first."""
        strain = strain_states(self, inputs.sources)
        strain.name = self.name
        return Flow([strain], output={"results": strain.output}, name=self.name)
