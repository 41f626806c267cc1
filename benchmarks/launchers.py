"""What a launcher costs for each job: python -m benchmarks.launchers NAME [JOBS], after `source .services/env`.

NAME is local, fireworks (one worker on Slurm takes all jobs), or jobflow-remote (a Slurm job for every job).
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
from tachylite.stores.store_file import StoreFile

MONGO = os.environ.get("TACHYLITE_TEST_MONGO", "")
PARTITION = os.environ.get("TACHYLITE_TEST_SLURM", "")
BIN = Path(sys.executable).parent
FLOW = 10
"""Jobs in a flow."""


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


def fireworks(made: list[Flow], store: str, database: str) -> None:
    """One worker on Slurm takes all jobs."""
    from fireworks import LaunchPad
    from jobflow.managers.fireworks import flow_to_workflow

    pad = write("my_launchpad.yaml", {"host": MONGO, "name": database, "uri_mode": True, "strm_lvl": "ERROR"})
    launchpad = LaunchPad.from_file(pad)
    launchpad.reset("", require_password=False)
    launchpad.bulk_add_wfs([flow_to_workflow(flow, StoreFile(store)) for flow in made])
    worker = write("my_fworker.yaml", {"name": "here", "category": "", "query": "{}"})
    run = f"cd {Path.cwd()} && rlaunch -s -l {pad} -w {worker} rapidfire --nlaunches 0"
    path = f"{BIN}:{Path(__file__).parents[1]}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run(["sbatch", "--wait", f"--partition={PARTITION}", f"--wrap={run}"], check=True, env=environment)
    assert launchpad.get_fw_ids({"state": {"$ne": "COMPLETED"}}, count_only=True) == 0


def jobflow_remote(made: list[Flow], store: str, database: str) -> None:
    """A Slurm job for every job; the runner looks every second."""
    stores = yaml.safe_load(Path(store).read_text())
    source = Path(__file__).parents[1]
    worker = {
        "type": "local",
        "scheduler_type": "slurm",
        "work_dir": str(Path("runs").absolute()),
        "pre_run": f"export PATH={BIN}:$PATH PYTHONPATH={source}",
        "resources": {"partition": PARTITION, "ntasks": 1},
        "max_jobs": 4,
    }
    delays = dict.fromkeys(("delay_checkout", "delay_check_run_status", "delay_advance_status"), 1)
    project = {
        "name": "benchmark",
        "base_dir": str(Path("remote").absolute()),
        "runner": delays | {"delay_refresh_limited": 1},
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
        while controller.count_jobs(query={"state": {"$ne": "COMPLETED"}}):
            time.sleep(1)
    finally:
        runner.terminate()
        runner.wait()


LAUNCHERS: dict[str, Callable[[list[Flow], str, str], None]] = {
    "local": local,
    "fireworks": fireworks,
    "jobflow-remote": jobflow_remote,
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
            size = client[database].command("dbstats")
        finally:
            os.chdir("/")
            client.drop_database(database)
    numbers = {"jobs": jobs, "seconds": seconds, "data_bytes": size["dataSize"], "disk_bytes": size["totalSize"]}
    row = [f"{jobs:,}", f"{seconds / jobs:.3f}", f"{size['dataSize'] / jobs / 1e3:.1f}"]
    title = f"Tiny jobs through {name}"
    publish("launchers", {title: table(["jobs", "s/job", "kB of data/job"], [row])}, {title: numbers})


if __name__ == "__main__":
    # workers have to find the job in a module, and not in the program that is run
    from benchmarks.launchers import main as carry_out

    carry_out(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
