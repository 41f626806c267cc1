"""CHGNet and Nequix beside density functional theory on amorphous structures: python -m benchmarks.against_dft FOLDER.

Two frames of every composition, one of a hot melt and one of it quenched, made with CHGNet in small cells of the same
volume, are computed with pw.x at the package's default level. Everything done is kept in FOLDER, and the same command
goes on from there (an hour or two on one core); `converged FORMULA ...` computes the frames of some of them again with
a higher cutoff and a denser mesh.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.common import RESULTS, publish, table

from tachylite.arrays import Array
from tachylite.configs.datasets import data_folder
from tachylite.engines import get_engine
from tachylite.engines.single_points import compute_single_points
from tachylite.engines.torchsim.engine import TorchSimEngine
from tachylite.jobs.starts import pack_formula
from tachylite.schemas import Protocol, Request, Segment, State
from tachylite.schemas.evaluation import SinglePoint
from tachylite.units import GPA_PER_EV_A3

WIDE, NARROW = 0.6, 0.3
"""Distances of k-points in 1/A where the gap is wide, and where it is narrow, none, or not enough of one when hot."""

COMPOSITIONS = {
    "SiO2": (18, 4000, WIDE),
    "Li3PO4": (16, 2500, WIDE),
    "Al2O3": (15, 4000, WIDE),
    "Li2O": (15, 2500, WIDE),
    "LiCl": (16, 1500, WIDE),
    "Li2S": (15, 2000, NARROW),
    "B2O3": (15, 3000, WIDE),
    "AlN": (16, 4000, WIDE),
    "Mg3Al2": (15, 2000, NARROW),
    "LiSi": (16, 2000, NARROW),
}
"""Atoms, the temperature of the hot frame in K, and the k-mesh."""

POTENTIALS = {
    "CHGNet 0.3.0": "chgnet",
    "Nequix OAM": f"nequix:{data_folder()}/models/nequix/nequix-oam-1.pt",
    "Nequix OMat": f"nequix:{data_folder()}/models/nequix/nequix-omat-1.pt",
}
HIGHER_CUTOFF, DENSER, COARSER = 100.0, 1.5, 0.4
"""Cutoff in Ry, how much denser the k-mesh is, of a level that the one of the table is held against; a coarser mesh."""

TITLE = "Potentials beside density functional theory"
LEVEL_TITLE = "The level of that table beside a closer one"


@dataclass(frozen=True)
class Pair:
    """The two frames of a composition, computed by one method."""

    hot: SinglePoint
    quenched: SinglePoint

    @property
    def difference_mev(self) -> float:
        """Energy of the hot frame above the quenched one, in meV/atom."""
        return 1000 * (self.hot.energy_ev - self.quenched.energy_ev) / len(self.hot.forces_ev_a)

    @property
    def forces(self) -> Array:
        """Of both frames, in eV/A."""
        return np.concatenate([self.hot.forces_ev_a, self.quenched.forces_ev_a])

    @property
    def pressures_gpa(self) -> Array:
        """Static pressures of both frames."""
        stresses = [self.hot.stress_ev_a3, self.quenched.stress_ev_a3]
        return np.array([np.nan if s is None else -np.trace(s) / 3 * GPA_PER_EV_A3 for s in stresses])


def main() -> None:
    """Compute what is missing, and publish the table of all that is there."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if "converged" in sys.argv[2:]:
        convergence(sys.argv[3:], folder)
        return
    rows = []
    for formula in COMPOSITIONS:
        frames = frames_of(formula, folder)
        dft = reference(frames, folder, kspacing=COMPOSITIONS[formula][2])
        if dft is None:
            continue
        for name, engine in POTENTIALS.items():
            potential = get_engine(engine)
            assert isinstance(potential, TorchSimEngine)
            rows.append(row(formula, name, dft, Pair(*potential.single_points(frames))))
            print("  ".join(rows[-1]), flush=True)
    heads = ["", "potential", "hot above quenched, DFT, meV/atom", "potential", "force MAE, meV/A", "P, DFT, GPa", "P"]
    publish("against_dft", {TITLE: table(heads, rows)}, {TITLE: rows})


def frames_of(formula: str, folder: Path) -> list[State]:
    """A frame of the melt, and one quenched to 300 K in 3 ps and relaxed at its volume for 0.5 ps."""
    path = folder / f"{formula}.json"
    if not path.exists():
        n_atoms, hot_k, _ = COMPOSITIONS[formula]
        steps = [{"kind": "hold", "temperature_k": hot_k}]
        packing = {"n_atoms": n_atoms, "volume_factor": 1.0}
        packed = pack_formula(formula, Protocol.model_validate({"name": "", "packing": packing, "steps": steps}), 1)
        melt = Segment(steps=1000, temperature_k=hot_k, timestep_fs=2.0, record_every=500)
        cooling = Segment(steps=1500, temperature_k=hot_k, end_temperature_k=300, timestep_fs=2.0, record_every=500)
        end = Segment(steps=250, temperature_k=300, timestep_fs=2.0, record_every=250)
        (hot,) = get_engine("chgnet").run(
            [Request(label=formula, state=packed, segments=[melt], seed=1)], folder / "work"
        )
        request = Request(label=formula, state=hot.run.final, segments=[cooling, end], seed=2)
        (cold,) = get_engine("chgnet").run([request], folder / "work")
        path.write_text(json.dumps([bare(run.run.final).model_dump() for run in (hot, cold)]), encoding="utf-8")
    return [State.model_validate(state) for state in json.loads(path.read_text(encoding="utf-8"))]


def bare(state: State) -> State:
    """Without velocities, which no static calculation needs."""
    return state.model_copy(update={"velocities": None})


def reference(frames: list[State], folder: Path, **level: Any) -> Pair | None:
    """The frames by pw.x; None, with the reason printed, where one fails."""
    engine = get_engine("espresso", members_at_once=1, max_pulay_gpa=10.0, **level)
    points = compute_single_points(engine, frames, folder / "work")
    for point in points:
        if point.reason is not None:
            print(frames[0].formula, point.reason, flush=True)
            return None
    return Pair(*points)


def row(formula: str, name: str, dft: Pair, pair: Pair) -> list[str]:
    """A row of the table."""
    return [
        formula,
        name,
        f"{dft.difference_mev:.0f}",
        f"{pair.difference_mev:.0f}",
        f"{1000 * np.abs(pair.forces - dft.forces).mean():.0f}",
        " / ".join(f"{p:.1f}" for p in dft.pressures_gpa),
        " / ".join(f"{p:.1f}" for p in pair.pressures_gpa),
    ]


def convergence(formulas: Sequence[str], folder: Path) -> None:
    """How far the level of the table is from a closer one, beside the rows that are there."""
    heads = ["", "", "hot above quenched, closer, meV/atom", "here", "force MAE, meV/A", "P, closer, GPa", "P"]
    published = json.loads((RESULTS / "against_dft.json").read_text())
    rows = published[LEVEL_TITLE]["numbers"] if LEVEL_TITLE in published else []
    for formula in formulas:
        if any(row[0] == formula for row in rows):
            continue
        frames = frames_of(formula, folder)
        own = [row(formula, words, *pairs) for words, *pairs in levels(frames, COMPOSITIONS[formula][2], folder)]
        rows += own
        publish("against_dft", {LEVEL_TITLE: table(heads, rows)}, {LEVEL_TITLE: rows})


def levels(frames: list[State], kspacing: float, folder: Path) -> Iterator[tuple[str, Pair, Pair]]:
    """Pairs of a closer level and one beside it: both at once, or mesh and cutoff each at a coarser mesh."""
    default = reference(frames, folder, kspacing=kspacing)
    if kspacing == WIDE:
        closer = reference(frames, folder, kspacing=kspacing / DENSER, ecutwfc=HIGHER_CUTOFF)
        words = "level of the table"
    else:
        closer, default = default, reference(frames, folder, kspacing=COARSER)
        words = f"{COARSER}/A beside {kspacing}/A"
    if closer is None or default is None:
        return
    yield words, closer, default
    if kspacing != WIDE:
        higher = reference(frames, folder, kspacing=COARSER, ecutwfc=HIGHER_CUTOFF)
        if higher is not None:
            yield f"80 Ry beside {HIGHER_CUTOFF:.0f} Ry, at {COARSER}/A", higher, default


if __name__ == "__main__":
    main()
