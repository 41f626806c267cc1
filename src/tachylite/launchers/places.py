"""Which jobs run where: every kind of job has a place of its own."""

from collections.abc import Callable
from typing import Any

from jobflow import Flow

from tachylite.engines import Engine
from tachylite.jobs.analysis import describe_glasses, describe_limits, describe_melts
from tachylite.jobs.dynamics import run_production, run_quench
from tachylite.jobs.elasticity import measure_glass_elasticity
from tachylite.jobs.energies import relax_glasses, relax_references, relax_snapshots
from tachylite.jobs.engine import relax_member, simulate_member
from tachylite.jobs.equilibrium import begin_search, decide_volumes, sample_volumes
from tachylite.jobs.material import summarise_material
from tachylite.jobs.packing import pack_structures
from tachylite.launchers.manager import Manager
from tachylite.schemas.campaign import Launcher, Place

KINDS: dict[str, tuple[Callable[..., Any], ...]] = {
    "packing": (pack_structures,),
    "dynamics": (sample_volumes, run_production, run_quench),
    "relaxation": (relax_references, relax_glasses, relax_snapshots, measure_glass_elasticity),
    "analysis": (begin_search, decide_volumes, describe_melts, describe_glasses, describe_limits, summarise_material),
}
"""Jobs by what they need, where an engine does a whole cohort in one."""

MEMBERS = {"dynamics": simulate_member, "relaxation": relax_member}
"""The jobs that do the work where an engine does not batch; those that hand it out are then no work."""


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
    for kind, functions in KINDS.items():
        handing_out = kind in MEMBERS and not engine.batches
        for function in functions:
            assign(place_of(launcher, "analysis" if handing_out else kind), function)
    for kind, function in MEMBERS.items():
        assign(place_of(launcher, kind), function)
