"""The fast engine against CHGNet's own calculator with ASE, number by number: python -m benchmarks.averages."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from benchmarks.common import TEMPERATURE_K, TIMESTEP_FS, Peer, melt, own_engine, publish, simulate, table

from tachylite.arrays import Array
from tachylite.engines.potentials.loading import load_potential
from tachylite.physics.statistics import Estimate, estimate_mean
from tachylite.schemas import Request, Segment, State
from tachylite.units import KB_EV

N_ATOMS = 32
STEPS = 2000
SETTLED_FROM = 500
NVE_TIMESTEP_FS = 1.0
FRAMES = 20
FRAME_ATOMS = 96

type Series = Mapping[str, Array]


def own_series(state: State, temperature_k: float | None, timestep_fs: float) -> Series:
    """Series of every step from the engine, in the columns of the peer's."""
    segment = Segment(
        steps=STEPS,
        temperature_k=temperature_k or TEMPERATURE_K,
        thermostat="none" if temperature_k is None else "nose-hoover",
        timestep_fs=timestep_fs,
        record_every=100,
    )
    (answer,) = simulate(own_engine(), [Request(label="averages", state=state, segments=[segment], seed=1)])
    if answer.trajectory is None or answer.run.status == "failed":
        raise RuntimeError(f"the run failed: {answer.run.reason}")
    series = answer.trajectory.series
    kinetic = (3 * len(state.numbers) - 3) / 2 * KB_EV * series["temperature_k"]
    return {
        "energy_ev": series["energy_ev"],
        "kinetic_ev": kinetic,
        "temperature_k": series["temperature_k"],
        "virial_gpa": series["pressure_virial_gpa"],
    }


def at_rest(state: State) -> State:
    """The same state without motion of the cell as a whole."""
    masses = state.atoms.get_masses()
    velocities = np.array(state.velocities)
    velocities -= masses @ velocities / masses.sum()
    return state.model_copy(update={"velocities": velocities.tolist()})


def drift(series: Series, timestep_fs: float) -> tuple[float, float]:
    """Slope of the total energy in meV/atom/ps, and its scatter about the line in meV/atom."""
    total = (series["energy_ev"] + series["kinetic_ev"]) / N_ATOMS * 1e3
    time_ps = np.arange(len(total)) * timestep_fs / 1e3
    line = np.polyfit(time_ps, total, 1)
    return float(line[0]), float(np.std(total - np.polyval(line, time_ps)))


def averages(peer: Peer) -> list[list[str]]:
    """Energy, temperature and virial at constant temperature and at constant energy, from the same start."""
    start = at_rest(melt(N_ATOMS))
    rows: list[list[str]] = []
    for ensemble, temperature_k, timestep_fs in (("NVT", TEMPERATURE_K, TIMESTEP_FS), ("NVE", None, NVE_TIMESTEP_FS)):
        fast = own_series(start, temperature_k, timestep_fs)
        slow = {
            name: np.array(values)
            for name, values in peer.ask(
                "series", state=start.model_dump(), steps=STEPS, temperature_k=temperature_k, timestep_fs=timestep_fs
            ).items()
        }
        quantities = {
            "potential energy, eV/atom": ("energy_ev", N_ATOMS),
            "temperature, K": ("temperature_k", 1),
            "virial pressure, GPa": ("virial_gpa", 1),
        }
        for name, (column, divisor) in quantities.items():
            ours, others = (estimate_mean(s[column][SETTLED_FROM:] / divisor) for s in (fast, slow))
            apart = abs(ours.mean - others.mean) / np.hypot(ours.error, others.error)
            rows.append([ensemble, name, _with_error(ours), _with_error(others), f"{apart:.1f}"])
        if temperature_k is None:
            (ours_slope, ours_scatter), (slope, scatter) = (drift(s, timestep_fs) for s in (fast, slow))
            rows.append(["NVE", "drift of the total energy, meV/atom/ps", f"{ours_slope:.3f}", f"{slope:.3f}", ""])
            rows.append(["NVE", "scatter of the total energy, meV/atom", f"{ours_scatter:.3f}", f"{scatter:.3f}", ""])
    return rows


def _with_error(estimate: Estimate) -> str:
    return f"{estimate.mean:.4g} +- {estimate.error:.2g}"


def pointwise(peer: Peer) -> list[list[str]]:
    """Largest and root mean square differences on frames of a melt."""
    import torch_sim

    segment = Segment(steps=10 * FRAMES, temperature_k=TEMPERATURE_K, timestep_fs=TIMESTEP_FS, record_every=10)
    start = melt(FRAME_ATOMS)
    (answer,) = simulate(own_engine(), [Request(label="frames", state=start, segments=[segment], seed=1)])
    assert answer.trajectory is not None
    frames = [
        start.model_copy(update={"positions": positions.tolist(), "velocities": None})
        for positions in answer.trajectory.positions
    ]
    potential = load_potential("chgnet", None, "cpu").potential
    differences: dict[str, list[Any]] = {"energy": [], "forces": [], "stress": []}
    for frame, other in zip(
        frames, peer.ask("evaluate", states=[f.model_dump() for f in frames])["answers"], strict=True
    ):
        potential.reset()
        own = potential(torch_sim.initialize_state([frame.atoms], device=torch.device("cpu"), dtype=torch.float64))
        differences["energy"].append((float(own["energy"]) - other["energy"]) / FRAME_ATOMS)
        differences["forces"].append(own["forces"].numpy() - other["forces"])
        differences["stress"].append(own["stress"][0].numpy() - other["stress"])
    units = {"energy": "eV/atom", "forces": "eV/A", "stress": "eV/A^3"}
    return [
        [f"{name}, {units[name]}", f"{np.sqrt(np.mean(np.square(d))):.1e}", f"{np.abs(d).max():.1e}"]
        for name, d in differences.items()
    ]


def main() -> None:
    """Measure and publish both tables."""
    peer = Peer()
    points, means = pointwise(peer), averages(peer)
    peer.close()
    title = f"Differences on {FRAMES} frames of {FRAME_ATOMS} atoms"
    second = f"Averages of {N_ATOMS} atoms"
    header = ["ensemble", "quantity", "tachylite", "ASE + CHGNetCalculator", "difference / error"]
    sections = {
        title: table(["quantity", "root mean square", "largest"], points),
        second: table(header, means),
    }
    publish("averages", sections, {title: points, second: means})


if __name__ == "__main__":
    main()
