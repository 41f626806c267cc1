"""A small cluster for every test: a database of its own on the real MongoDB, a queue on the real Slurm."""

import gc
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from tests.services.cluster import MONGO, Calculator, Cluster


@pytest.fixture(scope="module")
def calculator(tmp_path_factory: pytest.TempPathFactory) -> Calculator:
    """One calculator for all tests of a module, since its path is part of what decides a result."""
    folder = tmp_path_factory.mktemp("calculator")
    shutil.copy(Path(__file__).parent / "counting.py", folder)
    return Calculator(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files of a test lie."""
    return tmp_path


@pytest.fixture
def cluster(folder: Path, calculator: Calculator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    database = f"tachylite_test_{uuid.uuid4().hex[:8]}"
    calculator.pace(0)
    made = Cluster(folder, calculator, MONGO, database)
    made.enter(monkeypatch)
    try:
        yield made
    finally:
        made.end()
        # connections that launchers leave open: their warnings are ignored here, and not in the next test
        gc.collect()
        client: MongoClient[dict[str, object]]
        with MongoClient(MONGO) as client:
            client.drop_database(database)
