"""Where the time of a step goes, and what memory a run takes."""

import cProfile
import pstats
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import RECORD_EVERY, TEMPERATURE_K, TIMESTEP_FS, melt, own_engine, publish, simulate, table

from tachylite.engines import Engine, get_engine
from tachylite.engines.packmol import pack
from tachylite.schemas import Request, Segment

PROFILED_ATOMS = 96
PROFILED_STEPS = 100
SHORT_STEPS = 20
MEMORY_STEPS = (2_000, 8_000, 32_000)

SHARES = {
    "neighbours: search": ("neighbors.py", "_build"),
    "neighbours: within the cutoff": ("neighbors.py", "pairs"),
    "bonds and angles": ("graph.py", "build_graph"),
    "distances, angles, gradient": ("geometry.py", "from_pairs"),
    "network, forward": ("network.py", "forward"),
    "network, backward": ("network.py", "backward"),
    "sums to forces and stress": ("neighbors.py", "collect"),
    "potential": ("potential.py", "forward"),
    "integrator": ("batch.py", "advance"),
    "recording": ("recorder.py", "record"),
    "guards": ("health.py", "examine"),
    "everything": ("dynamics.py", "step"),
}
"""Functions whose whole time is taken, calls below them included."""


def parts() -> None:
    """Share of a step's time by part, and the tensor operations that take most of it."""
    engine = own_engine()
    short, long = (_request(steps) for steps in (SHORT_STEPS, SHORT_STEPS + PROFILED_STEPS))
    simulate(engine, [short])
    before, after = (_milliseconds(engine, request) for request in (short, long))
    milliseconds = dict(_shares({key: (ms - before.get(key, 0.0)) / PROFILED_STEPS for key, ms in after.items()}))
    whole = milliseconds["everything"]
    rows = [[name, f"{ms:.2f}", f"{100 * ms / whole:.0f} %"] for name, ms in milliseconds.items()]
    title = f"Share of the time, {PROFILED_ATOMS} atoms"
    publish("dynamics", {title: table(["part", "ms/step", "share"], rows)}, {title: milliseconds})
    _operations(engine)


def _request(steps: int) -> Request:
    segment = Segment(steps=steps, temperature_k=TEMPERATURE_K, timestep_fs=TIMESTEP_FS, record_every=RECORD_EVERY)
    return Request(label="profile", state=melt(PROFILED_ATOMS), segments=[segment], seed=1)


def _milliseconds(engine: Engine, request: Request) -> dict[tuple[str, str], float]:
    """Whole time of every function of this package, by file and name."""
    profile = cProfile.Profile()
    profile.runcall(simulate, engine, [request])
    times: dict[tuple[str, str], float] = {}
    functions = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # absent from typeshed
    for (path, _, function), (_, _, _, cumulative, _) in functions.items():
        if "tachylite" in path:
            key = (Path(path).name, function)
            times[key] = times.get(key, 0.0) + 1e3 * cumulative
    return times


def _shares(times: dict[tuple[str, str], float]) -> Iterator[tuple[str, float]]:
    """Milliseconds per step of every part; raises KeyError for a function that is no longer there."""
    own = {name: times[key] for name, key in SHARES.items()}
    own["neighbours: within the cutoff"] -= own["neighbours: search"]
    own["integrator"] -= own["potential"]
    inner = ("neighbours: search", "neighbours: within the cutoff", "bonds and angles", "distances, angles, gradient")
    network = ("network, forward", "network, backward", "sums to forces and stress")
    own["rest of the potential"] = own.pop("potential") - sum(own[name] for name in (*inner, *network))
    everything = own.pop("everything")
    yield from own.items()
    yield "rest: averages, trajectory", everything - sum(own.values())
    yield "everything", everything


def _operations(engine: Engine) -> None:
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU]) as measured:
        simulate(engine, [_request(PROFILED_STEPS)])
    events = [e for e in measured.key_averages() if e.self_cpu_time_total > 0]
    whole = sum(e.self_cpu_time_total for e in events)
    top = sorted(events, key=lambda e: -e.self_cpu_time_total)[:12]
    rows = [
        [
            e.key,
            e.count // PROFILED_STEPS,
            f"{e.self_cpu_time_total / 1e3 / PROFILED_STEPS:.2f}",
            f"{100 * e.self_cpu_time_total / whole:.0f} %",
        ]
        for e in top
    ]
    title = f"Tensor operations, {PROFILED_ATOMS} atoms"
    header = ["operation", "calls per step", "ms/step on one thread", "share"]
    publish("dynamics", {title: table(header, rows)}, {title: rows})


def memory() -> None:
    """Largest memory of runs of different lengths, each in a process of its own."""
    rows = []
    for steps in MEMORY_STEPS:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.inside", str(steps)], capture_output=True, text=True, check=True
        )
        rows.append([steps, steps // 10, *done.stdout.split()])
    title = "Memory, 108 Lennard-Jones atoms"
    header = ["steps", "frames", "before, MB", "largest while running, MB", "largest with the trajectory read, MB"]
    publish("dynamics", {title: table(header, rows)}, {title: rows})


def _largest_mb() -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1e3


def _run_and_measure(steps: int) -> None:
    """A cheap potential: recording, checkpoints and documents are the same for all of them."""
    from tachylite.engines.base import progress_listener

    start = pack({"Ar": 108}, 108 * 45.0, seed=1)
    engine = get_engine("lennard-jones", device="cpu")

    def request(count: int) -> Request:
        segment = Segment(steps=count, temperature_k=90.0, timestep_fs=TIMESTEP_FS, record_every=10)
        return Request(label="memory", state=start, segments=[segment], seed=1)

    simulate(engine, [request(600)])
    before = _largest_mb()
    while_running = [before]
    progress_listener.set(lambda _: while_running.append(_largest_mb()))
    simulate(engine, [request(steps)])
    print(f"{before:.0f} {max(while_running):.0f} {_largest_mb():.0f}")


if __name__ == "__main__":
    _run_and_measure(int(sys.argv[1]))
