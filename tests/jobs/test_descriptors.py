"""Descriptors of the states in a store: those of each trajectory are computed once."""

from pathlib import Path
from typing import Any

import pytest
from jobflow import JobStore, run_locally
from tests.descriptors.crystals import antifluorite, descriptors_of, rock_salt
from tests.jobs.learning_rows import material, melted, put_runs, trajectory_of
from tests.stores.store_samples import put

from tachylite.analysis import descriptors as analysis
from tachylite.analysis.descriptors import compute_state_descriptors, descriptor_fingerprint
from tachylite.descriptors import compute_descriptors
from tachylite.jobs import descriptors as jobs
from tachylite.jobs.descriptors import compute_missing_descriptors
from tachylite.schemas import Material
from tachylite.schemas.descriptors import DescriptorSet, StateDescriptors
from tachylite.stores import descriptors as stores
from tachylite.stores import open_store
from tachylite.stores.descriptors import find_state_descriptors, iter_state_descriptors

CRYSTAL, SALT = antifluorite(), rock_salt()
HOT, COLD, SALTY = (trajectory_of(atoms, frames) for atoms, frames in ((CRYSTAL, 6), (CRYSTAL, 7), (SALT, 5)))


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return open_store(tmp_path / "store")


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of frames of every state whose descriptors are computed from now on."""
    frames: list[int] = []

    def compute(positions: Any, *arguments: Any, **options: Any) -> Any:
        frames.append(len(positions))
        return compute_descriptors(positions, *arguments, **options)

    monkeypatch.setattr(analysis, "compute_descriptors", compute)
    return frames


def oxide() -> Material:
    return material(CRYSTAL, melted(CRYSTAL, 3000, 2e-4, HOT), melted(CRYSTAL, 1500, 3e-5, COLD))


def salt() -> Material:
    return material(SALT, melted(SALT, 1000, 1e-5, SALTY))


def run(store: JobStore, **filters: str) -> list[list[str]]:
    job = compute_missing_descriptors("Li", "exact", filters)
    run_locally(job, store=store, log=False, raise_immediately=True)
    return list(store.get_output(job.uuid))


def descriptors_in(store: JobStore, *materials: Material) -> list[StateDescriptors]:
    return [descriptors for _, _, descriptors in iter_state_descriptors(store, materials, "Li", "exact")]


def test_the_descriptors_of_every_trajectory_are_computed_once(store: JobStore, computed: list[int]) -> None:
    put_runs(store, HOT, COLD)
    put(store, oxide())
    assert run(store) == [[]]
    assert sorted(computed) == [6, 7]
    put_runs(store, SALTY, uuid="later")
    put(store, salt())
    assert run(store) == [[]]
    assert sorted(computed) == [5, 6, 7], "only what is new"
    assert run(store) == []
    hot, cold, salty = descriptors_in(store, oxide(), salt())
    assert len(computed) == 3
    assert (hot.n_frames, cold.n_frames, salty.n_frames) == (6, 7, 5)
    assert (hot.formula, hot.temperature_k, hot.trajectory_id) == ("Li2O", 3000, HOT.sha256)
    assert hot == compute_state_descriptors(melted(CRYSTAL, 3000, None, HOT), HOT, "Li", "exact"), "to the last bit"
    direct = compute_descriptors(HOT.positions, HOT.cells, HOT.numbers)
    assert hot.values == direct.means
    assert hot.errors == {name: estimate.error for name, estimate in direct.values.items()}


def test_stored_ones_are_of_a_species_a_convention_and_a_fingerprint(store: JobStore) -> None:
    put_runs(store, HOT, COLD)
    put(store, oxide())
    run(store, material_id="Li2O")
    fingerprint = descriptor_fingerprint()
    assert find_state_descriptors(store, "Li", "exact", fingerprint).keys() == {HOT.sha256, COLD.sha256}
    assert find_state_descriptors(store, "Na", "exact", fingerprint) == {}
    assert find_state_descriptors(store, "Li", "zheng2024", fingerprint) == {}
    assert find_state_descriptors(store, "Li", "exact", "0" * 64) == {}


def test_changed_descriptors_are_computed_again(
    store: JobStore, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_runs(store, HOT, COLD)
    put(store, oxide())
    run(store)
    for module in (jobs, stores):
        monkeypatch.setattr(module, "descriptor_fingerprint", lambda: "of changed descriptors")
    assert run(store) == [[]]
    assert sorted(computed) == [6, 6, 7, 7]
    assert run(store) == []
    descriptors_in(store, oxide())
    assert len(computed) == 4


def test_another_version_of_the_package_does_not_matter(
    store: JobStore, computed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_runs(store, HOT, COLD)
    put(store, oxide())
    monkeypatch.setattr(jobs, "__version__", "0.0.1")
    run(store)
    monkeypatch.setattr(jobs, "__version__", "99.0")
    assert run(store) == []
    descriptors_in(store, oxide())
    assert sorted(computed) == [6, 7]


def test_documents_with_a_version_alone_can_be_read_and_are_computed_again(
    store: JobStore, computed: list[int]
) -> None:
    put_runs(store, HOT, COLD)
    put(store, oxide())
    old = {
        "schema_version": 1,
        "kind": "descriptions",
        "species": "Li",
        "convention": "exact",
        "version": "0.1.0",
        "states": [{"trajectory_id": HOT.sha256, "formula": "Li2O", "temperature_k": 3000.0, "values": {"LNC": 1.0}}],
        "lacking": [],
    }
    assert DescriptorSet.model_validate(old).fingerprint is None
    store.update({"uuid": "old", "index": 1, "output": old, "completed_at": "2026", "name": "describe_states"})
    assert run(store) == [[]]
    assert sorted(computed) == [6, 7]
    hot, _ = descriptors_in(store, oxide())
    assert hot.values["LNC"] != 1


def test_a_state_without_descriptors_keeps_its_reason(store: JobStore, computed: list[int]) -> None:
    atoms = rock_salt()
    atoms.numbers[atoms.numbers == 3] = 11
    frames = trajectory_of(atoms)
    put_runs(store, frames)
    put(store, material(atoms, melted(atoms, 1000, 1e-5, frames)))
    assert run(store) == [[]]
    (state,) = descriptors_in(store, material(atoms, melted(atoms, 1000, 1e-5, frames)))
    assert "there is no Li" in (state.reason or "")
    assert (state.values, len(computed)) == ({}, 1)


def test_a_trajectory_that_the_store_lacks_is_named_and_the_last_frame_counts(store: JobStore) -> None:
    put_runs(store, HOT)
    put(store, oxide())
    assert run(store) == [[COLD.sha256]]
    hot, cold = descriptors_in(store, oxide())
    assert (hot.n_frames, cold.n_frames, cold.trajectory_id) == (6, 1, None)
    assert cold.values["LNC"] == descriptors_of(CRYSTAL)["LNC"].mean
    assert cold.errors["LASD"] is None


def test_many_materials_are_several_jobs(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MATERIALS_AT_ONCE", 1)
    put_runs(store, HOT, COLD, SALTY)
    put(store, oxide(), salt())
    assert run(store) == [[], []]
    assert store.count({"output.kind": "descriptions"}) == 2
