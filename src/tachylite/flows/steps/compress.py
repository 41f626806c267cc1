"""Step `compress`: relaxed structures squeezed and stretched, for their equation of state at 0 K."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from jobflow import Flow, Job, Response, job

from tachylite.analysis.compression import fit_compression
from tachylite.flows.steps.base import Inputs, Start, StepMaker
from tachylite.jobs.engine import Relaxed, in_place, relax
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.steps.compress import Compress, CompressResult


@job
def relax_volumes(maker: "CompressMaker", sources: Sequence[Sequence[Start]]) -> list[list[Relaxed]] | Response[None]:
    """Relax the atoms of every member at every volume."""
    settings = maker.step
    relaxed: list[list[Relaxed]] = []
    jobs: list[Job] = []
    for member in maker.members(sources):
        if member.state is None or not isinstance(settings, Compress):
            relaxed.append([])
            continue
        still = member.state.model_copy(update={"velocities": None})
        states = [still.scaled_to(fraction * still.volume_a3) for fraction in settings.fractions]
        labels = [f"{maker.name} to {fraction:g} of the volume" for fraction in settings.fractions]
        structures, more = relax(maker.engine, states, relax_cell=False, labels=labels)
        relaxed.append(list(structures))
        jobs += more
    answer: list[list[Relaxed]] | Response[None] = in_place(jobs, relaxed)
    return answer


@job
def analyse_compressions(
    maker: "CompressMaker", sources: Sequence[Sequence[Start]], relaxations: Sequence[Sequence[Relaxation]]
) -> list[CompressResult]:
    """Fit the equation of state of every member."""
    return [
        CompressResult(**member.result_fields, state=member.state, **fit_compression(relaxed))
        if relaxed
        else CompressResult(**member.skipped_fields())
        for member, relaxed in zip(maker.members(sources), relaxations, strict=True)
    ]


@dataclass
class CompressMaker(StepMaker):
    """Compress and stretch every member."""

    jobs: ClassVar = {"relaxation": (relax_volumes,), "analysis": (analyse_compressions,)}

    def make(self, inputs: Inputs) -> Flow:
        """Relax at every volume, then fit."""
        relaxation = relax_volumes(self, inputs.sources)
        relaxation.name = self.name
        analysis = analyse_compressions(self, inputs.sources, relaxation.output)
        analysis.name = f"{self.name} analysis"
        return Flow([relaxation, analysis], output={"results": analysis.output}, name=self.name)
