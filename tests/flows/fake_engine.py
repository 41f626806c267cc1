"""An engine that answers at once: it keeps what it is asked for, and every state it gives names its ancestors."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from monty.json import MSONable

from tachylite.arrays import Array
from tachylite.engines.answers import RecordedFrames, make_answer
from tachylite.engines.base import MAX_FORCE_EV_A, Answer
from tachylite.schemas import Provenance, Request, State
from tachylite.schemas.relaxation import Relaxation
from tachylite.units import GPA_PER_EV_A3, KB_EV

EDGE_A = 5.0
"""Of the cubic cell of every start."""

BULK_MODULUS_GPA, LAME_GPA, SHEAR_GPA = 20.0, 60.0, 30.0
"""Of the liquid, and of the isotropic solid; the bulk modulus of the solid is lambda + 2/3 mu = 80 GPa."""

ENERGIES_EV = {"Ar": -0.08, "Cu": -3.7, "Zr": -8.5}
"""Energies per atom of the elements in their ground states."""

CRYSTAL_EV, AMORPHOUS_EV, NEXT_EV = -0.05, 0.10, 0.01
"""Above the elements, per atom: a crystal, the first amorphous structure of a call, each further one more."""


def zero_pressure_volume(n_atoms: int, temperature_k: float) -> float:
    """Volume in A^3 at which the total pressure of the fake liquid vanishes."""
    return n_atoms * 20.0 * (1 + 4e-5 * temperature_k)


@dataclass(frozen=True)
class FakeEngine(MSONable):
    """Fails for members and labels that begin with one of `fails`, like `Ar` or `Ar: melt`."""

    name: str = "fake"
    batches: bool = True
    fails: tuple[str, ...] = ()

    requests: ClassVar[list[Request]] = []
    relaxed: ClassVar[list[tuple[str, State, bool]]] = []
    """Labels, structures, and whether with the cell."""
    ancestors: ClassVar[list[tuple[str, ...]]] = []
    """Of the state of every number."""

    def check_elements(self, symbols: Sequence[str]) -> None:
        """Know all of them."""

    def provenance(self, seed: int | None = None) -> Provenance:
        """Of no model."""
        return Provenance(engine=self.name, model="none", device="cpu", dtype="float64", seed=seed)

    def run(self, requests: Sequence[Request], workdir: Path) -> list[Answer]:
        """Hold every member where it is, at the pressure of its volume and temperature."""
        self.requests.extend(requests)
        return [self._answer(request) for request in requests]

    def relax(
        self,
        states: Sequence[State],
        workdir: Path,
        *,
        relax_cell: bool,
        labels: Sequence[str],
        max_force_ev_a: float = MAX_FORCE_EV_A,
    ) -> list[Relaxation]:
        """Leave every structure as it is, with the energy of its place in the call."""
        self.relaxed.extend((label, state, relax_cell) for label, state in zip(labels, states, strict=True))
        return [
            self._relaxation(state, label, place, relax_cell=relax_cell)
            for place, (state, label) in enumerate(zip(states, labels, strict=True))
        ]

    def _answer(self, request: Request) -> Answer:
        rng = np.random.default_rng(request.seed)
        fails = self._fails(request.state, request.label)
        final = marked(request.state, (*lineage(request.state), request.label))
        segments = request.segments[:-1] if fails else request.segments
        series = _series(request.state, request, len(segments), rng)
        every = max(segment.record_every for segment in request.segments)
        times = series["time_fs"][every - 1 :: every] if every else np.empty(0)
        frames = np.repeat(np.array(final.positions)[None], len(times), axis=0)
        frames[:, 0, 1] = times / 1000  # the second coordinate of the first atom is the time in ps
        return make_answer(
            request,
            series=series,
            frames=RecordedFrames(
                times_fs=times,
                positions=frames,
                cells=np.broadcast_to(np.array(final.cell), (len(times), 3, 3)),
                forces=np.zeros_like(frames) if request.record_forces else None,
                stresses=np.zeros((len(times), 3, 3)) if request.record_forces else None,
            ),
            final=final.model_copy(update={"velocities": [[0.0, 0.0, 0.0]] * len(final.numbers)}),
            reason="it exploded" if fails else None,
            wall_time_s=0.1,
            provenance=self.provenance(),
        )

    def _relaxation(self, state: State, label: str, place: int, *, relax_cell: bool) -> Relaxation:
        fails = self._fails(state, label)
        symbols = state.atoms.get_chemical_symbols()
        elements = sum(ENERGIES_EV[symbol] * count for symbol, count in Counter(symbols).items()) / len(symbols)
        above = AMORPHOUS_EV + NEXT_EV * place
        above = {"element": 0.0, "crystal": CRYSTAL_EV}.get(label.split()[0], above)
        deformation = np.array(state.cell) / EDGE_A - np.eye(3)
        strain = (deformation + deformation.T) / 2
        return Relaxation(
            label=label,
            status="failed" if fails else "converged",
            reason="it never settled" if fails else None,
            formula=state.formula,
            n_atoms=len(state.numbers),
            relax_cell=relax_cell,
            steps=3,
            energy_ev_per_atom=elements + above,
            max_force_ev_a=1.0 if fails else 0.0,
            pressure_gpa=0.0,
            stress_gpa=(LAME_GPA * np.trace(strain) * np.eye(3) + 2 * SHEAR_GPA * strain).tolist(),
            state=marked(state, (*lineage(state), label)),
            provenance=self.provenance(),
        )

    def _fails(self, state: State, label: str) -> bool:
        return any(f"{state.formula}: {label}".startswith(beginning) for beginning in self.fails)


def fresh_engine(*, batches: bool = True, fails: Sequence[str] = ()) -> FakeEngine:
    """An engine that has been asked for nothing yet."""
    for records in (FakeEngine.requests, FakeEngine.relaxed, FakeEngine.ancestors):
        records.clear()
    return FakeEngine(batches=batches, fails=tuple(fails))


def start_state(formula: Sequence[str], name: str) -> State:
    """Atoms on a row through a cubic cell; `lineage` gives the name back."""
    from ase import Atoms

    places = [(0.0, 0.0, EDGE_A * place / len(formula)) for place in range(len(formula))]
    state = State.from_atoms(Atoms(list(formula), positions=places, cell=[EDGE_A] * 3))
    return marked(state, (name,))


def marked(state: State, ancestors: tuple[str, ...]) -> State:
    """A copy that knows where it comes from: by the first fractional coordinate of its first atom."""
    FakeEngine.ancestors.append(ancestors)
    fractional = np.array(state.positions) @ np.linalg.inv(np.array(state.cell))
    fractional[0, 0] = len(FakeEngine.ancestors) * 1e-4
    return state.model_copy(update={"positions": (fractional @ np.array(state.cell)).tolist()})


def lineage(state: State | None) -> tuple[str, ...]:
    """Name of the start, and what was done to it; empty for no state and for one of no start."""
    if state is None:
        return ()
    fractional = np.array(state.positions) @ np.linalg.inv(np.array(state.cell))
    number = round(float(fractional[0, 0]) * 1e4)
    return FakeEngine.ancestors[number - 1] if 0 < number <= len(FakeEngine.ancestors) else ()


def _series(state: State, request: Request, n_segments: int, rng: np.random.Generator) -> dict[str, Array]:
    """Numbers of every step of the first segments."""
    segments = request.segments[:n_segments]
    steps = [segment.steps for segment in segments]
    target = np.concatenate(
        [np.array([s.temperature_at(i) for i in range(s.steps)]) for s in segments] or [np.empty(0)]
    )
    volume, n_atoms = state.volume_a3, len(state.numbers)
    ratio = np.array([(zero_pressure_volume(n_atoms, kelvin) / volume) ** (1 / 3) for kelvin in target])
    # Birch and Murnaghan, with a derivative of 4
    total = 1.5 * BULK_MODULUS_GPA * (ratio**7 - ratio**5) + 0.05 * rng.standard_normal(len(target))
    kinetic = n_atoms * KB_EV * target / volume * GPA_PER_EV_A3
    lengths = np.concatenate([np.full(s.steps, s.timestep_fs) for s in segments] or [np.empty(0)])
    return {
        "time_fs": np.cumsum(lengths),
        "segment": np.repeat(np.arange(n_segments), steps),
        "target_temperature_k": target,
        "temperature_k": target * (1 + 0.02 * rng.standard_normal(len(target))),
        "energy_ev": n_atoms * (-4 + 3 * KB_EV * target + 1e-3 * rng.standard_normal(len(target))),
        "pressure_total_gpa": total,
        "pressure_virial_gpa": total - kinetic,
        "volume_a3": np.full(len(target), volume),
    }
