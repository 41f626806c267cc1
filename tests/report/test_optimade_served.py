"""OPTIMADE's own validator on a server that has the exported file; TACHYLITE_TEST_MONGO names a MongoDB for it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from tests.report.report_pieces import Case
from tests.report.test_optimade import variants

from tachylite.report.optimade import STRUCTURES, write_structures

URI = os.environ.get("TACHYLITE_TEST_MONGO")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(URI is None, reason="TACHYLITE_TEST_MONGO is not set")]


@pytest.fixture
def server(phosphate_case: Case, tmp_path: Path) -> Iterator[str]:
    """Address of optimade-python-tools' server with 50 materials, set up as optimade-maker sets it up."""
    write_structures(variants(phosphate_case.material), tmp_path, "Melts")
    lines = [json.loads(line) for line in (tmp_path / STRUCTURES).read_text().splitlines()]
    own = {name: meaning for name, meaning in lines[2]["properties"].items() if name.startswith("_")}
    database = f"tachylite_test_{uuid.uuid4().hex[:8]}"
    client: MongoClient[dict[str, Any]]
    with MongoClient(URI) as client, socket.socket() as free:
        entries = [entry["attributes"] | {"id": entry["id"]} for entry in lines[3:]]
        for entry in entries:  # the server compares times with times; as text, which its loaders leave, none matches
            entry["last_modified"] = datetime.fromisoformat(entry["last_modified"])
        client[database]["structures"].insert_many(entries)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        settings = {
            "database_backend": "mongodb",
            "mongo_uri": URI,
            "mongo_database": database,
            "insert_test_data": False,
            "base_url": f"http://127.0.0.1:{port}",
            "provider": lines[1]["provider"],
            "provider_fields": {"structures": [{"name": name} | meaning for name, meaning in own.items()]},
        }
        (tmp_path / "optimade.json").write_text(json.dumps(settings))
        environment = os.environ | {"OPTIMADE_CONFIG_FILE": str(tmp_path / "optimade.json")}
        command = [sys.executable, "-m", "uvicorn", "optimade.server.main:app", "--port", str(port)]
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _wait_for(f"{settings['base_url']}/v1/info", process, tmp_path / "log")
            yield f"{settings['base_url']}/v1"
        finally:
            process.terminate()
            process.wait()
            client.drop_database(database)


def _wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(address).close()  # noqa: S310 - our own server
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


def test_the_validator_passes_on_fifty_materials(server: str) -> None:
    pytest.importorskip("optimade", reason="pip install optimade")
    validate = "from optimade.validator import validate; validate()"
    command = [sys.executable, "-c", validate, server, "--random-seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
