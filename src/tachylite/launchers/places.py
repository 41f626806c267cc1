"""Which jobs run where: every kind of job has a place of its own."""

from collections.abc import Callable
from typing import Any

from jobflow import Flow

from tachylite.engines import Engine
from tachylite.flows.learn_potential import end_round, explore, failures_of, start_round
from tachylite.flows.screen import repeat_failed
from tachylite.flows.steps import jobs_by_resource
from tachylite.jobs.engine import relax_member, simulate_member
from tachylite.jobs.material import gather_material
from tachylite.jobs.phases import gather_phases, relax_phases
from tachylite.jobs.potential import ask_teacher, collect_frames, train_committee
from tachylite.jobs.references import gather_references, relax_references
from tachylite.jobs.starts import make_structures
from tachylite.launchers.manager import Manager
from tachylite.schemas.campaign import Launcher, Place

_MEMBERS = {"dynamics": simulate_member, "relaxation": relax_member}
"""The jobs that do the work where an engine does not batch; those that hand it out are then no work."""

_LEARNING = (train_committee, ask_teacher)
"""Jobs that compute themselves, whatever the engine; they run where dynamics does."""


def jobs_by_kind() -> dict[str, list[Callable[..., Any]]]:
    """Jobs by what they need, where an engine does a whole cohort in one."""
    jobs: dict[str, list[Callable[..., Any]]] = {
        "packing": [make_structures],
        "dynamics": [],
        "relaxation": [relax_references, relax_phases],
        "analysis": [
            *(gather_references, gather_phases, gather_material, repeat_failed),
            *(collect_frames, failures_of, start_round, explore, end_round),
        ],
    }
    for kind, function in jobs_by_resource():
        jobs[kind].append(function)
    return jobs


def place_of(launcher: Launcher, kind: str) -> Place:
    """The place of a kind of job: what is not given for it is that of `default`."""
    own: Place = getattr(launcher, kind)
    given = {name: value for name, value in own if name in own.model_fields_set}
    return launcher.default.model_copy(update=given)


def assign_places(flow: Flow, launcher: Launcher, manager: Manager, engine: Engine) -> None:
    """Tell every job of a flow, and those that they will make, where to run."""

    def assign(place: Place, function: Callable[..., Any] | None) -> None:
        # a job does not pass its own place on: those it makes have theirs by what they are
        config = {"manager_config": manager.configuration(place), "pass_manager_config": False}
        flow.update_config(config, function_filter=function, dynamic=True)

    assign(launcher.default, None)
    for kind, functions in jobs_by_kind().items():
        handing_out = kind in _MEMBERS and not engine.batches
        for function in functions:
            assign(place_of(launcher, "analysis" if handing_out else kind), function)
    for kind, function in (*_MEMBERS.items(), *(("dynamics", function) for function in _LEARNING)):
        assign(place_of(launcher, kind), function)
