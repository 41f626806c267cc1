"""The embedded store with real jobs, other processes and several writers."""

import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from jobflow import JobStore
from tests.stores.store_samples import count_frames, keep, make_material, make_trajectory, simulate, submit

from tachylite.schemas import Trajectory
from tachylite.stores import find_materials, find_runs, load_trajectory, open_store
from tachylite.stores.documents import EmbeddedDocumentStore

pytestmark = pytest.mark.filterwarnings("ignore:cd is deprecated:FutureWarning")


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate()
    assert process.returncode == 0
    return output


READ = """
import sys
from tachylite.stores import open_store
store = open_store(sys.argv[1], create=False)
trajectory = store.get_output(sys.argv[2], load=True)["trajectories"][1]
print(trajectory["@class"], trajectory["sha256"])
"""


def test_a_job_keeps_its_trajectory_as_a_file_that_another_process_reads(store: JobStore, folder: Path) -> None:
    simulation = simulate([None, 1])
    counting = count_frames(simulation.output)
    submit(store, simulation, counting)
    expected = make_trajectory(1)
    assert store.get_output(counting.uuid) == [6]
    assert store.get_output(simulation.uuid)["trajectories"][1]["store"] == "data"
    with h5py.File(folder / "trajectories" / f"{expected.sha256}.h5") as file:
        assert file["particles/all/position/value"].shape == (6, 2, 3)
    assert finish(python(READ, folder, simulation.uuid)) == f"Trajectory {expected.sha256}\n"
    assert load_trajectory(store, expected.sha256) == expected


WRITE = """
import sys
import numpy as np
from tachylite.schemas import Trajectory
from tachylite.stores import open_store
for i in range(40):
    store = open_store(sys.argv[1])
    data = Trajectory.from_arrays(
        numbers=[1], positions=np.full((1, 1, 3), i % 7), cells=np.eye(3), times_fs=[0], series={})
    document = {"uuid": f"{sys.argv[2]}{i}", "index": 1, "output": {"data": data}}
    store.update(document, save={"data": Trajectory})
    store.close()
"""


def test_nothing_is_lost_when_two_processes_write_at_once(folder: Path) -> None:
    for process in [python(WRITE, folder, name) for name in "ab"]:
        finish(process)
    store = open_store(folder)
    assert store.count() == 80
    assert store.additional_stores["data"].count() == 80
    assert len(list((folder / "trajectories").glob("*.h5"))) == 7
    assert {file.suffix for file in (folder / "trajectories").iterdir()} == {".h5", ".sqlite"}
    outputs = [entry["output"]["data"] for entry in store.query({}, load=True)]
    assert len({Trajectory.from_dict(output).sha256 for output in outputs}) == 7


def test_documents_are_removed_for_every_reader(store: JobStore, folder: Path) -> None:
    for name in "abc":
        document = {"uuid": name, "index": 1, "output": {"kind": "x", "n": ord(name)}}
        store.update({**document, "metadata": {"campaign": "one" if name < "c" else "two"}})
    store.remove_docs({"metadata.campaign": "one"})
    assert [entry["uuid"] for entry in open_store(folder).query({"output.kind": "x"})] == ["c"]
    assert store.count() == 1


def test_a_job_that_runs_again_replaces_its_document(store: JobStore) -> None:
    work = keep({"value": 1})
    submit(store, work)
    for value in (2, 3):
        store.update({"uuid": work.uuid, "index": 1, "output": {"value": value}})
    store.update({"uuid": work.uuid, "index": 2, "output": {"value": 9}})
    assert store.count() == 2
    assert store.get_output(work.uuid) == {"value": 9}
    assert store.get_output(work.uuid, which=1) == {"value": 3}


def test_other_documents_than_those_of_jobs_are_kept_too(tmp_path: Path) -> None:
    index = EmbeddedDocumentStore(str(tmp_path / "index"), "index", key="blob_uuid")
    index.connect()
    index.update([{"blob_uuid": name, "n": n} for n, name in enumerate("abb")], key="blob_uuid")
    assert {entry["blob_uuid"]: entry["n"] for entry in index.query()} == {"a": 0, "b": 2}
    index.remove_docs({"n": 2})
    assert [entry["blob_uuid"] for entry in index.query({"blob_uuid": {"$in": ["a", "b"]}})] == ["a"]


def test_keys_with_dots_are_kept(store: JobStore) -> None:
    store.update({"uuid": "a", "index": 1, "output": {"versions": {"torch.cuda": "12"}}})
    assert next(store.query({"uuid": "a"}))["output"] == {"versions": {"torch.cuda": "12"}}


@pytest.mark.parametrize(
    "criteria",
    [
        {},
        {"uuid": "b"},
        {"output.name": "x"},
        {"output.name": "absent"},
        {"output.tags": "red"},
        {"output.tags": {"$all": ["red", "blue"]}},
        {"output.n": {"$gte": 1, "$lt": 3}},
        {"output.name": {"$in": ["x", "y"]}, "output.tags": "red"},
        {"$and": [{"output.name": "x"}, {"output.n": 0}]},
        {"$or": [{"output.name": "x"}, {"output.tags": "blue"}]},
        {"output.name": "Straße"},
        {"output.name": ""},
        {"output.name": None},
        {"output.name": {"$ne": "x"}},
        {"output.other": {"$exists": False}},
    ],
)
def test_queries_answer_as_the_plain_store_does(store: JobStore, criteria: dict[str, object]) -> None:
    names = ["x", "y", "Straße", "", None, "x"]
    tags = [["red"], ["red", "blue"], [], ["blue"], ["redder"], ["red", "x"]]
    for number, (name, tag) in enumerate(zip(names, tags, strict=True)):
        output = {"name": name, "tags": tag, "n": number}
        store.update({"uuid": "abcdef"[number], "index": 1, "output": output})
    documents = store.docs_store
    assert isinstance(documents, EmbeddedDocumentStore)
    plain = super(EmbeddedDocumentStore, documents).query(criteria, ["uuid"], {"uuid": -1})
    assert list(documents.query(criteria, ["uuid"], {"uuid": -1})) == list(plain)
    assert len(list(documents.query(criteria))) == documents.count(criteria)


def test_a_store_can_be_sent_to_another_machine_as_json(store: JobStore) -> None:
    submit(store, keep(make_material()), simulate([1]))
    again = JobStore.from_dict(store.as_dict())
    assert isinstance(again, JobStore)
    again.connect()
    assert find_materials(again) == [make_material()]
    assert load_trajectory(again, find_runs(again)[0].trajectory_id or "") == make_trajectory(1)


def test_removing_jobs_removes_files_that_nobody_needs(store: JobStore, folder: Path) -> None:
    first, second, third = simulate([1]), simulate([1]), simulate([2])
    submit(store, first, second, third)
    files = folder / "trajectories"
    assert len(list(files.glob("*.h5"))) == 2
    store.remove_docs({"uuid": first.uuid})
    store.remove_docs({"uuid": third.uuid})
    assert [file.stem for file in files.glob("*.h5")] == [make_trajectory(1).sha256]
    assert store.get_output(second.uuid, load=True)["trajectories"][0]["sha256"] == make_trajectory(1).sha256
