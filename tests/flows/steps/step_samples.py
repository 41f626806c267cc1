"""Results that the tests of steps continue, and jobs called without a store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from tests.flows.fake_engine import ENERGIES_EV, FakeEngine, lineage, start_state

from tachylite.engines.workdir import use_workdir
from tachylite.flows.steps.base import DynamicsMaker, Inputs, Start, StepMaker
from tachylite.jobs.engine import resolve_engine
from tachylite.schemas import Measured, Protocol, Result, Run, State, Trajectory
from tachylite.schemas.relaxation import References
from tachylite.schemas.steps.hold import HoldResult
from tachylite.schemas.steps.volume import VolumeResult

SEED = 7


def protocol_of(*steps: dict[str, Any]) -> Protocol:
    return Protocol.model_validate({"name": "test", "timestep_fs": 2.0, "record_every": 5, "steps": steps})


def make[M: StepMaker](kind: type[M], name: str, protocol: Protocol, engine: FakeEngine) -> M:
    return kind(name, engine, protocol, SEED)


def searched(state: State | None, temperature_k: float = 3000, **changes: Any) -> VolumeResult:
    """A volume search that ended well, or without a state, badly."""
    fields = {
        "name": "search",
        "step": "search",
        "status": "failed" if state is None else "completed",
        "reason": "a vapour" if state is None else None,
        "formula": "Ar" if state is None else state.formula,
        "n_atoms": 4 if state is None else len(state.numbers),
        "temperature_k": temperature_k,
        "pressure_convention": "total",
        "volume_a3": None if state is None else Measured(value=state.volume_a3, error=0.01 * state.volume_a3),
        "state": state,
    }
    return VolumeResult(**{**fields, **changes})


def held(run: Run, temperature_k: float = 3000, name: str = "melt") -> HoldResult:
    return HoldResult(
        name=name,
        step=name,
        status="failed" if run.status == "failed" else "completed",
        reason=run.reason,
        formula=run.formula,
        n_atoms=run.n_atoms,
        temperature_k=temperature_k,
        run=run,
    )


def starts() -> list[State]:
    """Two members of different formulas; `lineage` tells them apart."""
    return [start_state(["Ar"] * 4, "argon"), start_state(["Cu", "Cu", "Zr"], "alloy")]


def simulated(maker: DynamicsMaker, sources: Sequence[Sequence[Start]]) -> list[tuple[Run | None, Trajectory | None]]:
    """What an engine answers to what the step asks for."""
    members = maker.members(sources)
    answers: list[tuple[Run | None, Trajectory | None]] = []
    for place, member in enumerate(members):
        request = maker.request(member, maker.step_seed + place)
        (answer,) = resolve_engine(maker.engine).run([request], Path()) if request is not None else [None]
        answers.append((None, None) if answer is None else (answer.run, answer.trajectory))
    return answers


def results(maker: StepMaker, inputs: Inputs, folder: Path) -> list[Any]:
    """Results of a step, through its flow."""
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    flow = maker.make(inputs)
    with use_workdir(folder):
        run_locally(flow, store=store, log=False, raise_immediately=True)
    found: list[Any] = flow.output["results"].resolve(store)
    return found


def origins(found: Sequence[Result]) -> list[tuple[str, ...]]:
    """Where the states of results come from."""
    return [lineage(result.final) for result in found]


def references(**crystals: float | None) -> References:
    """Elements as the fake engine has them; crystals of the members at energies of their own, None for none."""
    engine = FakeEngine()
    states = [start_state([symbol], symbol) for symbol in ENERGIES_EV]
    labels = [f"element {symbol}" for symbol in ENERGIES_EV]
    relaxed = engine.relax(states, Path(), relax_cell=True, labels=labels)
    elements = dict(zip(ENERGIES_EV, relaxed, strict=True))
    return References(
        elements=elements,
        crystals=[
            None if energy is None else relaxed[0].model_copy(update={"energy_ev_per_atom": energy})
            for energy in crystals.values()
        ],
    )
