"""The volume of zero pressure, side by side with atomate2's MPMorph flow: python -m benchmarks.volume_search.

Both searches get the same melts and the same model, one thread each, and are compared by the CPU time that a
given error of the final volume costs: a search that takes t and whose answers miss the reference by s (root mean
square over independent melts and starts) needs t (s / e)^2 for an error e, by repeating it. Answers beyond a factor
of 1.5 are counted as wrong, and only their time as cost: their squares would decide alone.
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from benchmarks.common import MELTS, TIMESTEP_FS, Peer, melt, own_engine, publish, table
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore

from tachylite.engines.workdir import use_workdir
from tachylite.flows import EquilibriumVolumeMaker
from tachylite.physics.eos import fit_birch_murnaghan
from tachylite.schemas import Protocol, Request, Segment, State
from tachylite.schemas.steps.volume import VolumeSearch

N_ATOMS = 32
FORMULA = "LiF"
"""Forgets its packing within a picosecond; Li3PO4 at this temperature does not, and 3 ps runs of it disagree."""

TEMPERATURE_K = 1500.0
START_A3_PER_ATOM = 15.0
STARTS = {0.8: 2, 0.9: 2, 1.15: 2, 1.3: 2}
"""Starting volumes over the reference, and the number of independent melts from each; a start at the reference
would give the answer away."""

WRONG = 1.5

PEER_STEPS = 250
"""Per volume; the pressure is that of the last frame, so that longer runs would not sharpen it."""

PROTOCOL = Protocol(
    name="benchmark",
    pressure="total",
    timestep_fs=TIMESTEP_FS,
    steps=[
        VolumeSearch(
            temperature_k=TEMPERATURE_K,
            equilibrate_ps=0.2,
            sample_ps=1.0,
            pressure_tolerance_gpa=0.6,
            volume_tolerance=0.1,
            energy_drift_tolerance=0.01,
        )
    ],
)

REFERENCE_A3_PER_ATOM = (14.0, 15.0, 16.0, 17.0)
REFERENCE_MELTS = 2
REFERENCE_STEPS = 1500


@dataclass(frozen=True)
class Found:
    """What one search answered: the volume (A^3), None where there was none, and the CPU time it took."""

    code: str
    start: float
    seed: int
    volume_a3: float | None
    volume_error_a3: float | None
    cpu_s: float
    steps: int
    note: str = ""


def _melt(seed: int) -> State:
    return melt(N_ATOMS, seed, formula=FORMULA, volume_a3_per_atom=START_A3_PER_ATOM, temperature_k=TEMPERATURE_K)


def reference() -> tuple[float, float]:
    """Volume of zero total pressure (A^3) and its error, from runs of 3 ps at four volumes; kept on disk."""
    path = MELTS / f"reference-{FORMULA}-{N_ATOMS}-{TEMPERATURE_K:g}.json"
    if not path.exists():
        segments = [
            Segment(steps=250, temperature_k=TEMPERATURE_K, timestep_fs=TIMESTEP_FS, thermostat="langevin"),
            Segment(steps=REFERENCE_STEPS, temperature_k=TEMPERATURE_K, timestep_fs=TIMESTEP_FS),
        ]
        requests = [
            Request(label="reference", state=_melt(100 + s).scaled_to(v * N_ATOMS), segments=segments, seed=s)
            for v in REFERENCE_A3_PER_ATOM
            for s in range(REFERENCE_MELTS)
        ]
        runs = [a.run for a in own_engine().run(requests, MELTS)]
        points = [
            (r.volume_a3, r.last.pressure_total_gpa.value, r.last.pressure_total_gpa.error)
            for r in runs
            if r.status == "completed"
        ]
        path.write_text(json.dumps(points))
    volumes, pressures, errors = zip(*json.loads(path.read_text()), strict=True)
    equation = fit_birch_murnaghan(volumes, pressures, errors)
    return equation.volume, equation.volume_error


def own(start: float, seed: int, volume_a3: float) -> Found:
    """`EquilibriumVolumeMaker`, as a user runs it."""
    state = _melt(seed).scaled_to(start * volume_a3)
    job = EquilibriumVolumeMaker(engine=own_engine(), protocol=PROTOCOL, seed=seed).make([state])
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    cpu = time.process_time()
    with TemporaryDirectory() as folder, use_workdir(Path(folder)):
        responses = run_locally(job, store=store, log=False, raise_immediately=True)
    cpu_s = time.process_time() - cpu
    outputs = [r.output for by_index in responses.values() for r in by_index.values() if r.output is not None]
    (equilibrium,) = next(o for o in reversed(outputs) if isinstance(o, list))
    found = equilibrium.volume_a3
    return Found(
        code="tachylite",
        start=start,
        seed=seed,
        volume_a3=None if found is None else found.value,
        volume_error_a3=None if found is None else found.error,
        cpu_s=cpu_s,
        steps=sum(s.steps for s in equilibrium.samples),
        note=equilibrium.reason or "",
    )


def theirs(peer: Peer, start: float, seed: int, volume_a3: float) -> Found:
    """The volume search of `MPMorphMLFFMDMaker`, as a user runs it."""
    state = _melt(seed).scaled_to(start * volume_a3)
    settings = {"steps": PEER_STEPS, "temperature_k": TEMPERATURE_K, "timestep_fs": TIMESTEP_FS, "seed": seed}
    answer = peer.ask("volume", state=state.model_dump(), **settings)
    low, high = min(answer["volumes_a3"]), max(answer["volumes_a3"])
    return Found(
        code="atomate2",
        start=start,
        seed=seed,
        volume_a3=answer["volume_a3"],
        volume_error_a3=None,
        cpu_s=answer["cpu_s"],
        steps=PEER_STEPS * len(answer["volumes_a3"]),
        note=f"{len(answer['volumes_a3'])} volumes, {low:.0f}-{high:.0f} A^3",
    )


def _kept(code: str, search: Callable[[float, int, float], Found], start: float, seed: int, true: float) -> Found:
    """An answer, kept on disk: an interrupted benchmark goes on where it was."""
    path = MELTS / f"search-{code}-{start:g}-{seed}.json"
    if not path.exists():
        path.write_text(json.dumps(asdict(search(start, seed, true))))
        print(path.read_text(), flush=True)
    return Found(**json.loads(path.read_text()))


def main() -> None:
    """Run the searches in turns and publish what they found."""
    torch.set_num_threads(1)
    true, true_error = reference()
    print(f"reference: {true / N_ATOMS:.2f} +- {true_error / N_ATOMS:.2f} A^3/atom", flush=True)
    peer = Peer(threads=1)
    searches: dict[str, Callable[[float, int, float], Found]] = {"tachylite": own, "atomate2": partial(theirs, peer)}
    found = [
        _kept(code, search, start, seed, true)
        for start, repeats in STARTS.items()
        for seed in range(1, repeats + 1)
        for code, search in searches.items()
    ]
    peer.close()
    title = f"Volume search, {FORMULA}, {N_ATOMS} atoms at {TEMPERATURE_K:g} K"
    numbers = {"reference_a3": true, "reference_error_a3": true_error, "searches": [asdict(f) for f in found]}
    answers = f"{title}: every answer"
    header = ["code", "start / reference", "melt", "A^3/atom", "own error", "CPU s", "steps", "note"]
    rows = [
        [
            f.code,
            f.start,
            f.seed,
            _per_atom(f.volume_a3),
            _per_atom(f.volume_error_a3),
            f"{f.cpu_s:.0f}",
            f.steps,
            f.note,
        ]
        for f in found
    ]
    summary = table(
        ["code", "answers", "wrong", "bias", "root mean square", "CPU s per right answer", "CPU s for 1 %"],
        [_summary(code, found, true) for code in ("tachylite", "atomate2")],
    )
    summary += f"\n\nReference: {true / N_ATOMS:.2f} +- {true_error / N_ATOMS:.2f} A^3/atom."
    publish("volume_search", {title: summary, answers: table(header, rows)}, {title: numbers, answers: rows})


def _per_atom(volume_a3: float | None) -> str:
    return "none" if volume_a3 is None else f"{volume_a3 / N_ATOMS:.2f}"


def _summary(code: str, found: list[Found], true: float) -> list[str]:
    """Over all starts; searches without an answer, or a wrong one, count in the time."""
    searches = [f for f in found if f.code == code]
    volumes = [f.volume_a3 for f in searches if f.volume_a3 is not None]
    near = [v / true - 1 for v in volumes if 1 / WRONG < v / true < WRONG]
    miss = statistics.mean([one**2 for one in near]) ** 0.5
    cost = sum(f.cpu_s for f in searches) / len(near)
    return [
        code,
        f"{len(volumes)} of {len(searches)}",
        str(len(volumes) - len(near)),
        f"{100 * statistics.mean(near):+.1f} %",
        f"{100 * miss:.1f} %",
        f"{cost:.0f}",
        f"{cost * (miss / 0.01) ** 2:.0f}",
    ]


if __name__ == "__main__":
    main()
