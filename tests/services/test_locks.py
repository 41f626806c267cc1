"""What a process leaves locked that is killed at the worst moment is named with the command that frees it."""

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from tests.services.cluster import MONGO, NEEDS_SERVICES, Cluster
from tests.services.queues import (
    rapidfire,
    set_up_fireworks,
    set_up_remote,
    start_runner,
    work_until_production,
)

pytestmark = NEEDS_SERVICES

DOOMED_WORKER = """
import os, signal, sys
from fireworks import FWorker, LaunchPad
from fireworks.core.rocket_launcher import rapidfire

changes, update = 0, LaunchPad._update_wf

def die_in_time(*words):
    global changes
    changes += 1
    if changes == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    update(*words)

LaunchPad._update_wf = die_in_time
rapidfire(LaunchPad.from_file("my_launchpad.yaml"), FWorker.from_file("my_fworker.yaml"), nlaunches=1)
"""
"""A worker that is killed while it changes the workflow, which it has locked: the first or the second time."""

DOOMED_RUNNER = """
import os, signal
from jobflow_remote.jobs.runner import Runner

Runner.upload = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Runner(project_name="tests").run()
"""
"""A runner that is killed while it sends a job, which it has locked."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is given to a lock that nobody will free."""
    monkeypatch.setattr("tachylite.launchers.fireworks._LOCK_PATIENCE_S", 0)
    monkeypatch.setattr("tachylite.launchers.jobflow_remote._PATIENCE_S", 0)


@pytest.fixture
def database(cluster: Cluster) -> Iterator[Any]:
    client: MongoClient[dict[str, Any]]
    with MongoClient(MONGO) as client:
        yield client[cluster.database]


def die(cluster: Cluster, script: str, *words: str) -> None:
    process = cluster.start(sys.executable, "-c", script, *words)
    assert process.wait(timeout=120) == -9, cluster.logs()


def follow(advice: str, *answers: str) -> None:
    """Give the command that a line ends with."""
    (command,) = re.findall(r"free it: (.+)", advice)
    subprocess.run([*shlex.split(command), *answers], check=True, capture_output=True)


@pytest.mark.parametrize(("moment", "change"), [("it took the job", 1), ("it had done the job", 2)])
def test_a_worker_is_killed_while_it_holds_a_workflow(cluster: Cluster, moment: str, change: int) -> None:
    set_up_fireworks(cluster)
    cluster.submit("fireworks", "Cu")
    work_until_production(cluster)
    before = cluster.calculator.calls
    die(cluster, DOOMED_WORKER, str(change))
    computed = cluster.calculator.calls - before
    assert (computed > 0) == (change == 2)
    (lost,) = [job for job in cluster.jobs() if job["state"] == "lost"]
    assert lost["name"] == "melt"
    began = time.monotonic()
    advice = cluster.tachylite("rerun", code=1)
    assert time.monotonic() - began < 30, "FireWorks itself waits for five minutes"
    assert "its workflow is locked" in advice
    follow(advice)
    assert "melt" in cluster.tachylite("rerun")
    rapidfire()
    assert cluster.states() == {"completed"}
    assert len(cluster.materials()) == 1
    if change == 2:
        assert cluster.calculator.calls - before == computed, "what was done is not computed again"


def test_a_worker_elsewhere_falls_silent(cluster: Cluster) -> None:
    from fireworks import FWorker, LaunchPad

    set_up_fireworks(cluster)
    cluster.submit("fireworks", "Cu")
    launchpad = LaunchPad.from_file("my_launchpad.yaml")
    _, launch = launchpad.checkout_fw(FWorker("there"), "/elsewhere", host="another-machine", ip="192.0.2.1")
    time.sleep(2)
    assert "running" in cluster.states(), "for the hours that FireWorks gives it"
    assert "nothing has failed" in cluster.tachylite("rerun")
    assert "nothing was heard of it for" in cluster.tachylite("status", "newest", "--lost-after", "1")
    launchpad.ping_launch(launch)
    assert "lost" not in cluster.tachylite("status", "newest", "--lost-after", "1m")
    time.sleep(2)
    assert "it was lost: nothing was heard of it" in cluster.tachylite("rerun", "--lost-after", "1")
    assert cluster.states() == {"waiting"}
    rapidfire()
    assert cluster.states() == {"completed"}


def test_a_runner_is_killed_while_it_sends_a_job(cluster: Cluster, database: Any) -> None:
    set_up_remote(cluster)
    cluster.submit("remote", "Cu")
    die(cluster, DOOMED_RUNNER)
    (held,) = database["jobs"].find({"lock_id": {"$ne": None}})
    assert held["state"] == "CHECKED_OUT"
    assert not any(job["reason"] for job in cluster.jobs()), "a moment is no reason to worry"
    earlier = datetime.now(UTC) - timedelta(hours=1)
    database["jobs"].update_one({"_id": held["_id"]}, {"$set": {"lock_time": earlier}})
    (stuck,) = [job for job in cluster.jobs() if job["reason"]]
    assert (stuck["name"], stuck["state"]) == ("make_structures", "queued")
    assert stuck["reason"].startswith(f"locked since {earlier:%Y-%m-%d %H:%M} UTC")
    follow(stuck["reason"], "-y")
    runner = start_runner(cluster)
    cluster.wait(lambda: "completed" in cluster.states(), "the end of the job")
    cluster.kill(runner)


@pytest.mark.parametrize(
    ("collection", "state", "expected"),
    [("jobs", "FAILED", "job 1 is locked"), ("jobs", "WAITING", "is locked"), ("flows", "READY", "its flow is locked")],
)
def test_a_failed_job_is_locked(cluster: Cluster, database: Any, collection: str, state: str, expected: str) -> None:
    set_up_remote(cluster)
    cluster.submit("remote", "Cu")
    database["jobs"].update_one({"state": "READY"}, {"$set": {"state": "FAILED"}})
    lock = {"lock_id": "of somebody who was killed", "lock_time": datetime.now(UTC)}
    locked = database[collection].update_many({"state": state}, {"$set": lock}).modified_count
    assert locked
    said = cluster.tachylite("rerun", code=1)
    assert said.count("\n") == 1
    assert expected in said
    follow(said, "-y")
    left = database[collection].update_many({"lock_id": lock["lock_id"]}, {"$set": dict.fromkeys(lock)}).modified_count
    assert left == locked - 1
    assert "make_structures" in cluster.tachylite("rerun")
    assert cluster.states() == {"waiting"}
