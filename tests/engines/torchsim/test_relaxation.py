"""Relaxation on a cheap potential with a known crystal."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from tachylite.engines import get_engine
from tachylite.engines.base import MAX_FORCE_EV_A, Progress, progress_listener
from tachylite.engines.torchsim import relaxation
from tachylite.engines.torchsim.batch_relaxation import MAX_STEPS, STAGES, BatchInRelaxation
from tachylite.schemas import State
from tachylite.schemas.relaxation import Relaxation


def relax(
    folder: Path, *states: State, cell: bool = True, max_force_ev_a: float = MAX_FORCE_EV_A, **options: int
) -> list[Relaxation]:
    labels = [f"argon {i}" for i in range(len(states))]
    engine = get_engine("lennard-jones", **options)
    return engine.relax(states, folder, relax_cell=cell, labels=labels, max_force_ev_a=max_force_ev_a)


@contextmanager
def recorded_progress() -> Iterator[list[Progress]]:
    """All progress reports of the engines inside the `with` block."""
    reports: list[Progress] = []
    token = progress_listener.set(reports.append)
    try:
        yield reports
    finally:
        progress_listener.reset(token)


def shaken(edge_a: float, seed: int = 0, amplitude_a: float = 0.15) -> State:
    atoms = bulk("Ar", "fcc", edge_a, cubic=True).repeat(2)
    atoms.positions += np.random.default_rng(seed).normal(0, amplitude_a, atoms.positions.shape)
    return State.from_atoms(atoms)


def test_cells_from_both_sides_end_at_the_same_crystal(tmp_path: Path) -> None:
    perfect, wide, tight = relax(tmp_path, shaken(5.25, amplitude_a=0.0), shaken(5.6, 1), shaken(5.0, 2))
    assert perfect.energy_ev_per_atom == pytest.approx(-0.075, abs=0.01), "argon binds by about 0.08 eV/atom"
    for crystal in (wide, tight):
        assert crystal.status == "converged"
        assert crystal.max_force_ev_a < STAGES[-1].force
        assert abs(crystal.pressure_gpa) < STAGES[-1].stress
        assert crystal.state.volume_a3 == pytest.approx(perfect.state.volume_a3, rel=0.1), "0.1 GPa is 3 % for argon"
        assert crystal.energy_ev_per_atom == pytest.approx(perfect.energy_ev_per_atom, abs=2e-3)


def test_without_the_cell_the_cell_stays(tmp_path: Path) -> None:
    start = shaken(5.4)
    (relaxation,) = relax(tmp_path, start, cell=False)
    assert relaxation.status == "converged"
    assert relaxation.state.cell == start.cell


def test_a_member_that_diverges_ends_alone(tmp_path: Path) -> None:
    good = shaken(5.4)
    positions = [list(p) for p in good.positions]
    positions[0] = [float("nan")] * 3
    bad, fine = relax(tmp_path, good.model_copy(update={"positions": positions}), good)
    assert bad.status == "failed"
    assert bad.reason == "diverged after 0 steps"
    assert fine.status == "converged"


def of_all_sizes() -> list[State]:
    """Ten, of 4 to 32 atoms, from relaxed to far from it, one of them beyond repair."""
    cells = [bulk("Ar", "fcc", 5.0 + 0.05 * i, cubic=True) * (1, 1 + i % 2, 1 + i % 4) for i in range(10)]
    for seed, atoms in enumerate(cells):
        atoms.positions += np.random.default_rng(seed).normal(0, 0.03 * seed, atoms.positions.shape)
    cells[3].positions[0] = float("nan")
    return [State.from_atoms(atoms) for atoms in cells]


@pytest.mark.parametrize("cell", [True, False])
def test_members_enter_a_running_batch_and_take_the_steps_they_take_alone(tmp_path: Path, cell: bool) -> None:
    states = of_all_sizes()
    with recorded_progress() as reports:
        together = relax(tmp_path, *states, cell=cell, max_force_ev_a=1e-4, batch_atoms=40)
    alone = [relax(tmp_path, state, cell=cell, max_force_ev_a=1e-4)[0] for state in states]
    assert [r.status for r in alone].count("failed") == 1
    for one, other in zip(together, alone, strict=True):
        assert (one.steps, one.status, one.reason) == (other.steps, other.status, other.reason)
        assert one.energy_ev_per_atom == pytest.approx(other.energy_ev_per_atom, rel=1e-6, nan_ok=True)
    in_turns = sum(max(r.steps for r in alone[i : i + 2]) for i in range(0, len(alone), 2))
    assert reports[-1].done < in_turns, "nobody waits for the slowest of its batch"


def test_a_batch_in_which_members_were_exchanged_continues_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = of_all_sizes()
    expected = relax(tmp_path / "whole", *states, max_force_ev_a=1e-4, batch_atoms=40, checkpoint_every=1)

    class KilledError(Exception):
        pass

    class Dying(BatchInRelaxation):
        def advance(self) -> None:
            if self.steps_taken == 30 and self.entered[-1] > 0:
                raise KilledError
            super().advance()

    monkeypatch.setattr(relaxation, "BatchInRelaxation", Dying)
    with pytest.raises(KilledError):
        relax(tmp_path / "killed", *states, max_force_ev_a=1e-4, batch_atoms=40, checkpoint_every=1)
    monkeypatch.undo()
    again = relax(tmp_path / "killed", *states, max_force_ev_a=1e-4, batch_atoms=40, checkpoint_every=1)
    assert [r.model_dump_json() for r in again] == [r.model_dump_json() for r in expected]


def test_an_answer_is_kept_and_found_again(tmp_path: Path) -> None:
    first = relax(tmp_path, shaken(5.4))
    (file,) = tmp_path.glob("relax-*/relaxations.json")
    before = file.stat().st_mtime_ns
    assert relax(tmp_path, shaken(5.4)) == first
    assert file.stat().st_mtime_ns == before


def test_progress_counts_the_steps_taken_and_says_how_the_relaxation_ended(tmp_path: Path) -> None:
    with recorded_progress() as reports:
        (crystal,) = relax(tmp_path, shaken(5.4))
    *on_the_way, last = reports
    assert crystal.status == "converged"
    assert 0 < crystal.steps < MAX_STEPS, "it ends early"
    assert max(report.done for report in on_the_way) == crystal.steps
    assert {(report.members, report.total, report.outcome) for report in on_the_way} == {(1, MAX_STEPS, "")}
    assert (last.done, last.total, last.members) == (crystal.steps, crystal.steps, 1)
    assert last.outcome == f"converged after {crystal.steps} steps"


def test_progress_of_many_says_how_many_are_relaxed_and_how_many_are_at_it(tmp_path: Path) -> None:
    good = shaken(5.4)
    bad = good.model_copy(update={"positions": [[float("nan")] * 3, *good.positions[1:]]})
    with recorded_progress() as reports:
        relaxations = relax(tmp_path, bad, good, shaken(5.2, 1), shaken(5.3, 2), batch_atoms=64)
    *on_the_way, last = reports
    assert {(report.total, report.unit, report.outcome) for report in on_the_way} == {(4, "relaxed", "")}
    assert {report.members for report in on_the_way} <= {1, 2}
    assert [report.done for report in on_the_way] == sorted(report.done for report in on_the_way)
    assert {report.done for report in on_the_way} <= {0, 1, 2, 3}
    assert len(relaxations) == 4
    assert last.outcome.startswith("3 of 4 converged after ")


def test_progress_of_a_relaxation_that_does_not_converge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = tuple(replace(stage, max_steps=3) for stage in STAGES)
    monkeypatch.setattr("tachylite.engines.torchsim.batch_relaxation.STAGES", stages)
    with recorded_progress() as reports:
        (crystal,) = relax(tmp_path, shaken(5.4, amplitude_a=0.5))
    assert crystal.status == "failed"
    assert reports[-1].outcome == f"not converged after {crystal.steps} steps"
