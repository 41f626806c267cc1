"""Checkpoints of a batch: all that is needed to continue it bit for bit."""

from typing import Any

from torch_sim.integrators.md import MDState

from tachylite.engines.torchsim.batch import CHAIN_PARTS, Batch, PotentialWithStress
from tachylite.engines.torchsim.integration import bare_state, with_chain
from tachylite.schemas import Request, State

_STATE_PARTS = ("positions", "momenta", "forces", "energy", "cell")


def dump_batch(batch: Batch, potential: PotentialWithStress) -> dict[str, Any]:
    """Content of a checkpoint: all that is needed to continue, except the requests."""
    chain = getattr(batch.state, "chain", None)
    return {
        "members": batch.members,
        "segment": batch.segment,
        "step": batch.step,
        "failures": batch.failures,
        "last_good": {m: (state.model_dump_json(), steps) for m, (state, steps) in batch.last_good.items()},
        "state": {name: getattr(batch.state, name) for name in _STATE_PARTS},
        "stress": potential.stress,
        "cell_rates": batch.cell_rates,
        "chain": None if chain is None else {name: getattr(chain, name) for name in CHAIN_PARTS},
    }


def load_batch(saved: dict[str, Any], requests: list[Request], potential: PotentialWithStress) -> Batch:
    """Make a batch from the content of a checkpoint; it continues bit for bit on the CPU."""
    bare = bare_state([requests[m].state for m in saved["members"]], potential)
    parts = saved["state"]
    state = MDState.from_state(bare, momenta=parts["momenta"], energy=parts["energy"], forces=parts["forces"])
    batch = Batch(
        requests=requests,
        members=saved["members"],
        state=state,
        segment=saved["segment"],
        step=saved["step"],
        failures=saved["failures"],
        last_good={m: (State.model_validate_json(text), steps) for m, (text, steps) in saved["last_good"].items()},
        cell_rates=saved["cell_rates"],
    )
    if saved["chain"] is not None:
        batch.state = with_chain(batch, potential)
        for name, value in saved["chain"].items():
            setattr(batch.state.chain, name, value)
    for name, value in parts.items():
        setattr(batch.state, name, value)
    potential.stress = saved["stress"]
    potential.reset()
    return batch
