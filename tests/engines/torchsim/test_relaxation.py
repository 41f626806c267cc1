"""Relaxation on a cheap potential with a known crystal."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from tachylite.engines import get_engine
from tachylite.engines.base import Progress, progress_listener
from tachylite.engines.torchsim.relaxation import MAX_STEPS, STAGES
from tachylite.schemas import State
from tachylite.schemas.relaxation import Relaxation


def relax(folder: Path, *states: State, cell: bool = True) -> list[Relaxation]:
    labels = [f"argon {i}" for i in range(len(states))]
    return get_engine("lennard-jones").relax(states, folder, relax_cell=cell, labels=labels)


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


def test_progress_of_a_batch_names_its_members_even_when_all_have_left(tmp_path: Path) -> None:
    good = shaken(5.4)
    bad = good.model_copy(update={"positions": [[float("nan")] * 3, *good.positions[1:]]})
    with recorded_progress() as reports:
        relaxations = relax(tmp_path, bad, good, shaken(5.2, 1))
    assert {report.members for report in reports} == {3}
    assert [report.done for report in reports] == sorted(report.done for report in reports)
    steps = max(relaxation.steps for relaxation in relaxations)
    assert reports[-1].outcome == f"2 of 3 converged after {steps} steps"


def test_progress_of_a_relaxation_that_does_not_converge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages = tuple(replace(stage, max_steps=3) for stage in STAGES)
    monkeypatch.setattr("tachylite.engines.torchsim.relaxation.STAGES", stages)
    with recorded_progress() as reports:
        (crystal,) = relax(tmp_path, shaken(5.4, amplitude_a=0.5))
    assert crystal.status == "failed"
    assert reports[-1].outcome == f"not converged after {crystal.steps} steps"
