"""A store of small real runs, a screen, a model and two documents that cannot be read; and a browser of it."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ase.build import bulk
from starlette.testclient import TestClient
from tests.learning.learning_samples import make_sample
from tests.stores.store_samples import make_material, put

from tachylite.cli import main
from tachylite.flows import run_amorphous
from tachylite.learning.model_file import to_bytes
from tachylite.learning.training import train
from tachylite.schemas import Material, Protocol
from tachylite.serve.application import make_application
from tachylite.serve.gate import Access
from tachylite.stores import find_materials, open_store

PROTOCOL = {
    "name": "tiny",
    "timestep_fs": 4.0,
    "record_every": 10,
    "packing": {"n_atoms": 10, "volume_factor": 1.15},
    "steps": [
        {"kind": "hold", "name": "melt", "temperature_k": 2500, "time_ps": 0.4},
        {"kind": "relax", "name": "glass"},
    ],
}


def fill(folder: Path) -> Path:
    """Make the store in a folder and return its place."""
    place = folder / "store"
    (folder / "tiny.yaml").write_text(yaml.safe_dump(PROTOCOL), encoding="utf-8")
    (folder / "crystals").mkdir()
    for symbol, length in (("Cu", 3.6), ("Au", 4.1)):
        bulk(symbol, "fcc", a=length, cubic=True).write(folder / "crystals" / f"{symbol}.cif")
    store = open_store(place)
    run_amorphous(
        ["Cu", "Cu3Au"], protocol=Protocol.model_validate(PROTOCOL), engine="ase:emt", store=store, workdir=folder / "w"
    )
    words = ("--grid", "0.5", "--protocol", folder / "tiny.yaml", "--crystals", folder / "crystals")
    assert main(["screen", "Au-Cu", *map(str, words), "--engine", "ase:emt", "--store", str(place)]) == 0
    saved = train(make_sample(15, names=("LNC", "AAV"), species="Cu"), ["gp"])
    archive = base64.b64encode(to_bytes(saved)).decode()
    store.update(
        {"uuid": "learning", "index": 1, "name": "train_model", "output": {"model": saved.card, "archive": archive}},
        save={"data": "archive"},
    )
    put(store, make_material("Li3PO4", material_id="newer", schema_version=99))
    broken = make_material("LiF", material_id="broken", elements=["F", "Li"]).model_dump()
    put(store, broken | {"results": [{"kind": "of no kind"}]})
    store.close()
    return place


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def browser(place: Path) -> Iterator[TestClient]:
    store = open_store(place, create=False)
    with TestClient(make_application(store, Access()), base_url="http://localhost:8000") as client:
        yield client
    store.close()


@pytest.fixture(scope="session")
def alloy(place: Path) -> Material:
    """Cu3Au, with a trajectory."""
    (material,) = find_materials(open_store(place, create=False), formula="Cu3Au", protocol="tiny")
    return material
