"""Step `remove`: ions taken out of a host."""

from typing import ClassVar, Literal

import numpy as np

from tachylite.physics.ions import Rule, choose_ions
from tachylite.schemas.run import State
from tachylite.schemas.steps.ions import IonResult, IonStep


class Remove(IonStep):
    """Take ions out of a host, so many at a time; without an end, until none is left."""

    kind: Literal["remove"] = "remove"

    sign: ClassVar = -1

    def changed(self, state: State, count: int, rule: Rule, rng: np.random.Generator) -> State:
        """A state with so many ions fewer."""
        numbers, positions, cell = np.array(state.numbers), np.array(state.positions), np.array(state.cell)
        leaving = choose_ions(numbers, positions, cell, self.element, count, rule=rule, rng=rng)
        return State(
            numbers=np.delete(numbers, leaving).tolist(),
            positions=np.delete(positions, leaving, axis=0).tolist(),
            cell=state.cell,
        )


class RemoveResult(IonResult):
    """A host that has given up ions, stage by stage."""

    kind: Literal["remove"] = "remove"
