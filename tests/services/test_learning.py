"""Learning as a flow, through every launcher: the model of a local run."""

from pathlib import Path

import pytest
from jobflow import JobStore
from tests.jobs.learning_rows import fill
from tests.services.cluster import NEEDS_SERVICES, Cluster
from tests.services.queues import rapidfire, set_up_fireworks, set_up_remote, start_runner

from tachylite.analysis.descriptors import descriptor_fingerprint
from tachylite.flows import LearningMaker
from tachylite.flows.learning import run_learning
from tachylite.learning.model_file import from_bytes
from tachylite.stores import open_store
from tachylite.stores.descriptors import find_state_descriptors
from tachylite.stores.opening import StoreFile
from tachylite.stores.queries import load_model_file

pytest.importorskip("sklearn")
pytestmark = NEEDS_SERVICES

MAKER = LearningMaker(learners=("gp",))


def described(store: JobStore) -> int:
    """Trajectories with their descriptors."""
    return len(find_state_descriptors(store, "Li", "exact", descriptor_fingerprint()))


@pytest.fixture
def expected(tmp_path: Path) -> str:
    """The model of a local run."""
    store = open_store(tmp_path / "local")
    fill(store)
    return run_learning(MAKER, store).card.model_id


def learned(name: str) -> str:
    """The model in the store of the cluster, by the beginning of its name."""
    return from_bytes(load_model_file(open_store("store.yaml"), name[:6]), "the store").card.model_id


def test_fireworks(cluster: Cluster, expected: str) -> None:
    from fireworks import LaunchPad
    from jobflow.managers.fireworks import flow_to_workflow

    set_up_fireworks(cluster)
    fill(open_store("store.yaml"))
    workflow = flow_to_workflow(MAKER.make(), StoreFile(str(cluster.folder / "store.yaml")))
    LaunchPad.from_file("my_launchpad.yaml").add_wf(workflow)
    rapidfire()
    assert learned(expected) == expected
    assert described(open_store("store.yaml")) == 24


def test_jobflow_remote(cluster: Cluster, expected: str) -> None:
    from jobflow_remote import submit_flow
    from jobflow_remote.jobs.jobcontroller import JobController
    from jobflow_remote.jobs.state import JobState

    set_up_remote(cluster)
    fill(open_store("store.yaml"))
    submit_flow(MAKER.make(store="store.yaml"), project="tests", worker="slurm")
    controller = JobController.from_project_name("tests")
    runner = start_runner(cluster)
    cluster.wait(lambda: {job.state for job in controller.get_jobs_info()} == {JobState.COMPLETED}, "the model", 240)
    cluster.kill(runner)
    assert learned(expected) == expected
    assert described(open_store("store.yaml")) == 24
