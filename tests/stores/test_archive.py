import hashlib
import json
import math
import struct
import subprocess
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import bson
import pytest
import yaml
from bson import Int64
from hypothesis import given
from hypothesis import strategies as st
from jobflow import JobStore
from tests.stores.store_samples import keep, make_material, make_trajectory, simulate, submit

from tachylite.errors import InputError
from tachylite.stores import find_materials, load_trajectory, open_store
from tachylite.stores.archive import document_line, read_line, write_archive
from tachylite.stores.importing import open_archive

pytestmark = pytest.mark.filterwarnings("ignore:cd is deprecated:FutureWarning")


@pytest.fixture
def archive(store: JobStore, tmp_path: Path) -> Path:
    """Of a store with two trajectories, one of them in two runs, and two materials."""
    submit(store, simulate([None, 1]), simulate([1, 2]), keep(make_material()), keep(make_material("NaCl")))
    write_archive(store, tmp_path / "deposit.zip", authors=["Curie, Marie", "The melt group"])
    return tmp_path / "deposit.zip"


def contents(store: JobStore) -> tuple[list[Any], list[Any]]:
    """Everything in a store but the names that the database itself gives."""
    parts = store.docs_store, store.additional_stores["data"]
    without_id = ([{k: v for k, v in d.items() if k != "_id"} for d in part.query()] for part in parts)
    documents, blobs = without_id
    return documents, sorted(blobs, key=lambda blob: blob["blob_uuid"])


def restore(path: Path, store: JobStore) -> tuple[int, int]:
    with open_archive(path) as archive:
        imported = archive.restore(store)
    return imported.documents, imported.blobs


def test_a_store_comes_back_bit_for_bit(archive: Path, store: JobStore, tmp_path: Path) -> None:
    copy = open_store(tmp_path / "copy")
    assert restore(archive, copy) == (4, 3)
    assert contents(copy) == contents(store)
    assert find_materials(copy) == find_materials(store)
    trajectory = make_trajectory(2)
    assert load_trajectory(copy, trajectory.sha256) == trajectory
    write_archive(copy, tmp_path / "again.zip", authors=["Curie, Marie", "The melt group"])
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_a_second_import_changes_nothing(archive: Path, store: JobStore, tmp_path: Path) -> None:
    copy = open_store(tmp_path / "copy")
    restore(archive, copy)
    ids = [document["_id"] for document in copy.docs_store.query()]
    assert restore(archive, copy) == (0, 0)
    assert [document["_id"] for document in copy.docs_store.query()] == ids


def test_an_import_that_was_stopped_goes_on(archive: Path, store: JobStore, tmp_path: Path) -> None:
    copy = open_store(tmp_path / "copy")
    restore(archive, copy)
    lost = copy.query_one({"output.formula": "NaCl"}, properties=["uuid"])
    assert lost is not None
    copy.docs_store.remove_docs({"uuid": lost["uuid"]})
    blob = contents(copy)[1][0]
    copy.additional_stores["data"].remove_docs({"blob_uuid": blob["blob_uuid"]})
    assert restore(archive, copy) == (1, 1)
    assert contents(copy)[1] == contents(store)[1]
    assert {d["uuid"] for d in contents(copy)[0]} == {d["uuid"] for d in contents(store)[0]}


def test_other_results_of_the_same_job_are_not_overwritten(archive: Path, store: JobStore, tmp_path: Path) -> None:
    entry = contents(store)[0][-1]
    copy = open_store(tmp_path / "copy")
    copy.docs_store.update({**entry, "output": "another"}, key=["uuid", "index"])
    before = contents(copy)
    with pytest.raises(InputError, match=f"another document {entry['uuid']}"):
        restore(archive, copy)
    assert contents(copy) == before


def test_an_archive_explains_and_checks_itself(archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        names = file.namelist()
        file.extractall(tmp_path / "unpacked")
    assert sum(name.startswith("data/") for name in names) == 2
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "unpacked", check=True)
    citation = yaml.safe_load((tmp_path / "unpacked" / "CITATION.cff").read_text())
    assert citation["authors"] == [{"family-names": "Curie", "given-names": "Marie"}, {"name": "The melt group"}]
    assert "- NaCl (1)" in (tmp_path / "unpacked" / "README.md").read_text()


def test_a_campaign_alone(store: JobStore, tmp_path: Path) -> None:
    for number, campaign in enumerate(("first", "first", "second")):
        store.update({"uuid": str(number), "index": 1, "output": number, "metadata": {"campaign": campaign}})
    assert write_archive(store, tmp_path / "a.zip", campaign="first").documents == 2
    with pytest.raises(InputError, match="no documents of campaign third"):
        write_archive(store, tmp_path / "b.zip", campaign="third")
    assert [path.name for path in tmp_path.glob("*.zip*")] == ["a.zip"]


def rewritten(archive: Path, change: Callable[[dict[str, bytes]], None], *, sums: bool = True) -> Path:
    """An archive with other files; with checksums that agree, unless `sums` is false."""
    with zipfile.ZipFile(archive) as file:
        files = {name: file.read(name) for name in file.namelist()}
    change(files)
    if sums:
        lines = [f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in files if n != "SHA256SUMS"]
        files["SHA256SUMS"] = "".join(lines).encode()
    path = archive.with_name("changed.zip")
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def no_hdf5(files: dict[str, bytes]) -> None:
    """Data that are no trajectory, with a checksum that agrees everywhere."""
    old, new = first_data(files), f"data/{hashlib.sha256(b'none').hexdigest()}.h5"
    files[new] = b"none"
    files["data.jsonl"] = files["data.jsonl"].replace(old.removeprefix("data/").encode(), new[5:].encode())
    del files[old]


def first_data(files: dict[str, bytes]) -> str:
    return next(name for name in files if name.startswith("data/"))


def set_line(name: str, **changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        line, *others = files[name].splitlines(keepends=True)
        files[name] = b"".join([json.dumps(json.loads(line) | changes).encode() + b"\n", *others])

    return change


@pytest.mark.parametrize(
    ("change", "sums", "expected"),
    [
        (lambda files: files.update({"documents.jsonl": b"{}\n"}), False, "documents.jsonl does not have its checksum"),
        (lambda files: files.pop("data.jsonl"), True, "has no data.jsonl"),
        (lambda files: files.pop(first_data(files)), False, "is not both in it and in its SHA256SUMS"),
        (lambda files: files.update({first_data(files): b"other"}), True, "does not have its checksum"),
        (lambda files: files.update({"../../escaped": b""}), True, "holds '../../escaped'"),
        (lambda files: files.update({"/escaped": b""}), True, "holds '/escaped'"),
        (lambda files: files.update({"data/../escaped.h5": b""}), True, "holds 'data/../escaped.h5'"),
        (lambda files: files.update({"model.pkl": b""}), True, "holds 'model.pkl'"),
        (lambda files: files.update({"documents.jsonl": b"\x80\x04."}), True, "line 1 of documents.jsonl is not JSON"),
        (set_line("documents.jsonl", uuid={"$ne": "x"}), True, "has no uuid, or not as str"),
        (set_line("data.jsonl", file="../../../etc/passwd"), True, "names a file that is not in it"),
        (set_line("data.jsonl", store="elsewhere"), True, "no additional store 'elsewhere'"),
        (no_hdf5, True, "is not what its name says"),
        (set_line("archive.json", format=2), True, "in a newer format; pip install --upgrade"),
    ],
)
def test_what_was_tampered_with_is_refused_and_writes_nothing(
    archive: Path, change: Callable[[dict[str, bytes]], None], sums: bool, expected: str, tmp_path: Path
) -> None:
    path = rewritten(archive, change, sums=sums)
    copy = open_store(tmp_path / "copy")
    with pytest.raises(InputError, match=r"changed\.zip is refused") as refusal:
        restore(path, copy)
    assert expected in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert contents(copy) == ([], [])


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_refused(archive: Path, part: float) -> None:
    content = archive.read_bytes()
    archive.write_bytes(content[: int(part * len(content))])
    with pytest.raises(InputError, match=r"deposit\.zip is no archive"), open_archive(archive):
        pass


def test_every_changed_byte_is_noticed_or_changes_nothing(archive: Path, store: JobStore, tmp_path: Path) -> None:
    content = archive.read_bytes()
    changed = tmp_path / "changed.zip"
    refused = 0
    for number, place in enumerate(range(0, len(content), len(content) // 40)):
        changed.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        copy = open_store(tmp_path / f"copy-{number}")
        try:
            restore(changed, copy)
        except InputError:
            refused += 1
            assert contents(copy) == ([], [])
        else:  # in a part of the zip format that nobody reads
            assert contents(copy) == contents(store)
    assert refused > 30


def test_a_directory_that_points_before_the_beginning_is_damage(archive: Path, store: JobStore, tmp_path: Path) -> None:
    content = bytearray(archive.read_bytes())
    offset = content.rindex(b"PK\x05\x06") + 16
    content[offset : offset + 4] = (int.from_bytes(content[offset : offset + 4], "little") + 5000).to_bytes(4, "little")
    (tmp_path / "changed.zip").write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        restore(tmp_path / "changed.zip", open_store(tmp_path / "copy"))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.just(math.nan)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.binary(max_size=4)
    | st.datetimes().map(lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000))
    | st.sampled_from([Int64(5), datetime(1, 1, 1)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.é", min_size=1), inner, max_size=3),
    max_leaves=8,
)


def test_a_nan_of_any_sign_is_kept_as_nan() -> None:
    (value,) = read_line(document_line({"a": struct.unpack("<d", bytes.fromhex("010000000000f8ff"))[0]})).values()
    assert math.isnan(value)


@given(st.dictionaries(st.text("abc", min_size=1), values, max_size=3))
def test_documents_are_the_same_after_json(document: dict[str, Any]) -> None:
    assert bson.encode(read_line(document_line(document))) == bson.encode(document)
    assert document_line(document).count(b"\n") == 1


def test_a_document_that_json_would_change_is_refused() -> None:
    with pytest.raises(InputError, match="document x cannot be written"):
        document_line({"uuid": "x", "output": {"$date": "2026-01-01T00:00:00Z"}})
