"""What happens to clusters, done for real; rerun completes the campaign and computes nothing twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.services.cluster import CHECKPOINT, NEEDS_SERVICES, PROTOCOL, SLURM, Calculator, Cluster
from tests.services.queues import (
    cancel,
    has_ended,
    rapidfire,
    send_to_slurm,
    set_up_fireworks,
    set_up_remote,
    start_runner,
    start_worker,
    work_until_production,
)

from tachylite.configs import load_protocol
from tachylite.engines import get_engine
from tachylite.flows import run_amorphous
from tachylite.stores import open_store

pytestmark = NEEDS_SERVICES

SERVICES = Path(__file__).parents[2] / "tools" / "services"


@pytest.fixture(scope="module")
def undisturbed(calculator: Calculator, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How often forces are computed for copper when nothing happens."""
    import yaml

    folder = tmp_path_factory.mktemp("undisturbed")
    path = folder / "protocol.yaml"
    path.write_text(yaml.safe_dump(PROTOCOL), encoding="utf-8")
    calculator.pace(0)
    before = calculator.calls
    engine = get_engine(calculator.name, checkpoint_every=CHECKPOINT)
    store = open_store(folder / "store")
    run_amorphous(["Cu"], protocol=load_protocol(path), engine=engine, store=store, workdir=folder / "work")
    return calculator.calls - before


def slow(cluster: Cluster) -> None:
    """Submit copper, and have its 200 steps take long enough to be disturbed."""
    cluster.calculator.pace(0.1)


def finish(cluster: Cluster, again: str) -> None:
    """Run again what failed, with nothing in the way any more."""
    cluster.calculator.pace(0)
    assert again in cluster.tachylite("rerun")


def test_a_worker_is_killed(cluster: Cluster, undisturbed: int) -> None:
    set_up_fireworks(cluster)
    before = cluster.calculator.calls
    cluster.submit("fireworks", "Cu")
    slow(cluster)
    number = start_worker(cluster)
    cluster.wait(cluster.at_work, "a checkpoint")
    os.kill(int((cluster.folder / f"worker-{number}.pid").read_text(encoding="utf-8")), signal.SIGKILL)
    cluster.wait(lambda: "lost" in cluster.states(), "the loss", 60)
    (lost,) = [job for job in cluster.jobs() if job["state"] == "lost"]
    assert lost["name"] == "melt"
    assert "no process works in" in lost["reason"]
    finish(cluster, "melt")
    rapidfire()
    assert cluster.states() == {"completed"}
    (material,) = cluster.materials()
    assert material["status"] == "completed"
    twice = cluster.calculator.calls - before - undisturbed
    assert 0 <= twice <= CHECKPOINT + 1, "only what came after the last checkpoint"


def test_a_running_job_is_cancelled_on_slurm(cluster: Cluster, undisturbed: int) -> None:
    set_up_fireworks(cluster)
    before = cluster.calculator.calls
    cluster.submit("fireworks", "Cu")
    work_until_production(cluster)
    slow(cluster)
    send_to_slurm(cluster)
    cluster.wait(cluster.at_work, "a checkpoint")
    cancel(cluster)
    cluster.wait(lambda: "lost" in cluster.states(), "the loss", 60)
    assert "no longer in the queue" in cluster.tachylite("status", "newest")
    finish(cluster, "no longer in the queue")
    rapidfire()
    assert cluster.states() == {"completed"}
    assert 0 <= cluster.calculator.calls - before - undisturbed <= CHECKPOINT + 1


def test_a_job_reaches_the_end_of_its_walltime(cluster: Cluster, undisturbed: int) -> None:
    limits = {"default": {"queue": SLURM, "walltime": "00:01:00"}}
    file = {"launcher": "fireworks", "launchpad": "my_launchpad.yaml", "workdir": str(cluster.folder / "work")}
    cluster.write("fireworks.yaml", file | limits)
    set_up_fireworks(cluster)
    before = cluster.calculator.calls
    cluster.submit("fireworks", "Cu")
    work_until_production(cluster)
    # 200 steps take longer than the minute that the job has
    cluster.calculator.pace(0.4)
    send_to_slurm(cluster)
    cluster.wait(lambda: "failed" in cluster.states(), "the end of the walltime", 120)
    (failed,) = [job for job in cluster.jobs() if job["state"] == "failed"]
    assert "the walltime is used up at step" in failed["reason"]
    finish(cluster, "the walltime is used up at step")
    rapidfire()
    assert cluster.states() == {"completed"}
    again = cluster.calculator.calls - before - undisturbed
    assert 0 <= again <= 1, "its last step was a checkpoint, whose forces are computed to go on from"


def test_two_workers_share_a_queue(cluster: Cluster, undisturbed: int) -> None:
    file = {"launcher": "fireworks", "launchpad": "my_launchpad.yaml", "workdir": str(cluster.folder / "work")}
    cluster.write("fireworks.yaml", file | {"cohort": 1})
    set_up_fireworks(cluster)
    campaign = cluster.submit("fireworks", "Cu", "Au", "Ag")
    for _ in range(2):
        start_worker(cluster)
    cluster.wait(lambda: cluster.states() == {"completed"}, "the end")
    assert len(cluster.materials()) == 3
    from fireworks import LaunchPad

    launchpad = LaunchPad.from_file("my_launchpad.yaml")
    jobs = launchpad.fireworks.count_documents({"spec.campaign": campaign})
    assert launchpad.launches.count_documents({}) == jobs, "each job once"


def test_the_database_goes_away_and_comes_back(
    tmp_path: Path, calculator: Calculator, undisturbed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {**os.environ, "TACHYLITE_SERVICES": str(tmp_path / "services"), "TACHYLITE_PYTHON": sys.executable}
    subprocess.run([SERVICES, "start", "mongo"], env=own, check=True)
    cluster = Cluster(tmp_path, calculator, mongo_of(tmp_path / "services"), "coming_and_going")
    cluster.enter(monkeypatch)
    try:
        calculator.pace(0)
        set_up_fireworks(cluster)
        before = calculator.calls
        cluster.submit("fireworks", "Cu")
        slow(cluster)
        number = start_worker(cluster)
        cluster.wait(cluster.at_work, "a checkpoint")
        subprocess.run([SERVICES, "stop", "mongo"], env=own, check=True)
        calculator.pace(0)
        time.sleep(5)
        subprocess.run([SERVICES, "start", "mongo"], env=own, check=True)
        cluster.wait(lambda: has_ended(number), "the end of the worker")
        if cluster.states() != {"completed"}:
            cluster.tachylite("rerun")
            rapidfire()
        assert cluster.states() == {"completed"}
        assert len(cluster.materials()) == 1
        assert calculator.calls - before == undisturbed
    finally:
        cluster.end()
        subprocess.run([SERVICES, "stop", "mongo"], env=own, check=True)


def mongo_of(services: Path) -> str:
    return f"mongodb://127.0.0.1:{(services / 'mongo' / 'port').read_text().strip()}/?replicaSet=rs0"


def test_the_runner_is_killed(cluster: Cluster, undisturbed: int) -> None:
    """That a job is cancelled on Slurm is in the tutorial, which `test_pages.py` follows."""
    set_up_remote(cluster)
    before = cluster.calculator.calls
    cluster.submit("remote", "Cu")
    slow(cluster)
    runner = start_runner(cluster)
    cluster.wait(cluster.at_work, "a checkpoint")
    cluster.kill(runner)
    runner = start_runner(cluster)
    cluster.calculator.pace(0)
    cluster.wait(lambda: cluster.states() == {"completed"}, "the end")
    cluster.kill(runner)
    assert len(cluster.materials()) == 1
    assert cluster.calculator.calls - before == undisturbed
