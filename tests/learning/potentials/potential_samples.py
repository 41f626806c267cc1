"""Frames that the tests of this folder share: copper by the effective medium theory, hot, cold, dense and wide."""

from functools import cache

from ase.build import bulk
from ase.calculators.emt import EMT

from tachylite.schemas import State
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint


def frame(
    a: float = 3.6, shift_a: float = 0.1, seed: int = 0, trajectory: str = "", level: str | None = "EMT"
) -> LabelledFrame:
    """Eight atoms, each moved at random."""
    atoms = bulk("Cu", a=a).repeat(2)
    atoms.rattle(shift_a, seed=seed)
    atoms.calc = EMT()
    label = SinglePoint(atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(voigt=False))
    return LabelledFrame(State.from_atoms(atoms), label, trajectory=trajectory, level=level, temperature_k=300.0)


@cache
def copper(trajectories: int = 6, frames: int = 6) -> tuple[LabelledFrame, ...]:
    """Independent frames, those of a trajectory alike in volume and in how far atoms are from their places."""
    return tuple(
        frame(3.5 + 0.05 * t, 0.08 + 0.02 * t, seed=100 * t + i, trajectory=f"run {t}")
        for t in range(trajectories)
        for i in range(frames)
    )
