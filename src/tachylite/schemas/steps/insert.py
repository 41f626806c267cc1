"""Step `insert`: ions put into a host."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from ase.data import atomic_numbers
from pydantic import Field

from tachylite.physics.ions import Rule, insert_ions
from tachylite.schemas.run import State
from tachylite.schemas.steps.ions import IonResult, IonStep


class Insert(IonStep):
    """Put ions into the voids of a host, so many at a time; without an end, until no void is left."""

    kind: Literal["insert"] = "insert"
    smallest_void_a: Annotated[float, Field(gt=0)] = 1.6
    """Distance in A from the centre of a void to the nearest atoms from which on it takes an ion."""

    sign: ClassVar = 1

    def changed(self, state: State, count: int, rule: Rule, rng: np.random.Generator) -> State:
        """A state with so many ions more, at the end of its atoms."""
        arrays = np.array(state.numbers), np.array(state.positions), np.array(state.cell)
        placed = insert_ions(*arrays, self.element, count, rule=rule, smallest_void_a=self.smallest_void_a, rng=rng)
        return State(
            numbers=[*state.numbers, *[int(atomic_numbers[self.element])] * count],
            positions=[*state.positions, *placed.tolist()],
            cell=state.cell,
        )


class InsertResult(IonResult):
    """A host that has taken up ions, stage by stage."""

    kind: Literal["insert"] = "insert"
