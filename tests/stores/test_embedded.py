"""The embedded store with real jobs, other processes and several writers."""

import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jobflow import JobStore
from tests.stores.criteria_samples import CRITERIA, DOCUMENTS, PATHS, SORTABLE
from tests.stores.store_samples import count_frames, keep, make_material, make_trajectory, put, simulate, submit

from tachylite.schemas import Trajectory
from tachylite.stores import find_materials, find_rows, find_runs, load_trajectory, open_store
from tachylite.stores.documents import EmbeddedDocumentStore
from tachylite.stores.fields import paths_of, project
from tachylite.stores.matching import in_order, matcher

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
    assert {file.name.partition(".")[2] for file in (folder / "trajectories").iterdir()} == {
        *("h5", "sqlite", "sqlite-wal", "sqlite-shm")
    }
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


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(DOCUMENTS, min_size=2, max_size=8),
    st.lists(CRITERIA, min_size=1, max_size=8),
    SORTABLE,
    st.one_of(st.none(), st.lists(PATHS, max_size=3)),
)
def test_the_store_answers_as_a_test_of_every_document(
    documents: list[dict[str, Any]], questions: list[dict[str, Any]], order: dict[str, int], fields: list[str] | None
) -> None:
    """Of criteria, `test_matching.py` compares the test of a document with MongoDB."""
    with TemporaryDirectory() as folder:
        store = EmbeddedDocumentStore(folder, key="uuid")
        store.connect()
        store.update([{**document, "uuid": f"{place}"} for place, document in enumerate(documents)])
        stored = list(enumerate(store.query({})))
        assert [document["uuid"] for _, document in stored] == [f"{place}" for place, _ in stored]
        for criteria in questions:
            test = matcher(criteria)
            matching = [entry for entry in stored if test(entry[1])]
            try:
                ordered = in_order(matching, {name: direction < 0 for name, direction in order.items()})
            except ValueError as refusal:
                with pytest.raises(ValueError, match=re.escape(str(refusal))):
                    list(store.query(criteria, fields, order))
                continue
            expected = [document for _, document in ordered]
            if fields is not None:
                expected = [project(document, paths_of(["_id", *fields])) for document in expected]
            assert repr([*store.query(criteria, fields, order)]) == repr(expected), criteria
            assert repr([*store.query(criteria, fields, order, skip=1, limit=2)]) == repr(expected[1:3])
            assert store.count(criteria) == len(expected)
        store.close()


def test_the_newest_come_first_and_are_read_as_they_are_asked_for(store: JobStore) -> None:
    times = [datetime(2026, 1, 1, 0, minute) if minute else None for minute in (3, 0, 1, 3, 2)]
    for place, time in enumerate(times):
        output = {"created_at": time} if time else {}
        store.update(
            {"uuid": "abcde"[place], "index": 1, "output": output, "completed_at": f"2026-01-02T00:00:0{place}"}
        )
    newest: dict[str, Any] = {"output.created_at": -1, "completed_at": -1}
    assert [entry["uuid"] for entry in store.query({}, sort=newest)] == ["d", "a", "e", "c", "b"]
    assert [entry["uuid"] for entry in store.query({}, sort={"output.created_at": 1})] == ["b", "c", "e", "a", "d"]
    one_by_one = store.query({}, sort=newest)
    assert next(one_by_one)["uuid"] == "d"
    store.remove_docs({"uuid": "a"})
    assert next(one_by_one)["uuid"] == "e"


def test_summaries_of_another_version_are_made_anew(
    store: JobStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = store.docs_store
    assert isinstance(documents, EmbeddedDocumentStore)
    put(store, make_material(), make_material("NaCl"))
    monkeypatch.setattr("tachylite.stores.documents.LAYOUT", 1)
    put(open_store(folder), make_material("LiF"))
    monkeypatch.undo()
    with documents._database.changing() as connection:
        connection.execute("delete from words")
        connection.execute("update documents set summary = x'0500000000' where layout = 1")
    assert len(find_rows(store)) == 3
    assert find_materials(store, formula="LiF") == [make_material("LiF")]


def test_rows_follow_their_documents_and_are_read_without_them(store: JobStore, folder: Path) -> None:
    documents = store.docs_store
    assert isinstance(documents, EmbeddedDocumentStore)
    put(store, *(make_material("NaCl", material_id=name) for name in "abc"))
    entry = store.query_one({"output.material_id": "b"})
    assert entry is not None
    entry["output"]["status"] = "failed"
    documents.update(entry, key=["uuid", "index"])
    store.remove_docs({"output.material_id": "c"})
    asked: list[str] = []
    with documents._database._connected() as connection:
        connection.set_trace_callback(asked.append)
    rows = find_rows(store)
    assert {row["material_id"]: row["status"] for row in rows} == {"a": "completed", "b": "failed"}
    assert [row["formula"] for row in find_rows(store, status="failed", limit=1)] == ["NaCl"]
    assert [question for question in asked if "content" in question or "summary" in question] == []


def test_what_ended_lately_is_found_without_a_look_at_the_rest(store: JobStore) -> None:
    documents = store.docs_store
    assert isinstance(documents, EmbeddedDocumentStore)
    for place, time in enumerate(("2026-01-02T00:00:00", "2026-01-01 23:00:00", "2026-01-01T00:00:00", None)):
        store.update({"uuid": str(place), "index": 1, "completed_at": time, "output": {"kind": "material"}})
    asked: list[str] = []
    with documents._database._connected() as connection:
        connection.set_trace_callback(asked.append)
    recent = store.query({"output.kind": "material", "completed_at": {"$gte": "2026-01-01T23:30:00"}})
    assert [entry["uuid"] for entry in recent] == ["0"]
    (looked_at,) = [question for question in asked if question.startswith("select id, summary")]
    assert looked_at.endswith("(1, 4)"), "the one without a time is not known to be earlier"


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
