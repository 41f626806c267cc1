"""The same questions to a real MongoDB with GridFS; TACHYLITE_TEST_MONGO names one that may be written to."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from jobflow import JobStore
from pymongo import MongoClient
from tests.stores.store_samples import (
    count_frames,
    keep,
    later,
    make_material,
    make_run,
    make_trajectory,
    simulate,
    submit,
)

from tachylite.stores import find_materials, find_rows, find_runs, load_trajectory, open_store
from tachylite.stores.archive import write_archive
from tachylite.stores.importing import open_archive
from tachylite.stores.queries import entry_fields
from tachylite.stores.stages import find_stages

URI = os.environ.get("TACHYLITE_TEST_MONGO")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(URI is None, reason="TACHYLITE_TEST_MONGO is not set"),
    pytest.mark.filterwarnings("ignore:cd is deprecated:FutureWarning"),
]


@pytest.fixture
def mongo() -> Iterator[JobStore]:
    database = f"tachylite_test_{uuid.uuid4().hex[:8]}"
    place = {"uri": URI, "database": database}
    data = {"type": "GridFSStore", "collection_name": "trajectories", "compression": True, **place}
    store = open_store(
        {
            "docs_store": {"type": "MongoStore", "collection_name": "outputs", **place},
            "additional_stores": {"data": data},
        }
    )
    yield store
    store.close()
    client: MongoClient[dict[str, object]]
    with MongoClient(URI) as client:
        client.drop_database(database)


def test_jobs_and_questions_work_as_with_the_embedded_store(mongo: JobStore) -> None:
    simulation = simulate([None, 1])
    counting = count_frames(simulation.output)
    old, new = make_material(), make_material(created_at=later(1), status="partial")
    other = make_material("NaCl", elements=["Cl", "Na"])
    submit(mongo, simulation, counting, keep(new), keep(old), keep(other))
    assert mongo.get_output(counting.uuid) == [6]
    assert find_materials(mongo) == [new, other]
    assert find_materials(mongo, formula="PO4Li3", elements=["O"], status="partial") == [new]
    assert find_materials(mongo, status="completed", elements=["O"]) == [old]
    assert find_materials(mongo, temperature_k=3000, limit=1) == [new]
    assert find_runs(mongo) == [make_run(make_trajectory(1))]
    assert load_trajectory(mongo, make_trajectory(1).sha256) == make_trajectory(1)
    rows = find_rows(mongo, where=["n_atoms>=96", "melt.temperature_k=3000"])
    assert [row["formula"] for row in rows] == ["Li3PO4", "NaCl"]
    assert {(stage.name, stage.jobs) for stage in find_stages(mongo)} == {
        ("keep", 3),
        ("simulate", 1),
        ("count_frames", 1),
    }


def test_an_archive_goes_from_a_folder_to_mongodb_and_back(mongo: JobStore, tmp_path: Path) -> None:
    folder, back = open_store(tmp_path / "store"), open_store(tmp_path / "back")
    submit(folder, simulate([None, 1, 2]), keep(make_material()))
    paths = [tmp_path / f"{number}.zip" for number in range(3)]
    for source, path, target in ((folder, paths[0], mongo), (mongo, paths[1], back)):
        write_archive(source, path)
        for expected in ((2, 2), (0, 0)):
            with open_archive(path) as archive:
                imported = archive.restore(target)
            assert (imported.documents, imported.blobs) == expected
    write_archive(back, paths[2])
    assert paths[0].read_bytes() == paths[1].read_bytes() == paths[2].read_bytes()
    assert load_trajectory(mongo, make_trajectory(2).sha256) == make_trajectory(2)


def test_the_newest_are_chosen_without_their_documents(mongo: JobStore) -> None:
    simulation = simulate([None])
    materials = [make_material("NaCl", elements=["Cl", "Na"], created_at=later(hours)) for hours in range(3)]
    submit(mongo, simulation, count_frames(simulation.output), *(keep(material) for material in materials))
    fields = dict.fromkeys([*entry_fields(()), "index"], 1)
    told = mongo.docs_store._collection.find({"output.kind": "material"}, fields).explain()["executionStats"]
    assert (told["nReturned"], told["totalDocsExamined"]) == (3, 0)
    assert find_rows(mongo, limit=2) == find_rows(mongo)[:2]
