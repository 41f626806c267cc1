"""Formulas through FireWorks: the documents of a local run, and nothing computed twice."""

from typing import Any

import pytest
from pymongo import MongoClient
from tests.services.cluster import (
    CHECKPOINT,
    MONGO,
    NEEDS_SERVICES,
    PROTOCOL,
    WITH_SEARCH,
    Calculator,
    Cluster,
    local_run,
    same,
)
from tests.services.queues import rapidfire, set_up_fireworks

pytestmark = NEEDS_SERVICES

FORMULAS = ("CuAu", "Cu3Au")


def test_a_campaign_gives_the_documents_of_a_local_run(
    cluster: Cluster, calculator: Calculator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In this process; the pages' campaigns, of test_pages.py, go through Slurm."""
    folder = tmp_path_factory.mktemp("local")
    expected, calls = local_run(calculator, FORMULAS, folder, checkpoint_every=CHECKPOINT)
    cluster.write("protocol.yaml", WITH_SEARCH)
    set_up_fireworks(cluster)
    before = calculator.calls
    campaign = cluster.submit("fireworks", *FORMULAS)
    rapidfire()
    assert list(map(same, cluster.materials())) == list(map(same, expected))
    assert calculator.calls - before == calls, "as many forces as in the local run"
    assert len(list((cluster.folder / "work" / campaign).glob("run-*/runs.json"))) >= 3
    assert "everything is done" in cluster.tachylite("status", campaign)
    assert "nothing has failed" in cluster.tachylite("rerun")
    again = ("submit", *FORMULAS, "--to", "fireworks.yaml", *cluster.simulation)
    assert "are in the store already" in cluster.tachylite(*again, code=2)
    client: MongoClient[dict[str, Any]]
    with MongoClient(MONGO) as client:
        outputs: Any = client[cluster.database]["outputs"]
        assert outputs.count_documents({"output.kind": "material"}) == len(FORMULAS)
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
