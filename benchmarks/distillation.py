"""A student beside its teacher, through a whole protocol: python -m benchmarks.distillation FOLDER [FORMULA].

CHGNet makes frames (protocol `frames`), two NEPs learn them, and the first goes through zheng2024 without snapshots, as
CHGNet itself then does. Volumes, g(r) and diffusivities of every temperature stand side by side, and the wall time
of each part. What is done is kept in FOLDER, and the same command goes on from there.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import publish, table
from jobflow import JobStore

from tachylite.analysis.parity import measure_curves, score_curves
from tachylite.configs import load_protocol
from tachylite.engines import get_engine
from tachylite.engines.single_points import compute_single_points
from tachylite.flows import run_amorphous
from tachylite.learning.potentials.nep import NepTraining
from tachylite.learning.potentials.training import train_potential
from tachylite.learning.potentials.training_set import TrainingSet
from tachylite.physics.frames import take_frames
from tachylite.report.text import quantity
from tachylite.schemas import Diffusivity, Material, Protocol, State
from tachylite.schemas.evaluation import LabelledFrame, SinglePoint
from tachylite.schemas.potential import PotentialCard, PotentialFiles
from tachylite.schemas.steps.base import RunResult
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.volume import VolumeResult
from tachylite.stores import open_store
from tachylite.stores.labels import find_labelled_frames
from tachylite.stores.runs import find_trajectory

TEACHER = "chgnet"
LONGEST_A = 5.0
"""Of the distances whose g(r) is compared, within half of every cell."""


def main() -> None:
    """Do what is missing, and publish the comparison."""
    folder, formula = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "Li3PO4"
    store = open_store(folder / "store")
    protocol = load_protocol("zheng2024")
    protocol = Protocol.model_validate(
        protocol.model_dump(by_alias=True) | {"steps": [s.model_dump(by_alias=True) for s in protocol.steps[:-1]]}
    )

    def run(chosen: Protocol, engine: str) -> Material:
        (material,) = run_amorphous(
            [formula], protocol=chosen, engine=get_engine(engine), store=store, workdir=folder / "work"
        )
        print(engine, chosen.name, material.status, f"{wall_s(material):.0f} s", flush=True)
        return material

    lessons = run(load_protocol("frames"), TEACHER)
    files = PotentialFiles(folder / f"{formula}.txt")
    card = files.read_card() or train(
        files.file, find_labelled_frames(store, protocol="frames", formula=formula), folder
    )
    student = run(protocol, f"nep:{files.file}")
    teacher = run(protocol, TEACHER)
    rows = [
        compare(mine, its, store)
        for mine, its in zip(student.of_kind(HoldResult), teacher.of_kind(HoldResult), strict=True)
    ]
    heads = ("T (K)", "V, student (A^3/atom)", "V, teacher", "R2 of g(r)", "D, student (cm^2/s)", "D, teacher")
    title = f"{formula}: a NEP of two beside CHGNet, which taught it"
    errors = card.evaluation
    times = {
        "frames by the teacher": wall_s(lessons),
        "training of both": card.training_s,
        "zheng2024 by the student": wall_s(student),
        "zheng2024 by the teacher": wall_s(teacher),
    }
    first = sum(list(times.values())[:3])
    cost = table(("", "s"), [(name, f"{seconds:.0f}") for name, seconds in times.items()])
    force, scale = 1000 * errors.force_rmse_ev_a, 1000 * card.test.force_rms_ev_a
    energy = 1000 * errors.energy_mae_ev_per_atom
    accuracy = f"On frames held out: forces {force:.0f} of {scale:.0f} meV/A (RMS), energies {energy:.1f} meV/atom."
    faster = times["zheng2024 by the teacher"] / first
    verdict = f"The student and its lessons together: {faster:.1f} times faster than the teacher."
    text = "\n\n".join([table(heads, rows), accuracy, cost, verdict])
    publish("distillation", {title: text}, {title: {"rows": rows, "seconds": times}})


def train(file: Path, frames: Sequence[LabelledFrame], folder: Path) -> PotentialCard:
    """Two NEPs, and their card."""

    def compute(name: str, states: Sequence[State]) -> list[SinglePoint]:
        return compute_single_points(get_engine(name), states, folder / "work")

    chosen = TrainingSet.of(frames)
    report = lambda line: print(line, flush=True)  # noqa: E731 - passed on only
    return train_potential(chosen, "nep", NepTraining(), file, compute, committee=2, report=report)


def wall_s(material: Material) -> float:
    """Wall time of all molecular dynamics of a material; that of the volume searches at the rate of the other runs."""
    runs = [result.run for result in material.results if isinstance(result, RunResult) and result.run]
    seconds, steps = sum(run.wall_time_s for run in runs), sum(run.steps for run in runs)
    searched = sum(sample.steps for result in material.of_kind(VolumeResult) for sample in result.samples)
    return seconds * (1 + searched / steps)


def compare(student: HoldResult, teacher: HoldResult, store: JobStore) -> tuple[str, ...]:
    """A row: volumes, coefficient of determination of all g(r), diffusivities of lithium or of what is first."""
    curves = []
    for result in (student, teacher):
        (trajectory_id,) = result.trajectory_ids
        trajectory = find_trajectory(store, trajectory_id)
        assert trajectory is not None
        curves.append(
            measure_curves(take_frames(trajectory.positions, trajectory.cells, trajectory.numbers), LONGEST_A)
        )
    score = score_curves(student.formula, curves[1], curves[0])
    volumes = [quantity(r.volume_a3 / r.n_atoms) if r.volume_a3 else "none" for r in (student, teacher)]
    return (
        f"{student.temperature_k:g}",
        *volumes,
        "none" if score.r2 is None else f"{score.r2.value:.4f}",
        *(diffusivity(r.diffusivities[0]) for r in (student, teacher)),
    )


def diffusivity(measured: Diffusivity) -> str:
    """With its interval, or that the motion is not diffusive."""
    if not measured.diffusive:
        return f"{measured.species}: not diffusive"
    return f"{measured.species}: {quantity(measured.diffusivity_cm2_s, interval=measured.diffusivity_interval_cm2_s)}"


if __name__ == "__main__":
    main()
