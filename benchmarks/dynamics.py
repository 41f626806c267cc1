"""Steps per second of molecular dynamics with CHGNet, side by side: python -m benchmarks.dynamics [PART ...].

Parts are peers, sizes, batches, memory, parts and gpu; all of them where none is named.
"""

import argparse
import time
from functools import partial

from benchmarks.common import (
    RECORD_EVERY,
    TEMPERATURE_K,
    TIMESTEP_FS,
    Contender,
    Peer,
    Rate,
    interleaved,
    melt,
    own_engine,
    publish,
    simulate,
    table,
)
from benchmarks.inside import memory, parts
from benchmarks.throughput import gpu

from tachylite.engines import Engine
from tachylite.schemas import Request, Segment, State

PEER_ATOMS = (32, 96, 304)
SIZES = (104, 200, 400, 704, 1000)
BATCHES = (1, 8, 32)
BATCH_ATOMS = 96
REPEATS = 5


def own(engine: Engine, states: list[State], steps: int) -> None:
    """Nose-Hoover dynamics of some members through the engine, frames recorded as the protocols do."""
    segment = Segment(steps=steps, temperature_k=TEMPERATURE_K, timestep_fs=TIMESTEP_FS, record_every=RECORD_EVERY)
    requests = [Request(label="benchmark", state=s, segments=[segment], seed=i) for i, s in enumerate(states)]
    failed = [a.run.reason for a in simulate(engine, requests) if a.run.status == "failed"]
    if failed:
        raise RuntimeError(f"a member ended early: {failed[0]}")


def own_contender(states: list[State], *, budget_s: float = 5.0) -> Contender:
    """Run lengths that take about the budget on this machine."""
    engine = own_engine()
    own(engine, states, 5)
    started = time.perf_counter()
    own(engine, states, 10)
    steps = max(12, int(10 * budget_s / (time.perf_counter() - started)))
    return Contender("tachylite", partial(own, engine, states), short=max(2, steps // 10), long=steps)


def peers() -> None:
    """One structure, 32 to 304 atoms: this package, atomate2, and ASE with CHGNet's calculator alone."""
    settings = {"temperature_k": TEMPERATURE_K, "timestep_fs": TIMESTEP_FS}
    peer = Peer()
    measured: dict[int, dict[str, Rate]] = {}
    for n_atoms in PEER_ATOMS:
        state = melt(n_atoms)
        given = state.model_dump()
        # a step of theirs takes 2 to 4 ms an atom
        long = max(10, 2500 // n_atoms)

        def atomate2(steps: int, given: dict[str, object] = given) -> None:
            peer.ask("atomate2", state=given, steps=steps, record_every=RECORD_EVERY, **settings)

        def ase(steps: int, given: dict[str, object] = given) -> None:
            peer.ask("ase", state=given, steps=steps, **settings)

        measured[n_atoms] = interleaved(
            [own_contender([state]), Contender("atomate2", atomate2, 3, long), Contender("ASE", ase, 3, long)], REPEATS
        )
    peer.close()
    rows = [
        [n, r["tachylite"], r["atomate2"], r["ASE"], _ratio(r, "atomate2"), _ratio(r, "ASE")]
        for n, r in measured.items()
    ]
    header = ["atoms", "tachylite, s/step", "atomate2 0.1.6, s/step", "ASE + CHGNetCalculator, s/step"]
    text = table([*header, "atomate2 / tachylite", "ASE / tachylite"], rows)
    publish("dynamics", {"One structure on the CPU": text}, {"One structure on the CPU": measured})


def _ratio(rates: dict[str, Rate], other: str) -> str:
    return f"{rates[other].median / rates['tachylite'].median:.1f}"


def sizes() -> None:
    """Cost per atom from 100 to 1,000 atoms."""
    measured = in_turns({n: [melt(n)] for n in SIZES}, budget_s=5.0)
    first = measured[SIZES[0]].median / SIZES[0]
    rows = [[n, r, f"{1e3 * r.median / n:.3f}", f"{r.median / n / first:.2f}"] for n, r in measured.items()]
    text = table(["atoms", "s/step", "ms/step/atom", f"relative to {SIZES[0]} atoms"], rows)
    publish("dynamics", {"Cost per atom": text}, {"Cost per atom": measured})


def batches() -> None:
    """Many members at once on the CPU, against one alone."""
    measured = in_turns({n: members(n) for n in BATCHES}, budget_s=8.0)
    alone = measured[1].median
    rows = [[n, r, f"{r.median / n:.4f}", f"{r.median / n / alone:.2f}"] for n, r in measured.items()]
    text = table(["members", "s/step of the batch", "s/step per member", "relative to one alone"], rows)
    title = f"Batches of {BATCH_ATOMS} atoms on the CPU"
    publish("dynamics", {title: text}, {title: measured})


def in_turns(batches_by_number: dict[int, list[State]], *, budget_s: float) -> dict[int, Rate]:
    """Seconds per step of several batches, measured in turns."""
    contenders = {n: own_contender(states, budget_s=budget_s) for n, states in batches_by_number.items()}
    named = [Contender(str(n), c.run, c.short, c.long) for n, c in contenders.items()]
    return {int(name): rate for name, rate in interleaved(named, REPEATS).items()}


def members(count: int) -> list[State]:
    """Different members: independent melts for the first eight, then again with other velocities."""
    melts = [melt(BATCH_ATOMS, seed=1 + i) for i in range(min(count, 8))]
    return [melts[i % len(melts)].model_copy(update={"velocities": None}) for i in range(count)]


PARTS = {"peers": peers, "sizes": sizes, "batches": batches, "memory": memory, "parts": parts, "gpu": gpu}


def main() -> None:
    """Measure the parts named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []])
    for name in parser.parse_args().part or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
