"""Documents and jobs that the tests of stores put into them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from jobflow import Flow, JobOrder, JobStore, job, run_locally

from tachylite.schemas import Material, Protocol, Provenance, Run, State, Trajectory
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.volume import VolumeResult

MELTING: list[dict[str, Any]] = [
    {"kind": "volume", "name": "melt-volume", "temperature_k": 3000},
    {"kind": "hold", "name": "melt"},
]
"""Steps of a protocol."""

PROVENANCE = Provenance(engine="chgnet", model="0.3.0", device="cpu", dtype="float32", versions={"a.b": "1"})


def make_trajectory(seed: int = 0) -> Trajectory:
    positions = np.random.default_rng(seed).normal(size=(6, 2, 3))
    return Trajectory.from_arrays(
        numbers=[3, 8], positions=positions, cells=np.eye(3) * 4, times_fs=np.arange(6), series={"x_ev": [1.0]}
    )


def make_run(trajectory: Trajectory | None = None, **changes: Any) -> Run:
    state = State(numbers=[3, 8], positions=[(0, 0, 0), (1, 1, 1)], cell=[(4, 0, 0), (0, 4, 0), (0, 0, 4)])
    fields = {
        "label": "production",
        "status": "completed",
        "formula": state.formula,
        "n_atoms": 2,
        "volume_a3": 64.0,
        "steps": 60,
        "segments": [],
        "final": state,
        "trajectory_id": None if trajectory is None else trajectory.sha256,
        "wall_time_s": 1.0,
        "provenance": PROVENANCE,
    }
    return Run(**{**fields, **changes})


def make_search(**changes: Any) -> VolumeResult:
    fields = {
        "name": "melt-volume",
        "step": "melt-volume",
        "status": "failed",
        "formula": "Li3PO4",
        "n_atoms": 96,
        "temperature_k": 3000,
        "pressure_convention": "total",
    }
    return VolumeResult(**{**fields, **changes})


def make_hold(**changes: Any) -> HoldResult:
    fields = {
        "name": "melt",
        "step": "melt",
        "source": "melt-volume",
        "status": "completed",
        "formula": "Li3PO4",
        "n_atoms": 96,
        "temperature_k": 3000,
    }
    return HoldResult(**{**fields, **changes})


def make_material(formula: str = "Li3PO4", **changes: Any) -> Material:
    fields = {
        "material_id": formula,
        "formula": formula,
        "elements": ["Li", "O", "P"],
        "n_atoms": 96,
        "status": "completed",
        "failures": [],
        "results": [make_search(), make_hold()],
        "protocol": Protocol.model_validate({"name": "quickstart", "steps": MELTING}),
        "provenance": PROVENANCE,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Material(**{**fields, **changes})


def later(days: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)


@job
def keep(document: Any) -> Any:
    return document


@job(data=Trajectory)
def simulate(seeds: list[int | None]) -> dict[str, list[Any]]:
    trajectories = [None if seed is None else make_trajectory(seed) for seed in seeds]
    return {"runs": [t and make_run(t) for t in trajectories], "trajectories": trajectories}


@job
def count_frames(output: dict[str, list[Any]]) -> list[int]:
    return [t.n_frames for t in output["trajectories"] if t is not None]


def submit(store: JobStore, *jobs: Any) -> Any:
    return run_locally(Flow(list(jobs), order=JobOrder.LINEAR), store=store, log=False, ensure_success=True)


def put(store: JobStore, *documents: Any) -> None:
    for number, document in enumerate(documents):
        entry = {
            "uuid": f"{store.count()}-{number}",
            "index": 1,
            "output": document,
            "completed_at": f"2026-01-01T00:00:{number:02}",
            "name": type(document).__name__,
        }
        store.update(entry, save={"data": Trajectory})
