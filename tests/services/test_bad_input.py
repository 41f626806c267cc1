"""What people get wrong on a cluster is said in one line, before anything is submitted, and without passwords."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from pymongo import MongoClient
from tests.services.cluster import MONGO, NEEDS_SERVICES, Cluster
from tests.services.queues import rapidfire, set_up_fireworks, set_up_remote, take_one

from tachylite.stores import open_store
from tachylite.stores.indexes import INDEXES
from tachylite.stores.opening import StoreFile

pytestmark = NEEDS_SERVICES

SECRET = "s3cret-of-the-database"  # noqa: S105 - it opens nothing


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Any]:
    client: MongoClient[dict[str, Any]]
    with MongoClient(MONGO) as client:
        yield client[cluster.database]


def changed(cluster: Cluster, name: str, /, **changes: Any) -> None:
    path = cluster.folder / name
    content: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    cluster.write(name, {**content, **changes})


def store_with(cluster: Cluster, **changes: Any) -> None:
    content = yaml.safe_load((cluster.folder / "store.yaml").read_text(encoding="utf-8"))
    content["docs_store"] |= changes
    cluster.write("store.yaml", content)


def refused(cluster: Cluster, launcher: str = "fireworks") -> str:
    said = cluster.tachylite("submit", "Cu", "--to", f"{launcher}.yaml", *cluster.simulation, code=2)
    assert said.count("\n") == 1
    assert SECRET not in said
    return said


def test_mistakes_in_files_submit_nothing(cluster: Cluster, database: Any) -> None:
    set_up_fireworks(cluster)
    password = MONGO.replace("//", f"//me:{SECRET}@")
    host = f"mongodb://me:{SECRET}@127.0.0.1:1/"
    for expected, uri in (("Authentication failed", password), ("127.0.0.1:1", host)):
        store_with(cluster, uri=uri)
        assert expected in refused(cluster)
        store_with(cluster, uri=MONGO)
        changed(cluster, "my_launchpad.yaml", host=uri)
        assert expected in refused(cluster)
        changed(cluster, "my_launchpad.yaml", host=MONGO)
    assert database["fireworks"].count_documents({}) == database["outputs"].count_documents({}) == 0


def test_a_launchpad_that_is_not_set_up(cluster: Cluster) -> None:
    assert "is not set up yet; do it once: lpad reset" in refused(cluster)
    changed(cluster, "fireworks.yaml", launchpad="absent.yaml")
    assert "absent.yaml cannot be read" in refused(cluster)


def test_an_unknown_worker_and_another_store(cluster: Cluster, database: Any) -> None:
    set_up_remote(cluster)
    changed(cluster, "remote.yaml", dynamics={"worker": "gpu"})
    assert "project 'tests' has no worker 'gpu'; it has slurm" in refused(cluster, "remote")
    changed(cluster, "remote.yaml", dynamics={})
    store_with(cluster, collection_name="elsewhere")
    assert "make them the same" in refused(cluster, "remote")
    changed(cluster, "remote.yaml", project="unknown")
    assert "jobflow-remote project 'unknown'" in refused(cluster, "remote")
    assert database["jobs"].count_documents({}) == 0


def test_a_worker_that_has_never_come(cluster: Cluster) -> None:
    set_up_fireworks(cluster)
    changed(cluster, "fireworks.yaml", packing={"worker": "gpu"})
    cluster.submit("fireworks", "Cu")
    assert not take_one()
    advice = "no worker named 'gpu' has come to this LaunchPad so far"
    assert {job["name"]: job["reason"] for job in cluster.jobs() if job["reason"]} == {"make_structures": advice}
    changed(cluster, "my_fworker.yaml", name="gpu")
    assert take_one()
    assert not any(job["reason"] for job in cluster.jobs())


def test_a_campaign_remembers_where_fireworks_found_its_launchpad(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_fireworks(cluster)
    changed(cluster, "fireworks.yaml", launchpad=None)
    monkeypatch.setattr("fireworks.fw_config.LAUNCHPAD_LOC", "my_launchpad.yaml")
    cluster.submit("fireworks", "Cu")
    (cluster.folder / "elsewhere").mkdir()
    monkeypatch.chdir(cluster.folder / "elsewhere")
    monkeypatch.setattr("fireworks.fw_config.LAUNCHPAD_LOC", None)
    assert cluster.states() == {"waiting"}


def test_an_index_that_is_missing_is_made_or_named(cluster: Cluster, database: Any) -> None:
    cluster.tachylite("query")
    outputs = database["outputs"]
    assert set(INDEXES) < set(outputs.index_information())
    outputs.drop_index("tachylite_identity")
    outputs.insert_many([{"uuid": "a", "index": 1}, {"uuid": "a", "index": 1}])
    said = cluster.tachylite("query", code=2)
    assert "has no index tachylite_identity and it cannot be made here" in said
    assert 'createIndex({"uuid": 1, "index": 1}, {"name": "tachylite_identity", "unique": true})' in said


def test_a_document_of_a_newer_version(cluster: Cluster, database: Any) -> None:
    cluster.tachylite("query")
    newer = {"kind": "material", "material_id": "a", "created_at": "2026-01-01", "schema_version": 9}
    database["outputs"].insert_one({"uuid": "a", "index": 1, "output": newer})
    assert "schema version 9, of a newer tachylite" in cluster.tachylite("query", code=2)


def test_the_password_is_nowhere_but_in_the_files_of_the_user(cluster: Cluster, database: Any) -> None:
    client: MongoClient[dict[str, Any]]
    with MongoClient(MONGO) as client:
        roles = [{"role": "readWrite", "db": cluster.database}]
        client.admin.command("createUser", cluster.database, pwd=SECRET, roles=roles)
        try:
            uri = MONGO.replace("//", f"//{cluster.database}:{SECRET}@") + "&authSource=admin"
            content = yaml.safe_load((cluster.folder / "store.yaml").read_text(encoding="utf-8"))
            content["docs_store"]["uri"] = content["additional_stores"]["data"]["uri"] = uri
            cluster.write("store.yaml", content)
            changed(cluster, "my_launchpad.yaml", host=uri)
            set_up_fireworks(cluster)
            cluster.submit("fireworks", "Cu")
            rapidfire()
            assert cluster.states() == {"completed"}
            opened = open_store(cluster.folder / "store.yaml")
            assert opened.name.endswith(f"/{cluster.database}.outputs")
            assert SECRET not in opened.name + StoreFile("store.yaml").to_json()
        finally:
            client.admin.command("dropUser", cluster.database)
    ours = {"store.yaml", "my_launchpad.yaml"}
    files = [path for path in cluster.folder.rglob("*") if path.is_file() and path.name not in ours]
    assert any(path.name == "FW.json" for path in files)
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    for name in database.list_collection_names():
        assert SECRET not in str(list(database[name].find())), name
