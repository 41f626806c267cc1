"""What a launcher costs for each job: python -m benchmarks.launchers NAME [JOBS], after `source .services/env`.

NAME is local, fireworks or jobflow-remote-batch (one or two Slurm jobs take all jobs), fireworks-slurm or
jobflow-remote (a Slurm job for every job).
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from benchmarks.common import publish, table
from jobflow import Flow, job, run_locally
from pymongo import MongoClient

from tachylite.stores import open_store
from tachylite.stores.opening import StoreFile

MONGO = os.environ.get("TACHYLITE_TEST_MONGO", "")
PARTITION = os.environ.get("TACHYLITE_TEST_SLURM", "")
BIN = Path(sys.executable).parent
FLOW = 10
"""Jobs in a flow."""
SOURCE = str(Path(__file__).parents[1])
EXPORTS = f"export OMP_NUM_THREADS=1 PATH={BIN}:$PATH PYTHONPATH={SOURCE}"
PATIENCE_S = 300
AT_ONCE = 4
"""Slurm jobs waiting or running where every job has its own: as many as the node of `tools/services` runs."""


@job
def tiny(number: int) -> dict[str, int]:
    """Return what it is given."""
    return {"number": number}


def flows(jobs: int) -> list[Flow]:
    """Jobs that do nothing, some in each flow."""
    return [Flow([tiny(first + i) for i in range(FLOW)]) for first in range(0, jobs, FLOW)]


def write(name: str, content: dict[str, Any]) -> str:
    """Write a configuration file; its path."""
    path = Path(name).absolute()
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content))
    return str(path)


def local(made: list[Flow], store: str, _: str) -> None:
    """One process, as `tachylite run` does it."""
    opened = open_store(store)
    for flow in made:
        run_locally(flow, store=opened, log=False, ensure_success=True)


def launchpad_with(made: list[Flow], store: str, database: str) -> Any:
    """A LaunchPad that holds all flows, and the files that name it."""
    from fireworks import LaunchPad
    from jobflow.managers.fireworks import flow_to_workflow

    pad = write("my_launchpad.yaml", {"host": MONGO, "name": database, "uri_mode": True, "strm_lvl": "ERROR"})
    write("my_fworker.yaml", {"name": "here", "category": "", "query": "{}"})
    launchpad = LaunchPad.from_file(pad)
    launchpad.reset("", require_password=False)
    launchpad.bulk_add_wfs([flow_to_workflow(flow, StoreFile(store)) for flow in made])
    return launchpad


def fireworks(made: list[Flow], store: str, database: str) -> None:
    """One worker on Slurm takes all jobs."""
    launchpad = launchpad_with(made, store, database)
    run = f"{EXPORTS} && cd {Path.cwd()} && rlaunch -s -l my_launchpad.yaml -w my_fworker.yaml rapidfire --nlaunches 0"
    subprocess.run(["sbatch", "--wait", f"--partition={PARTITION}", f"--wrap={run}"], check=True)
    assert launchpad.get_fw_ids({"state": {"$ne": "COMPLETED"}}, count_only=True) == 0


def fireworks_slurm(made: list[Flow], store: str, database: str) -> None:
    """A Slurm job for every job, sent by `qlaunch -r`."""
    launchpad = launchpad_with(made, store, database)
    files = f"-l {Path.cwd()}/my_launchpad.yaml -w {Path.cwd()}/my_fworker.yaml"
    adapter = {
        "_fw_name": "CommonAdapter",
        "_fw_q_type": "SLURM",
        "rocket_launch": f"rlaunch -s {files} singleshot",
        "queue": PARTITION,
        "ntasks": 1,
        "pre_rocket": EXPORTS,
    }
    words = f"-r {files} -q {write('my_qadapter.yaml', adapter)} rapidfire -m {AT_ONCE} --nlaunches 0 --sleep 1"
    # of itself it waits 5 s after every job that it sends
    settings = {"PYTHONPATH": SOURCE, "FW_CONFIG_FILE": write("fireworks.yaml", {"QUEUE_UPDATE_INTERVAL": 1})}
    command = [str(BIN / "qlaunch"), *words.split()]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | settings)
    wait_for(lambda: launchpad.get_fw_ids({"state": {"$ne": "COMPLETED"}}, count_only=True))


def jobflow_remote(made: list[Flow], store: str, _: str) -> None:
    """A Slurm job for every job."""
    through_runner(made, store, {"max_jobs": AT_ONCE})


def jobflow_remote_batch(made: list[Flow], store: str, _: str) -> None:
    """Two Slurm jobs take all jobs."""
    folders = {name: str(Path(name).absolute()) for name in ("jobs_handle_dir", "work_dir")}
    through_runner(made, store, {"max_jobs": 2, "batch": {**folders, "sleep_time": 1, "max_wait": 30}})


def through_runner(made: list[Flow], store: str, options: dict[str, Any]) -> None:
    """All flows through jobflow-remote's runner, which looks every second."""
    stores = yaml.safe_load(Path(store).read_text())
    worker = {
        "type": "local",
        "scheduler_type": "slurm",
        "work_dir": str(Path("runs").absolute()),
        "pre_run": EXPORTS,
        "resources": {"partition": PARTITION, "ntasks": 1},
        **options,
    }
    looks = ("checkout", "check_run_status", "advance_status", "refresh_limited", "update_batch")
    project = {
        "name": "benchmark",
        "base_dir": str(Path("remote").absolute()),
        "runner": {f"delay_{name}": 1 for name in looks},
        "workers": {"slurm": worker},
        "queue": {"store": stores["docs_store"] | {"collection_name": "jobs"}},
        "jobstore": stores,
    }
    write("project/benchmark.yaml", project)
    os.environ["JFREMOTE_PROJECTS_FOLDER"] = str(Path("project").absolute())
    from jobflow_remote import submit_flow
    from jobflow_remote.jobs.jobcontroller import JobController

    controller = JobController.from_project_name("benchmark")
    controller.reset()
    for flow in made:
        submit_flow(flow, project="benchmark")
    runner = subprocess.Popen([BIN / "jf", "-p", "benchmark", "runner", "run"], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: controller.count_jobs(query={"state": {"$ne": "COMPLETED"}}))
    finally:
        runner.terminate()
        runner.wait()


def wait_for(unfinished: Callable[[], int]) -> None:
    """Wait until nothing is left; a job that failed would stay, and nothing more would be finished."""
    left, since = unfinished(), time.monotonic()
    while left:
        time.sleep(1)
        now = unfinished()
        left, since = now, time.monotonic() if now < left else since
        assert time.monotonic() - since < PATIENCE_S, f"{left} jobs are left and none was finished for {PATIENCE_S} s"


LAUNCHERS: dict[str, Callable[[list[Flow], str, str], None]] = {
    "local": local,
    "fireworks": fireworks,
    "fireworks-slurm": fireworks_slurm,
    "jobflow-remote": jobflow_remote,
    "jobflow-remote-batch": jobflow_remote_batch,
}


def main(name: str, jobs: int) -> None:
    """Run the jobs, and write down seconds for each and what the database has grown by."""
    database = f"tachylite_{uuid.uuid4().hex[:8]}"
    place = {"uri": MONGO, "database": database}
    client: MongoClient[dict[str, Any]]
    with TemporaryDirectory() as folder, MongoClient(MONGO) as client:
        os.chdir(folder)
        spec = {
            "docs_store": {"type": "MongoStore", "collection_name": "outputs", **place},
            "additional_stores": {"data": {"type": "GridFSStore", "collection_name": "blobs", **place}},
        }
        store = write("store.yaml", spec)
        try:
            started = time.perf_counter()
            LAUNCHERS[name](flows(jobs), store, database)
            seconds = time.perf_counter() - started
            outputs = client[database]["outputs"].count_documents({})
            assert outputs == jobs, f"{outputs} of {jobs} jobs have stored something"
            # what is on disk is counted after it has got there
            client.admin.command("fsync")
            size = client[database].command("dbstats")
        finally:
            os.chdir("/")
            client.drop_database(database)
    numbers = {"jobs": jobs, "seconds": seconds, "data_bytes": size["dataSize"], "disk_bytes": size["totalSize"]}
    kilobytes = [f"{size[name] / jobs / 1e3:.1f}" for name in ("dataSize", "totalSize")]
    row = [f"{jobs:,}", f"{seconds / jobs:.3f}", *kilobytes]
    title = f"Tiny jobs through {name}"
    publish("launchers", {title: table(["jobs", "s/job", "kB of data/job", "kB on disk/job"], [row])}, {title: numbers})


if __name__ == "__main__":
    # workers have to find the job in a module, and not in the program that is run
    from benchmarks.launchers import main as carry_out

    carry_out(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
