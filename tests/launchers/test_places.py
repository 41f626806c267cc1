"""Every job that a protocol can lead to has a place, also where it is made by another job."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jobflow import Flow, Job, JobStore, run_locally
from maggma.stores import MemoryStore
from tests.launchers.fake_manager import FakeManager

from tachylite.configs import load_protocol
from tachylite.engines import get_engine
from tachylite.engines.workdir import use_workdir
from tachylite.flows.members import members_of
from tachylite.flows.run import amorphous_flow
from tachylite.launchers.places import assign_places, jobs_by_kind, place_of
from tachylite.schemas import Protocol
from tachylite.schemas.campaign import Launcher, Place

PLACES = {kind: Place(worker=kind) for kind in jobs_by_kind()}
LAUNCHER = Launcher(launcher="fireworks", default=Place(worker="default", queue="slow"), **PLACES)


def placed(jobs: list[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for job in jobs:
        if isinstance(job, Flow):
            found |= placed(list(job.jobs))
        elif isinstance(job, Job):
            found[job.function.__name__] = job.config.manager_config["to"]
    return found


def flow_of(protocol: Protocol) -> Flow:
    members = members_of(["Ar"], protocol=protocol, engine="lennard-jones")
    return amorphous_flow(members, protocol=protocol, engine="lennard-jones")


def test_kinds_of_jobs_have_places(tmp_path: Path) -> None:
    flow = flow_of(load_protocol("quickstart"))
    assign_places(flow, LAUNCHER, FakeManager(), get_engine("lennard-jones"))
    assert placed([flow]) == {
        "make_structures": "packing",
        "relax_references": "relaxation",
        "begin_search": "analysis",
        "run_members": "dynamics",
        "analyse_runs": "analysis",
        "relax_states": "relaxation",
        "analyse_relaxations": "analysis",
        "relax_snapshots": "relaxation",
        "analyse_snapshots": "analysis",
        "gather_material": "analysis",
    }


ARGON = Protocol.model_validate(
    {
        "name": "argon",
        "packing": {"n_atoms": 8},
        "steps": [
            {
                "kind": "volume",
                "temperature_k": 80,
                "fractions": [0.9, 1.1],
                "equilibrate_ps": 0.004,
                "sample_ps": 0.02,
                "max_attempts": 1,
            },
            {"kind": "hold", "time_ps": 0.02},
        ],
    }
)


@pytest.mark.slow
def test_jobs_that_jobs_make_have_their_own_places_too(tmp_path: Path) -> None:
    flow = flow_of(ARGON)
    flow.update_metadata({"campaign": "c"})
    assign_places(flow, LAUNCHER, FakeManager(), get_engine("lennard-jones"))
    seen: dict[str, Mapping[str, Any]] = {}
    original = Job.run

    def noted(job: Job, *args: Any, **options: Any) -> Any:
        seen[job.function.__name__] = job.config.manager_config | job.metadata
        return original(job, *args, **options)

    with pytest.MonkeyPatch.context() as patch, use_workdir(tmp_path):
        patch.setattr(Job, "run", noted)
        store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
        run_locally(flow, store=store, log=False, ensure_success=True)
    assert seen["sample_volumes"] == {"to": "dynamics", "campaign": "c"}
    assert seen["decide_volumes"] == {"to": "analysis", "campaign": "c"}
    assert seen["store_inputs"] == {"to": "default", "campaign": "c"}


def test_what_is_not_given_for_a_kind_is_the_default() -> None:
    assert place_of(LAUNCHER, "dynamics") == Place(worker="dynamics", queue="slow")
    assert place_of(Launcher(launcher="fireworks", default=Place(queue="q")), "packing") == Place(queue="q")
