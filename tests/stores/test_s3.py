"""Trajectories in a bucket of a real S3 server; documents embedded, or on MongoDB where TACHYLITE_TEST_MONGO is set."""

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jobflow import Flow, JobOrder, run_locally
from pymongo import MongoClient
from tests.stores.s3_server import BUCKET, S3Server, s3_server
from tests.stores.store_samples import count_frames, make_trajectory, simulate

from tachylite.cli import main
from tachylite.jobs.learning import training_rows
from tachylite.learning.states import TrainingRow
from tachylite.stores import find_materials, find_runs, load_trajectory, open_store

URI = os.environ.get("TACHYLITE_TEST_MONGO")
PROTOCOL = {
    "timestep_fs": 4.0,
    "record_every": 10,
    "packing": {"n_atoms": 8},
    "steps": [{"kind": "hold", "name": "melt", "temperature_k": 3000, "time_ps": 0.8}],
}

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:cd is deprecated:FutureWarning")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as started:
        yield started


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No keys but those of the test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["embedded", "mongodb"])
def documents(request: pytest.FixtureRequest, server: S3Server, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Where documents and the index of the bucket go; the bucket is empty."""
    server.empty()
    if request.param == "embedded":
        yield {"type": "EmbeddedDocumentStore", "database_path": str(tmp_path / "documents")}
        return
    if URI is None:
        pytest.skip("TACHYLITE_TEST_MONGO is not set")
    database = f"tachylite_test_{uuid.uuid4().hex[:8]}"
    yield {"type": "MongoStore", "uri": URI, "database": database}
    client: MongoClient[dict[str, object]]
    with MongoClient(URI) as client:
        client.drop_database(database)


def described(server: S3Server, documents: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A store file."""
    index = {**documents, "collection_name": "index", "key": "blob_uuid"}
    bucket = {"type": "S3Store", "bucket": BUCKET, "endpoint_url": server.url, "s3_profile": server.profile}
    data = {**bucket, "key": "blob_uuid", "compress": True, "index": index, **changes}
    return {"docs_store": {**documents, "collection_name": "outputs"}, "additional_stores": {"data": data}}


def test_jobs_keep_their_trajectories_in_the_bucket(server: S3Server, documents: dict[str, Any]) -> None:
    store = open_store(described(server, documents, sub_dir="jobs"))
    simulation = simulate([None, 1, 2])
    counting = count_frames(simulation.output)
    flow = Flow([simulation, counting], order=JobOrder.LINEAR)
    run_locally(flow, store=store, log=False, ensure_success=True)
    assert store.get_output(counting.uuid) == [6, 6]
    assert [run.trajectory_id for run in find_runs(store)] == [make_trajectory(seed).sha256 for seed in (1, 2)]
    assert load_trajectory(store, make_trajectory(2).sha256) == make_trajectory(2)
    first = server.objects()
    assert [name.split("/")[0] for name in first] == ["jobs", "jobs"]
    run_locally(flow, store=store, log=False, ensure_success=True)
    assert len(server.objects()) == 2, "what the job stored before is replaced"
    assert not server.objects().keys() & first.keys()
    assert load_trajectory(store, make_trajectory(1).sha256) == make_trajectory(1)
    store.remove_docs({"uuid": simulation.uuid})
    assert server.objects() == {}
    store.close()


def run(*words: str, code: int = 0) -> None:
    assert main(words) == code


def test_a_campaign_with_its_trajectories_in_the_bucket(
    server: S3Server, documents: dict[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "protocol.yaml").write_text(yaml.safe_dump(PROTOCOL), encoding="utf-8")
    (tmp_path / "store.yaml").write_text(yaml.safe_dump(described(server, documents)), encoding="utf-8")
    words = ("--engine", "ase:emt", "--protocol", "protocol.yaml", "--store", "store.yaml", "--workdir", "work")
    run("run", "Cu", "Cu3Au", *words, "--report", "report")
    assert len(server.objects()) == 2
    output = "".join(capfd.readouterr())
    run("query", "--store", "store.yaml", "--json")
    json_output = capfd.readouterr().out
    assert {material["formula"] for material in json.loads(json_output)} == {"Cu", "Cu3Au"}
    run("report", "Cu", "--store", "store.yaml", "-o", "again")
    output += json_output + "".join(capfd.readouterr())
    assert "is not in the store" not in output
    store = open_store("store.yaml")
    for material in find_materials(store):
        (trajectory_id,) = material.result("melt").trajectory_ids
        assert load_trajectory(store, trajectory_id).n_frames == 20
    rows = [row for row in training_rows(store, "Cu", "exact") if isinstance(row, TrainingRow)]
    assert {row.n_frames for row in rows} == {20}
    run("run", "Cu", "Cu3Au", *words, "--force")
    assert len(server.objects()) == 2, "of the same material, the same two"
    blobs = store.additional_stores["data"].query({}, ["blob_uuid"])
    output += store.name + str(list(store.query())) + str(list(blobs))
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "store.yaml"]
    assert len(files) > 10
    for secret in (server.key_id, server.secret):
        assert secret not in output
        assert [path for path in files if secret.encode() in path.read_bytes()] == []
    store.remove_docs({})
    assert server.objects() == {}
    store.close()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"bucket": "absent"}, "there is no bucket absent; make it first"),
        ({"endpoint_url": "http://127.0.0.1:1"}, 'Could not connect to the endpoint URL: "http://127.0.0.1:1'),
        ({"endpoint_url": "no address"}, "Invalid endpoint: no address"),
        ({"s3_profile": None}, "Unable to locate credentials"),
        ({"s3_profile": "nobody"}, "The config profile (nobody) could not be found"),
        ({"wrong": "aws_access_key_id"}, f"the key may not use bucket {BUCKET}"),
        ({"wrong": "aws_secret_access_key"}, f"the key may not use bucket {BUCKET}"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(
    server: S3Server, tmp_path: Path, changes: dict[str, Any], expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if "wrong" in changes:
        changes = {"s3_profile": server.profile | {changes["wrong"]: "s3cret-that-opens-nothing"}}
    embedded = {"type": "EmbeddedDocumentStore", "database_path": str(tmp_path / "documents")}
    (tmp_path / "store.yaml").write_text(yaml.safe_dump(described(server, embedded, **changes)), encoding="utf-8")
    run("query", "--store", "store.yaml", code=2)
    output = capfd.readouterr().err
    assert expected in output
    assert "store.yaml: additional_stores.data at " in output
    assert output.count("\n") == 1
    for secret in ("s3cret", server.secret, server.key_id):
        assert secret not in output
