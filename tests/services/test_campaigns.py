"""Formulas through every launcher: the documents of a local run, and nothing computed twice."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from tests.services.cluster import MONGO, NEEDS_SERVICES, PROTOCOL, SEARCH, Calculator, Cluster, same
from tests.services.queues import LAUNCHERS, rapidfire, set_up_fireworks

from tachylite.configs import load_protocol
from tachylite.engines import get_engine
from tachylite.flows import run_amorphous
from tachylite.stores import find_materials, open_store

pytestmark = NEEDS_SERVICES

FORMULAS = {"fireworks": ("CuAu", "Cu3Au"), "remote": ("Cu3Au",)}
"""By launcher: where every job starts a Python of its own, one has to do."""


def local_run(calculator: Calculator, formulas: tuple[str, ...], folder: Path) -> tuple[list[dict[str, Any]], int]:
    """The documents of a local run, and how often forces were computed for them."""
    calculator.pace(0)
    before = calculator.calls
    store = open_store(folder / "store")
    protocol = load_protocol(written(folder))
    engine = get_engine(calculator.name, checkpoint_every=10)
    run_amorphous(formulas, protocol=protocol, engine=engine, store=store, workdir=folder / "work")
    found = [material.model_dump(mode="json") for material in find_materials(store)]
    return sorted(found, key=lambda material: str(material["material_id"])), calculator.calls - before


def written(folder: Path) -> Path:
    import yaml

    path = folder / "protocol.yaml"
    path.write_text(yaml.safe_dump(PROTOCOL | {"steps": [SEARCH, *PROTOCOL["steps"]]}), encoding="utf-8")
    return path


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_campaign_gives_the_documents_of_a_local_run(
    cluster: Cluster, calculator: Calculator, launcher: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file, set_up, carry_out = LAUNCHERS[launcher]
    formulas = FORMULAS[file]
    expected, calls = local_run(calculator, formulas, tmp_path_factory.mktemp("local"))
    written(cluster.folder)
    set_up(cluster)
    before = calculator.calls
    campaign = cluster.submit(file, *formulas)
    carry_out(cluster)
    assert list(map(same, cluster.materials())) == list(map(same, expected))
    assert calculator.calls - before == calls, "as many forces as in the local run"
    assert len(list((cluster.folder / "work" / campaign).glob("run-*/runs.json"))) >= 3
    assert "everything is done" in cluster.tachylite("status", campaign)
    assert "nothing has failed" in cluster.tachylite("rerun")
    again = ("submit", *formulas, "--to", f"{file}.yaml", *cluster.simulation)
    assert "are in the store already" in cluster.tachylite(*again, code=2)
    client: MongoClient[dict[str, Any]]
    with MongoClient(MONGO) as client:
        outputs: Any = client[cluster.database]["outputs"]
        assert outputs.count_documents({"output.kind": "material"}) == len(formulas)
        assert outputs.count_documents({"metadata.campaign": campaign}) == outputs.count_documents({})


def test_a_screen_goes_through_fireworks(cluster: Cluster, calculator: Calculator) -> None:
    set_up_fireworks(cluster)
    steps = [*PROTOCOL["steps"], {"kind": "relax", "name": "glass"}]
    cluster.write("protocol.yaml", PROTOCOL | {"steps": steps})
    cluster.tachylite("screen", "Cu-Au", "--grid", "0.5", "--to", "fireworks.yaml", *cluster.simulation)
    rapidfire()
    assert cluster.states() == {"completed"}
    (material,) = cluster.materials()
    assert material["formula"] == "CuAu"
    cluster.tachylite("report", "--campaign", "newest", "--out", "page")
    assert "CuAu" in (cluster.folder / "page" / "table.csv").read_text(encoding="utf-8")
