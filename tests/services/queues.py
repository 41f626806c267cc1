"""FireWorks and jobflow-remote as the tests use them."""

import subprocess

from tests.services.cluster import SLURM, Cluster

ALL = "rapidfire --nlaunches 0 --sleep 1"
"""What a worker does: it takes jobs until there are none, and while others are at them looks again every second."""


def start_worker(cluster: Cluster) -> str:
    """Start a worker on Slurm; its number there. It writes its process id to a file."""
    script = cluster.folder / "worker.sh"
    lines = [
        "#!/bin/bash",
        cluster.exports,
        "echo $$ >worker-$SLURM_JOB_ID.pid",
        f"exec rlaunch -l my_launchpad.yaml -w my_fworker.yaml {ALL}",
    ]
    script.write_text("\n".join(lines), encoding="utf-8")
    command = ["sbatch", "--parsable", f"--partition={SLURM}", "--output=worker-%j.log", str(script)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def has_ended(number: str) -> bool:
    return not squeue(f"--jobs={number}", "--states=PENDING,RUNNING,COMPLETING")


def work_until_production(cluster: Cluster) -> None:
    """Do what comes before the production run, so that this is the next job, and the only one."""
    for name in ("make_structures", "relax_references"):
        (number,) = [int(job["key"]) for job in cluster.jobs() if job["name"] == name]
        take_one(number)


def set_up_fireworks(_: Cluster) -> None:
    from fireworks import LaunchPad

    LaunchPad.from_file("my_launchpad.yaml").reset("", require_password=False)


def take_one(number: int | None = None) -> bool:
    """Be a worker for one job, this one or the next; whether there was one."""
    from fireworks import FWorker, LaunchPad
    from fireworks.core.rocket_launcher import launch_rocket

    launchpad, worker = LaunchPad.from_file("my_launchpad.yaml"), FWorker.from_file("my_fworker.yaml")
    return bool(launch_rocket(launchpad, worker, fw_id=number))


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


def set_up_remote(_: Cluster) -> None:
    from jobflow_remote.jobs.jobcontroller import JobController

    JobController.from_project_name("tests").reset()


def start_runner(cluster: Cluster) -> subprocess.Popen[str]:
    return cluster.start("jf", "-p", "tests", "runner", "run")


def squeue(*words: str) -> list[str]:
    return subprocess.run(["squeue", "--noheader", *words], capture_output=True, text=True, check=True).stdout.split()


def cancel(cluster: Cluster) -> None:
    """Cancel on Slurm what runs for this test, and for no other."""
    place = f"{cluster.folder}/"
    jobs = [line.split("|") for line in squeue("--format=%i|%Z/", "--states=RUNNING")]
    subprocess.run(["scancel", *(number for number, folder in jobs if folder.startswith(place))], check=True)
