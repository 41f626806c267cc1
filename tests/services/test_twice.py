"""A job that was done, though its launcher has not heard of it, is run again: nothing is computed or stored twice."""

import pytest
from jobflow import JobStore
from tests.services.cluster import NEEDS_SERVICES, Cluster
from tests.services.queues import rapidfire, set_up_fireworks

from tachylite.launchers import find_campaign
from tachylite.launchers.fireworks import FireworksManager
from tachylite.launchers.manager import LaunchedJob
from tachylite.stores import find_runs, load_trajectory, open_store

pytestmark = NEEDS_SERVICES


def test_what_a_job_stored_is_replaced_when_it_runs_again(cluster: Cluster) -> None:
    from fireworks import LaunchPad

    set_up_fireworks(cluster)
    cluster.submit("fireworks", "Cu")
    rapidfire()
    store = open_store(cluster.folder / "store.yaml")
    blobs = store.additional_stores["data"]
    before, calls, first = (store.count(), blobs.count()), cluster.calculator.calls, _stored_at(store)
    launchpad = LaunchPad.from_file("my_launchpad.yaml")
    for job in cluster.jobs():
        launchpad.rerun_fw(int(job["key"]))
    assert cluster.states() == {"waiting"}
    rapidfire()
    assert cluster.states() == {"completed"}
    assert (store.count(), blobs.count()) == before
    assert cluster.calculator.calls == calls
    assert _stored_at(store) > first
    (run,) = find_runs(store)
    assert load_trajectory(store, run.trajectory_id or "").n_frames > 1
    store.close()


def _stored_at(store: JobStore) -> str:
    """When the only material of a store was stored, to the microsecond."""
    (entry,) = store.query({"output.kind": "material"}, ["completed_at"])
    return str(entry["completed_at"])


def test_what_a_local_run_has_stored_is_not_submitted(cluster: Cluster) -> None:
    set_up_fireworks(cluster)
    words = [*cluster.simulation, "--workdir", str(cluster.folder / "work")]
    cluster.tachylite("run", "Cu", *words)
    submission = ("submit", "Cu", "--to", "fireworks.yaml", *cluster.simulation)
    assert "are in the store already" in cluster.tachylite(*submission, code=2)
    cluster.submit("fireworks", "Cu", "Ag")
    store = open_store(cluster.folder / "store.yaml")
    assert find_campaign(store).cohorts == [["Ag"]]
    store.close()


def test_what_another_campaign_is_to_make_is_made_once(cluster: Cluster) -> None:
    set_up_fireworks(cluster)
    first, second = cluster.submit("fireworks", "Cu", "Au"), cluster.submit("fireworks", "Cu", "Ag")
    submission = ("submit", "Cu", "--to", "fireworks.yaml", *cluster.simulation)
    assert f"submitted before, in campaign {first}" in cluster.tachylite(*submission, code=2)
    rapidfire()
    assert {material["formula"] for material in cluster.materials()} == {"Ag", "Au", "Cu"}
    store = open_store(cluster.folder / "store.yaml")
    assert store.count({"output.kind": "material"}) == 3
    assert store.count({"output.kind": "material", "metadata.campaign": second}) == 1
    store.close()


def test_a_job_that_ends_while_it_is_looked_for_is_not_lost(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    from fireworks import LaunchPad

    set_up_fireworks(cluster)
    cluster.submit("fireworks", "Cu")
    rapidfire()
    jobs = LaunchPad.from_file("my_launchpad.yaml").fireworks
    key = int(cluster.jobs()[0]["key"])
    jobs.update_one({"fw_id": key}, {"$set": {"state": "RUNNING"}})
    assert cluster.states() == {"completed", "lost"}

    def ended(folder: str) -> bool:
        jobs.update_one({"fw_id": key}, {"$set": {"state": "COMPLETED"}})
        return False

    monkeypatch.setattr("tachylite.launchers.fireworks.worked_in", ended)
    assert cluster.states() == {"completed"}
    # nor is it run again by somebody who took it for lost
    FireworksManager("my_launchpad.yaml").rerun(LaunchedJob(str(key), "make_structures", "lost"))
    assert cluster.states() == {"completed"}
