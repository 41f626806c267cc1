import os
from pathlib import Path

import pytest
from tests.stores.store_samples import make_trajectory

from tachylite.errors import InputError
from tachylite.stores.blobs import FileBlobStore


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobStore:
    store = FileBlobStore(str(tmp_path / "blobs"))
    store.connect()
    for number in range(4):
        data = make_trajectory(number // 2).as_dict() if number < 3 else {"any": ["json", 1.5, None]}
        store.update(
            {"blob_uuid": f"b{number}", "job_uuid": "j", "job_index": number, "@class": "C", "data": data},
            key="blob_uuid",
        )
    return store


def test_blobs_come_back_as_they_were(blobs: FileBlobStore) -> None:
    blob = blobs.query_one({"blob_uuid": "b0"})
    assert blob["data"] == make_trajectory(0).as_dict()
    assert (blob["job_uuid"], blob["job_index"], blob["@class"]) == ("j", 0, "C")
    assert blobs.query_one({"blob_uuid": "b3"})["data"] == {"any": ["json", 1.5, None]}


def test_queries_filter_sort_and_page(blobs: FileBlobStore) -> None:
    def names(**query: object) -> list[str]:
        return [blob["blob_uuid"] for blob in blobs.query(properties=["blob_uuid"], **query)]  # type: ignore[arg-type]  # mypy spreads one type over all

    assert names() == ["b0", "b1", "b2", "b3"]
    assert names(criteria={"blob_uuid": {"$in": ["b3", "b1"]}, "job_uuid": "j"}) == ["b1", "b3"]
    assert names(criteria={"blob_uuid": {"$in": []}}) == []
    assert names(sort={"job_index": -1}, skip=1, limit=2) == ["b2", "b1"]
    assert blobs.count({"file": f"{make_trajectory(0).sha256}.h5"}) == 2
    assert [(key, len(group)) for key, group in blobs.groupby("job_uuid")] == [({"job_uuid": "j"}, 4)]
    assert list(blobs.query({"blob_uuid": "b0"}, ["job_index", "nothing"])) == [{"job_index": 0}]


@pytest.mark.parametrize("criteria", [{"data": 1}, {"job_index": {"$gt": 1}}, {"x; drop table blobs": 1}])
def test_criteria_it_does_not_know_are_refused(blobs: FileBlobStore, criteria: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="FileBlobStore"):
        blobs.count(criteria)


def test_equal_content_is_one_file_and_is_written_once(blobs: FileBlobStore) -> None:
    file = Path(blobs.path) / f"{make_trajectory(0).sha256}.h5"
    before = file.stat().st_mtime_ns
    blobs.update({"blob_uuid": "b9", "data": make_trajectory(0).as_dict()})
    assert file.stat().st_mtime_ns == before
    assert len(list(Path(blobs.path).glob("*.h5"))) == 2
    assert file.read_bytes() == make_trajectory(0).h5md


def test_a_blob_stored_again_replaces_the_old_one(blobs: FileBlobStore) -> None:
    blobs.update([{"blob_uuid": "b0", "data": "new"}], key="blob_uuid")
    assert blobs.count() == 4
    assert blobs.query_one({"blob_uuid": "b0"})["data"] == "new"


def test_an_interrupted_write_leaves_neither_file_nor_entry(
    blobs: FileBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", stop)
    files = set(Path(blobs.path).iterdir())
    with pytest.raises(InputError, match="No space left"):
        blobs.update({"blob_uuid": "b9", "data": make_trajectory(9).as_dict()})
    assert set(Path(blobs.path).iterdir()) == files
    assert blobs.count() == 4


def test_damaged_and_missing_files_are_named(blobs: FileBlobStore) -> None:
    file = Path(blobs.path) / f"{make_trajectory(0).sha256}.h5"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(InputError, match=rf"{file.name} is damaged"):
        blobs.query_one({"blob_uuid": "b0"})
    file.unlink()
    with pytest.raises(InputError, match=rf"{file.name} cannot be read: No such file"):
        blobs.query_one({"blob_uuid": "b0"})
    assert blobs.query_one({"blob_uuid": "b0"}, ["job_uuid"]) == {"job_uuid": "j"}
