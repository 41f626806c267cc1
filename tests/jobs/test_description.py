"""Descriptors of the states in a store: each trajectory once."""

from pathlib import Path
from typing import Any

import pytest
from jobflow import JobStore, run_locally
from tests.descriptors.crystals import antifluorite, described, rock_salt
from tests.jobs.learning_rows import material, melted, put_runs, trajectory_of
from tests.stores.store_samples import put

from tachylite import __version__
from tachylite.descriptors import describe
from tachylite.jobs import description
from tachylite.jobs.description import describe_materials, describe_melt, described_states
from tachylite.schemas import Material
from tachylite.schemas.description import DescribedState
from tachylite.stores import open_store
from tachylite.stores.descriptions import find_described

CRYSTAL, SALT = antifluorite(), rock_salt()
HOT, COLD, SALTY = (trajectory_of(atoms, frames) for atoms, frames in ((CRYSTAL, 6), (CRYSTAL, 7), (SALT, 5)))


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return open_store(tmp_path / "store")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of frames of every description from now on."""
    frames: list[int] = []

    def counting(positions: Any, *arguments: Any, **options: Any) -> Any:
        frames.append(len(positions))
        return describe(positions, *arguments, **options)

    monkeypatch.setattr(description, "describe", counting)
    return frames


def oxide() -> Material:
    return material(CRYSTAL, melted(CRYSTAL, 3000, 2e-4, HOT), melted(CRYSTAL, 1500, 3e-5, COLD))


def salt() -> Material:
    return material(SALT, melted(SALT, 1000, 1e-5, SALTY))


def run(store: JobStore, **asked: str) -> list[list[str]]:
    job = describe_materials("Li", "exact", asked)
    run_locally(job, store=store, log=False, raise_immediately=True)
    return list(store.get_output(job.uuid))


def states_of(store: JobStore, *materials: Material) -> list[DescribedState]:
    return [found for _, _, found in described_states(store, materials, "Li", "exact")]


def test_every_trajectory_is_described_once(store: JobStore, counted: list[int]) -> None:
    put_runs(store, HOT, COLD)
    put(store, oxide())
    assert run(store) == [[]]
    assert sorted(counted) == [6, 7]
    put_runs(store, SALTY, uuid="later")
    put(store, salt())
    assert run(store) == [[]]
    assert sorted(counted) == [5, 6, 7], "only what is new"
    assert run(store) == []
    hot, cold, salty = states_of(store, oxide(), salt())
    assert len(counted) == 3
    assert (hot.n_frames, cold.n_frames, salty.n_frames) == (6, 7, 5)
    assert (hot.formula, hot.temperature_k, hot.trajectory_id) == ("Li2O", 3000, HOT.sha256)
    anew = describe_melt(melted(CRYSTAL, 3000, None, HOT), HOT, "Li", "exact")
    assert hot.values == {name: one.mean for name, one in anew.values.items()}, "to the last bit"
    assert hot.errors == {name: one.error for name, one in anew.values.items()}


def test_kept_are_those_of_a_species_a_convention_and_a_version(store: JobStore) -> None:
    put_runs(store, HOT, COLD)
    put(store, oxide())
    run(store, material_id="Li2O")
    assert find_described(store, "Li", "exact", __version__).keys() == {HOT.sha256, COLD.sha256}
    for other in (("Na", "exact", __version__), ("Li", "zheng2024", __version__), ("Li", "exact", "0.0")):
        assert find_described(store, *other) == {}


def test_a_state_without_a_description_keeps_its_reason(store: JobStore, counted: list[int]) -> None:
    atoms = rock_salt()
    atoms.numbers[atoms.numbers == 3] = 11
    frames = trajectory_of(atoms)
    put_runs(store, frames)
    put(store, material(atoms, melted(atoms, 1000, 1e-5, frames)))
    assert run(store) == [[]]
    (found,) = states_of(store, material(atoms, melted(atoms, 1000, 1e-5, frames)))
    assert "there is no Li" in (found.reason or "")
    assert (found.values, len(counted)) == ({}, 1)


def test_a_trajectory_that_the_store_lacks_is_named_and_the_last_frame_described(store: JobStore) -> None:
    put_runs(store, HOT)
    put(store, oxide())
    assert run(store) == [[COLD.sha256]]
    hot, cold = states_of(store, oxide())
    assert (hot.n_frames, cold.n_frames, cold.trajectory_id) == (6, 1, None)
    assert cold.values["LNC"] == described(CRYSTAL)["LNC"].mean
    assert cold.errors["LASD"] is None


def test_many_materials_are_several_jobs(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(description, "MATERIALS_AT_ONCE", 1)
    put_runs(store, HOT, COLD, SALTY)
    put(store, oxide(), salt())
    assert run(store) == [[], []]
    assert store.count({"output.kind": "descriptions"}) == 2


def test_long_trajectories_are_thinned() -> None:
    crystal = rock_salt()
    found = describe_melt(melted(crystal, 1000, 1e-5), trajectory_of(crystal, 150), "Li", "exact")
    assert found.n_frames == 75
