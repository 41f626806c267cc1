"""Parts of synthetic materials, with the numbers of real ones."""

import itertools
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tachylite.schemas import (
    Diffusivity,
    Interval,
    Material,
    Measured,
    Provenance,
    Run,
    Segment,
    State,
    StructureAnalysis,
    Trajectory,
)
from tachylite.schemas.relaxation import Relaxation
from tachylite.schemas.run import SegmentResult
from tachylite.schemas.structure import AnionBonding, FormerBonding, Network, PartialRDF
from tachylite.units import KB_EV

PROVENANCE = Provenance(
    engine="chgnet",
    model="CHGNet 0.3.0",
    model_sha256="3b5f0c1d" * 8,
    device="cpu",
    dtype="float32",
    seed=42,
    versions={"tachylite": "0.1.0", "chgnet": "0.4.2", "torch": "2.9.1", "torch-sim-atomistic": "0.6.2"},
    options={"thermostat_damping_fs": 100.0},
)
N_UNITS = 13
N_ATOMS = 8 * N_UNITS


@dataclass
class Case:
    """A material and the trajectories of its runs."""

    material: Material
    trajectories: dict[str, Trajectory] = field(default_factory=dict)


def phosphate(volume_per_atom: float) -> State:
    """Li3PO4 at a volume in A^3 per atom: phosphate tetrahedra at random, lithium in the gaps."""
    return _packed().scaled_to(volume_per_atom * N_ATOMS)


@cache
def _packed() -> State:
    """The phosphate at 15 A^3 per atom, with a P-O distance of 1.55 A."""
    rng = np.random.default_rng(3)
    edge = (15.0 * N_ATOMS) ** (1 / 3)
    corners = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / np.sqrt(3)
    points = np.empty((0, 3))
    numbers: list[int] = []
    gap = 2.6
    while len(numbers) < N_ATOMS:
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        group = rng.uniform(0, edge, 3) + np.vstack([np.zeros(3), 1.55 * corners @ turn])
        lithium = len(numbers) >= 5 * N_UNITS
        group = group[:1] if lithium else group
        delta = group[:, None] - points[None]
        delta -= edge * np.round(delta / edge)
        if np.linalg.norm(delta, axis=-1).min(initial=np.inf) > gap:
            points = np.vstack([points, group])
            numbers += [3] if lithium else [15, 8, 8, 8, 8]
        gap *= 0.999
    return State(numbers=numbers, positions=[tuple(p) for p in points.tolist()], cell=(np.eye(3) * edge).tolist())


def trajectory(targets: NDArray[np.float64], energy: float, pressure: float, seed: int = 0) -> Trajectory:
    """A run whose series fluctuate about their targets with the correlation of a liquid."""
    rng = np.random.default_rng(seed)
    steps = len(targets)
    noise = rng.normal(size=(4, steps + 60))
    smooth = np.array([np.convolve(row, np.exp(-np.arange(61) / 15), mode="valid") for row in noise])
    smooth /= smooth.std(axis=1, keepdims=True)
    temperature = targets * (1 + 0.05 * smooth[0] + 0.01 * rng.normal(size=steps))
    settling = np.exp(-np.arange(steps) / (0.05 * steps))
    total = pressure + 4.0 * targets / 5000 + 2.2 * smooth[2] + 3 * settling
    state = phosphate(15.92)
    return Trajectory.from_arrays(
        numbers=state.numbers,
        positions=np.array(state.positions)[None] + np.zeros((2, 1, 1)),
        cells=state.cell,
        times_fs=[0.0, 2.0 * steps],
        series={
            "time_fs": 2.0 * np.arange(steps),
            "temperature_k": temperature,
            "target_temperature_k": targets,
            "energy_ev": N_ATOMS * (energy + 1.5 * KB_EV * (targets - 5000) + 0.03 * smooth[1] + 0.15 * settling),
            "pressure_total_gpa": total,
            "pressure_virial_gpa": total - 4.0 * targets / 5000,
        },
    )


def moved(volume_per_atom: float, seed: int) -> State:
    """The phosphate with its atoms a little elsewhere, as dynamics leaves them."""
    state = phosphate(volume_per_atom)
    steps = np.random.default_rng(seed).normal(0, 0.05, (N_ATOMS, 3))
    return state.model_copy(update={"positions": (np.array(state.positions) + steps).tolist()})


def run(label: str, temperature: float, trajectory_id: str, *, end: float | None = None) -> Run:
    """A run at a temperature or, where an end is given, along a ramp and at its end."""
    state = moved(15.92, seed=int(end or temperature))
    segments = [segment_result(temperature, end), *([segment_result(end)] if end is not None else [])]
    return Run(
        label=label,
        status="completed",
        formula="Li3PO4",
        n_atoms=N_ATOMS,
        volume_a3=state.volume_a3,
        steps=10_000,
        segments=segments,
        final=state,
        trajectory_id=trajectory_id,
        wall_time_s=1290.0,
        provenance=PROVENANCE,
    )


def segment_result(temperature: float, end: float | None = None) -> SegmentResult:
    return SegmentResult(
        segment=Segment(steps=10_000, temperature_k=temperature, end_temperature_k=end),
        equilibration_steps=400,
        temperature_k=Measured(value=temperature + 3.1, error=6.4),
        energy_ev_per_atom=Measured(value=-4.912, error=0.0041),
        pressure_total_gpa=Measured(value=4.2, error=0.11),
        pressure_virial_gpa=Measured(value=0.08, error=0.11),
        energy_drift=3.1e-4,
    )


def diffusivity(species: str, temperature: float, value: float | None) -> Diffusivity:
    """A measured diffusivity, or a refusal where `value` is None."""
    lags = np.linspace(20, 10_000, 60)
    slope = 60 * (value or 0.0)
    msd = 0.9 * (1 - np.exp(-lags / 120)) + slope * lags + (0.00001 * lags if value is None else 0)
    common = {
        "species": species,
        "temperature_k": temperature,
        "n_independent": 180.0,
        "lags_fs": lags.tolist(),
        "msd_a2": msd.tolist(),
        "msd_error_a2": (0.03 + 0.09 * msd * np.sqrt(lags / 10_000)).tolist(),
    }
    if value is None:
        reason = f"the mean squared displacement of {species} stays below 3 Å²"
        return Diffusivity(diffusive=False, reason=reason, upper_bound_cm2_s=4.1e-7, **common)
    return Diffusivity(
        diffusive=True,
        diffusivity_cm2_s=value,
        diffusivity_interval_cm2_s=Interval(low=0.86 * value, high=1.17 * value),
        fit_start_fs=1000.0,
        intercept_a2=0.9,
        **common,
    )


def analysis(temperature: float, elements: tuple[str, ...] = ("Li", "O", "P")) -> StructureAnalysis:
    """Peaks at the distances of Li3PO4, broader where it is hotter."""
    r = np.arange(0.05, 8.0, 0.05)
    first = {"Li-O": 1.98, "O-P": 1.56, "O-O": 2.55, "Li-Li": 2.75, "Li-P": 3.1, "P-P": 4.4}
    partials = []
    for pair in ("-".join(sorted(p)) for p in itertools.combinations_with_replacement(elements, 2)):
        peak = first.get(pair, 2.5)
        width = 0.07 + 0.22 * np.sqrt(temperature / 5000)
        bulk = 1 / (1 + np.exp(-(r - peak - 0.5) / 0.3))
        g = bulk + (0.9 / width if pair == "O-P" else 0.5 / width + 0.6) * np.exp(-(((r - peak) / width) ** 2))
        minimum = peak + 0.75
        a, b = pair.split("-")
        partials.append(
            PartialRDF(
                pair=pair,
                g=g.tolist(),
                g_error=(0.02 * g).tolist(),
                first_peak_a=peak,
                first_minimum_a=minimum,
                coordination={
                    f"{a}-{b}": Measured(value=4.02, error=0.034),
                    f"{b}-{a}": Measured(value=3.1, error=0.03),
                },
            )
        )
    return StructureAnalysis(
        temperature_k=temperature,
        n_frames=500,
        r_a=r.tolist(),
        partials=partials,
        crystalline=False,
        crystallinity=0.01,
        diffraction_contrast=2.0,
        network=network(),
    )


def network() -> Network:
    """Phosphate groups, two tenths of them in pairs."""
    few, most = Measured(value=0.2, error=0.02), Measured(value=0.8, error=0.02)
    return Network(
        anions=[AnionBonding(species="O", formers={1: most, 2: few}, bridging=few, bridges={"P-O-P": few})],
        formers=[FormerBonding(species="P", q={0: most, 1: few}, mean=few, by_anion={"O": few})],
    )


def relaxation(energy: float, *, converged: bool = True) -> Relaxation:
    return Relaxation(
        label="relaxation",
        status="converged" if converged else "failed",
        reason=None if converged else "force 0.31 eV/Å after 500 steps, more than 0.05",
        formula="Li3PO4",
        n_atoms=N_ATOMS,
        relax_cell=True,
        steps=212,
        energy_ev_per_atom=energy,
        max_force_ev_a=0.043,
        pressure_gpa=0.01,
        state=phosphate(12.4),
        provenance=PROVENANCE,
    )
