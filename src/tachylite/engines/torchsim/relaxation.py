"""Relaxation of a batch, with or without the cell: FIRE far from the minimum, L-BFGS near it.

FIRE alone (DOI 10.1103/PhysRevLett.97.170201) is robust from any start but slow along the soft modes of a glass
and its cell; L-BFGS then needs a fifth of the steps (151 and 211 instead of more than 700 each for two
snapshots of molten Li3PO4).
"""

from pathlib import Path

from tachylite.engines.base import Progress, progress_listener
from tachylite.engines.interruption import interruptible
from tachylite.engines.torchsim.batch import Potential, PotentialWithStress
from tachylite.engines.torchsim.batch_relaxation import BatchInRelaxation, Member
from tachylite.engines.workdir import CHECKPOINT
from tachylite.schemas import Provenance, State
from tachylite.schemas.relaxation import Relaxation


def relax_batch(
    states: list[State],
    potential: Potential,
    folder: Path,
    *,
    relax_cell: bool,
    labels: list[str],
    max_force_ev_a: float,
    provenance: Provenance,
    checkpoint_every: int,
    batch_atoms: int,
) -> list[Relaxation]:
    """Relax every state until no force exceeds `max_force_ev_a` and, with the cell, no stress 0.1 GPa.

    A member takes at most 1,000 steps; it leaves the batch as it converges, and others enter, at most `batch_atoms`
    atoms at once. One that diverges ends alone. Checkpoints are written to `folder` every `checkpoint_every` steps, at
    the end of a stage, and before a signal or the end of the walltime ends the work. Raises OutOfTimeError for the
    latter, InputError where the folder cannot be written.
    """
    potential.reset()
    members = [Member(state) for state in states]
    relaxation = BatchInRelaxation(members, PotentialWithStress(potential), relax_cell, max_force_ev_a, batch_atoms)
    path = folder / CHECKPOINT
    if path.exists():
        relaxation.load(path)
    steps_at_start = relaxation.steps_taken
    with interruptible() as interruption:
        while relaxation.is_unfinished:
            if interruption.due():
                if relaxation.steps_taken > steps_at_start:
                    with interruption.saving():
                        relaxation.save(path)
                interruption.end(f"at step {relaxation.steps_taken} of relaxing {labels[0]}")
            relaxation.advance()
            _report(labels[0], relaxation)
            if not relaxation.active or relaxation.steps_taken % checkpoint_every == 0:
                with interruption.saving():
                    relaxation.save(path)
    _report(labels[0], relaxation, relaxation.outcome)
    return [
        Relaxation(
            label=label,
            status="converged" if member.reason is None else "failed",
            reason=member.reason,
            formula=member.state.formula,
            n_atoms=len(member.state.numbers),
            relax_cell=relax_cell,
            steps=member.steps,
            energy_ev_per_atom=member.energy / len(member.state.numbers),
            max_force_ev_a=member.force,
            pressure_gpa=member.pressure,
            stress_gpa=member.stress,
            state=member.state,
            provenance=provenance,
        )
        for member, label in zip(relaxation.members, labels, strict=True)
    ]


def _report(label: str, relaxation: BatchInRelaxation, outcome: str = "") -> None:
    """Steps of a member alone; of several, how many are relaxed, and how many of them are in the batch."""
    listener = progress_listener.get()
    if listener is None or not (relaxation.is_unfinished or outcome):
        return
    members = len(relaxation.members)
    if members == 1:
        done, most, at_once, unit = relaxation.steps_taken, relaxation.max_steps, 1, "steps"
    else:
        done, most, at_once, unit = relaxation.n_relaxed, members, max(1, len(relaxation.active)), "relaxed"
    total = done if outcome else most
    listener(Progress(label=label, done=done, total=total, members=at_once, rate=0.0, unit=unit, outcome=outcome))
