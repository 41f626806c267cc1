"""The whole protocol: from first structures to `Material` documents."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobflow import Flow, OutputReference
from pymatgen.core import Structure

from tachylite.flows.steps import follow
from tachylite.flows.steps.base import EngineMaker
from tachylite.jobs.material import gather_material
from tachylite.jobs.references import relax_references
from tachylite.schemas import State
from tachylite.schemas.start import Start


@dataclass
class AmorphousMaker(EngineMaker):
    """Run all steps of a protocol, and give a `Material` for every member.

    The flow's output is a list of `Material` documents, in the order of the cohort. One member's failure
    is written into its document and does not touch the others.
    """

    name: str = "amorphous material"

    def make(
        self,
        structures: Sequence[Structure | State | OutputReference],
        crystals: Sequence[Structure | None] | None = None,
        starts: Sequence[Start] | None = None,
    ) -> Flow:
        """Begin with first structures; energies above a crystal where one is given.

        `starts` say how the structures were made, where they were not given as they are.
        """
        first = list(structures)
        above = list(crystals or [None] * len(first))
        references = relax_references(self.engine, first, above, self.protocol.added_elements)
        flows, outputs = follow(self, self.protocol.steps, first, references=references.output)
        materials = []
        for member, structure in enumerate(first):
            results = []
            for step in self.protocol.steps:
                count = len(self.protocol.branches_of(step.name))
                results += [outputs[step.name]["results"][member * count + branch] for branch in range(count)]
            start = starts[member] if starts else None
            materials.append(
                gather_material(self.engine, self.protocol, self.seed, start, structure, results, references.output)
            )
        return Flow([references, *flows, *materials], output=[job.output for job in materials], name=self.name)
