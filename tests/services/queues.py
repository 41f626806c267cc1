"""FireWorks and jobflow-remote as the tests use them."""

import subprocess
import time
from collections.abc import Callable

from tests.services.cluster import SLURM, Cluster

ALL = "rapidfire --nlaunches 0"
"""What a worker does: it takes jobs until there are none."""


def start_worker(cluster: Cluster, what: str = ALL) -> str:
    """Start a worker on Slurm; its number there. It writes its process id to a file."""
    script = cluster.folder / "worker.sh"
    lines = [
        "#!/bin/bash",
        cluster.exports,
        "echo $$ >worker-$SLURM_JOB_ID.pid",
        f"exec rlaunch -l my_launchpad.yaml -w my_fworker.yaml {what}",
    ]
    script.write_text("\n".join(lines), encoding="utf-8")
    command = ["sbatch", "--parsable", f"--partition={SLURM}", "--output=worker-%j.log", str(script)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def has_ended(number: str) -> bool:
    return not squeue(f"--jobs={number}", "--states=PENDING,RUNNING,COMPLETING")


def work_off(cluster: Cluster, what: str = ALL) -> None:
    """Have a worker take jobs, and wait for it."""
    number = start_worker(cluster, what)
    cluster.wait(lambda: has_ended(number), "the end of a worker")


def work_until_production(cluster: Cluster) -> None:
    """Do what comes before the production run, so that this is the next job, and the only one."""
    before = ("pack_structures", "relax_references", "melt volume")
    for name in before:
        (key,) = [job["key"] for job in cluster.jobs() if job["name"] == name]
        work_off(cluster, f"singleshot --fw_id {key}")


def set_up_fireworks(_: Cluster) -> None:
    from fireworks import LaunchPad

    LaunchPad.from_file("my_launchpad.yaml").reset("", require_password=False)


def rapidfire() -> None:
    """Be a worker until nothing is left."""
    from fireworks import FWorker, LaunchPad
    from fireworks.core.rocket_launcher import rapidfire as launch

    launch(LaunchPad.from_file("my_launchpad.yaml"), FWorker.from_file("my_fworker.yaml"), nlaunches=0, sleep_time=1)


def send_to_slurm(cluster: Cluster) -> None:
    """Send a job to Slurm for every job that is ready."""
    from fireworks import FWorker, LaunchPad

    while LaunchPad.from_file("my_launchpad.yaml").run_exists(FWorker.from_file("my_fworker.yaml")):
        _queue_launch(cluster, "my_qadapter.yaml", reserve=True)


def _queue_launch(cluster: Cluster, adapter: str, *, reserve: bool) -> None:
    from fireworks import FWorker, LaunchPad
    from fireworks.queue.queue_launcher import launch_rocket_to_queue
    from fireworks.utilities.fw_serializers import load_object_from_file

    launch_rocket_to_queue(
        LaunchPad.from_file("my_launchpad.yaml"),
        FWorker.from_file("my_fworker.yaml"),
        load_object_from_file(adapter),
        launcher_dir=str(cluster.folder),
        reserve=reserve,
        create_launcher_dir=True,
    )


def through_workers_on_slurm(cluster: Cluster) -> None:
    """Send two workers to Slurm, which take jobs until there are none."""
    text = (cluster.folder / "my_qadapter.yaml").read_text(encoding="utf-8")
    (cluster.folder / "pulling.yaml").write_text(
        text.replace("singleshot", "rapidfire --nlaunches 0"), encoding="utf-8"
    )
    for _ in range(2):
        _queue_launch(cluster, "pulling.yaml", reserve=False)
    cluster.wait(lambda: cluster.states() == {"completed"}, "the end of the campaign")


def through_slurm(cluster: Cluster, seconds: float = 500) -> None:
    """Send jobs to Slurm until the campaign is done."""
    deadline = time.monotonic() + seconds
    while (states := cluster.states()) != {"completed"}:
        assert not states & {"failed", "lost"}, cluster.tachylite("status", "newest")
        assert time.monotonic() < deadline, cluster.tachylite("status", "newest")
        send_to_slurm(cluster)
        time.sleep(1)


def set_up_remote(_: Cluster) -> None:
    from jobflow_remote.jobs.jobcontroller import JobController

    JobController.from_project_name("tests").reset()


def start_runner(cluster: Cluster) -> subprocess.Popen[str]:
    return cluster.start("jf", "-p", "tests", "runner", "run")


def through_runner(cluster: Cluster) -> None:
    runner = start_runner(cluster)
    cluster.wait(lambda: cluster.states() == {"completed"}, "the end of the campaign", 500)
    cluster.kill(runner)


def squeue(*words: str) -> list[str]:
    return subprocess.run(["squeue", "--noheader", *words], capture_output=True, text=True, check=True).stdout.split()


def through_rapidfire(_: Cluster) -> None:
    rapidfire()


LAUNCHERS: dict[str, tuple[str, Callable[[Cluster], None], Callable[[Cluster], None]]] = {
    "FireWorks rapidfire": ("fireworks", set_up_fireworks, through_rapidfire),
    "FireWorks on Slurm": ("fireworks", set_up_fireworks, through_workers_on_slurm),
    "jobflow-remote on Slurm": ("remote", set_up_remote, through_runner),
}
"""The file to submit with, how it is set up, and how a campaign gets done."""
