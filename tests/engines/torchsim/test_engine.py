"""Options of the engine: what changes an answer is another piece of work, and stands in its document."""

from pathlib import Path
from typing import Any

import pytest
from ase import Atoms

from tachylite.configs import load_protocol
from tachylite.engines import get_engine
from tachylite.jobs.material import material_id
from tachylite.schemas import Request, Run, Segment, State
from tachylite.schemas.start import PackedStart

NEAR = State.from_atoms(Atoms("Ar2", [[0, 0, 0], [0, 0, 1.0]], cell=[20, 20, 20], pbc=True))
"""Nearer than half the sum of their radii, where nuclei begin to repel each other, and than a guard allows for long."""
OFF = {"closest_approach": 0.0, "energy_jump_ev": "inf", "largest_force_ev_a": "inf", "temperature_margin_k": "inf"}


def run(folder: Path, **options: Any) -> Run:
    request = Request(label="pair", state=NEAR, segments=[Segment(steps=1, temperature_k=1, timestep_fs=1e-4)], seed=0)
    (answer,) = get_engine("lennard-jones", **options).run([request], folder)
    return answer.run


def folders(folder: Path) -> int:
    return len(list(folder.glob("run-*")))


def test_the_repulsion_of_nuclei_is_added_and_recorded(tmp_path: Path) -> None:
    bare, repelled = run(tmp_path, guards=OFF), run(tmp_path, guards=OFF, repulsion="zbl")
    assert (bare.status, repelled.status) == ("completed", "completed")
    more = 2 * (repelled.last.energy_ev_per_atom.value - bare.last.energy_ev_per_atom.value)
    assert 0 < more < 20, "it is almost switched off where two atoms are this far apart"
    assert bare.provenance.options.keys() | {"repulsion"} == repelled.provenance.options.keys()
    assert repelled.provenance.options["repulsion"] == "zbl"
    assert folders(tmp_path) == 2


def test_guards_that_differ_are_another_run_and_intervals_are_not(tmp_path: Path) -> None:
    assert run(tmp_path).status == "failed"
    assert run(tmp_path, guards=OFF).status == "completed"
    assert folders(tmp_path) == 2
    run(tmp_path, guards=OFF, checkpoint_every=7, batch_atoms=100)
    assert folders(tmp_path) == 2


@pytest.mark.parametrize("options", [{"repulsion": "zbl"}, {"guards": {"temperature_factor": 4}}])
def test_a_material_computed_otherwise_is_another_one(options: dict[str, Any]) -> None:
    def identifier(**given: Any) -> str:
        engine = get_engine("lennard-jones", **given)
        return material_id(PackedStart(formula="Ar"), load_protocol("quickstart"), engine, 0)

    assert identifier() == identifier(checkpoint_every=7)
    assert identifier() != identifier(**options)
