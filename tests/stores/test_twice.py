"""What a store holds after the same has been computed again: one answer to every question, nothing left over."""

from pathlib import Path
from typing import Any

import pytest
from jobflow import Flow, JobStore, run_locally
from tests.stores.store_samples import simulate

from tachylite.flows import run_amorphous
from tachylite.schemas import Material, Protocol
from tachylite.stores import find_materials, find_rows, open_store
from tachylite.stores.opening import StoreFile

pytestmark = pytest.mark.filterwarnings("ignore:cd is deprecated:FutureWarning")

PROTOCOL = Protocol.model_validate(
    {
        "name": "tiny",
        "timestep_fs": 4.0,
        "record_every": 10,
        "packing": {"n_atoms": 8},
        "steps": [{"kind": "hold", "name": "melt", "temperature_k": 3000, "time_ps": 0.4}],
    }
)


def make(store: JobStore, tmp_path: Path, *formulas: str) -> list[Material]:
    return run_amorphous(formulas, protocol=PROTOCOL, engine="ase:emt", store=store, workdir=tmp_path / "work")


def counted(store: JobStore) -> tuple[int, int]:
    """Documents and blobs."""
    return store.count(), store.additional_stores["data"].count()


def test_a_job_that_is_stored_again_leaves_nothing_of_the_first_time(store: JobStore, folder: Path) -> None:
    simulation = simulate([None, 1, 2])
    flow = Flow([simulation])
    for _ in range(2):
        run_locally(flow, store=store, log=False, ensure_success=True)
        assert counted(store) == (1, 2)
    assert len(list((folder / "trajectories").glob("*.h5"))) == 2
    found: Any = store.get_output(simulation.uuid, load=True)
    assert [kept is not None for kept in found["trajectories"]] == [False, True, True]


def test_a_document_that_is_written_back_keeps_what_it_names(store: JobStore) -> None:
    simulation = simulate([1, 2])
    run_locally(Flow([simulation]), store=store, log=False, ensure_success=True)
    entry = next(store.query({"uuid": simulation.uuid}))
    store.update(entry | {"metadata": {"note": "seen"}})
    assert next(store.query({"metadata.note": "seen"}, load=True))["output"]["trajectories"][1]["h5md"]
    del entry["output"]["trajectories"][0]
    store.update(entry)
    assert counted(store) == (1, 1)


def test_a_store_that_a_launcher_opens_by_its_path_does_the_same(folder: Path) -> None:
    flow = Flow([simulate([1])])
    for _ in range(2):
        store = StoreFile(str(folder))
        run_locally(flow, store=store, log=False, ensure_success=True)
        assert counted(store) == (1, 1)


def test_a_campaign_that_is_computed_again_replaces_the_first(store: JobStore, folder: Path, tmp_path: Path) -> None:
    make(store, tmp_path, "Cu")
    before = counted(store)
    (again,) = make(store, tmp_path, "Cu")
    assert counted(store) == before
    assert find_materials(store) == [again]
    assert len(list((folder / "trajectories").glob("*.h5"))) == 1


def test_two_campaigns_keep_what_is_theirs_and_the_newest_answers(store: JobStore, tmp_path: Path) -> None:
    (first,) = make(store, tmp_path, "Cu")
    campaign = next(store.query({"output.kind": "material"}))["metadata"]["campaign"]
    newest, _ = make(store, tmp_path, "Cu", "Ag")
    assert newest.material_id == first.material_id
    assert store.count({"output.kind": "material", "output.material_id": first.material_id}) == 2
    assert find_materials(store, formula="Cu") == [newest]
    assert len(find_rows(store)) == 2
    assert find_materials(store, campaign=campaign) == [first]


def test_another_store_knows_nothing_of_it(store: JobStore, tmp_path: Path) -> None:
    make(store, tmp_path, "Cu")
    other = open_store(tmp_path / "other")
    assert find_materials(other) == []
    make(other, tmp_path, "Cu")
    assert counted(other) == counted(store)
    assert find_materials(other)[0].material_id == find_materials(store)[0].material_id
