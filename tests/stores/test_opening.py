import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jobflow import JobStore
from maggma.stores import MemoryStore
from tests.stores.store_samples import make_material, put

from tachylite.configs.shipped import shipped_folder
from tachylite.errors import InputError
from tachylite.stores import find_materials, open_store
from tachylite.stores.opening import store_exists

MEMORY = {"type": "MemoryStore"}
GOOD = {"docs_store": MEMORY, "additional_stores": {"data": MEMORY}}
NOWHERE = {"database": "x", "collection_name": "y", "host": "127.0.0.1", "port": 1}
SECRET = {"password": "s3cret"}
SHIPPED = shipped_folder("stores")


def refusal(spec: Any, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        open_store(spec, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tachylite.stores.settings._PROBE_TIMEOUT_MS", 200)


def mongo(**changes: Any) -> dict[str, Any]:
    return {**GOOD, "docs_store": {"type": "MongoStore", **NOWHERE, **changes}}


def test_a_folder_is_a_store(folder: Path) -> None:
    assert not store_exists(folder)
    put(open_store(folder), make_material())
    assert store_exists(folder)
    assert find_materials(open_store(str(folder), create=False)) == [make_material()]


def test_the_default_is_the_environment_variable_then_a_folder_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store()
    assert (Path.cwd() / "tachylite_store" / "documents").is_dir()
    monkeypatch.setenv("TACHYLITE_STORE", str(folder))
    assert not store_exists()
    open_store()
    assert store_exists()
    assert store_exists(folder)


def test_a_relative_folder_stays_where_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store("here")
    monkeypatch.chdir(folder.parent)
    put(store, make_material())
    assert find_materials(open_store(folder.parent / "cwd" / "here", create=False)) == [make_material()]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_file_in_the_format_of_jobflow_is_a_store(tmp_path: Path, wrapped: bool) -> None:
    file = tmp_path / "store.yaml"
    file.write_text(yaml.safe_dump({"JOB_STORE": GOOD} if wrapped else GOOD))
    store = open_store(file)
    assert isinstance(store, JobStore)
    put(store, make_material())
    assert find_materials(store) == [make_material()]


def test_the_embedded_stores_can_be_described_by_a_file(folder: Path) -> None:
    store = open_store(yaml.safe_load((SHIPPED / "embedded.yaml").read_text()))
    put(store, make_material())
    assert find_materials(open_store("tachylite_store", create=False)) == [make_material()]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("mongodb.yaml", r"127\.0\.0\.1:1: \[Errno 111\]"), ("mongodb_s3.yaml", "NoCredentialsError|EndpointConnection")],
)
def test_shipped_files_are_well_formed(name: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they describe is not there, so every part is named as unreachable."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    spec = yaml.safe_load((SHIPPED / name).read_text())
    spec["docs_store"]["port"] = 1
    assert "docs_store at localhost:1 cannot be opened" in refusal(spec)
    data = spec["additional_stores"]["data"]
    data.get("index", data).update(host="127.0.0.1", port=1)
    assert re.search(reason, refusal({**spec, "docs_store": MEMORY}))


def test_folders_that_cannot_be_a_store_are_refused(folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.tex").touch()
    assert f"{folder} is not a store (it holds thesis.tex)" in refusal(folder)
    assert "cannot write into store" in refusal(folder / "thesis.tex" / "store")
    assert "there is no store in" in refusal(folder / "absent", create=False)
    assert not (folder / "absent").exists()
    assert "cannot write into store /proc/store" in refusal("/proc/store")


def test_a_store_with_other_files_in_it_is_still_a_store(folder: Path) -> None:
    open_store(folder)
    (folder / "notes.txt").touch()
    (folder / "work").mkdir()
    assert open_store(folder).count() == 0


def test_a_damaged_database_is_refused(folder: Path) -> None:
    put(open_store(folder), make_material())
    for file in (folder / "documents").iterdir():
        file.write_bytes(b"scrambled " * 1000)
    assert "file is not a database" in refusal(folder)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "has no docs_store"),
        ({"docs_store": MEMORY}, "has no additional_stores with `data`"),
        ({**GOOD, "additional_stores": {"date": MEMORY}}, "has no additional_stores with `data`"),
        ({**GOOD, "additional_store": {}}, "unknown key 'additional_store'"),
        ({**GOOD, "docs_store": "MemoryStore"}, "docs_store needs a `type`"),
        ({**GOOD, "docs_store": {"typ": "MemoryStore"}}, "docs_store needs a `type`"),
        ({**GOOD, "docs_store": {"type": "MogoStore"}}, "docs_store has the unknown type 'MogoStore'"),
        ({**GOOD, "additional_stores": {"data": {"type": "S3Store", "index": {"type": "X"}}}}, "data.index has"),
        (mongo(hots="x"), "unexpected keyword argument"),
        (mongo(port="many"), "at 127.0.0.1:many cannot be opened"),
        (mongo(), "at 127.0.0.1:1 cannot be opened: ServerSelectionTimeoutError: 127.0.0.1:1: [Errno 111]"),
    ],
)
def test_specifications_that_cannot_work_are_refused(spec: dict[str, Any], message: str) -> None:
    assert message in refusal(spec)


@pytest.mark.parametrize(
    "content", ["docs_store: [", "just text", "", "- a\n- b", "\x00", "a: b: c", "docs_store: {type: MemoryStore"]
)
def test_files_that_are_no_specification_are_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "store.yaml"
    file.write_text(content)
    assert str(file) in refusal(file)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(tmp_path / "absent.yaml")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "is not valid YAML" in refusal(tmp_path / "binary")


class TalkativeStore(MemoryStore):
    """A store whose errors repeat everything it was told."""

    def __init__(self, **settings: object) -> None:
        raise ValueError(f"wrong:\n{settings}")


@pytest.mark.parametrize(
    "spec",
    [
        mongo(type="TalkativeStore", **SECRET),
        mongo(type="TalkativeStore", options={"aws_secret_access_key": "s3cret"}),
        mongo(type="TalkativeStore", uri="mongodb://me:s3cret@127.0.0.1:1/db", note="s3cret again"),
        mongo(username="me", **SECRET),
        mongo(**SECRET, hots="s3cret"),
        mongo(uri="mongodb://me:s3cret@127.0.0.1:1/db"),
        mongo(uri="mongodb://me:s3cret@127.0.0.1:port/db"),
        mongo(uri="mongo://me:s3cret@127.0.0.1:1/db"),
        mongo(uri="mongodb://me:s3cr/et@127.0.0.1:1/db"),
        mongo(type="MongoURIStore", uri="mongodb://me:s3cret@127.0.0.1:1/db"),
    ],
)
def test_passwords_are_not_shown(spec: dict[str, Any]) -> None:
    for key in ("host", "port", "database"):
        if "uri" in spec["docs_store"]:
            spec["docs_store"].pop(key, None)
    text = refusal(spec)
    assert "cannot be opened" in text
    assert "s3c" not in text


def test_a_password_in_broken_yaml_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "store.yaml"
    file.write_text("docs_store:\n  password: s3cret: x\n")
    assert refusal(file) == f"store file {file} is not valid YAML at line 2"
