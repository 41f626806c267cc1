"""Step `relax`: inherent structures, and their energies above the elements and above the crystal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from jobflow import Flow, Response, job

from tachylite.analysis.structure import checked_to_be_solid, crystallinity_of
from tachylite.flows.steps.base import Inputs, Member, Start, StepMaker, crystallised, outcome
from tachylite.jobs.engine import Relaxed, in_place, relax
from tachylite.jobs.references import above_crystal, formation_energy_of
from tachylite.physics.thermodynamics.energies import density
from tachylite.schemas.relaxation import References, Relaxation
from tachylite.schemas.steps.relax import Relax, RelaxResult


@job
def relax_states(maker: "RelaxMaker", sources: Sequence[Sequence[Start]]) -> list[Relaxed | None] | Response[None]:
    """Relax the state of every member; None where there is none."""
    settings, members = maker.step, maker.members(sources)
    states = [state.model_copy(update={"velocities": None}) for m in members if (state := m.state) is not None]
    relax_cell = isinstance(settings, Relax) and settings.relax_cell
    relaxed, jobs = relax(maker.engine, states, relax_cell=relax_cell, labels=[maker.name] * len(states))
    outcomes = iter(relaxed)
    answer: list[Relaxed | None] | Response[None] = in_place(
        jobs, [None if member.state is None else next(outcomes) for member in members]
    )
    return answer


@job
def analyse_relaxations(
    maker: "RelaxMaker",
    sources: Sequence[Sequence[Start]],
    relaxations: Sequence[Relaxation | None],
    references: References | None,
) -> list[RelaxResult]:
    """Gather density and energies of every relaxed structure."""
    return [
        _result(member, relaxation, references)
        for member, relaxation in zip(maker.members(sources), relaxations, strict=True)
    ]


@dataclass
class RelaxMaker(StepMaker):
    """Relax every member."""

    jobs: ClassVar = {"relaxation": (relax_states,), "analysis": (analyse_relaxations,)}

    def make(self, inputs: Inputs) -> Flow:
        """Relax, then compare energies."""
        relaxation = relax_states(self, inputs.sources)
        relaxation.name = self.name
        analysis = analyse_relaxations(self, inputs.sources, relaxation.output, inputs.references)
        analysis.name = f"{self.name} analysis"
        return Flow([relaxation, analysis], output={"results": analysis.output}, name=self.name)


def _result(member: Member, relaxation: Relaxation | None, references: References | None) -> RelaxResult:
    if relaxation is None:
        return RelaxResult(**member.skipped_fields())
    relaxation = checked_to_be_solid(relaxation)
    common = member.result_fields | {"relaxation": relaxation} | outcome(relaxation.status, relaxation.reason)
    if relaxation.status == "failed":
        return RelaxResult(**common)
    state = relaxation.state
    order = crystallinity_of(state)
    common |= {"order": order, "density_g_cm3": density(state.atoms.get_masses(), state.volume_a3)}
    if failure := crystallised(order, from_crystal=member.is_crystal):
        return RelaxResult(**(common | failure))
    return RelaxResult(
        formation_energy_ev_per_atom=formation_energy_of(relaxation, references),
        above_crystal_ev_per_atom=above_crystal(relaxation.energy_ev_per_atom, references, member.number),
        **common,
    )
